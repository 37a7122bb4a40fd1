//! The reply gate when the policy changes while something is wrong with the log.

mod driver;

use driver::World;
use driver::aof::{FULL, started};
use vesta_config::AppendFsync;
use vesta_node::ConnId;
use vesta_testkit::client::encode;

/// A server whose log has just failed, a client, and another one.
fn failing() -> (World, ConnId, ConnId) {
    let (mut world, conn) = started(AppendFsync::Everysec);
    let other = world.connect().expect("the second client is served");
    world.disk.log.write_fault = Some(FULL.to_owned());
    assert_eq!(world.ask(conn, &["SET", "k", "v"]), "+OK\r\n");
    (world, conn, other)
}

fn set_policy(policy: &str) -> [&str; 4] {
    ["CONFIG", "SET", "appendfsync", policy]
}

fn received(world: &mut World, conn: ConnId) -> String {
    String::from_utf8(world.take_received(conn)).expect("replies are text")
}

#[test]
fn always_asked_for_while_the_log_fails_holds_replies_back_until_all_is_safe() {
    let (mut world, conn, other) = failing();
    assert_eq!(world.ask(conn, &set_policy("always")), "");
    assert_eq!(world.ask(other, &["GET", "k"]), "");
    world.disk.log.write_fault = None;
    world.disk.log.holds_syncs = true;
    world.advance(1100);
    assert_eq!(received(&mut world, other), "", "what is written is not safe");
    world.let_log_sync();
    assert_eq!(received(&mut world, conn), "+OK\r\n");
    assert_eq!(received(&mut world, other), "$1\r\nv\r\n");
    assert_eq!(world.ask(other, &["SET", "k", "w"]), "+OK\r\n");
}

#[test]
fn always_asked_for_while_the_log_fails_ends_the_server_with_the_next_attempt() {
    let (mut world, conn, other) = failing();
    world.ask(conn, &set_policy("always"));
    assert_eq!(world.ask(other, &["GET", "k"]), "");
    world.advance(1100);
    assert!(world.ended);
    assert_eq!(received(&mut world, conn) + &received(&mut world, other), "");
}

/// A rewrite that is asked for while the log fails makes the log anew; that once opened the gate.
#[test]
fn always_asked_for_while_the_log_fails_holds_replies_back_until_a_new_log_is_named() {
    let (mut world, conn, other) = failing();
    assert_eq!(world.ask(conn, &set_policy("always")), "");
    world.disk.holds_jobs = true;
    world.disk.log.write_fault = None;
    assert_eq!(world.ask(conn, &["BGREWRITEAOF"]), "");
    assert_eq!(world.ask(other, &["GET", "k"]), "");
    world.let_log_write();
    world.advance(1100);
    assert_eq!(received(&mut world, other), "", "what was written went to a file of no worth");
    world.let_jobs_go();
    world.advance(1100);
    assert_eq!(received(&mut world, other), "$1\r\nv\r\n");
    assert!(received(&mut world, conn).starts_with("+OK\r\n+Background append only file"));
}

#[test]
fn whoever_takes_always_back_lets_replies_go_that_waited_for_it() {
    let (mut world, conn, other) = failing();
    world.ask(conn, &set_policy("always"));
    assert_eq!(world.ask(other, &["GET", "k"]), "");
    world.ask(conn, &set_policy("everysec"));
    world.advance(1);
    assert_eq!(received(&mut world, conn), "+OK\r\n+OK\r\n");
    assert_eq!(received(&mut world, other), "$1\r\nv\r\n");
}

/// Fences have the numbers of batches: one that was put up after the gate had opened and shut again
/// looks like those before.
#[test]
fn a_gate_that_opens_and_shuts_in_one_turn_lets_nobody_through() {
    let (mut world, conn, other) = failing();
    world.ask(conn, &set_policy("always"));
    let again = [encode(&set_policy("always")), encode(&["GET", "k"])].concat();
    world.send_at_once(&[(conn, encode(&set_policy("everysec"))), (other, again)]);
    world.advance(1);
    assert_eq!(received(&mut world, other), "");
    world.disk.log.write_fault = None;
    world.advance(1100);
    assert_eq!(received(&mut world, other), "+OK\r\n$1\r\nv\r\n");
}
