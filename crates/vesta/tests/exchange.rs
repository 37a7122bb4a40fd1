//! Files that go to the reference, redis-server, and come back: each reads what the other has
//! written, and its tools find nothing wrong with ours.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test of processes starts them, and fails where something is not as it should be"
)]

use std::fs;
use std::path::Path;
use std::process::Command;

use vesta_testkit::client::Client;
use vesta_testkit::local::{Local, Setup, ask, digest, eventually, figure, fill, ok, text};
use vesta_testkit::process::Oracle;
use vesta_testkit::value::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_vesta");
const REFERENCE: &str = "redis-server";
/// The newest payloads that the reference reads.
const VERSION_MAX: u16 = 10;
const DIR: &str = "appendonlydir";

/// How a log may be written.
const WAYS: [&[&str]; 4] = [
    &["--aof-use-rdb-preamble", "yes", "--aof-timestamp-enabled", "no"],
    &["--aof-use-rdb-preamble", "yes", "--aof-timestamp-enabled", "yes"],
    &["--aof-use-rdb-preamble", "no", "--aof-timestamp-enabled", "no"],
    &["--aof-use-rdb-preamble", "no", "--aof-timestamp-enabled", "yes"],
];

fn is_installed() -> bool {
    let is_installed = Oracle::is_installed();
    if !is_installed {
        eprintln!("SKIPPED: redis-server is not installed, so no file was exchanged with it");
    }
    is_installed
}

fn with_log(args: &[&str]) -> Vec<String> {
    // The reference loses what it has acknowledged if it dies while it makes the log safe, unless
    // this is always done before a reply.
    let all = [&["--appendonly", "yes", "--appendfsync", "always"], args].concat();
    all.iter().map(|word| (*word).to_owned()).collect()
}

/// A server with a log of several parts: some values are in its base, some in an increment, some
/// are changed in another one.
fn written(program: &str, args: &[&str]) -> (Local, String) {
    let args = with_log(args);
    let server = Setup::new(program, &args.iter().map(String::as_str).collect::<Vec<_>>()).start();
    let mut client = server.client();
    fill(&mut client, VERSION_MAX);
    rewrite(&mut client);
    ok(&mut client, &["SELECT", "9"]);
    fill_one_by_one(&mut client);
    ok(&mut client, &["SELECT", "0"]);
    ask(&mut client, &["RPUSH", "list of texts", "more"]);
    ask(&mut client, &["SPOP", "set of texts"]);
    ask(&mut client, &["XADD", "stream, third form", "*", "f", "v"]);
    ask(&mut client, &["XREADGROUP", "GROUP", "g1", "c1", "STREAMS", "stream, third form", ">"]);
    ask(&mut client, &["EXPIRE", "string", "100000"]);
    let digest = digest(&mut client);
    (server, digest)
}

/// Values of all types by the commands that make them, so that these are in the log.
fn fill_one_by_one(client: &mut Client) {
    let long = "long".repeat(50);
    for words in [
        &["SET", "text", "a \r\n b"][..],
        &["SET", "brief", "v", "EX", "100000"],
        &["INCRBYFLOAT", "float", "3.25"],
        &["SETRANGE", "padded", "5", "x"],
        &["RPUSH", "list", "a", "1", &long],
        &["SADD", "numbers", "1", "-70000", "1099511627776"],
        &["SADD", "set", "a", &long],
        &["ZADD", "ranked", "1.5", "a", "-inf", "b", "3", &long],
        &["HSET", "hash", "f", "1", "g", &long],
        &["HINCRBYFLOAT", "hash", "f", "0.5"],
        &["XADD", "log", "*", "f", "v"],
        &["XADD", "log", "MAXLEN", "~", "10", "*", "f", "w", "g", "x"],
        &["XGROUP", "CREATE", "log", "readers", "0"],
        &["XREADGROUP", "GROUP", "readers", "one", "COUNT", "1", "STREAMS", "log", ">"],
        &["PFADD", "hll", "a", "b", "c"],
        &["GEOADD", "places", "13.36", "38.11", "Palermo"],
        &["SETBIT", "bits", "100", "1"],
        &["COPY", "list", "copied"],
        &["SORT", "list", "ALPHA", "STORE", "sorted"],
        &["LMPOP", "1", "list", "LEFT"],
        &["RENAME", "text", "renamed"],
    ] {
        let reply = ask(client, words);
        assert!(reply.error().is_none(), "{words:?}: {reply}");
    }
}

fn rewrite(client: &mut Client) {
    let reply = ask(client, &["BGREWRITEAOF"]);
    assert!(reply.error().is_none(), "{reply}");
    eventually("a rewrite", || {
        figure(client, "aof_rewrite_in_progress") == "0"
            && figure(client, "aof_rewrite_scheduled") == "0"
    });
    assert_eq!(figure(client, "aof_last_bgrewrite_status"), "ok");
}

/// A server of `program` that finds the log of another one.
fn reading(program: &str, from: &Local) -> Local {
    let setup = Setup::new(program, &["--appendonly", "yes"]);
    setup.start_in(|dir| copy(&from.path(DIR), &dir.join(DIR)))
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// What a tool of the reference says about a file; it must find it in order.
fn checked(tool: &str, file: &Path) -> String {
    let output = Command::new(tool).arg(file).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{tool} {}: {said}", file.display());
    said
}

#[test]
fn our_log_is_read_by_the_reference() {
    if !is_installed() {
        return;
    }
    for way in WAYS {
        let (mut ours, digest_then) = written(PROGRAM, way);
        ours.kill();
        let manifest = ours.path(DIR).join("appendonly.aof.manifest");
        let said = checked("redis-check-aof", &manifest);
        assert!(said.contains("All AOF files and manifest are valid"), "{said}");
        let mut theirs = reading(REFERENCE, &ours);
        assert_eq!(digest(&mut theirs.client()), digest_then, "{way:?}");
        // What it made of it comes back.
        let mut client = theirs.client();
        rewrite(&mut client);
        ok(&mut client, &["SET", "theirs", "1"]);
        let digest_now = digest(&mut client);
        theirs.kill();
        let back = reading(PROGRAM, &theirs);
        assert_eq!(digest(&mut back.client()), digest_now, "{way:?}");
    }
}

#[test]
fn the_log_of_the_reference_is_read() {
    if !is_installed() {
        return;
    }
    for way in WAYS {
        let (mut theirs, digest_then) = written(REFERENCE, way);
        theirs.kill();
        let mut ours = reading(PROGRAM, &theirs);
        let mut client = ours.client();
        assert_eq!(digest(&mut client), digest_then, "{way:?}");
        ok(&mut client, &["SET", "ours", "1"]);
        rewrite(&mut client);
        ok(&mut client, &["SET", "ours", "2"]);
        let digest_now = digest(&mut client);
        ours.kill();
        checked("redis-check-aof", &ours.path(DIR).join("appendonly.aof.manifest"));
        let back = reading(REFERENCE, &ours);
        assert_eq!(digest(&mut back.client()), digest_now, "{way:?}");
    }
}

#[test]
fn a_log_of_the_reference_that_is_one_file_is_read() {
    if !is_installed() {
        return;
    }
    let (mut theirs, digest_then) = written(REFERENCE, WAYS[0]);
    theirs.kill();
    // As versions before 7 wrote it: requests behind a snapshot.
    let part = |name: &str| fs::read(theirs.path(DIR).join(name)).unwrap();
    let whole = [part("appendonly.aof.2.base.rdb"), part("appendonly.aof.2.incr.aof")].concat();
    let setup = Setup::new(PROGRAM, &["--appendonly", "yes"]);
    let ours = setup.start_in(|dir| fs::write(dir.join("appendonly.aof"), whole).unwrap());
    assert_eq!(digest(&mut ours.client()), digest_then);
}

#[test]
fn our_data_file_is_read_by_the_reference_and_comes_back() {
    if !is_installed() {
        return;
    }
    let mut server = Setup::new(PROGRAM, &[]).start();
    let mut client = server.client();
    fill(&mut client, VERSION_MAX);
    ok(&mut client, &["SELECT", "9"]);
    fill_one_by_one(&mut client);
    let digest_then = digest(&mut client);
    ok(&mut client, &["SAVE"]);
    server.kill();
    let said = checked("redis-check-rdb", &server.path("dump.rdb"));
    assert!(said.contains("RDB looks OK!"), "{said}");

    let file = fs::read(server.path("dump.rdb")).unwrap();
    let mut reference =
        Setup::new(REFERENCE, &[]).start_in(|dir| fs::write(dir.join("dump.rdb"), file).unwrap());
    let mut client = reference.client();
    assert_eq!(digest(&mut client), digest_then);
    let library = "#!lua name=lib\nredis.register_function('f', function() return 7 end)";
    assert_eq!(text(&ask(&mut client, &["FUNCTION", "LOAD", library])), "lib");
    ok(&mut client, &["SAVE"]);
    reference.kill();

    let file = fs::read(reference.path("dump.rdb")).unwrap();
    let back =
        Setup::new(PROGRAM, &[]).start_in(|dir| fs::write(dir.join("dump.rdb"), file).unwrap());
    let mut client = back.client();
    assert_eq!(digest(&mut client), digest_then);
    let log = back.log();
    assert!(log.contains("Loading RDB produced by version 7."), "{log}");
    // What cannot be used here is not lost.
    ok(&mut client, &["SAVE"]);
    let file = fs::read(back.path("dump.rdb")).unwrap();
    let reference =
        Setup::new(REFERENCE, &[]).start_in(|dir| fs::write(dir.join("dump.rdb"), file).unwrap());
    let mut client = reference.client();
    assert_eq!(digest(&mut client), digest_then);
    assert_eq!(ask(&mut client, &["FCALL", "f", "0"]), Value::Int(7));
}
