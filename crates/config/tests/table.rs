//! The table against facts of real servers, and each entry against itself.

mod support;

use std::collections::BTreeSet;

use support::get;
use vesta_config::{Config, Effect, Secret, Shown, Takes, docs_table, matching, options};

const REAL_7_0: &str = include_str!("data/config-get-7.0.15.tsv");
const ADDED_IN_7_2: &str = include_str!("data/config-get-7.2-additions.tsv");

fn facts() -> impl Iterator<Item = (&'static str, &'static str)> {
    REAL_7_0
        .lines()
        .chain(ADDED_IN_7_2.lines())
        .map(|line| line.split_once('\t').unwrap_or((line, "")))
}

/// Where Vesta is meant to be different: names and values that a real server has, and those here.
const DIFFERENT: [&[(&str, &str)]; 2] = [
    &[("repl-diskless-load", "disabled")],
    &[("repl-diskless-load", "swapdb"), ("replica-refuse-empty-primary", "yes")],
];

#[test]
fn config_get_lists_the_names_and_defaults_of_a_real_server() {
    let ours = matching(&Config::default(), &[b"*"]);
    let ours: BTreeSet<(String, String)> = ours
        .into_iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8(value).unwrap()))
        .collect();
    let real: BTreeSet<(String, String)> =
        facts().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    let pairs = |pair: &(String, String)| (pair.0.clone(), pair.1.clone());
    let missing: Vec<_> = real.difference(&ours).map(pairs).collect();
    let extra: Vec<_> = ours.difference(&real).map(pairs).collect();
    let meant = DIFFERENT.map(|pairs| {
        pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect::<Vec<_>>()
    });
    assert_eq!([missing, extra], meant, "what is missing, and what is there besides");
}

#[test]
fn names_are_unique_and_in_lower_case() {
    let mut seen = BTreeSet::new();
    for option in options::all() {
        for name in [Some(option.name), option.alias].into_iter().flatten() {
            assert!(seen.insert(name), "{name} stands in the table twice");
            assert_eq!(name, name.to_ascii_lowercase());
            let found = options::find(name.to_ascii_uppercase().as_bytes()).unwrap();
            assert_eq!(found.name, option.name);
        }
    }
}

/// Values other than the default for every option that CONFIG GET shows, by the kind of the
/// default.
fn other_values(name: &str, default: &str) -> Vec<String> {
    let special: &[&str] = match name {
        "save" => &["", "5 5", "900 1 300 10"],
        "bind" => &["", "127.0.0.1", "10.0.0.1 -::1"],
        "client-output-buffer-limit" => {
            &["normal 1048576 2 3 slave 4 5 6 pubsub 0 0 0", "pubsub 1gb 1mb 60"]
        }
        "oom-score-adj-values" => &["-1000 0 2000"],
        "latency-tracking-info-percentiles" => &["", "0 12.5 99.999999", "100"],
        "notify-keyspace-events" => &["AKE", "gxE", "", "KEAmn"],
        "shutdown-on-sigint" | "shutdown-on-sigterm" => &["save now", "nosave force"],
        "replicaof" => &["10.0.0.1 7000", "no one"],
        "maxmemory-clients" => &["5%", "1048576", "100%"],
        "proc-title-template" => &["x {port}", "{title} {config-file}"],
        "unixsocketperm" => &["700", "777", "0"],
        "maxmemory-policy" => &["allkeys-lru", "volatile-ttl"],
        "loglevel" => &["debug", "warning"],
        "appendfsync" => &["always", "no"],
        "repl-diskless-load" => &["swapdb", "on-empty-db"],
        "sanitize-dump-payload" => &["clients", "yes"],
        "acl-pubsub-default" => &["allchannels"],
        "oom-score-adj" => &["yes", "absolute"],
        "cluster-preferred-endpoint-type" => &["hostname", "unknown-endpoint"],
        "propagation-error-behavior" => &["panic", "panic-on-replicas"],
        "tls-auth-clients" => &["optional", "no"],
        "supervised" => &["auto", "systemd"],
        "syslog-facility" => &["user", "local7"],
        "enable-debug-command" | "enable-module-command" | "enable-protected-configs" => {
            &["local", "yes"]
        }
        "requirepass" | "masterauth" | "tls-key-file-pass" | "tls-client-key-file-pass" => {
            &["a b\"c", "\u{e9}\n"]
        }
        "dir" | "unixsocket" | "logfile" | "pidfile" => &["/a b/c", "it's"],
        _ => &[],
    };
    let words = special.iter().map(|value| value.to_string());
    if !special.is_empty() {
        return words.collect();
    }
    match default {
        "yes" => vec!["no".to_string()],
        "no" => vec!["yes".to_string()],
        number if number.parse::<i64>().is_ok() => vec!["1".to_string(), "2".to_string()],
        _ => vec!["other".to_string(), "other-2".to_string()],
    }
}

#[test]
fn every_option_takes_back_what_it_shows_and_what_it_writes() {
    for option in options::all().filter(|option| option.shown != Shown::FileOnly) {
        let default = String::from_utf8(option.value(&Config::default())).unwrap();
        let mut tried = 0;
        for value in other_values(option.name, &default) {
            let mut config = Config::default();
            let set = |config: &mut Config, value: &str| option.apply(config, &[value.as_bytes()]);
            // Bounds of a megabyte are met by asking for one.
            let Some(_) = set(&mut config, &value)
                .or_else(|_| set(&mut config, &format!("{value}mb")))
                .or_else(|_| set(&mut config, "2000"))
                .ok()
            else {
                panic!("{} must take {value:?}", option.name)
            };
            let shown = option.value(&config);
            let mut again = Config::default();
            if option.name == "save" {
                again.save.clear();
            }
            match (option.name, shown.as_slice()) {
                ("replicaof", b"") => again.replicaof = None,
                _ => option.apply(&mut again, &[&shown]).unwrap(),
            }
            assert_eq!(again, config, "{} must take back what it shows", option.name);
            let text = option.lines(&config).join(&b'\n');
            let loaded = support::loaded(std::str::from_utf8(&text).unwrap()).unwrap();
            assert_eq!(loaded.config, config, "{} must take back what it writes", option.name);
            tried += usize::from(config != Config::default());
        }
        assert!(tried > 0, "{} has no value but its default in this test", option.name);
    }
}

#[test]
fn options_can_be_set_at_run_time_where_a_real_server_lets_them() {
    let fixed: BTreeSet<&str> = options::all()
        .filter(|option| option.takes == Takes::Start && option.shown == Shown::Always)
        .map(|option| option.name)
        .collect();
    let real = [
        "aclfile",
        "always-show-logo",
        "aof-rewrite-cpulist",
        "appenddirname",
        "appendfilename",
        "bgsave-cpulist",
        "bio-cpulist",
        "cluster-config-file",
        "cluster-enabled",
        "cluster-port",
        "daemonize",
        "databases",
        "disable-thp",
        "enable-debug-command",
        "enable-module-command",
        "enable-protected-configs",
        "io-threads",
        "io-threads-do-reads",
        "logfile",
        "pidfile",
        "rdbchecksum",
        "replicaof",
        "server-cpulist",
        "set-proc-title",
        "socket-mark-id",
        "supervised",
        "syslog-enabled",
        "syslog-facility",
        "syslog-ident",
        "tcp-backlog",
        "unixsocket",
        "unixsocketperm",
    ];
    assert_eq!(fixed, BTreeSet::from(real));
}

#[test]
fn the_documentation_has_a_row_for_every_directive() {
    let rows = docs_table();
    assert_eq!(rows.len(), options::all().count() + 1);
    assert_eq!(rows[0].name, "include");
    let port = rows.iter().find(|row| row.name == "port").unwrap();
    assert_eq!((port.group, port.default.as_str()), ("Network", "6379"));
    assert_eq!((port.takes, port.effect), (Takes::Rim, Effect::Yes));
    let slaveof = rows.iter().find(|row| row.name == "replicaof").unwrap();
    assert_eq!((slaveof.alias, slaveof.effect), (Some("slaveof"), Effect::Yes));
}

#[test]
fn a_password_is_shown_to_clients_but_not_to_logs() {
    let config = Config { requirepass: Some(Secret::new(b"s3cret".to_vec())), ..Config::default() };
    assert_eq!(get(&config, "requirepass"), "s3cret");
    assert!(!format!("{config:?}").contains("s3cret"));
    let loaded = support::loaded("requirepass s3cret").unwrap();
    assert!(!format!("{loaded:?}").contains("s3cret"));
}
