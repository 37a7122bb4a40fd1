//! The log on disk, with real processes: what was acknowledged is there again, whatever was asked
//! of the log meanwhile.
#![expect(clippy::unwrap_used, reason = "a test fails where something is not as it should be")]

use std::fs;
use std::path::Path;

use vesta_testkit::client::{Client, encode};
use vesta_testkit::crash::{self, Plan, Policy};
use vesta_testkit::local::{Local, Setup, ask, digest, eventually, figure, fill, ok, text};
use vesta_testkit::process::Signal;
use vesta_testkit::value::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_vesta");
const DIR: &str = "appendonlydir";
const MANIFEST: &str = "appendonlydir/appendonly.aof.manifest";

/// A server with a log.
fn start(args: &[&str]) -> Local {
    Setup::new(PROGRAM, &[&["--appendonly", "yes"], args].concat()).start()
}

fn read(server: &Local, name: &str) -> String {
    fs::read_to_string(server.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Names of what lies in the directory of the log.
fn names(server: &Local) -> Vec<String> {
    let entries = fs::read_dir(server.path(DIR)).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn until_rewritten(client: &mut Client) {
    eventually("a rewrite", || {
        figure(client, "aof_enabled") == "1"
            && figure(client, "aof_rewrite_in_progress") == "0"
            && figure(client, "aof_rewrite_scheduled") == "0"
    });
    assert_eq!(figure(client, "aof_last_bgrewrite_status"), "ok");
}

fn rewrite(client: &mut Client) {
    let started = b"Background append only file rewriting started";
    assert_eq!(ask(client, &["BGREWRITEAOF"]), Value::Simple(started.to_vec()));
    until_rewritten(client);
}

/// Kills the server, starts it again and gives a client of the new one.
fn revive(server: &mut Local) -> Client {
    server.restart();
    server.wait_ready();
    server.client()
}

#[test]
fn what_was_written_is_there_after_kill_9() {
    for policy in ["always", "everysec", "no"] {
        let mut server = start(&["--appendfsync", policy]);
        let mut client = server.client();
        fill(&mut client, 80);
        assert_eq!(ask(&mut client, &["HSET", "h", "f", "v"]), Value::Int(1));
        ask(&mut client, &["HPEXPIREAT", "h", "9000000000000", "FIELDS", "1", "f"]);
        assert_eq!(ask(&mut client, &["SADD", "drawn", "a", "b", "c"]), Value::Int(3));
        ask(&mut client, &["SPOP", "drawn", "2"]);
        ok(&mut client, &["SET", "brief", "v", "PX", "1"]);
        ok(&mut client, &["SWAPDB", "0", "5"]);
        ok(&mut client, &["SELECT", "5"]);
        eventually("expiry", || ask(&mut client, &["EXISTS", "brief"]) == Value::Int(0));
        let written = digest(&mut client);

        let mut client = revive(&mut server);
        assert_eq!(digest(&mut client), written, "{policy}");
        server.logged(&[
            " * Reading RDB base file on AOF loading...",
            " * RDB is base AOF",
            " * DB loaded from base file appendonly.aof.1.base.rdb: ",
            " * DB loaded from incr file appendonly.aof.1.incr.aof: ",
            " * DB loaded from append only file: ",
            " * Opening AOF incr file appendonly.aof.1.incr.aof on server start",
            " * Ready to accept connections unix",
        ]);
        ok(&mut client, &["SELECT", "5"]);
        let ttl = ask(&mut client, &["PTTL", "expiring"]).int().unwrap();
        assert!((90_000_000..=100_000_000).contains(&ttl), "{ttl}");
        let when = ask(&mut client, &["HPEXPIRETIME", "h", "FIELDS", "1", "f"]);
        assert_eq!(when.items().unwrap(), [Value::Int(9_000_000_000_000)]);
        // The log goes on where it ended.
        ok(&mut client, &["SET", "later", "v"]);
        let written = digest(&mut client);
        assert_eq!(digest(&mut revive(&mut server)), written, "{policy}");
    }
}

#[test]
fn a_new_log_has_a_base_an_increment_and_a_manifest() {
    let server = start(&[]);
    assert_eq!(
        names(&server),
        ["appendonly.aof.1.base.rdb", "appendonly.aof.1.incr.aof", "appendonly.aof.manifest"]
    );
    assert_eq!(
        read(&server, MANIFEST),
        "file appendonly.aof.1.base.rdb seq 1 type b\n\
         file appendonly.aof.1.incr.aof seq 1 type i\n"
    );
    server.logged(&[
        " * Creating AOF base file appendonly.aof.1.base.rdb on server start",
        " * Creating AOF incr file appendonly.aof.1.incr.aof on server start",
        " * Ready to accept connections unix",
    ]);
    let base = fs::read(server.path("appendonlydir/appendonly.aof.1.base.rdb")).unwrap();
    assert!(base.starts_with(b"REDIS0010") && contains(&base, b"\x08aof-base\xc0\x01"));
    let mut client = server.client();
    ok(&mut client, &["SELECT", "7"]);
    ok(&mut client, &["SET", "a", "1", "EX", "100"]);
    let log = read(&server, "appendonlydir/appendonly.aof.1.incr.aof");
    let requests: Vec<&str> = log.split_inclusive("\r\n").filter(|l| !l.starts_with('#')).collect();
    let expected = "*2\r\n$6\r\nSELECT\r\n$1\r\n7\r\n*5\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n\
                    $4\r\nPXAT\r\n$13\r\n";
    assert!(requests.concat().starts_with(expected), "{log:?}");
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn names_of_the_log_can_be_chosen() {
    let args = ["--appenddirname", "journal", "--appendfilename", "my log"];
    let mut server = start(&args);
    ok(&mut server.client(), &["SET", "a", "1"]);
    assert_eq!(
        read(&server, "journal/my log.manifest"),
        "file \"my log.1.base.rdb\" seq 1 type b\nfile \"my log.1.incr.aof\" seq 1 type i\n"
    );
    let mut client = revive(&mut server);
    assert_eq!(text(&ask(&mut client, &["GET", "a"])), "1");
}

#[test]
fn a_rewrite_replaces_the_files_while_clients_write() {
    for preamble in ["yes", "no"] {
        let mut server = start(&["--aof-use-rdb-preamble", preamble]);
        let mut client = server.client();
        fill(&mut client, 80);
        // All of this comes while the rewrite has hardly begun.
        let mut batch = encode(&["BGREWRITEAOF"]);
        let writes = 5_000;
        for number in 0..writes {
            batch.extend(encode(&["SET", &format!("key:{number}"), "during"]));
            batch.extend(encode(&["RPUSH", "during", &number.to_string()]));
        }
        client.send_raw(&batch).unwrap();
        (0..=2 * writes).for_each(|_| drop(client.reply().unwrap()));
        until_rewritten(&mut client);
        assert_eq!(figure(&mut client, "aof_rewrites"), "1");
        ok(&mut client, &["SET", "behind", "it"]);
        let written = digest(&mut client);
        let base = if preamble == "yes" { "base.rdb" } else { "base.aof" };
        let manifest = format!(
            "file appendonly.aof.2.{base} seq 2 type b\n\
             file appendonly.aof.2.incr.aof seq 2 type i\n"
        );
        eventually("the removal of what was replaced", || read(&server, MANIFEST) == manifest);
        assert_eq!(names(&server).len(), 3);
        let temporary = format!("temp-rewriteaof-bg-{}.aof", server.pid());
        server.logged(&[
            " * Creating AOF incr file appendonly.aof.2.incr.aof on background rewrite",
            " * Background append only file rewriting started by pid ",
            &format!(" * Successfully created the temporary AOF base file {temporary}\n"),
            " * Background AOF rewrite terminated with success",
            &format!(
                " * Successfully renamed the temporary AOF base file {temporary} into \
                 appendonly.aof.2.{base}\n"
            ),
            " * Removing the history file appendonly.aof.1.incr.aof in the background",
            &format!(" * Removing the history file appendonly.aof.1.{base} in the background"),
            " * Background AOF rewrite finished successfully",
        ]);
        let mut client = revive(&mut server);
        assert_eq!(digest(&mut client), written, "preamble {preamble}");
    }
}

#[test]
fn what_was_replaced_stays_if_wanted() {
    let server = start(&["--aof-disable-auto-gc", "yes"]);
    let mut client = server.client();
    ok(&mut client, &["SET", "a", "1"]);
    rewrite(&mut client);
    assert!(read(&server, MANIFEST).contains("file appendonly.aof.1.base.rdb seq 1 type h\n"));
    assert_eq!(names(&server).len(), 5);
    ok(&mut client, &["CONFIG", "SET", "aof-disable-auto-gc", "no"]);
    eventually("its removal", || names(&server).len() == 3);
}

#[test]
fn a_log_that_has_grown_is_rewritten_by_itself() {
    let args = ["--auto-aof-rewrite-min-size", "200kb", "--auto-aof-rewrite-percentage", "100"];
    let server = start(&args);
    let mut client = server.client();
    let value = "v".repeat(10_000);
    for _ in 0..30 {
        ok(&mut client, &["SET", "a", &value]);
    }
    eventually("a rewrite", || figure(&mut client, "aof_rewrites") != "0");
    until_rewritten(&mut client);
    let size: usize = figure(&mut client, "aof_current_size").parse().unwrap();
    assert!(size < 200_000, "{size}");
    assert!(server.log().contains(" * Starting automatic rewriting of AOF on "));
}

#[test]
fn saves_and_rewrites_wait_for_each_other() {
    let server = start(&["--rdb-key-save-delay", "1000"]);
    let mut client = server.client();
    for key in 0..100 {
        ok(&mut client, &["SET", &key.to_string(), "v"]);
    }
    let started = Value::Simple(b"Background saving started".to_vec());
    assert_eq!(ask(&mut client, &["BGSAVE"]), started);
    let scheduled = Value::Simple(b"Background append only file rewriting scheduled".to_vec());
    assert_eq!(ask(&mut client, &["BGREWRITEAOF"]), scheduled);
    assert_eq!(figure(&mut client, "aof_rewrite_scheduled"), "1");
    eventually("its beginning", || figure(&mut client, "aof_rewrite_in_progress") == "1");
    assert_eq!(
        text(&ask(&mut client, &["BGREWRITEAOF"])),
        "ERR Background append only file rewriting already in progress"
    );
    assert_eq!(
        text(&ask(&mut client, &["BGSAVE"])),
        "ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE \
         in order to schedule a BGSAVE whenever possible."
    );
    let scheduled = Value::Simple(b"Background saving scheduled".to_vec());
    assert_eq!(ask(&mut client, &["BGSAVE", "SCHEDULE"]), scheduled);
    until_rewritten(&mut client);
    eventually("the save", || figure(&mut client, "rdb_saves") == "2");
    assert!(server.path("dump.rdb").exists());
}

#[test]
fn a_log_can_be_switched_on_and_off() {
    let mut server = Setup::new(PROGRAM, &["--appendonly", "no"]).start();
    let mut client = server.client();
    fill(&mut client, 80);
    assert!(!server.path(DIR).exists());
    assert_eq!(figure(&mut client, "aof_enabled"), "0");
    ok(&mut client, &["CONFIG", "SET", "appendonly", "yes"]);
    ok(&mut client, &["SET", "meanwhile", "1"]);
    assert_eq!(figure(&mut client, "aof_enabled"), "1");
    until_rewritten(&mut client);
    ok(&mut client, &["SET", "kept", "1"]);
    let written = digest(&mut client);
    server.restart_with(&["--appendonly", "yes"]);
    server.wait_ready();
    let mut client = server.client();
    assert_eq!(digest(&mut client), written);

    // What is written while there is no log is in none, until there is a new one.
    ok(&mut client, &["CONFIG", "SET", "appendonly", "no"]);
    ok(&mut client, &["SET", "forgotten", "1"]);
    let mut client = revive(&mut server);
    assert_eq!(digest(&mut client), written);
    ok(&mut client, &["CONFIG", "SET", "appendonly", "no"]);
    ok(&mut client, &["SET", "kept", "2"]);
    ok(&mut client, &["CONFIG", "SET", "rdb-key-save-delay", "1000000"]);
    ok(&mut client, &["CONFIG", "SET", "appendonly", "yes"]);
    // From the first moment on it is seen that the log is not whole yet.
    assert_eq!(figure(&mut client, "aof_enabled"), "1");
    let pending = ["aof_rewrite_in_progress", "aof_rewrite_scheduled"];
    assert!(pending.iter().any(|name| figure(&mut client, name) == "1"));
    ok(&mut client, &["CONFIG", "SET", "rdb-key-save-delay", "0"]);
    until_rewritten(&mut client);
    eventually("the removal of the old log", || read(&server, MANIFEST).lines().count() == 2);
    assert_eq!(names(&server).len(), 3, "one base and one increment");
    let written = digest(&mut client);
    let mut client = revive(&mut server);
    assert_eq!(digest(&mut client), written);
    assert_eq!(text(&ask(&mut client, &["GET", "kept"])), "2");
}

#[test]
fn a_data_file_is_not_loaded_where_there_is_to_be_a_log() {
    let mut server = Setup::new(PROGRAM, &[]).start();
    let mut client = server.client();
    ok(&mut client, &["SET", "a", "1"]);
    ok(&mut client, &["SAVE"]);
    server.restart_with(&["--appendonly", "yes"]);
    server.wait_ready();
    let mut client = server.client();
    assert_eq!(ask(&mut client, &["DBSIZE"]), Value::Int(0));
    let log = server.log();
    let warning = log.lines().find(|line| line.contains(" # ") && line.contains("dump.rdb"));
    assert!(warning.is_some(), "{log}");
}

#[test]
fn who_is_told_to_end_makes_the_log_safe() {
    let mut server = start(&["--appendfsync", "no"]);
    let mut client = server.client();
    fill(&mut client, 80);
    let written = digest(&mut client);
    server.signal(Signal::Term);
    assert_eq!(server.ended(), Some(0));
    server.logged(&[
        "Received SIGTERM scheduling shutdown...",
        " * User requested shutdown...",
        " * Calling fsync() on the AOF file.",
        "bye bye...",
    ]);
    assert!(!server.path("dump.rdb").exists(), "there are no save points");
    let mut client = revive(&mut server);
    assert_eq!(digest(&mut client), written);
    // A rewrite that is under way is given up, and nothing of it is left.
    ok(&mut client, &["CONFIG", "SET", "rdb-key-save-delay", "1000000000"]);
    ask(&mut client, &["BGREWRITEAOF"]);
    let temporary = server.path(&format!("temp-rewriteaof-bg-{}.aof", server.pid()));
    eventually("a beginning", || temporary.exists());
    ok(&mut client, &["SET", "last", "1"]);
    let written = digest(&mut client);
    assert_eq!(client.send(&["SHUTDOWN"]).map_err(|error| error.kind()), Ok(()));
    assert_eq!(server.ended(), Some(0));
    assert!(!temporary.exists());
    assert_eq!(digest(&mut revive(&mut server)), written);
}

#[test]
fn the_log_tells_the_time_if_wanted() {
    let mut server = start(&["--aof-timestamp-enabled", "yes"]);
    ok(&mut server.client(), &["SET", "a", "1"]);
    let log = read(&server, "appendonlydir/appendonly.aof.1.incr.aof");
    let time = log.lines().find_map(|line| line.strip_prefix("#TS:")).expect(&log);
    assert!(time.parse::<u64>().unwrap() > 1_700_000_000, "{time}");
    let mut client = revive(&mut server);
    assert_eq!(text(&ask(&mut client, &["GET", "a"])), "1");
}

#[test]
fn a_client_can_wait_until_its_writes_are_safe() {
    for policy in ["always", "everysec"] {
        let server = start(&["--appendfsync", policy]);
        let mut client = server.client();
        ok(&mut client, &["SET", "a", "1"]);
        let safe = ask(&mut client, &["WAITAOF", "1", "0", "0"]);
        assert_eq!(safe.items().unwrap(), [Value::Int(1), Value::Int(0)], "{policy}");
    }
    let server = Setup::new(PROGRAM, &[]).start();
    assert_eq!(
        text(&ask(&mut server.client(), &["WAITAOF", "1", "0", "0"])),
        "ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled."
    );
}

#[test]
fn the_log_is_told_in_info() {
    let server = start(&[]);
    let mut client = server.client();
    ok(&mut client, &["SET", "a", "1"]);
    for (name, value) in [
        ("aof_enabled", "1"),
        ("aof_rewrite_in_progress", "0"),
        ("aof_rewrite_scheduled", "0"),
        ("aof_last_rewrite_time_sec", "-1"),
        ("aof_current_rewrite_time_sec", "-1"),
        ("aof_last_bgrewrite_status", "ok"),
        ("aof_rewrites", "0"),
        ("aof_rewrites_consecutive_failures", "0"),
        ("aof_last_write_status", "ok"),
        ("aof_pending_rewrite", "0"),
    ] {
        assert_eq!(figure(&mut client, name), value, "{name}");
    }
    let len = |name: &str| fs::metadata(server.path(DIR).join(name)).unwrap().len();
    let size = |client: &mut Client, name| figure(client, name).parse::<u64>().unwrap();
    assert!(size(&mut client, "aof_current_size") >= len("appendonly.aof.1.incr.aof"));
    rewrite(&mut client);
    assert_eq!(figure(&mut client, "aof_rewrites"), "1");
    assert_ne!(figure(&mut client, "aof_last_rewrite_time_sec"), "-1");
    let base = len("appendonly.aof.2.base.rdb");
    let increment = len("appendonly.aof.2.incr.aof");
    assert_eq!(size(&mut client, "aof_base_size"), base + increment);
    assert_eq!(size(&mut client, "aof_current_size"), base + increment);
}

#[test]
fn the_log_can_be_loaded_again_while_running() {
    let server = start(&[]);
    let mut client = server.client();
    fill(&mut client, 80);
    let written = digest(&mut client);
    ok(&mut client, &["DEBUG", "LOADAOF"]);
    assert_eq!(digest(&mut client), written);
    ok(&mut client, &["DEBUG", "RELOAD"]);
    assert_eq!(digest(&mut client), written);
}

#[test]
fn clients_are_told_that_the_log_is_loaded() {
    let mut server = start(&["--key-load-delay", "20000"]);
    let mut client = server.client();
    for key in 0..100 {
        ok(&mut client, &["SET", &key.to_string(), "v"]);
    }
    rewrite(&mut client);
    server.restart();
    let mut client = server.client();
    const LOADING: &str = "LOADING Redis is loading the dataset in memory";
    assert_eq!(text(&ask(&mut client, &["GET", "1"])), LOADING);
    assert_eq!(figure(&mut client, "loading"), "1");
    ok(&mut client, &["CONFIG", "SET", "key-load-delay", "0"]);
    server.wait_ready();
    assert_eq!(ask(&mut client, &["DBSIZE"]), Value::Int(100));
}

#[test]
fn nothing_that_was_acknowledged_is_lost_when_the_process_dies_or_ends() {
    for (policy, is_told) in [
        (Policy::Always, false),
        (Policy::EverySecond, false),
        (Policy::EverySecond, true),
        (Policy::No, false),
        (Policy::No, true),
        (Policy::Rdb, false),
        (Policy::Rdb, true),
    ] {
        let plan = Plan { is_told, ..Plan::new(Path::new(PROGRAM), policy, 2) };
        let report = crash::run(&plan).unwrap();
        assert!(report.is_clean(), "{policy:?}, told: {is_told}: {:#?}", report.faults);
        assert!(report.acknowledged > 0, "{report}");
    }
}

#[test]
fn what_a_killed_process_has_left_is_removed() {
    let mut server = start(&[]);
    let mut client = server.client();
    ok(&mut client, &["SET", "a", "1"]);
    // It dies while it writes a base, and then while it writes a snapshot.
    let killed = server.pid();
    let temporary = [format!("temp-rewriteaof-bg-{killed}.aof"), format!("temp-{killed}.rdb")];
    ok(&mut client, &["CONFIG", "SET", "rdb-key-save-delay", "1000000000"]);
    ask(&mut client, &["BGREWRITEAOF"]);
    eventually("a beginning", || server.path(&temporary[0]).exists());
    server.kill();
    fs::copy(server.path(&temporary[0]), server.path(&temporary[1])).unwrap();
    let in_log = |name: &str| format!("{DIR}/{name}");
    let dead = [
        in_log(&format!("appendonly.aof.manifest.tmp-{killed}-0123456789abcdef")),
        in_log(&format!("appendonly.aof.2.incr.aof.tmp-{killed}-0123456789abcdef")),
        in_log("appendonly.aof.2.base.rdb"),
    ];
    let ours = std::process::id();
    let kept = [
        format!("temp-{ours}.rdb"),
        format!("temp-{killed}.rdb.bak"),
        in_log(&format!("appendonly.aof.manifest.tmp-{ours}-0123456789abcdef")),
        in_log("appendonly.aof.0.base.rdb"),
        in_log("other.aof.2.base.rdb"),
    ];
    for name in dead.iter().chain(&kept) {
        fs::write(server.path(name), "left").unwrap();
    }
    let mut client = revive(&mut server);
    assert_eq!(text(&ask(&mut client, &["GET", "a"])), "1");
    for name in temporary.iter().chain(&dead) {
        assert!(!server.path(name).exists(), "{name} is gone");
        assert!(server.log().contains(&format!(" * Removing {name}, ")), "{}", server.log());
    }
    for name in &kept {
        assert!(server.path(name).exists(), "{name} is kept");
    }
    assert_eq!(server.log().matches("Removing ").count(), 5, "{}", server.log());
    rewrite(&mut client);
    assert_eq!(text(&ask(&mut revive(&mut server), &["GET", "a"])), "1");
}

#[test]
fn many_clients_wait_for_their_writes_together() {
    let server = start(&["--appendfsync", "always"]);
    let mut clients: Vec<Client> = (0..20).map(|_| server.client()).collect();
    for round in 0..20 {
        for client in &mut clients {
            client.send(&["INCR", "n"]).unwrap();
        }
        let mut replies: Vec<i64> = clients
            .iter_mut()
            .map(|client| client.reply().unwrap().unwrap().int().unwrap())
            .collect();
        replies.sort_unstable();
        let first = 20 * round + 1;
        assert_eq!(replies, (first..first + 20).collect::<Vec<_>>());
    }
}
