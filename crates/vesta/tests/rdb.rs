//! Snapshots on disk, with real processes: what is saved is there after a crash, and what cannot be
//! saved or read is told.
#![expect(clippy::unwrap_used, reason = "a test fails where something is not as it should be")]

use std::path::{Path, PathBuf};

use vesta_testkit::client::encode;
use vesta_testkit::local::{Local, Setup, ask, digest, eventually, figure, fill, ok, text};
use vesta_testkit::process::Signal;
use vesta_testkit::value::Value;

/// A server that saves nothing unless `args` say so.
fn start(args: &[&str]) -> Local {
    setup(args).start()
}

fn setup(args: &[&str]) -> Setup {
    Setup::new(env!("CARGO_BIN_EXE_vesta"), args)
}

/// A server that finds this data file and may not be ready.
fn launch_with(args: &[&str], file: &[u8]) -> Local {
    setup(args).launch_in(|dir| std::fs::write(dir.join("dump.rdb"), file).unwrap())
}

fn dump(server: &Local) -> PathBuf {
    server.path("dump.rdb")
}

/// The file that a save writes to.
fn temporary(server: &Local) -> PathBuf {
    server.path(&format!("temp-{}.rdb", server.pid()))
}

#[test]
fn what_was_saved_is_there_after_kill_9() {
    let mut server = start(&[]);
    let mut client = server.client();
    fill(&mut client, 80);
    assert_eq!(ask(&mut client, &["HSET", "h", "f", "v"]), Value::Int(1));
    let expires = ask(&mut client, &["HPEXPIREAT", "h", "9000000000000", "FIELDS", "1", "f"]);
    assert_eq!(expires.items().unwrap(), [Value::Int(1)]);
    let saved = digest(&mut client);
    ok(&mut client, &["SAVE"]);
    ok(&mut client, &["SET", "too", "late"]);

    server.restart();
    server.wait_ready();
    let mut client = server.client();
    assert_eq!(digest(&mut client), saved);
    assert_eq!(figure(&mut client, "rdb_changes_since_last_save"), "0");
    let when = ask(&mut client, &["HPEXPIRETIME", "h", "FIELDS", "1", "f"]);
    assert_eq!(when.items().unwrap(), [Value::Int(9_000_000_000_000)]);
    let ttl = ask(&mut client, &["PTTL", "expiring"]).int().unwrap();
    assert!((90_000_000..=100_000_000).contains(&ttl), "{ttl}");
    server.logged(&[
        " * Loading RDB produced by version 7.2.4",
        " * RDB age ",
        " * RDB memory usage when created ",
        " * Done loading RDB, keys loaded: ",
        " * DB loaded from disk: ",
        " * Ready to accept connections unix",
    ]);
}

#[test]
fn a_snapshot_holds_what_was_there_when_it_began() {
    let mut server = start(&[]);
    let mut client = server.client();
    let keys = 20_000;
    let request = |value: &'static str| {
        let set = move |key: usize| encode(&["SET", &format!("key:{key}"), value]);
        (0..keys).flat_map(set).collect::<Vec<u8>>()
    };
    client.send_raw(&request("before")).unwrap();
    (0..keys).for_each(|_| drop(client.reply().unwrap()));
    let before = digest(&mut client);
    // All of this comes while the snapshot has hardly begun.
    let mut batch = encode(&["BGSAVE"]);
    batch.extend(request("after"));
    batch.extend(encode(&["SWAPDB", "0", "1"]));
    batch.extend(request("new"));
    batch.extend(encode(&["FLUSHALL"]));
    batch.extend(encode(&["SET", "key:0", "later"]));
    client.send_raw(&batch).unwrap();
    let started = client.reply().unwrap().unwrap();
    assert_eq!(started, Value::Simple(b"Background saving started".to_vec()));
    (0..2 * keys + 3).for_each(|_| drop(client.reply().unwrap()));
    eventually("the end of the save", || figure(&mut client, "rdb_bgsave_in_progress") == "0");
    assert_eq!(figure(&mut client, "rdb_last_bgsave_status"), "ok");

    server.restart();
    server.wait_ready();
    let mut client = server.client();
    assert_eq!(ask(&mut client, &["DBSIZE"]), Value::Int(keys as i64));
    assert_eq!(digest(&mut client), before);
}

#[test]
fn a_save_point_saves_by_itself() {
    let server = start(&["--save", "1", "3"]);
    let mut client = server.client();
    for key in ["a", "b"] {
        ok(&mut client, &["SET", key, "1"]);
    }
    assert!(!dump(&server).exists());
    ok(&mut client, &["SET", "c", "1"]);
    eventually("a save", || figure(&mut client, "rdb_changes_since_last_save") == "0");
    assert!(dump(&server).exists());
    server.logged(&[
        " * 3 changes in 1 seconds. Saving...",
        " * Background saving started by pid ",
        " * DB saved on disk",
        " * Background saving terminated with success",
    ]);
    // Nothing of what was deleted may come back.
    ok(&mut client, &["FLUSHALL"]);
    eventually("a save", || figure(&mut client, "rdb_saves") == "2");
    assert!(std::fs::metadata(dump(&server)).unwrap().len() < 300);
}

#[test]
fn who_ends_with_save_points_saves() {
    let mut server = start(&["--save", "3600", "1000"]);
    ok(&mut server.client(), &["SET", "a", "1"]);
    server.signal(Signal::Term);
    assert_eq!(server.ended(), Some(0));
    server.logged(&[
        "Received SIGTERM scheduling shutdown...",
        " * User requested shutdown...",
        " * Saving the final RDB snapshot before exiting.",
        " * DB saved on disk",
        "bye bye...",
    ]);
    server.restart();
    server.wait_ready();
    assert_eq!(text(&ask(&mut server.client(), &["GET", "a"])), "1");
    // The client of SHUTDOWN gets no reply, and what it sent behind is not executed.
    let mut client = server.client();
    client.send_raw(&[encode(&["SHUTDOWN", "NOSAVE"]), encode(&["SAVE"])].concat()).unwrap();
    assert_eq!(client.read_until_close().unwrap(), b"");
    assert_eq!(server.ended(), Some(0));
    assert!(!server.log().contains("DB saved on disk"));
}

#[test]
fn who_ends_without_save_points_saves_when_asked() {
    let mut server = start(&[]);
    ok(&mut server.client(), &["SET", "a", "1"]);
    server.signal(Signal::Int);
    assert_eq!(server.ended(), Some(0));
    assert!(!dump(&server).exists());

    let mut server = start(&["--shutdown-on-sigterm", "save"]);
    server.signal(Signal::Term);
    assert_eq!(server.ended(), Some(0));
    assert!(dump(&server).exists());

    let mut server = start(&[]);
    server.client().send(&["SHUTDOWN", "SAVE"]).unwrap();
    assert_eq!(server.ended(), Some(0));
    assert!(dump(&server).exists());
}

#[test]
fn a_directory_that_is_gone_is_told_and_the_server_goes_on() {
    let server = start(&["--save", "3600", "1000"]);
    let (mut client, gone) = (server.client(), server.path("gone"));
    std::fs::create_dir(&gone).unwrap();
    ok(&mut client, &["CONFIG", "SET", "dir", gone.to_str().unwrap()]);
    std::fs::remove_dir(&gone).unwrap();
    ok(&mut client, &["SET", "a", "1"]);
    assert_eq!(text(&ask(&mut client, &["SAVE"])), "ERR");
    ok(&mut client, &["SET", "a", "2"]);
    let started = ask(&mut client, &["BGSAVE"]);
    assert_eq!(started, Value::Simple(b"Background saving started".to_vec()));
    eventually("a failure", || figure(&mut client, "rdb_last_bgsave_status") == "err");
    for refused in [&["SET", "a", "3"][..], &["PING"]] {
        assert!(text(&ask(&mut client, refused)).starts_with("MISCONF Redis is configured to"));
    }
    assert_eq!(text(&ask(&mut client, &["GET", "a"])), "2");
    // Nothing acknowledged is thrown away for an order to end.
    assert_eq!(
        text(&ask(&mut client, &["SHUTDOWN"])),
        "ERR Errors trying to SHUTDOWN. Check logs."
    );
    server.signal(Signal::Term);
    eventually("a refusal", || {
        server.log().matches("Errors trying to shut down the server.").count() == 2
    });
    let log = server.log();
    assert!(log.contains(" # Failed opening the temp RDB file temp-"), "{log}");
    assert!(log.contains(" # Background saving error"), "{log}");
    assert!(log.contains(" # Error trying to save the DB, can't exit."), "{log}");

    ok(&mut client, &["CONFIG", "SET", "dir", server.path("").to_str().unwrap()]);
    ok(&mut client, &["SAVE"]);
    ok(&mut client, &["SET", "a", "3"]);
}

#[test]
fn a_full_disk_leaves_the_old_file() {
    if !Path::new("/dev/full").exists() {
        eprintln!("SKIPPED: there is no /dev/full");
        return;
    }
    let mut server = start(&[]);
    let mut client = server.client();
    ok(&mut client, &["SET", "a", "1"]);
    ok(&mut client, &["SAVE"]);
    let old = std::fs::read(dump(&server)).unwrap();
    let temporary = temporary(&server);
    for value in ["2", "3"] {
        std::os::unix::fs::symlink("/dev/full", &temporary).unwrap();
        ok(&mut client, &["SET", "a", value]);
        assert_eq!(text(&ask(&mut client, &["SAVE"])), "ERR");
        assert!(server.log().contains(": No space left on device"), "{}", server.log());
        assert!(!temporary.exists());
        assert_eq!(std::fs::read(dump(&server)).unwrap(), old);
    }
    // Whoever insists is obeyed.
    std::os::unix::fs::symlink("/dev/full", &temporary).unwrap();
    client.send(&["SHUTDOWN", "SAVE", "FORCE"]).unwrap();
    assert_eq!(server.ended(), Some(0));
    assert!(server.log().contains("Error trying to save the DB. Exit anyway."));
}

#[test]
fn a_save_that_is_under_way_leaves_nothing_behind() {
    let mut server = start(&["--rdb-key-save-delay", "1000000000"]);
    let mut client = server.client();
    for key in 0..100 {
        ok(&mut client, &["SET", &key.to_string(), "v"]);
    }
    ask(&mut client, &["BGSAVE"]);
    let temporary = temporary(&server);
    eventually("a beginning", || temporary.exists());
    assert_eq!(figure(&mut client, "current_save_keys_total"), "100");
    // A last save can be called off, and holds back everybody else.
    client.send(&["SHUTDOWN", "SAVE"]).unwrap();
    let mut other = server.client();
    eventually("a last save", || server.log().contains("Saving the final RDB snapshot"));
    other.send(&["SET", "0", "w"]).unwrap();
    ok(&mut server.client(), &["SHUTDOWN", "ABORT"]);
    let told = client.reply().unwrap().unwrap();
    assert_eq!(text(&told), "ERR Errors trying to SHUTDOWN. Check logs.");
    assert_eq!(other.reply().unwrap().unwrap(), Value::Simple(b"OK".to_vec()));
    eventually("its end", || !temporary.exists());

    ask(&mut client, &["BGSAVE"]);
    eventually("a beginning", || temporary.exists());
    server.signal(Signal::Term);
    assert_eq!(server.ended(), Some(0));
    assert!(!temporary.exists() && !dump(&server).exists());
}

#[test]
fn clients_are_told_how_far_loading_is() {
    let mut server = start(&["--key-load-delay", "20000"]);
    let mut client = server.client();
    for key in 0..100 {
        ok(&mut client, &["SET", &key.to_string(), "v"]);
    }
    ok(&mut client, &["SAVE"]);
    server.restart();
    let mut client = server.client();
    const LOADING: &str = "LOADING Redis is loading the dataset in memory";
    for refused in [&["GET", "1"][..], &["PING"], &["SAVE"], &["SET", "a", "b"]] {
        assert_eq!(text(&ask(&mut client, refused)), LOADING, "{refused:?}");
    }
    assert_eq!(figure(&mut client, "loading"), "1");
    let total: u64 = figure(&mut client, "loading_total_bytes").parse().unwrap();
    assert_eq!(total, std::fs::metadata(dump(&server)).unwrap().len());
    let loaded: u64 = figure(&mut client, "loading_loaded_bytes").parse().unwrap();
    assert!(loaded < total, "{loaded} of {total}");
    assert!(ask(&mut client, &["LASTSAVE"]).int().is_some());
    assert!(!server.log().contains("Ready to accept connections"));
    ok(&mut client, &["CONFIG", "SET", "key-load-delay", "0"]);
    eventually("all data", || ask(&mut client, &["DBSIZE"]) == Value::Int(100));
    server.wait_ready();
    // What is not all there must not be written over what is.
    server.restart();
    let old = std::fs::read(dump(&server)).unwrap();
    server.client().send(&["SHUTDOWN", "SAVE"]).unwrap();
    assert_eq!(server.ended(), Some(0));
    assert_eq!(std::fs::read(dump(&server)).unwrap(), old);
}

#[test]
fn a_damaged_file_is_refused_and_stays_as_it_is() {
    let server = start(&[]);
    let mut client = server.client();
    fill(&mut client, 80);
    ok(&mut client, &["SAVE"]);
    let good = std::fs::read(dump(&server)).unwrap();
    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 1;
    let cases = [
        (good[..good.len() / 2].to_vec(), "expected more bytes"),
        (flipped, "byte "),
        (b"garbage, all of it".to_vec(), "byte 0: expected "),
        (good[..5].to_vec(), "byte 0: expected more bytes"),
        ([&good[..], b"tail"].concat(), ""),
    ];
    for (file, reason) in cases {
        let mut refused = launch_with(&[], &file);
        if reason.is_empty() {
            // Bytes behind the end are not looked at, as in Redis.
            refused.wait_ready();
            continue;
        }
        assert_eq!(refused.ended(), Some(1));
        let log = refused.log();
        let line = log.lines().find(|line| line.contains("Fatal error")).expect("it says why");
        let path = dump(&refused);
        let start = format!(" # Fatal error loading the DB {}: byte ", path.display());
        assert!(line.contains(&start) && line.contains(reason), "{line}");
        assert_eq!(std::fs::read(&path).unwrap(), file, "the file is untouched");
    }
}

#[test]
fn a_file_for_more_databases_is_refused() {
    let server = start(&[]);
    let mut client = server.client();
    fill(&mut client, 10);
    ok(&mut client, &["SAVE"]);
    let file = std::fs::read(dump(&server)).unwrap();
    let mut refused = launch_with(&["--databases", "2"], &file);
    assert_eq!(refused.ended(), Some(1));
    let log = refused.log();
    assert!(log.contains("database 3 is not one of the 2 configured"), "{log}");
}
