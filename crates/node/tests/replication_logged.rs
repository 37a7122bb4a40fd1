//! A primary with a log: replicas are never ahead of what a restart finds, and can go on after it.

#![expect(clippy::unwrap_used, reason = "a test fails where it panics")]

mod driver;

use driver::World;
use driver::aof::started_with;
use driver::replicas::{acknowledge, info, introduced, offset, replica};
use std::collections::BTreeMap;
use vesta_config::{AppendFsync, Config};
use vesta_node::ConnId;
use vesta_testkit::client::encode;

fn config(policy: AppendFsync) -> Config {
    let appendonly = true;
    let base = Config { appendonly, appendfsync: policy, ..Config::default() };
    Config { repl_diskless_sync_delay_s: 0, save: Vec::new(), ..base }
}

fn primary(policy: AppendFsync) -> (World, ConnId) {
    let mut world = started_with(config(policy), BTreeMap::new());
    let client = world.connect().unwrap();
    (world, client)
}

/// The server after a crash that has cost nothing of what was written.
fn restarted(world: World) -> (World, ConnId) {
    let mut world = started_with(config(AppendFsync::No), world.disk.files);
    let client = world.connect().unwrap();
    (world, client)
}

#[test]
fn replicas_get_nothing_that_the_log_has_not() {
    let (mut world, client) = primary(AppendFsync::Everysec);
    let (conn, _) = replica(&mut world);
    world.disk.log.holds_writes = true;
    assert_eq!(world.ask(client, &["SET", "a", "1"]), "", "the client waits, too");
    assert_eq!(world.take_received(conn), b"");
    world.let_log_write();
    assert_eq!(world.take_received(client), b"+OK\r\n");
    assert!(world.take_received(conn).ends_with(&encode(&["SET", "a", "1"])));
}

#[test]
fn with_always_replicas_get_nothing_that_is_not_safe() {
    let (mut world, client) = primary(AppendFsync::Always);
    let (conn, _) = replica(&mut world);
    world.disk.log.holds_syncs = true;
    world.ask(client, &["SET", "a", "1"]);
    assert_eq!(world.take_received(conn), b"");
    world.let_log_sync();
    assert!(world.take_received(conn).ends_with(&encode(&["SET", "a", "1"])));
}

#[test]
fn a_snapshot_waits_for_the_log_as_the_stream_does() {
    let (mut world, client) = primary(AppendFsync::Everysec);
    let conn = introduced(&mut world);
    world.disk.log.holds_writes = true;
    world.ask(client, &["SET", "a", "1"]);
    world.send(conn, &encode(&["PSYNC", "?", "-1"]));
    world.advance(10);
    let early = world.take_received(conn);
    assert!(!early.windows(5).any(|bytes| bytes == b"REDIS"), "it holds a write that may be lost");
    world.let_log_write();
    world.advance(10);
    assert!(world.take_received(conn).windows(5).any(|bytes| bytes == b"REDIS"));
}

#[test]
fn replicas_go_on_after_a_restart() {
    let (mut world, client) = primary(AppendFsync::Everysec);
    let (behind, copied) = replica(&mut world);
    for n in 0..10 {
        world.ask(client, &["SET", "a", &n.to_string()]);
    }
    let all = world.take_received(behind);
    let end = offset(&mut world, client);
    assert_eq!(copied.offset + all.len() as u64, end);
    let (mut world, client) = restarted(world);
    assert_ne!(info(&mut world, client, "master_replid"), copied.id);
    assert_eq!(info(&mut world, client, "master_replid2"), copied.id);
    // One that has everything, and one that lacks the last two writes.
    for lacking in [0, 66] {
        let conn = introduced(&mut world);
        let from = end - lacking + 1;
        world.send(conn, &encode(&["PSYNC", &copied.id, &from.to_string()]));
        world.advance(10);
        let received = world.take_received(conn);
        assert!(received.starts_with(b"+CONTINUE "), "{}", String::from_utf8_lossy(&received));
        let rest = all.get(all.len() - usize::try_from(lacking).unwrap()..).unwrap();
        assert!(received.ends_with(rest));
    }
    assert_eq!(info(&mut world, client, "sync_full"), "0");
}

#[test]
fn whoever_has_got_more_than_the_log_has_copies_everything() {
    let (mut world, client) = primary(AppendFsync::Everysec);
    let (_, copied) = replica(&mut world);
    world.ask(client, &["SET", "a", "1"]);
    let end = offset(&mut world, client);
    let (mut world, client) = restarted(world);
    let conn = introduced(&mut world);
    world.send(conn, &encode(&["PSYNC", &copied.id, &(end + 2).to_string()]));
    world.advance(10);
    assert!(world.take_received(conn).starts_with(b"+FULLRESYNC "));
    assert_eq!(info(&mut world, client, "sync_full_reason_diverged"), "1");
}

#[test]
fn what_only_replicas_get_counts_in_the_log_all_the_same() {
    let (mut world, client) = primary(AppendFsync::Everysec);
    let (conn, copied) = replica(&mut world);
    world.ask(client, &["SET", "a", "1"]);
    world.ask(client, &["PUBLISH", "channel", "message"]);
    world.advance(11_000);
    let received = world.take_received(conn);
    assert!(received.ends_with(&encode(&["PING"])), "{received:?}");
    acknowledge(&mut world, conn, 0);
    world.ask(client, &["PUBLISH", "channel", "message"]);
    let end = offset(&mut world, client);
    let (mut world, client) = restarted(world);
    assert_eq!(offset(&mut world, client), end);
    let conn = introduced(&mut world);
    world.send(conn, &encode(&["PSYNC", &copied.id, &(end + 1).to_string()]));
    assert!(world.take_received(conn).starts_with(b"+CONTINUE "));
}

#[test]
fn behind_a_gap_the_log_gives_nothing_back() {
    let (mut world, client) = primary(AppendFsync::Everysec);
    let (_, copied) = replica(&mut world);
    world.ask(client, &["SET", "a", "1"]);
    let before = offset(&mut world, client);
    world.ask(client, &["PUBLISH", "channel", "message"]);
    world.ask(client, &["SET", "a", "2"]);
    let (mut world, client) = restarted(world);
    let conn = introduced(&mut world);
    world.send(conn, &encode(&["PSYNC", &copied.id, &(before + 1).to_string()]));
    world.advance(10);
    assert!(world.take_received(conn).starts_with(b"+FULLRESYNC "));
    assert_eq!(info(&mut world, client, "sync_full_reason_behind_backlog"), "1");
}
