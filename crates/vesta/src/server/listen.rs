//! The sockets a configuration asks for.

use std::fmt;
use std::path::Path;

use vesta_config::Config;
use vesta_rt::bind::{BindError, bind};
use vesta_rt::log::{Level, Logger};
use vesta_rt::socket::{ListenError, Listener, backlog_max};

/// Why the server has nothing to listen on. Worded as by redis-server
/// 7.0.15 (observed), with the kind of socket in small letters as in 7.2 (not observed).
#[derive(Debug)]
pub(crate) enum NoListener {
    /// An address of `bind`.
    Tcp(BindError),
    /// The unix socket.
    Unix(ListenError),
    /// Neither a port nor a unix socket is configured.
    Nowhere,
}

impl fmt::Display for NoListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(error) => {
                write!(f, "Failed listening on port {} (tcp), aborting.", error.port)
            }
            Self::Unix(error) => write!(f, "Failed opening Unix socket: {error}"),
            Self::Nowhere => f.write_str("Configured to not listen anywhere, exiting."),
        }
    }
}

/// Opens every socket that `config` asks for: TCP first, the unix socket last.
///
/// Addresses that are left out and the one that fails are logged.
///
/// # Errors
/// The first socket that cannot be opened; the others are closed again.
pub(crate) fn listeners(config: &Config, logger: &Logger) -> Result<Vec<Listener>, NoListener> {
    let mut listeners = Vec::new();
    if config.port != 0 {
        let addresses: Vec<&str> = config.bind.iter().map(String::as_str).collect();
        let bound = bind(&addresses, config.port, config.tcp_backlog).map_err(|error| {
            logger.log(Level::Warning, &format!("Warning: {error}"));
            NoListener::Tcp(error)
        })?;
        warn_of_short_backlog(config.tcp_backlog, logger);
        for skipped in &bound.skipped {
            logger.log(Level::Warning, &format!("Warning: {skipped}"));
        }
        listeners.extend(bound.listeners);
    }
    if let Some(path) = &config.unixsocket {
        let permissions = (config.unixsocketperm != 0).then_some(config.unixsocketperm);
        let socket = Listener::unix(Path::new(path), permissions, config.tcp_backlog)
            .map_err(NoListener::Unix)?;
        listeners.push(socket);
    }
    if listeners.is_empty() { Err(NoListener::Nowhere) } else { Ok(listeners) }
}

fn warn_of_short_backlog(wanted: u32, logger: &Logger) {
    if let Some(most) = backlog_max().filter(|most| *most < wanted) {
        logger.log(
            Level::Warning,
            &format!(
                "WARNING: The TCP backlog setting of {wanted} cannot be enforced because \
                 /proc/sys/net/core/somaxconn is set to the lower value of {most}."
            ),
        );
    }
}

#[cfg(test)]
mod tests {
    use vesta_rt::log::{Role, Sink};

    use super::*;

    #[test]
    fn a_configuration_without_any_socket_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        let logger = Logger {
            level: Level::Notice,
            role: Role::Primary,
            sink: Sink::File(log),
            syslog: None,
        };
        let mut config = Config { port: 0, unixsocket: None, ..Config::default() };
        let refused = listeners(&config, &logger).unwrap_err();
        assert_eq!(refused.to_string(), "Configured to not listen anywhere, exiting.");

        let path = dir.path().join("v.sock");
        config.unixsocket = Some(path.to_str().unwrap().into());
        let sockets = listeners(&config, &logger).unwrap();
        assert!(sockets.len() == 1 && sockets[0].is_unix());

        config.unixsocket = Some(dir.path().join("no/v.sock").to_str().unwrap().into());
        let refused = listeners(&config, &logger).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "Failed opening Unix socket: bind: No such file or directory"
        );
    }
}
