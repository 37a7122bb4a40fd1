//! CONFIG GET and CONFIG SET as clients see them. The texts were observed on redis-server 7.0.15.

mod support;

use support::{get, loaded, set_pairs};
use vesta_config::{Config, MaxmemoryPolicy, Peer, matching, set};

fn names(patterns: &[&str]) -> Vec<&'static str> {
    let patterns: Vec<&[u8]> = patterns.iter().map(|pattern| pattern.as_bytes()).collect();
    matching(&Config::default(), &patterns).into_iter().map(|(name, _)| name).collect()
}

#[test]
fn get_takes_patterns_in_any_case_and_names_nothing_twice() {
    assert_eq!(names(&["HZ", "h?", "hZ"]), ["hz"]);
    assert_eq!(names(&["replicaof", "slaveof"]), ["replicaof", "slaveof"]);
    assert_eq!(names(&["slave-p*"]), ["slave-priority"]);
    assert_eq!(
        names(&["hash-max-*"]),
        [
            "hash-max-listpack-entries",
            "hash-max-listpack-value",
            "hash-max-ziplist-entries",
            "hash-max-ziplist-value"
        ]
    );
    assert!(names(&["nothing"]).is_empty());
    assert!(names(&[]).is_empty());
}

#[test]
fn debugging_options_are_shown_by_name_only_and_file_directives_never() {
    assert!(names(&["key-load-*", "use-exit*"]).is_empty());
    assert_eq!(names(&["Key-Load-Delay"]), ["key-load-delay"]);
    assert!(names(&["rename-command", "user", "loadmodule", "include"]).is_empty());
}

/// The reply to a refused CONFIG SET behind its fixed beginning.
fn refusal(name: &str, value: &str) -> String {
    let error = set_pairs(&Config::default(), &[(name, value)])
        .err()
        .unwrap_or_else(|| panic!("{name} must refuse {value:?}"))
        .to_string();
    let start = format!("ERR CONFIG SET failed (possibly related to argument '{name}') - ");
    error.strip_prefix(&start).unwrap_or(&error).to_string()
}

#[test]
fn a_refused_value_is_answered_with_its_rule() {
    const INTEGER: &str = "argument couldn't be parsed into an integer";
    const MEMORY: &str = "argument must be a memory value";
    const PERCENT: &str = "argument must be a memory or percent value";
    const SAVE: &str = "Invalid save parameters";
    const LIMIT_WORDS: &str = "Wrong number of arguments in buffer limit configuration.";
    const LIMIT: &str =
        "Error in hard, soft or soft_seconds setting in buffer limit configuration.";
    const TITLE: &str = "template format is invalid or contains unknown variables";
    const PERCENTILE: &str = "Invalid latency-tracking-info-percentiles parameters";
    const PERCENTILE_RANGE: &str =
        "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]";
    for (name, value, text) in [
        ("maxmemory", "abc", MEMORY),
        ("maxmemory", "-1", MEMORY),
        ("maxmemory", "5%", MEMORY),
        ("maxmemory", "1 mb", MEMORY),
        ("maxmemory", "1.5gb", MEMORY),
        ("maxmemory", "1t", MEMORY),
        ("maxmemory-clients", "abc", PERCENT),
        ("maxmemory-clients", "-5%", PERCENT),
        ("maxmemory-clients", "%", PERCENT),
        ("maxmemory-clients", "101%", "percentage argument must be less or equal to 100"),
        (
            "proto-max-bulk-len",
            "1",
            "argument must be between 1048576 and 9223372036854775807 inclusive",
        ),
        (
            "repl-backlog-size",
            "18446744073709551615",
            "argument must be between 1 and 9223372036854775807 inclusive",
        ),
        ("hz", "abc", INTEGER),
        ("timeout", "", INTEGER),
        ("timeout", " 1", INTEGER),
        ("timeout", "01", INTEGER),
        ("timeout", "+1", INTEGER),
        ("hz", "9999999999999999999999", INTEGER),
        ("timeout", "-1", "argument must be between 0 and 2147483647 inclusive"),
        ("maxclients", "0", "argument must be between 1 and 4294967295 inclusive"),
        ("maxclients", "4294967296", "argument must be between 1 and 4294967295 inclusive"),
        ("port", "70000", "argument must be between 0 and 65535 inclusive"),
        (
            "slowlog-log-slower-than",
            "-5",
            "argument must be between -1 and 9223372036854775807 inclusive",
        ),
        ("appendonly", "maybe", "argument must be 'yes' or 'no'"),
        (
            "maxmemory-policy",
            "allkeys-lru noeviction",
            "argument(s) must be one of the following: volatile-lru, volatile-lfu, \
             volatile-random, volatile-ttl, allkeys-lru, allkeys-lfu, allkeys-random, noeviction",
        ),
        ("appendfsync", "", "argument(s) must be one of the following: everysec, always, no"),
        (
            "oom-score-adj",
            "x",
            "argument(s) must be one of the following: no, yes, relative, absolute",
        ),
        (
            "shutdown-on-sigint",
            "save  now",
            "argument(s) must be one of the following: default, save, nosave, now, force",
        ),
        (
            "shutdown-on-sigint",
            "save nosave",
            "shutdown options SAVE and NOSAVE can't be used simultaneously",
        ),
        ("save", "3 4 5", SAVE),
        ("save", "a b", SAVE),
        ("save", "0 1", SAVE),
        ("save", "-1 5", SAVE),
        ("save", " 3  4 ", SAVE),
        ("save", "3x 4", SAVE),
        (
            "client-output-buffer-limit",
            "master 1 2 3",
            "Invalid client class specified in buffer limit configuration.",
        ),
        ("client-output-buffer-limit", "normal 1 2", LIMIT_WORDS),
        ("client-output-buffer-limit", "normal a 2 3", LIMIT),
        ("client-output-buffer-limit", "normal 1mb 2 -3", LIMIT),
        ("oom-score-adj-values", "1 2", "wrong number of arguments"),
        ("oom-score-adj-values", "", "wrong number of arguments"),
        (
            "oom-score-adj-values",
            "2001 1 1",
            "Invalid oom-score-adj-values, elements must be between -2000 and 2000.",
        ),
        ("notify-keyspace-events", "foo", "Invalid event class character. Use 'Ag$lshzxeKEtmdn'."),
        ("latency-tracking-info-percentiles", "foo", PERCENTILE),
        ("latency-tracking-info-percentiles", "nan", PERCENTILE),
        ("latency-tracking-info-percentiles", "inf", PERCENTILE_RANGE),
        ("latency-tracking-info-percentiles", "-1", PERCENTILE_RANGE),
        ("bind", "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17", "Too many bind addresses specified."),
        ("proc-title-template", "{bad}", TITLE),
        ("proc-title-template", "", TITLE),
        ("proc-title-template", "a{title", TITLE),
        (
            "cluster-announce-hostname",
            "a_b",
            "Hostnames may only contain alphanumeric characters, hyphens or dots",
        ),
        ("databases", "10", "can't set immutable config"),
        ("supervised", "foo", "can't set immutable config"),
        ("dir", "/tmp", "can't set protected config"),
        ("slave-priority", "abc", INTEGER),
        ("foo", "1", "ERR Unknown option or number of arguments for CONFIG SET - 'foo'"),
        (
            "rename-command",
            "a b",
            "ERR Unknown option or number of arguments for CONFIG SET - 'rename-command'",
        ),
    ] {
        assert_eq!(refusal(name, value), text, "{name} {value:?}");
    }
    let long = "a".repeat(256);
    assert_eq!(
        refusal("cluster-announce-hostname", &long),
        "Hostnames must be less than 256 characters"
    );
}

#[test]
fn values_are_kept_in_their_usual_form() {
    for (name, value, shown) in [
        ("maxmemory", "1GB", "1073741824"),
        ("maxmemory", "1k", "1000"),
        ("maxmemory", "1B", "1"),
        ("maxmemory", "", "0"),
        ("maxmemory", "99999999999999999999", "18446744073709551615"),
        ("maxmemory", "18446744073709551615gb", "18446744073709551615"),
        ("maxmemory-clients", "0%", "0"),
        ("maxmemory-clients", "5%", "5%"),
        ("hz", "0", "1"),
        ("hz", "501", "500"),
        ("appendonly", "YES", "yes"),
        ("loglevel", "DEBUG", "debug"),
        ("oom-score-adj", "relative", "yes"),
        ("notify-keyspace-events", "KEAm", "AKEm"),
        ("notify-keyspace-events", "$K", "$K"),
        ("latency-tracking-info-percentiles", "50.123456789 0.001 1e1", "50.123457 0.001 10"),
        ("latency-tracking-info-percentiles", "", ""),
        ("shutdown-on-sigterm", "force save", "save force"),
        ("shutdown-on-sigterm", "default", "default"),
        ("save", "3 0", "3 0"),
        ("save", "", ""),
        (
            "client-output-buffer-limit",
            "replica 1 2 3 normal 4 5 6 NORMAL 7kb 8 9",
            "normal 7168 8 9 slave 1 2 3 pubsub 33554432 8388608 60",
        ),
        ("bind", "", ""),
    ] {
        let config = set_pairs(&Config::default(), &[(name, value)]).unwrap();
        assert_eq!(get(&config, name), shown, "{name} {value:?}");
    }
}

#[test]
fn several_are_set_together_or_not_at_all() {
    let before = Config::default();
    let error = set_pairs(&before, &[("hz", "12"), ("timeout", "abc")]).unwrap_err();
    assert!(error.to_string().contains("'timeout'"));
    let after = set_pairs(&before, &[("hz", "12"), ("maxmemory-policy", "allkeys-lru")]).unwrap();
    assert_eq!((after.hz, after.maxmemory_policy), (12, MaxmemoryPolicy::AllkeysLru));

    let duplicate = set_pairs(&before, &[("hz", "1"), ("HZ", "2")]).unwrap_err();
    assert_eq!(
        duplicate.to_string(),
        "ERR CONFIG SET failed (possibly related to argument 'HZ') - duplicate parameter"
    );
    // Two names of one option are no duplicate: the last one holds.
    let twice = set_pairs(&before, &[("slave-priority", "5"), ("replica-priority", "6")]).unwrap();
    assert_eq!(twice.replica_priority, 6);
    // The first pair that cannot be set is the one that is named.
    let first = set_pairs(&before, &[("databases", "5"), ("foo", "1")]).unwrap_err();
    assert!(first.to_string().contains("immutable"));
    let first = set_pairs(&before, &[("foo", "1"), ("databases", "5")]).unwrap_err();
    assert!(first.to_string().starts_with("ERR Unknown option"));
}

#[test]
fn only_options_with_another_value_count_as_changed() {
    let pairs: [(&[u8], &[u8]); 3] = [(b"hz", b"10"), (b"PORT", b"7000"), (b"save", b"3600 1")];
    let changed = set(&Config::default(), &pairs, Peer::Remote).unwrap();
    let names: Vec<&str> = changed.options.iter().map(|option| option.name).collect();
    assert_eq!(names, ["port", "save"]);
}

#[test]
fn protected_options_open_to_those_whom_the_configuration_names() {
    let allowed = |text: &str, peer| {
        let config = loaded(text).unwrap().config;
        set(&config, &[(b"dir".as_slice(), b"/tmp".as_slice())], peer).is_ok()
    };
    assert!(!allowed("enable-protected-configs no", Peer::Local));
    assert!(allowed("enable-protected-configs yes", Peer::Remote));
    assert!(allowed("enable-protected-configs local", Peer::Local));
    assert!(!allowed("enable-protected-configs local", Peer::Remote));
}
