//! Transactions, where time and several clients come into it.

mod driver;

use driver::World;
use vesta_config::{Config, Guarded};
use vesta_node::ConnId;
use vesta_testkit::client::encode;

fn world() -> (World, ConnId, ConnId) {
    let mut world = World::new(Config {
        client_query_buffer_limit_bytes: 1 << 20,
        enable_debug_command: Guarded::Yes,
        ..Config::default()
    });
    let mut connect = || world.connect().expect("there is room");
    let (one, other) = (connect(), connect());
    (world, one, other)
}

fn ask(world: &mut World, conn: ConnId, line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    world.ask(conn, &words)
}

#[test]
fn a_pause_of_writes_holds_an_exec_that_writes_and_no_other() {
    let (mut world, one, other) = world();
    for line in ["MULTI", "SET k 1"] {
        ask(&mut world, one, line);
    }
    ask(&mut world, other, "MULTI");
    assert_eq!(ask(&mut world, other, "GET k"), "+QUEUED\r\n");
    let third = world.connect().unwrap();
    ask(&mut world, third, "CLIENT PAUSE 1000 WRITE");
    assert_eq!(ask(&mut world, one, "EXEC"), "");
    assert_eq!(ask(&mut world, other, "EXEC"), "*1\r\n$-1\r\n");
    world.advance(1100);
    assert_eq!(world.take_received(one), b"*1\r\n+OK\r\n");
}

#[test]
fn a_watched_key_that_expires_in_a_pause_fails_exec_though_it_is_not_deleted() {
    let (mut world, one, other) = world();
    for line in ["SET k 1 PX 100", "WATCH k"] {
        ask(&mut world, one, line);
    }
    ask(&mut world, other, "CLIENT PAUSE 1000 WRITE");
    world.advance(200);
    for line in ["MULTI", "PING"] {
        ask(&mut world, one, line);
    }
    assert_eq!(ask(&mut world, one, "EXEC"), "*-1\r\n");
}

#[test]
fn a_key_that_had_expired_when_watched_may_be_deleted() {
    let (mut world, one, other) = world();
    ask(&mut world, one, "DEBUG SET-ACTIVE-EXPIRE 0");
    ask(&mut world, one, "SET k 1 PX 100");
    world.advance(200);
    ask(&mut world, one, "WATCH k");
    assert_eq!(ask(&mut world, other, "GET k"), "$-1\r\n");
    ask(&mut world, one, "MULTI");
    assert_eq!(ask(&mut world, one, "EXEC"), "*0\r\n");
}

#[test]
fn a_transaction_that_grows_without_end_ends_the_client() {
    let (mut world, one, _) = world();
    ask(&mut world, one, "MULTI");
    let request = encode(&["SET", "k", &"x".repeat(100_000)]);
    for _ in 0..10 {
        world.send(one, &request);
        assert!(!world.is_closed(one));
    }
    for _ in 0..2 {
        world.send(one, &request);
    }
    assert!(world.is_closed(one));
}

#[test]
fn who_waits_for_the_outside_in_a_transaction_keeps_all_others_waiting() {
    let (mut world, one, other) = world();
    for line in ["SET k 1", "MULTI", "INCR k", "DEBUG RELOAD", "INCR k"] {
        ask(&mut world, one, line);
    }
    let exec = (one, encode(&["EXEC"]));
    let (asked, answered) = (encode(&["INCR", "k"]), ":4\r\n");
    let wire = [exec.1, encode(&["GET", "k"])].concat();
    world.send(one, &wire);
    world.send(other, &asked);
    world.advance(10_000);
    let received = String::from_utf8(world.take_received(one)).unwrap();
    assert!(received.starts_with("*3\r\n:2\r\n+OK\r\n:3\r\n$1\r\n"), "{received:?}");
    assert_eq!(world.take_received(other), answered.as_bytes());
    assert_eq!(ask(&mut world, one, "EXEC"), "-ERR EXEC without MULTI\r\n");
}

#[test]
fn who_leaves_watches_nothing_any_more() {
    let (mut world, one, other) = world();
    for line in ["WATCH k", "MULTI", "GET k"] {
        ask(&mut world, one, line);
    }
    world.leave(one);
    assert_eq!(ask(&mut world, other, "SET k 1"), "+OK\r\n");
    assert_eq!(ask(&mut world, other, "EXEC"), "-ERR EXEC without MULTI\r\n");
}
