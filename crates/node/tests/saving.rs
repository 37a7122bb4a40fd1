//! Saving and loading as the node sees it: a disk that is slow, full or stuck, and points in time.

mod driver;

use driver::World;
use vesta_config::{Config, SavePoint};
use vesta_node::{Action, ConnId, DiskNews, DiskWish, Event, SaveFault, SaveStep, Signal};

fn world(points: &[(u64, u64)]) -> World {
    let save =
        points.iter().map(|(seconds, changes)| SavePoint { seconds: *seconds, changes: *changes });
    World::new(Config { save: save.collect(), rdbcompression: false, ..Config::default() })
}

fn full() -> SaveFault {
    SaveFault { step: SaveStep::Create, why: "No space left on device".to_owned() }
}

fn figure(world: &mut World, conn: ConnId, name: &str) -> String {
    let info = world.ask(conn, &["INFO", "persistence"]);
    let field = info.lines().find_map(|line| line.strip_prefix(&format!("{name}:")));
    field.unwrap_or_else(|| panic!("no {name} in {info}")).to_owned()
}

/// `count` keys with long values.
fn fill(world: &mut World, conn: ConnId, count: usize) {
    for key in 0..count {
        world.ask(conn, &["SET", &format!("key:{key}"), &format!("{key:0>1000}")]);
    }
}

#[test]
fn save_points_are_seconds_and_changes() {
    let mut world = world(&[(60, 2), (10, 5)]);
    let conn = world.connect().unwrap();
    world.ask(conn, &["SET", "a", "1"]);
    world.advance(100_000);
    assert!(world.disk.files.is_empty(), "one change is not enough");
    world.ask(conn, &["SET", "a", "2"]);
    world.advance(200);
    assert_eq!(figure(&mut world, conn, "rdb_saves"), "1");
    assert!(world.log.iter().any(|line| line == "2 changes in 60 seconds. Saving..."));
    for _ in 0..5 {
        world.ask(conn, &["SET", "a", "3"]);
    }
    world.advance(9000);
    assert_eq!(figure(&mut world, conn, "rdb_saves"), "1");
    world.advance(3000);
    assert_eq!(figure(&mut world, conn, "rdb_saves"), "2");
    assert_eq!(figure(&mut world, conn, "rdb_changes_since_last_save"), "0");
}

#[test]
fn a_failed_save_stops_writes_and_is_tried_again_after_five_seconds() {
    let mut world = world(&[(1, 1)]);
    let conn = world.connect().unwrap();
    world.disk.fault = Some(full());
    world.ask(conn, &["SET", "a", "1"]);
    world.advance(2500);
    assert_eq!(figure(&mut world, conn, "rdb_last_bgsave_status"), "err");
    assert!(world.ask(conn, &["SET", "a", "2"]).starts_with("-MISCONF "));
    assert_eq!(world.ask(conn, &["GET", "a"]), "$1\r\n1\r\n");
    let tries =
        |world: &World| world.log.iter().filter(|line| *line == "Background saving error").count();
    assert_eq!(tries(&world), 1);
    world.advance(3000);
    assert_eq!(tries(&world), 1);
    world.advance(2500);
    assert_eq!(tries(&world), 2);
    world.ask(conn, &["CONFIG", "SET", "stop-writes-on-bgsave-error", "no"]);
    assert_eq!(world.ask(conn, &["SET", "a", "2"]), "+OK\r\n");
    world.ask(conn, &["CONFIG", "SET", "stop-writes-on-bgsave-error", "yes"]);
    // Whatever save succeeds ends it.
    world.disk.fault = None;
    assert_eq!(world.ask(conn, &["SAVE"]), "+OK\r\n");
    assert_eq!(world.ask(conn, &["SET", "a", "3"]), "+OK\r\n");
}

#[test]
fn the_walk_waits_for_the_disk_and_the_snapshot_stays_exact() {
    let mut world = world(&[]);
    let conn = world.connect().unwrap();
    fill(&mut world, conn, 8000);
    let before = world.node.dump(world.now, vesta_types::DbIndex::ZERO);
    world.disk.stuck = true;
    world.ask(conn, &["BGSAVE"]);
    world.advance(2000);
    let handed_out = |world: &World| world.disk.open.as_ref().unwrap().2.len();
    let waits_at = handed_out(&world);
    assert!((4 << 20..6 << 20).contains(&waits_at), "{waits_at}");
    world.advance(2000);
    assert_eq!(handed_out(&world), waits_at);
    assert_eq!(figure(&mut world, conn, "current_save_keys_total"), "8000");
    // Writers do not wait, nor does the data that they replace get lost.
    for key in 0..8000 {
        assert_eq!(world.ask(conn, &["SET", &format!("key:{key}"), "new"]), "+OK\r\n");
    }
    world.ask(conn, &["FLUSHALL"]);
    world.disk.stuck = false;
    let (id, bytes) = (world.disk.open.as_ref().unwrap().0, waits_at);
    world.node.handle(world.now, Event::Disk(DiskNews::SaveWritten { id, bytes }));
    world.advance(1000);
    assert_eq!(figure(&mut world, conn, "rdb_last_bgsave_status"), "ok");
    assert_eq!(figure(&mut world, conn, "rdb_changes_since_last_save"), "16000");
    let file = world.disk.files["dump.rdb"].clone();
    let mut later = loaded(file);
    assert!(later.node.dump(later.now, vesta_types::DbIndex::ZERO) == before);
}

/// A node that has loaded a file.
fn loaded(file: Vec<u8>) -> World {
    let mut world = world(&[]);
    world.disk.files.insert("dump.rdb".to_owned(), file);
    world.node.load_at_start(world.now);
    world.advance(1000);
    world
}

#[test]
fn a_save_that_failed_half_way_can_be_followed_by_another() {
    let mut world = world(&[]);
    let conn = world.connect().unwrap();
    fill(&mut world, conn, 8000);
    world.disk.stuck = true;
    world.ask(conn, &["BGSAVE"]);
    world.advance(100);
    world.ask(conn, &["SET", "key:1", "changed"]);
    let id = world.disk.open.take().unwrap().0;
    world.node.handle(world.now, Event::Disk(DiskNews::SaveDone { id, outcome: Err(full()) }));
    world.disk.stuck = false;
    // Reports about what is no more are of no interest.
    world.node.handle(world.now, Event::Disk(DiskNews::SaveWritten { id, bytes: 1 << 30 }));
    world.node.handle(world.now, Event::Disk(DiskNews::SaveDone { id, outcome: Ok(()) }));
    assert_eq!(figure(&mut world, conn, "rdb_saves"), "0");
    world.send(conn, b"SAVE\r\n");
    world.advance(1000);
    assert_eq!(world.take_received(conn), b"+OK\r\n");
    let before = world.node.dump(world.now, vesta_types::DbIndex::ZERO);
    let mut later = loaded(world.disk.files["dump.rdb"].clone());
    assert!(later.node.dump(later.now, vesta_types::DbIndex::ZERO) == before);
}

#[test]
fn the_last_save_holds_everybody_back_until_it_is_done_or_called_off() {
    let mut world = world(&[(3600, 1)]);
    let (conn, other) = (world.connect().unwrap(), world.connect().unwrap());
    let waiting = world.connect().unwrap();
    world.ask(waiting, &["BLPOP", "list", "0"]);
    fill(&mut world, conn, 8000);
    world.disk.stuck = true;
    world.node.handle(world.now, Event::Terminate(Signal::Term));
    world.advance(100);
    assert_eq!(world.ask(other, &["RPUSH", "list", "a"]), "");
    assert_eq!(world.ask(conn, &["PING"]), "");
    let third = world.connect().unwrap();
    assert_eq!(world.ask(third, &["SHUTDOWN", "ABORT"]), "+OK\r\n");
    world.advance(100);
    assert!(world.disk.open.is_none() && !world.ended);
    assert_eq!(world.take_received(other), b":1\r\n");
    assert_eq!(world.take_received(conn), b"+PONG\r\n");
    assert_eq!(world.take_received(waiting), b"*2\r\n$4\r\nlist\r\n$1\r\na\r\n");
    world.disk.stuck = false;
    world.node.handle(world.now, Event::Terminate(Signal::Term));
    world.advance(1000);
    assert!(world.ended && world.disk.files.contains_key("dump.rdb"));
}

#[test]
fn a_file_that_cannot_be_read_ends_the_node() {
    let mut world = world(&[]);
    world.node.load_at_start(world.now);
    let mut opens = false;
    while let Some(action) = world.node.poll_action() {
        opens |= matches!(action, Action::Disk(DiskWish::LoadOpen { .. }));
    }
    assert!(opens);
    let conn = world.connect().unwrap();
    assert!(world.ask(conn, &["GET", "a"]).starts_with("-LOADING "));
    // There is no manifest, but a snapshot.
    for outcome in [Ok(None), Err("Permission denied".to_owned())] {
        world.node.handle(world.now, Event::Disk(DiskNews::LoadOpened(outcome)));
    }
    world.advance(200);
    assert!(world.ended);
    let line = "Fatal error loading the DB ./dump.rdb: Permission denied. Exiting.";
    assert!(world.log.iter().any(|logged| logged == line), "{:?}", world.log);
}
