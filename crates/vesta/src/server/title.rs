//! The process title: `proc-title-template` filled in.

use vesta_config::Config;

/// What `ps` shows for a server with this configuration.
///
/// Variables in braces: `{title}`, `{listen-addr}`, `{server-mode}`, `{port}`, `{tls-port}`,
/// `{unixsocket}`, `{config-file}`; others stay as they are. Spaces that empty variables leave at
/// the end are cut. Source: the comments of the stock 7.2 redis.conf.
pub(crate) fn title(config: &Config, config_file: Option<&str>) -> String {
    let mut title = String::new();
    let mut rest = config.proc_title_template.as_str();
    while let Some((before, behind)) = rest.split_once('{') {
        title.push_str(before);
        match behind.split_once('}') {
            Some((name, after)) => {
                match variable(name, config, config_file) {
                    Some(value) => title.push_str(&value),
                    None => title.extend(["{", name, "}"]),
                }
                rest = after;
            }
            None => {
                title.push('{');
                rest = behind;
            }
        }
    }
    title.push_str(rest);
    title.trim().to_string()
}

fn variable(name: &str, config: &Config, config_file: Option<&str>) -> Option<String> {
    Some(match name {
        "title" => "vesta-server".to_string(),
        "listen-addr" => listen_address(config),
        "server-mode" if config.cluster_enabled => "[cluster]".to_string(),
        "server-mode" => String::new(),
        "port" => config.port.to_string(),
        "tls-port" => config.tls_port.to_string(),
        "unixsocket" => config.unixsocket.clone().unwrap_or_default(),
        "config-file" => config_file.unwrap_or_default().to_string(),
        _ => return None,
    })
}

/// The first address and port, or the unix socket if there is no port.
fn listen_address(config: &Config) -> String {
    let port = if config.port == 0 { config.tls_port } else { config.port };
    if port == 0 {
        return format!("unixsocket:{}", config.unixsocket.as_deref().unwrap_or_default());
    }
    format!("{}:{port}", config.bind.first().map_or("*", String::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stock_template_gives_what_ps_shows_for_redis() {
        let mut config = Config::default();
        assert_eq!(title(&config, None), "vesta-server *:6379");
        config.bind = vec!["127.0.0.1".into(), "::1".into()];
        config.cluster_enabled = true;
        assert_eq!(title(&config, None), "vesta-server 127.0.0.1:6379 [cluster]");
        config.port = 0;
        config.unixsocket = Some("/run/v.sock".into());
        assert_eq!(title(&config, None), "vesta-server unixsocket:/run/v.sock [cluster]");
    }

    #[test]
    fn a_template_may_use_every_variable_and_odd_braces_stay() {
        let config = Config {
            proc_title_template: "{port}/{tls-port} {config-file} {odd} {open".into(),
            ..Config::default()
        };
        assert_eq!(title(&config, Some("/etc/v.conf")), "6379/0 /etc/v.conf {odd} {open");
    }
}
