//! WAITAOF: clients that wait until what they wrote is on the disk.

mod driver;

use driver::World;
use vesta_config::{AppendFsync, Config};
use vesta_node::ConnId;
use vesta_testkit::client::encode;

const SAFE: &str = "*2\r\n:1\r\n:0\r\n";
const NOT_SAFE: &str = "*2\r\n:0\r\n:0\r\n";

/// A server with a log whose syncs take as long as the test wants.
fn world(policy: AppendFsync) -> World {
    let mut world =
        World::new(Config { appendonly: true, appendfsync: policy, ..Config::default() });
    world.node.load_at_start(world.now);
    world.advance(200);
    world.disk.log.holds_syncs = true;
    world
}

fn received(world: &mut World, conn: ConnId) -> String {
    String::from_utf8(world.take_received(conn)).expect("replies are text")
}

fn blocked(world: &mut World, conn: ConnId) -> String {
    let info = world.ask(conn, &["INFO", "clients"]);
    let field = info.lines().find_map(|line| line.strip_prefix("blocked_clients:"));
    field.expect("INFO tells").to_owned()
}

#[test]
fn a_client_waits_for_the_sync_of_its_last_write_and_of_no_other() {
    let mut world = world(AppendFsync::Everysec);
    let [writer, reader, other] = [(); 3].map(|()| world.connect().unwrap());
    assert_eq!(world.ask(writer, &["SET", "k", "v"]), "+OK\r\n");
    assert_eq!(world.ask(reader, &["GET", "k"]), "$1\r\nv\r\n");
    assert_eq!(world.ask(writer, &["WAITAOF", "1", "0", "0"]), "", "nothing was synced");
    assert_eq!(world.ask(reader, &["WAITAOF", "1", "0", "0"]), SAFE, "it wrote nothing");
    world.advance(1100);
    assert_eq!(received(&mut world, writer), "", "the sync is under way");
    // This comes too late for the sync under way.
    world.ask(other, &["SET", "k", "w"]);
    assert_eq!(world.ask(other, &["WAITAOF", "1", "0", "0"]), "");
    world.let_log_sync();
    assert_eq!(received(&mut world, writer), SAFE);
    assert_eq!(received(&mut world, other), "");
    assert_eq!(world.ask(writer, &["WAITAOF", "1", "0", "0"]), SAFE, "it has written no more");
    world.advance(1100);
    world.let_log_sync();
    assert_eq!(received(&mut world, other), SAFE);
}

#[test]
fn what_a_client_sent_behind_it_comes_after_it() {
    let mut world = world(AppendFsync::Everysec);
    let conn = world.connect().unwrap();
    let requests = [&["SET", "k", "v"][..], &["WAITAOF", "1", "0", "0"], &["GET", "k"]];
    world.send(conn, &requests.map(encode).concat());
    assert_eq!(received(&mut world, conn), "+OK\r\n");
    world.advance(1100);
    world.let_log_sync();
    assert_eq!(received(&mut world, conn), format!("{SAFE}$1\r\nv\r\n"));
}

#[test]
fn nobody_waits_longer_than_wished_for() {
    let mut world = world(AppendFsync::Everysec);
    let conn = world.connect().unwrap();
    world.ask(conn, &["SET", "k", "v"]);
    assert_eq!(world.ask(conn, &["WAITAOF", "1", "0", "300"]), "");
    world.advance(299);
    assert_eq!(received(&mut world, conn), "");
    world.advance(2);
    assert_eq!(received(&mut world, conn), NOT_SAFE);
    // There are no replicas, so that this takes all the time it may take.
    assert_eq!(world.ask(conn, &["WAITAOF", "1", "1", "1500"]), "");
    world.advance(1000);
    world.let_log_sync();
    assert_eq!(received(&mut world, conn), "");
    world.advance(500);
    assert_eq!(received(&mut world, conn), SAFE);
}

#[test]
fn a_client_that_goes_away_waits_no_more() {
    let mut world = world(AppendFsync::Everysec);
    let [leaving, killed, left] = [(); 3].map(|()| world.connect().unwrap());
    for conn in [leaving, killed] {
        world.ask(conn, &["SET", "k", "v"]);
        assert_eq!(world.ask(conn, &["WAITAOF", "1", "0", "0"]), "");
    }
    assert_eq!(blocked(&mut world, left), "2");
    world.leave(leaving);
    assert_eq!(blocked(&mut world, left), "1");
    assert_eq!(world.ask(left, &["CLIENT", "KILL", "SKIPME", "yes", "TYPE", "normal"]), ":1\r\n");
    assert_eq!(blocked(&mut world, left), "0");
    world.advance(1100);
    world.let_log_sync();
    assert_eq!(world.ask(left, &["PING"]), "+PONG\r\n");
}

#[test]
fn whoever_wants_no_replies_gets_none() {
    let mut world = world(AppendFsync::Everysec);
    let conn = world.connect().unwrap();
    world.ask(conn, &["SET", "k", "v"]);
    world.ask(conn, &["CLIENT", "REPLY", "SKIP"]);
    assert_eq!(world.ask(conn, &["WAITAOF", "1", "0", "0"]), "");
    world.advance(1100);
    world.let_log_sync();
    assert_eq!(received(&mut world, conn), "");
    assert_eq!(world.ask(conn, &["PING"]), "+PONG\r\n");
}

#[test]
fn a_log_that_is_switched_on_makes_safe_what_was_there_before() {
    let mut world = World::new(Config::default());
    world.node.load_at_start(world.now);
    world.advance(200);
    let [conn, other] = [(); 2].map(|()| world.connect().unwrap());
    assert_eq!(world.ask(conn, &["SET", "k", "v"]), "+OK\r\n");
    assert_eq!(world.ask(conn, &["WAITAOF", "0", "0", "0"]), NOT_SAFE);
    world.disk.holds_jobs = true;
    world.ask(other, &["CONFIG", "SET", "appendonly", "yes"]);
    world.advance(500);
    assert_eq!(world.ask(conn, &["WAITAOF", "1", "0", "0"]), "", "no manifest names its files");
    world.disk.holds_jobs = false;
    world.let_jobs_go();
    world.advance(2000);
    assert_eq!(received(&mut world, conn), SAFE);
}

#[test]
fn a_log_that_is_switched_off_makes_nothing_safe() {
    let mut world = world(AppendFsync::No);
    let [writer, waits_on, other] = [(); 3].map(|()| world.connect().unwrap());
    for (conn, local) in [(writer, "1"), (waits_on, "0")] {
        world.ask(conn, &["SET", "k", "v"]);
        assert_eq!(world.ask(conn, &["WAITAOF", local, "1", "0"]), "");
    }
    assert_eq!(world.ask(other, &["CONFIG", "SET", "appendonly", "no"]), "+OK\r\n");
    let error = "-ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.\r\n";
    assert_eq!(received(&mut world, writer), error);
    assert_eq!(received(&mut world, waits_on), "", "it did not ask for this disk");
}
