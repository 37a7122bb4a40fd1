//! Files, includes, standard input, the command line, and what is said when they are wrong.

mod support;

use support::{Files, complaint, get, loaded, start};
use vesta_config::{Config, Origin};

#[test]
fn a_bad_line_is_named_with_its_file_number_and_text() {
    assert_eq!(
        complaint(loaded("port 0\n\n# x\nfoo bar\n")),
        "Reading the configuration file, at line 4 of main\n>>> 'foo bar'\n\
         Bad directive or wrong number of arguments"
    );
}

#[test]
fn each_kind_of_bad_line_has_its_reason() {
    for (line, reason) in [
        ("hz \"abc", "Unbalanced quotes in configuration line"),
        ("hz \"5\"x", "Unbalanced quotes in configuration line"),
        ("hz", "wrong number of arguments"),
        ("hz 1 2", "wrong number of arguments"),
        ("hz 1 #x", "wrong number of arguments"),
        ("hz abc", "argument couldn't be parsed into an integer"),
        ("\"\" 5", "Bad directive or wrong number of arguments"),
        ("include", "Bad directive or wrong number of arguments"),
        ("include a b", "Bad directive or wrong number of arguments"),
        ("rename-command a", "Bad directive or wrong number of arguments"),
        ("user", "Bad directive or wrong number of arguments"),
        ("loadmodule", "Bad directive or wrong number of arguments"),
        ("list-max-ziplist-entries", "Bad directive or wrong number of arguments"),
        ("sentinel monitor x", "sentinel directive while not in sentinel mode"),
        ("save 1", "Invalid save parameters"),
        ("save '1 2' 3 4", "Invalid save parameters"),
        ("save \"\" 3 4", "Invalid save parameters"),
        ("replicaof a", "wrong number of arguments"),
        ("replicaof a zz", "Invalid master port"),
        ("replicaof a 70000", "Invalid master port"),
        ("unixsocketperm 999", "argument couldn't be parsed as an octal number"),
        ("unixsocketperm 7x", "argument couldn't be parsed as an octal number"),
        ("unixsocketperm 1777", "argument must be between 0 and 777 inclusive"),
        ("unixsocketperm -1", "argument must be between 0 and 777 inclusive"),
        ("appenddirname a/b", "appenddirname can't be a path, just a dirname"),
        ("appendfilename ''", "appendfilename can't be empty"),
        ("dbfilename a/b", "dbfilename can't be a path, just a filename"),
        ("supervised foo", "argument(s) must be one of the following: upstart, systemd, auto, no"),
        ("databases 0", "argument must be between 1 and 2147483647 inclusive"),
        ("notify-keyspace-events K A", "wrong number of arguments"),
        ("logfile \"\\xff\"", "argument must be UTF-8 text"),
    ] {
        let expected =
            format!("Reading the configuration file, at line 1 of main\n>>> '{line}'\n{reason}");
        assert_eq!(complaint(loaded(line)), expected);
    }
}

#[test]
fn names_words_and_quotes_are_read_as_redis_reads_them() {
    let config = loaded(
        "PORT\t7000\r\n'hz' \"20\"\nbind '1.1.1.1 2.2.2.2'\nrequirepass \"a\\x20b\\\"\"\n\
         slave-priority 5\nclient-output-buffer-limit 'normal 1mb 2 3'\n\
         client-output-buffer-limit replica 1 1 1 pubsub 2 2 2\nunixsocketperm 0700\n\
         lua-replicate-commands yes\nlist-max-ziplist-entries 5\nuser a on >x\n\
         rename-command GET \"\"\nshutdown-on-sigint save now\nmaxmemory 64mb\nsave\n\
         logfile a\"b c\"",
    )
    .unwrap()
    .config;
    assert_eq!((config.port, config.hz), (7000, 20));
    assert_eq!(config.bind, ["1.1.1.1", "2.2.2.2"]);
    assert_eq!(get(&config, "requirepass"), "a b\"");
    assert_eq!(get(&config, "replica-priority"), "5");
    assert_eq!(
        get(&config, "client-output-buffer-limit"),
        "normal 1048576 2 3 slave 1 1 1 pubsub 2 2 2"
    );
    assert_eq!(config.unixsocketperm, 0o700);
    assert_eq!(config.users, [["a", "on", ">x"].map(|word| word.as_bytes().to_vec())]);
    assert_eq!(config.rename_commands, [(b"GET".to_vec(), Vec::new())]);
    assert_eq!(config.maxmemory_bytes, 64 << 20);
    assert!(config.save.is_empty());
    assert_eq!(config.logfile, "ab c");
}

#[test]
fn save_lines_add_up_after_the_first_has_cleared_the_default() {
    for (text, save) in [
        ("", "3600 1 300 100 60 10000"),
        ("save 1 1\nsave 2 2", "1 1 2 2"),
        ("save 1 1\nsave \"\"\nsave 2 2", "2 2"),
        ("save 1 1 2 2", "1 1 2 2"),
        // Behind an include they start anew; within it they go on. Observed on 7.0.15.
        ("save 2 2\ninclude sevens", "2 2 7 7"),
        ("save 1 1\ninclude sevens\nsave 2 2", "2 2"),
        ("save 1 1\ninclude none*\nsave 2 2", "2 2"),
        ("include sevens\nsave 2 2\nsave 3 3", "2 2 3 3"),
    ] {
        let files = Files::new(&[("main", text), ("sevens", "save 7 7")]);
        let config = start(&files, &["main"]).unwrap().config;
        assert_eq!(get(&config, "save"), save, "{text:?}");
    }
}

#[test]
fn the_last_of_file_standard_input_and_command_line_wins() {
    let mut files = Files::new(&[("main", "port 1\nhz 1\ntimeout 1\nsave 1 1")]);
    files.stdin = "hz 2\ntimeout 2\nsave 2 2".to_string();
    let loaded = start(&files, &["main", "--timeout", "3", "--save", "3 3", "-"]).unwrap();
    assert_eq!((loaded.config.port, loaded.config.hz, loaded.config.timeout_s), (1, 2, 3));
    assert_eq!(get(&loaded.config, "save"), "1 1 2 2 3 3");
    assert_eq!(
        loaded.from.origin("port"),
        Some(&Origin::File { path: "main".to_string(), line: 1 })
    );
    assert_eq!(loaded.from.origin("hz"), Some(&Origin::Stdin { line: 1 }));
    assert_eq!(loaded.from.origin("timeout"), Some(&Origin::CommandLine { directive: 1 }));
    assert_eq!(loaded.from.origin("maxmemory"), None);
}

#[test]
fn errors_of_standard_input_and_command_line_say_so() {
    let files = Files { stdin: "\nfoo 1".to_string(), ..Files::default() };
    assert_eq!(
        complaint(start(&files, &["-"])),
        "Reading the configuration from standard input, at line 2\n>>> 'foo 1'\n\
         Bad directive or wrong number of arguments"
    );
    assert_eq!(
        complaint(start(&files, &["--port", "0", "--hz", "abc"])),
        "Reading the command line, at directive 2\n>>> 'hz \"abc\"'\n\
         argument couldn't be parsed into an integer"
    );
}

#[test]
fn no_arguments_give_the_defaults() {
    assert_eq!(start(&Files::default(), &[]).unwrap().config, Config::default());
}

#[test]
fn includes_nest_take_patterns_and_the_last_line_wins() {
    let files = Files::new(&[
        ("main", "hz 1\ninclude conf.d/*.conf\ninclude nothing*\nport 3"),
        ("conf.d/a.conf", "hz 2\nport 2\ninclude deep"),
        ("conf.d/b.conf", "timeout 5"),
        ("deep", "maxclients 7"),
    ]);
    let loaded = start(&files, &["main"]).unwrap();
    let config = &loaded.config;
    assert_eq!((config.hz, config.port, config.timeout_s, config.maxclients), (2, 3, 5, 7));
    let deep = Origin::File { path: "deep".to_string(), line: 1 };
    assert_eq!(loaded.from.origin("maxclients"), Some(&deep));
    // The same file twice is no circle.
    let files = Files::new(&[("main", "include a\ninclude a"), ("a", "hz 5")]);
    assert_eq!(start(&files, &["main"]).unwrap().config.hz, 5);
}

#[test]
fn files_that_cannot_be_read_are_fatal() {
    assert_eq!(
        complaint(start(&Files::default(), &["gone"])),
        "Fatal error, can't open config file 'gone': No such file or directory"
    );
    assert_eq!(
        complaint(loaded("hz 1\ninclude gone")),
        "Reading the configuration file, at line 2 of main\n>>> 'include gone'\n\
         Fatal error, can't open config file 'gone': No such file or directory"
    );
    let files = Files::new(&[("main", "include a"), ("a", "hz 1\nhz z")]);
    assert_eq!(
        complaint(start(&files, &["main"])),
        "Reading the configuration file, at line 2 of a\n>>> 'hz z'\n\
         argument couldn't be parsed into an integer"
    );
}

#[test]
fn circles_of_includes_are_found() {
    let files = Files::new(&[("main", "include a"), ("a", "include main")]);
    assert_eq!(
        complaint(start(&files, &["main"])),
        "Reading the configuration file, at line 1 of a\n>>> 'include main'\n\
         'main' includes itself, directly or through other files"
    );
    // Under ever new names only the depth gives it away.
    let names: Vec<(String, String)> =
        (0..40).map(|at| (format!("f{at}"), format!("include f{}", at + 1))).collect();
    let chain: Vec<(&str, &str)> =
        names.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    assert!(complaint(start(&Files::new(&chain), &["f0"])).contains("more than 16 deep"));
}

#[test]
fn a_replica_cannot_be_a_cluster_node() {
    assert_eq!(
        complaint(loaded("cluster-enabled yes\nreplicaof a 1")),
        "replicaof directive not allowed in cluster mode"
    );
    assert!(loaded("cluster-enabled yes\nreplicaof a 1\nreplicaof no one").is_ok());
    assert!(loaded("port 0").is_ok());
}

#[test]
fn an_owner_can_blame_the_line_that_gave_a_value() {
    let loaded = loaded("hz 1\nrename-command x y").unwrap();
    let given = loaded.from.given.last().unwrap();
    let error = given.refused("No such command in rename-command".to_string());
    assert_eq!(
        complaint(Err(error)),
        "Reading the configuration file, at line 2 of main\n>>> 'rename-command x y'\n\
         No such command in rename-command"
    );
}
