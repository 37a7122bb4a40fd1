//! Transactions where a log, a primary or a change of role comes into it.

mod driver;

use driver::World;
use driver::link::{copy, linked};
use driver::logged::{BASE, FIRST, MANIFEST, config, keys, loaded, loaded_with};
use vesta_config::Config;
use vesta_node::ConnId;

fn ask(world: &mut World, conn: ConnId, line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    world.ask(conn, &words)
}

#[test]
fn a_log_that_is_cut_anywhere_has_a_transaction_as_a_whole_or_not_at_all() {
    let mut world = loaded(&[]);
    let client = world.connect().unwrap();
    for line in ["SET before 1", "MULTI", "SET a 1", "RPUSH l x", "LPOP nothing", "INCR a"] {
        ask(&mut world, client, line);
    }
    let exec = ask(&mut world, client, "EXEC");
    assert_eq!(exec, "*4\r\n+OK\r\n:1\r\n$-1\r\n:2\r\n");
    world.advance(2000);
    let (base, log) = (world.disk.files[BASE].clone(), world.disk.log_file().to_vec());
    let begins = log.windows(9).position(|bytes| bytes == b"\r\nMULTI\r\n").expect("it is logged");
    for end in begins..=log.len() {
        let files: [(&str, &[u8]); 3] = [
            (MANIFEST, world.disk.files[MANIFEST].as_slice()),
            (BASE, &base),
            (FIRST, &log[..end]),
        ];
        let mut again = loaded_with(config(), &files);
        let whole = end == log.len();
        let expected = if whole { "a=\"2\" before=\"1\" l=list x" } else { "before=\"1\"" };
        assert_eq!(keys(&mut again, 0), expected, "cut at {end} of {}", log.len());
    }
}

#[test]
fn the_stream_changes_watched_keys() {
    let (mut world, client, link) = linked(Config::default(), &["SET k 1", "SET other 1"], 100);
    let exec = |world: &mut World, stream: &[&str]| {
        ask(world, client, "WATCH k");
        world.stream(link, stream);
        ask(world, client, "MULTI");
        ask(world, client, "GET k");
        ask(world, client, "EXEC")
    };
    assert_eq!(exec(&mut world, &["SELECT 0", "SET other 2"]), "*1\r\n$1\r\n1\r\n");
    assert_eq!(exec(&mut world, &["SELECT 1", "SET k 7"]), "*1\r\n$1\r\n1\r\n");
    assert_eq!(exec(&mut world, &["SELECT 0", "SET k 2"]), "*-1\r\n");
    assert_eq!(exec(&mut world, &["MULTI", "SET a 1", "SET k 3", "EXEC"]), "*-1\r\n");
    assert_eq!(exec(&mut world, &["FLUSHALL"]), "*-1\r\n");
}

#[test]
fn a_full_copy_changes_watched_keys() {
    let (mut world, client, link) = linked(Config::default(), &["SET k 1"], 100);
    let absent = world.connect().unwrap();
    ask(&mut world, client, "WATCH k");
    ask(&mut world, absent, "WATCH nothing");
    world.leave(link);
    world.advance(2000);
    let (link, _) = world.greet();
    copy(&mut world, link, &["SET k 2"], 9000);
    assert_eq!(keys(&mut world, 0), "k=\"2\"");
    for (conn, answer) in [(client, "*-1\r\n"), (absent, "*0\r\n")] {
        ask(&mut world, conn, "MULTI");
        assert_eq!(ask(&mut world, conn, "EXEC"), answer);
    }
}

#[test]
fn a_server_that_becomes_a_replica_refuses_what_is_queued() {
    const READONLY: &str = "READONLY You can't write against a read only replica.";
    const MASTERDOWN: &str =
        "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.";
    let mut world = World::new(Config::default());
    let (one, other) = (world.connect().unwrap(), world.connect().unwrap());
    let discarded = |reason| format!("-EXECABORT Transaction discarded because of: {reason}\r\n");
    for line in ["SET k 1", "MULTI", "INCR k"] {
        ask(&mut world, one, line);
    }
    ask(&mut world, other, "REPLICAOF 127.0.0.1 1");
    assert_eq!(ask(&mut world, one, "EXEC"), discarded(READONLY));
    assert_eq!(ask(&mut world, one, "EXEC"), "-ERR EXEC without MULTI\r\n");
    ask(&mut world, one, "MULTI");
    assert_eq!(ask(&mut world, one, "INCR k"), format!("-{READONLY}\r\n"));
    assert_eq!(
        ask(&mut world, one, "EXEC"),
        "-EXECABORT Transaction discarded because of previous errors.\r\n"
    );
    for line in ["MULTI", "GET k"] {
        ask(&mut world, one, line);
    }
    ask(&mut world, other, "CONFIG SET replica-serve-stale-data no");
    assert_eq!(ask(&mut world, one, "EXEC"), discarded(MASTERDOWN));
    ask(&mut world, one, "MULTI");
    assert_eq!(ask(&mut world, one, "PING"), format!("-{MASTERDOWN}\r\n"));
}
