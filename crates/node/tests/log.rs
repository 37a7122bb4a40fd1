//! The log as the node keeps it: when replies leave, what is on the disk at any time, and what
//! happens when the disk refuses.

mod driver;

use driver::World;
use driver::aof::{
    BROKEN, FULL, MANIFEST, config, dump, job_fault, manifest, no_room, started, started_with,
    without_log,
};
use std::collections::BTreeMap;
use vesta_config::{AppendFsync, SavePoint};
use vesta_node::ConnId;

const MISCONF: &str = "-MISCONF Errors writing to the AOF file: ";
const STARTED: &str = "+Background append only file rewriting started\r\n";
const SCHEDULED: &str = "+Background append only file rewriting scheduled\r\n";

/// What a server finds that starts with the files that are there now.
#[track_caller]
fn assert_loads(world: &mut World, when: &str) {
    let mut later = started_with(config(AppendFsync::Everysec), world.disk.files.clone());
    assert!(!later.ended, "{when}: {:#?}", later.log);
    let conn = later.connect().expect("the first client is served");
    assert!(later.ask(conn, &["GET", "none"]).starts_with('$'), "{when}: {:#?}", later.log);
    assert_eq!(dump(&mut later), dump(world), "{when}: {}", manifest(&world.disk));
}

fn figure(world: &mut World, conn: ConnId, name: &str) -> String {
    let info = world.ask(conn, &["INFO", "persistence"]);
    let field = info.lines().find_map(|line| line.strip_prefix(&format!("{name}:")));
    field.unwrap_or_else(|| panic!("no {name} in {info}")).to_owned()
}

fn says(world: &World, line: &str) -> bool {
    world.log.iter().any(|logged| logged == line)
}

fn count(world: &World, line: &str) -> usize {
    world.log.iter().filter(|logged| *logged == line).count()
}

/// `count` keys of a kilobyte.
fn fill(world: &mut World, conn: ConnId, count: usize) {
    for key in 0..count {
        world.ask(conn, &["SET", &format!("key:{key}"), &format!("{key:0>1000}")]);
    }
}

#[test]
fn a_server_without_files_makes_them_before_it_is_ready() {
    let mut world = World::new(config(AppendFsync::Everysec));
    world.disk.holds_jobs = true;
    world.node.load_at_start(world.now);
    world.advance(200);
    let conn = world.connect().unwrap();
    assert!(world.ask(conn, &["SET", "a", "1"]).starts_with("-LOADING "));
    assert!(world.disk.files.is_empty());
    world.let_jobs_go();
    assert_eq!(world.ask(conn, &["SET", "a", "1"]), "+OK\r\n");
    assert_eq!(
        manifest(&world.disk),
        "file aof.1.base.rdb seq 1 type b\nfile aof.1.incr.aof seq 1 type i\n"
    );
    assert!(says(&world, "Creating AOF base file appendonly.aof.1.base.rdb on server start"));
    assert!(says(&world, "Creating AOF incr file appendonly.aof.1.incr.aof on server start"));
    assert_loads(&mut world, "after the start");
    let mut second = started_with(config(AppendFsync::Everysec), world.disk.files.clone());
    let conn = second.connect().unwrap();
    assert!(says(&second, "Opening AOF incr file appendonly.aof.1.incr.aof on server start"));
    assert_eq!(second.ask(conn, &["APPEND", "a", "2"]), ":2\r\n");
    assert_loads(&mut second, "after a second start");
}

#[test]
fn a_server_that_cannot_make_its_files_ends() {
    let mut world = World::new(config(AppendFsync::Everysec));
    world.disk.job_fault = Some(job_fault(0));
    world.node.load_at_start(world.now);
    world.advance(200);
    assert!(world.ended && world.disk.files.is_empty());
}

#[test]
fn a_base_without_increments_gets_one_before_the_server_is_ready() {
    let (mut world, conn) = started(AppendFsync::Everysec);
    world.ask(conn, &["SET", "a", "1"]);
    world.ask(conn, &["CONFIG", "SET", "appendonly", "no"]);
    assert_eq!(world.ask(conn, &["BGREWRITEAOF"]), STARTED);
    world.advance(500);
    assert_eq!(manifest(&world.disk), "file aof.2.base.rdb seq 2 type b\n");
    let mut second = started_with(config(AppendFsync::Everysec), world.disk.files.clone());
    let conn = second.connect().unwrap();
    assert_eq!(
        manifest(&second.disk),
        "file aof.2.base.rdb seq 2 type b\nfile aof.1.incr.aof seq 1 type i\n"
    );
    assert_eq!(second.ask(conn, &["INCR", "a"]), ":2\r\n");
    assert_loads(&mut second, "after a start with a base only");
}

#[test]
fn always_acknowledges_nothing_before_it_is_safe_and_syncs_once_for_many() {
    let (mut world, conn) = started(AppendFsync::Always);
    let other = world.connect().unwrap();
    world.disk.log.holds_syncs = true;
    let before = world.disk.log.syncs;
    assert_eq!(world.ask(conn, &["SET", "a", "1"]), "");
    assert_eq!(world.ask(conn, &["SET", "b", "1"]), "");
    // Whoever reads would see what could still be lost.
    assert_eq!(world.ask(other, &["GET", "a"]), "");
    assert_eq!(world.ask(other, &["PING"]), "");
    world.advance(10_000);
    assert_eq!(world.take_received(conn), b"");
    world.let_log_sync();
    assert_eq!(world.take_received(conn), b"+OK\r\n+OK\r\n");
    assert_eq!(world.take_received(other), b"$1\r\n1\r\n+PONG\r\n");
    assert_eq!(world.disk.log.syncs, before + 1);
    assert_eq!(world.ask(other, &["GET", "b"]), "$1\r\n1\r\n");
}

#[test]
fn who_waits_for_a_key_or_a_message_waits_for_the_log_as_well() {
    let (mut world, conn) = started(AppendFsync::Always);
    let (popper, reader) = (world.connect().unwrap(), world.connect().unwrap());
    world.ask(popper, &["BLPOP", "list", "0"]);
    world.ask(conn, &["CONFIG", "SET", "notify-keyspace-events", "KEA"]);
    world.ask(reader, &["SUBSCRIBE", "__keyevent@0__:rpush"]);
    world.disk.log.holds_syncs = true;
    assert_eq!(world.ask(conn, &["RPUSH", "list", "a"]), "");
    assert_eq!(world.take_received(popper), b"");
    assert_eq!(world.take_received(reader), b"");
    world.let_log_sync();
    assert_eq!(world.take_received(conn), b":1\r\n");
    assert_eq!(world.take_received(popper), b"*2\r\n$4\r\nlist\r\n$1\r\na\r\n");
    assert!(world.take_received(reader).ends_with(b"list\r\n"));
}

#[test]
fn everysec_acknowledges_what_is_written_and_syncs_once_a_second() {
    let (mut world, conn) = started(AppendFsync::Everysec);
    world.disk.log.holds_writes = true;
    assert_eq!(world.ask(conn, &["SET", "a", "1"]), "");
    world.let_log_write();
    assert_eq!(world.take_received(conn), b"+OK\r\n");
    let before = world.disk.log.syncs;
    for _ in 0..50 {
        assert!(world.ask(conn, &["INCR", "n"]).starts_with(':'));
        world.advance(100);
    }
    let syncs = world.disk.log.syncs - before;
    assert!((4..=6).contains(&syncs), "{syncs} in five seconds");
    world.advance(5000);
    let after = world.disk.log.syncs;
    assert!(after <= before + syncs + 1, "nothing to sync");
    assert_eq!(world.disk.log.synced, world.disk.log.written);
    world.advance(60_000);
    assert_eq!(world.disk.log.syncs, after);
}

#[test]
fn replies_wait_when_a_sync_takes_more_than_two_seconds() {
    let (mut world, conn) = started(AppendFsync::Everysec);
    let other = world.connect().unwrap();
    world.ask(conn, &["SET", "old", "1"]);
    world.advance(3000);
    world.disk.log.holds_syncs = true;
    assert_eq!(world.ask(conn, &["SET", "a", "1"]), "+OK\r\n");
    // What the disk does not take while it syncs is waited for.
    world.advance(100);
    world.disk.log.holds_writes = true;
    assert_eq!(world.ask(conn, &["SET", "a", "2"]), "");
    world.let_log_write();
    assert_eq!(world.take_received(conn), b"+OK\r\n");
    world.advance(1800);
    assert_eq!(world.ask(conn, &["SET", "a", "3"]), "+OK\r\n");
    world.advance(200);
    assert_eq!(figure(&mut world, other, "aof_delayed_fsync"), "1");
    // What was acknowledged may be seen, what is new may not.
    assert_eq!(world.ask(other, &["GET", "a"]), "$1\r\n3\r\n");
    assert_eq!(world.ask(conn, &["SET", "a", "4"]), "");
    assert_eq!(world.ask(other, &["GET", "a"]), "");
    world.advance(10_000);
    assert_eq!(world.take_received(other), b"");
    world.let_log_write();
    world.let_log_sync();
    world.advance(100);
    assert_eq!(world.take_received(conn), b"+OK\r\n");
    assert_eq!(world.take_received(other), b"$1\r\n4\r\n");
    assert_eq!(figure(&mut world, other, "aof_delayed_fsync"), "1");
}

#[test]
fn no_asks_for_no_sync() {
    let (mut world, conn) = started(AppendFsync::No);
    let before = world.disk.log.syncs;
    world.disk.log.holds_writes = true;
    assert_eq!(world.ask(conn, &["SET", "a", "1"]), "");
    world.let_log_write();
    assert_eq!(world.take_received(conn), b"+OK\r\n");
    world.advance(10_000);
    assert_eq!(world.disk.log.syncs, before);
    // Another policy asks for it at once.
    world.ask(conn, &["CONFIG", "SET", "appendfsync", "always"]);
    assert_eq!(world.disk.log.syncs, before + 1);
    assert_eq!(world.disk.log.synced, world.disk.log.written);
}

#[test]
fn no_sync_comes_while_a_snapshot_is_written_if_so_configured() {
    let (mut world, conn) = started(AppendFsync::Always);
    world.ask(conn, &["CONFIG", "SET", "no-appendfsync-on-rewrite", "yes"]);
    world.disk.stuck = true;
    world.ask(conn, &["BGSAVE"]);
    let before = world.disk.log.syncs;
    assert_eq!(world.ask(conn, &["SET", "a", "1"]), "+OK\r\n");
    world.advance(5000);
    assert_eq!(world.disk.log.syncs, before);
    world.disk.stuck = false;
    world.finish_file();
    world.advance(100);
    assert_eq!(world.disk.log.syncs, before + 1);
    assert_eq!(world.disk.log.synced, world.disk.log.written);
}

#[test]
fn a_full_disk_stops_writes_until_it_has_room() {
    let (mut world, conn) = started(AppendFsync::Everysec);
    assert_eq!(world.ask(conn, &["SET", "a", "1"]), "+OK\r\n");
    world.disk.log.write_fault = Some(FULL.to_owned());
    assert_eq!(world.ask(conn, &["SET", "a", "2"]), "+OK\r\n");
    for words in [&["SET", "a", "3"][..], &["PING"], &["LPUSH", "a", "x"]] {
        assert_eq!(world.ask(conn, words), format!("{MISCONF}{FULL}\r\n"));
    }
    assert!(world.ask(conn, &["SET", "a"]).starts_with("-ERR wrong number"));
    assert_eq!(world.ask(conn, &["GET", "a"]), "$1\r\n2\r\n");
    assert_eq!(world.ask(conn, &["PUBLISH", "a", "x"]), ":0\r\n");
    assert_eq!(figure(&mut world, conn, "aof_last_write_status"), "err");
    assert_ne!(figure(&mut world, conn, "aof_buffer_length"), "0");
    world.advance(10_000);
    // The operator is told now and then.
    let line = format!("Error writing to the AOF file: {FULL}");
    assert_eq!(count(&world, &line), 1);
    world.advance(25_000);
    assert_eq!(count(&world, &line), 2);
    world.disk.log.write_fault = None;
    world.advance(1100);
    assert!(says(&world, "AOF write error looks solved, the server can write again."));
    assert_eq!(figure(&mut world, conn, "aof_last_write_status"), "ok");
    assert_eq!(world.ask(conn, &["SET", "b", "1"]), "+OK\r\n");
    assert_loads(&mut world, "after a full disk");
}

#[test]
fn a_failed_save_is_told_before_a_failed_log() {
    let mut config = config(AppendFsync::Everysec);
    config.save = vec![SavePoint { seconds: 3600, changes: 1 }];
    let mut world = started_with(config, BTreeMap::new());
    let conn = world.connect().unwrap();
    world.disk.fault = Some(no_room());
    world.ask(conn, &["BGSAVE"]);
    world.disk.log.write_fault = Some(FULL.to_owned());
    world.ask(conn, &["CONFIG", "SET", "stop-writes-on-bgsave-error", "no"]);
    world.ask(conn, &["SET", "a", "1"]);
    assert!(world.ask(conn, &["SET", "a", "2"]).starts_with(MISCONF));
    world.ask(conn, &["CONFIG", "SET", "stop-writes-on-bgsave-error", "yes"]);
    assert!(world.ask(conn, &["SET", "a", "2"]).starts_with("-MISCONF Redis is configured"));
}

#[test]
fn always_ends_the_server_rather_than_acknowledge_what_is_not_safe() {
    for is_sync in [false, true] {
        let (mut world, conn) = started(AppendFsync::Always);
        let fault = Some(BROKEN.to_owned());
        if is_sync {
            world.disk.log.sync_fault = fault;
        } else {
            world.disk.log.write_fault = fault;
        }
        assert_eq!(world.ask(conn, &["SET", "a", "1"]), "");
        assert!(world.ended);
        let line = if is_sync {
            "Can't persist AOF for fsync error when the AOF fsync policy is 'always': \
             Input/output error. Exiting..."
        } else {
            "Can't recover from AOF write error when the AOF fsync policy is 'always'. Exiting..."
        };
        assert!(says(&world, line), "{:?}", world.log);
    }
}

#[test]
fn a_file_that_could_not_be_synced_is_replaced_at_once() {
    let (mut world, conn) = started(AppendFsync::Everysec);
    world.ask(conn, &["SET", "a", "1"]);
    world.advance(2000);
    world.disk.holds_jobs = true;
    world.disk.log.sync_fault = Some(BROKEN.to_owned());
    assert_eq!(world.ask(conn, &["SET", "b", "1"]), "+OK\r\n");
    world.advance(50);
    assert_eq!(world.ask(conn, &["SET", "b", "2"]), format!("{MISCONF}{BROKEN}\r\n"));
    assert_eq!(world.ask(conn, &["GET", "b"]), "$1\r\n1\r\n");
    assert_eq!(figure(&mut world, conn, "aof_last_write_status"), "err");
    world.disk.log.sync_fault = None;
    world.let_jobs_go();
    assert_eq!(figure(&mut world, conn, "aof_last_write_status"), "ok");
    assert_eq!(world.ask(conn, &["SET", "b", "3"]), "+OK\r\n");
    assert_eq!(
        manifest(&world.disk),
        "file aof.2.base.rdb seq 2 type b\nfile aof.2.incr.aof seq 2 type i\n"
    );
    world.advance(2000);
    assert_eq!(world.disk.log.synced, world.disk.log.written);
    assert_loads(&mut world, "after a failed sync");
}

#[test]
fn new_files_are_tried_again_and_again_after_a_failed_sync() {
    let (mut world, conn) = started(AppendFsync::Everysec);
    world.disk.log.sync_fault = Some(BROKEN.to_owned());
    world.disk.fault = Some(no_room());
    world.ask(conn, &["SET", "a", "1"]);
    world.advance(10_000);
    assert!(world.ask(conn, &["SET", "a", "2"]).starts_with(MISCONF));
    assert_eq!(figure(&mut world, conn, "aof_last_bgrewrite_status"), "err");
    world.disk.log.sync_fault = None;
    world.disk.fault = None;
    world.advance(10_000);
    assert_eq!(world.ask(conn, &["SET", "a", "2"]), "+OK\r\n");
    assert_eq!(figure(&mut world, conn, "aof_last_bgrewrite_status"), "ok");
    assert_loads(&mut world, "after several attempts");
}

#[test]
fn a_crash_between_any_two_steps_of_a_rewrite_loses_nothing() {
    for preamble in ["yes", "no"] {
        let (mut world, conn) = started(AppendFsync::Everysec);
        world.ask(conn, &["CONFIG", "SET", "aof-use-rdb-preamble", preamble]);
        fill(&mut world, conn, 50);
        world.ask(conn, &["SELECT", "2"]);
        world.disk.holds_jobs = true;
        world.disk.stuck = true;
        world.send(conn, b"BGREWRITEAOF\r\n");
        world.ask(conn, &["SET", "waits", "1"]);
        assert_loads(&mut world, "before the increment is named");
        world.let_jobs_go();
        assert_eq!(world.take_received(conn), format!("{STARTED}+OK\r\n").into_bytes());
        assert_loads(&mut world, "when it has just been named");
        world.disk.holds_jobs = true;
        world.ask(conn, &["INCR", "n"]);
        world.advance(100);
        world.ask(conn, &["FLUSHALL"]);
        for _ in 0..3 {
            world.ask(conn, &["INCR", "n"]);
        }
        assert_loads(&mut world, "while the base is written");
        assert_eq!(figure(&mut world, conn, "aof_rewrite_in_progress"), "1");
        world.disk.stuck = false;
        world.finish_file();
        world.ask(conn, &["INCR", "n"]);
        assert_loads(&mut world, "before the base is named");
        world.disk.job_fault = Some(job_fault(1));
        world.let_jobs_go();
        world.ask(conn, &["INCR", "n"]);
        assert_eq!(manifest(&world.disk).matches("type h").count(), 2);
        assert_loads(&mut world, "in the middle of sweeping");
        world.disk.job_fault = None;
        assert_eq!(world.ask(conn, &["BGREWRITEAOF"]), STARTED);
        world.advance(1000);
        assert_eq!(world.ask(conn, &["INCR", "n"]), ":6\r\n");
        assert_loads(&mut world, "after the next rewrite");
        let base = if preamble == "yes" { "rdb" } else { "aof" };
        assert_eq!(
            manifest(&world.disk),
            format!("file aof.3.base.{base} seq 3 type b\nfile aof.3.incr.aof seq 3 type i\n")
        );
        // The base, the increment, the manifest.
        assert_eq!(world.disk.files.len(), 3, "{:?}", world.disk.files.keys());
        assert_eq!(figure(&mut world, conn, "aof_rewrites"), "2");
    }
}

#[test]
fn a_torn_end_before_an_increment_that_is_still_empty_is_no_damage() {
    let (mut world, conn) = started(AppendFsync::Everysec);
    world.ask(conn, &["SET", "a", "1"]);
    let mut before = dump(&mut world);
    world.ask(conn, &["SET", "b", "1"]);
    world.disk.stuck = true;
    world.ask(conn, &["BGREWRITEAOF"]);
    // The machine has stopped: the new increment has its name, the end of the old one is lost.
    let mut files = world.disk.files.clone();
    assert_eq!(files["appendonlydir/appendonly.aof.2.incr.aof"].len(), 0);
    files.get_mut("appendonlydir/appendonly.aof.1.incr.aof").unwrap().pop();
    let mut later = started_with(config(AppendFsync::Everysec), files);
    assert!(!later.ended, "{:#?}", later.log);
    assert_eq!(dump(&mut later), before);
    // And it goes on behind what is left.
    let conn = later.connect().unwrap();
    later.ask(conn, &["SET", "c", "1"]);
    before = dump(&mut later);
    let mut third = started_with(config(AppendFsync::Everysec), later.disk.files.clone());
    assert_eq!(dump(&mut third), before);
}

#[test]
fn replies_wait_until_the_log_has_moved_on_to_another_file() {
    for policy in [AppendFsync::Everysec, AppendFsync::No, AppendFsync::Always] {
        let (mut world, conn) = started(policy);
        world.ask(conn, &["SET", "a", "1"]);
        world.disk.log.holds_opens = true;
        assert_eq!(world.ask(conn, &["BGREWRITEAOF"]), STARTED);
        assert_eq!(world.ask(conn, &["INCR", "a"]), "");
        // The base is there, but the old increment is still all there is.
        world.advance(1000);
        assert_eq!(manifest(&world.disk).matches("type i").count(), 2);
        assert_eq!(world.take_received(conn), b"");
        world.let_log_open();
        world.advance(1000);
        assert_eq!(world.take_received(conn), b":2\r\n");
        assert_eq!(manifest(&world.disk).lines().count(), 2);
        assert_loads(&mut world, "after the log has moved on");
    }
}

#[test]
fn history_stays_if_so_configured() {
    let (mut world, conn) = started(AppendFsync::Everysec);
    world.ask(conn, &["CONFIG", "SET", "aof-disable-auto-gc", "yes"]);
    for _ in 0..2 {
        world.ask(conn, &["BGREWRITEAOF"]);
        world.advance(1000);
    }
    assert_eq!(manifest(&world.disk).matches("type h").count(), 4);
    assert_eq!(world.disk.files.len(), 7);
    let mut later = started_with(config(AppendFsync::Everysec), world.disk.files.clone());
    later.advance(1000);
    assert_eq!(manifest(&later.disk).matches("type h").count(), 0);
    assert_eq!(later.disk.files.len(), 3);
}

#[test]
fn a_rewrite_that_fails_leaves_an_increment_more() {
    let (mut world, conn) = started(AppendFsync::Everysec);
    world.ask(conn, &["SET", "a", "1"]);
    world.disk.fault = Some(no_room());
    assert_eq!(world.ask(conn, &["BGREWRITEAOF"]), STARTED);
    world.advance(200);
    assert_eq!(figure(&mut world, conn, "aof_last_bgrewrite_status"), "err");
    assert_eq!(figure(&mut world, conn, "aof_rewrites_consecutive_failures"), "1");
    world.ask(conn, &["INCR", "a"]);
    assert_loads(&mut world, "after a base that could not be written");
    world.disk.fault = None;
    world.disk.job_fault = Some(job_fault(2));
    assert!(world.ask(conn, &["BGREWRITEAOF"]).starts_with("-ERR Can't execute"));
    world.ask(conn, &["INCR", "a"]);
    assert_loads(&mut world, "after an increment that could not be named");
    world.disk.job_fault = None;
    world.disk.log.open_fault = Some(FULL.to_owned());
    assert_eq!(world.ask(conn, &["BGREWRITEAOF"]), STARTED);
    world.advance(200);
    world.ask(conn, &["INCR", "a"]);
    // Whoever was told that it cannot begin knows of it.
    assert_eq!(figure(&mut world, conn, "aof_rewrites_consecutive_failures"), "2");
    assert_loads(&mut world, "after an increment that could not be opened");
    world.disk.log.open_fault = None;
    assert_eq!(world.ask(conn, &["BGREWRITEAOF"]), STARTED);
    world.advance(200);
    world.ask(conn, &["INCR", "a"]);
    assert_eq!(figure(&mut world, conn, "aof_last_bgrewrite_status"), "ok");
    assert_eq!(figure(&mut world, conn, "aof_rewrites_consecutive_failures"), "0");
    assert_loads(&mut world, "after a rewrite that succeeded");
    assert_eq!(manifest(&world.disk).lines().count(), 2);
}

#[test]
fn a_base_that_may_be_named_is_never_written_over() {
    let (mut world, conn) = started(AppendFsync::Everysec);
    world.ask(conn, &["SET", "a", "1"]);
    world.disk.stuck = true;
    world.ask(conn, &["BGREWRITEAOF"]);
    world.disk.job_fault = Some(job_fault(0));
    world.disk.stuck = false;
    world.finish_file();
    world.ask(conn, &["INCR", "a"]);
    assert_eq!(figure(&mut world, conn, "aof_last_bgrewrite_status"), "err");
    assert!(world.disk.files.contains_key("appendonlydir/appendonly.aof.2.base.rdb"));
    world.disk.job_fault = None;
    world.ask(conn, &["BGREWRITEAOF"]);
    world.advance(500);
    assert_eq!(
        manifest(&world.disk),
        "file aof.3.base.rdb seq 3 type b\nfile aof.3.incr.aof seq 3 type i\n"
    );
    assert_loads(&mut world, "after a base that was not named");
}

#[test]
fn a_log_that_has_grown_is_rewritten_and_no_longer_when_that_fails_again_and_again() {
    let mut config = config(AppendFsync::Everysec);
    config.auto_aof_rewrite_min_size_bytes = 10_000;
    let mut world = started_with(config, BTreeMap::new());
    let conn = world.connect().unwrap();
    fill(&mut world, conn, 5);
    world.advance(1000);
    assert_eq!(figure(&mut world, conn, "aof_rewrites"), "0");
    fill(&mut world, conn, 20);
    world.advance(1000);
    assert_eq!(figure(&mut world, conn, "aof_rewrites"), "1");
    let size = figure(&mut world, conn, "aof_current_size");
    assert_eq!(figure(&mut world, conn, "aof_base_size"), size);
    let files: usize = world.disk.files.values().map(Vec::len).sum();
    assert_eq!(size, (files - world.disk.files[MANIFEST].len()).to_string());
    world.disk.fault = Some(no_room());
    fill(&mut world, conn, 200);
    world.advance(10_000);
    assert_eq!(figure(&mut world, conn, "aof_rewrites"), "4");
    assert_eq!(
        count(
            &world,
            "Background AOF rewrite has repeatedly failed and triggered the limit, will retry in \
             1 minutes"
        ),
        1
    );
    world.advance(60_000);
    assert_eq!(figure(&mut world, conn, "aof_rewrites"), "5");
    world.disk.fault = None;
    world.advance(130_000);
    assert_eq!(figure(&mut world, conn, "aof_rewrites"), "6");
    assert_eq!(figure(&mut world, conn, "aof_last_bgrewrite_status"), "ok");
    assert_loads(&mut world, "after automatic rewrites");
}

#[test]
fn a_save_and_a_rewrite_wait_for_each_other() {
    let (mut world, conn) = started(AppendFsync::Everysec);
    world.ask(conn, &["SET", "a", "1"]);
    world.disk.stuck = true;
    assert_eq!(world.ask(conn, &["BGREWRITEAOF"]), STARTED);
    let refused = "-ERR Background append only file rewriting already in progress\r\n";
    assert_eq!(world.ask(conn, &["BGREWRITEAOF"]), refused);
    assert!(
        world.ask(conn, &["BGSAVE"]).starts_with("-ERR Another child process is active (AOF?)")
    );
    let scheduled = "+Background saving scheduled\r\n";
    assert_eq!(world.ask(conn, &["BGSAVE", "SCHEDULE"]), scheduled);
    assert_eq!(world.ask(conn, &["BGSAVE", "SCHEDULE"]), scheduled);
    let saver = world.connect().unwrap();
    assert_eq!(world.ask(saver, &["SAVE"]), "");
    world.disk.stuck = false;
    world.finish_file();
    world.disk.stuck = true;
    world.advance(200);
    assert_eq!(figure(&mut world, conn, "rdb_bgsave_in_progress"), "1");
    assert_eq!(figure(&mut world, conn, "aof_last_bgrewrite_status"), "ok");
    assert_eq!(world.ask(conn, &["BGREWRITEAOF"]), SCHEDULED);
    assert_eq!(figure(&mut world, conn, "aof_rewrite_scheduled"), "1");
    world.disk.stuck = false;
    world.finish_file();
    world.advance(1000);
    assert_eq!(world.take_received(saver), b"+OK\r\n");
    assert_eq!(figure(&mut world, conn, "rdb_saves"), "2");
    assert_eq!(figure(&mut world, conn, "aof_rewrites"), "2");
    assert_eq!(figure(&mut world, conn, "aof_rewrite_scheduled"), "0");
    assert_loads(&mut world, "after both");
}

#[test]
fn the_log_is_switched_on_and_off_while_the_server_runs() {
    let mut world = started_with(without_log(), BTreeMap::new());
    let conn = world.connect().unwrap();
    fill(&mut world, conn, 20);
    world.disk.holds_jobs = true;
    assert_eq!(world.ask(conn, &["CONFIG", "SET", "appendonly", "yes"]), "");
    let other = world.connect().unwrap();
    assert_eq!(world.ask(other, &["SET", "early", "1"]), "+OK\r\n");
    world.disk.stuck = true;
    world.let_jobs_go();
    assert_eq!(world.take_received(conn), b"+OK\r\n");
    assert_eq!(figure(&mut world, conn, "aof_enabled"), "1");
    assert_eq!(figure(&mut world, conn, "aof_rewrite_in_progress"), "1");
    assert!(!world.disk.files.contains_key(MANIFEST), "nothing is named that is not whole");
    world.ask(conn, &["INCR", "n"]);
    world.ask(conn, &["DEL", "key:0"]);
    world.disk.stuck = false;
    world.finish_file();
    world.ask(conn, &["INCR", "n"]);
    assert_loads(&mut world, "after the log was switched on");
    // Replies wait until what they are about is safe, although there is going to be no log.
    world.disk.log.holds_writes = true;
    world.send(conn, b"INCR n\r\nCONFIG SET appendonly no\r\n");
    assert_eq!(world.take_received(conn), b"");
    world.let_log_write();
    assert_eq!(world.take_received(conn), b":3\r\n+OK\r\n");
    assert_loads(&mut world, "after the log was switched off");
    assert_eq!(figure(&mut world, conn, "aof_enabled"), "0");
    let log = world.disk.files.clone();
    world.ask(conn, &["INCR", "n"]);
    world.advance(5000);
    assert!(world.disk.files == log);
    assert_eq!(world.ask(conn, &["CONFIG", "SET", "appendonly", "yes"]), "+OK\r\n");
    world.advance(1000);
    assert_eq!(
        manifest(&world.disk),
        "file aof.2.base.rdb seq 2 type b\nfile aof.2.incr.aof seq 2 type i\n"
    );
    assert_loads(&mut world, "after the log was switched on again");
}

#[test]
fn a_log_that_cannot_be_switched_on_leaves_all_settings_as_they_were() {
    let mut world = started_with(without_log(), BTreeMap::new());
    let conn = world.connect().unwrap();
    world.disk.job_fault = Some(job_fault(0));
    let reply = world.ask(conn, &["CONFIG", "SET", "appendonly", "yes", "appendfsync", "always"]);
    assert_eq!(
        reply,
        "-ERR CONFIG SET failed (possibly related to argument 'appendonly') - Unable to turn on \
         AOF. Check server logs.\r\n"
    );
    let shown = world.ask(conn, &["CONFIG", "GET", "appendonly", "appendfsync"]);
    assert!(shown.contains("no") && shown.contains("everysec"), "{shown}");
    assert_eq!(figure(&mut world, conn, "aof_enabled"), "0");
    assert_eq!(figure(&mut world, conn, "aof_last_bgrewrite_status"), "err");
    let refused = world.ask(conn, &["BGREWRITEAOF"]);
    assert!(refused.starts_with("-ERR Can't execute an AOF background rewriting."), "{refused}");
    world.disk.job_fault = None;
    assert_eq!(world.ask(conn, &["CONFIG", "SET", "appendonly", "yes"]), "+OK\r\n");
}

#[test]
fn a_base_that_fails_while_the_log_is_switched_on_is_tried_again() {
    let mut world = started_with(without_log(), BTreeMap::new());
    let conn = world.connect().unwrap();
    world.ask(conn, &["SET", "a", "1"]);
    world.disk.fault = Some(no_room());
    assert_eq!(world.ask(conn, &["CONFIG", "SET", "appendonly", "yes"]), "+OK\r\n");
    world.advance(5000);
    assert_eq!(figure(&mut world, conn, "aof_last_bgrewrite_status"), "err");
    assert_eq!(world.ask(conn, &["INCR", "a"]), ":2\r\n");
    assert!(!world.disk.files.contains_key(MANIFEST));
    world.disk.fault = None;
    world.advance(10_000);
    assert_eq!(figure(&mut world, conn, "aof_last_bgrewrite_status"), "ok");
    assert_eq!(world.ask(conn, &["INCR", "a"]), ":3\r\n");
    assert_loads(&mut world, "after a second attempt");
}

#[test]
fn the_end_of_the_server_waits_until_the_log_is_safe() {
    let (mut world, conn) = started(AppendFsync::Everysec);
    let other = world.connect().unwrap();
    world.disk.log.holds_syncs = true;
    world.ask(conn, &["SET", "a", "1"]);
    world.send(conn, b"SHUTDOWN\r\n");
    world.advance(100);
    assert!(!world.ended);
    assert_eq!(world.ask(other, &["GET", "a"]), "");
    assert_eq!(world.ask(other, &["PING"]), "");
    let third = world.connect().unwrap();
    assert_eq!(world.ask(third, &["SHUTDOWN", "ABORT"]), "+OK\r\n");
    world.advance(100);
    assert_eq!(world.take_received(other), b"$1\r\n1\r\n+PONG\r\n");
    assert_eq!(world.take_received(conn), b"-ERR Errors trying to SHUTDOWN. Check logs.\r\n");
    world.send(conn, b"SHUTDOWN\r\n");
    world.let_log_sync();
    assert!(world.ended);
    assert_eq!(world.disk.log.synced, world.disk.log.written);
}

#[test]
fn a_server_does_not_end_while_its_log_is_not_whole_unless_it_is_forced() {
    let refused = "-ERR Errors trying to SHUTDOWN. Check logs.\r\n";
    let mut world = started_with(without_log(), BTreeMap::new());
    let conn = world.connect().unwrap();
    world.disk.stuck = true;
    world.ask(conn, &["CONFIG", "SET", "appendonly", "yes"]);
    assert_eq!(world.ask(conn, &["SHUTDOWN", "NOSAVE"]), refused);
    assert!(says(&world, "Writing initial AOF, can't exit."));
    world.send(conn, b"SHUTDOWN NOSAVE FORCE\r\n");
    assert!(world.ended && says(&world, "Writing initial AOF. Exit anyway."));

    let (mut world, conn) = started(AppendFsync::Everysec);
    world.disk.log.write_fault = Some(FULL.to_owned());
    world.ask(conn, &["SET", "a", "1"]);
    assert_eq!(world.ask(conn, &["SHUTDOWN", "NOSAVE"]), refused);
    assert!(!world.ended);

    let (mut world, conn) = started(AppendFsync::Everysec);
    world.disk.log.holds_syncs = true;
    world.ask(conn, &["SET", "a", "1"]);
    world.disk.log.sync_fault = Some(BROKEN.to_owned());
    world.send(conn, b"SHUTDOWN NOSAVE\r\n");
    world.let_log_sync();
    assert_eq!(world.take_received(conn), refused.as_bytes());
    assert!(!world.ended);

    // The log fails while the last save is under way, which is no substitute for it.
    let (mut world, conn) = started(AppendFsync::Everysec);
    world.disk.log.holds_syncs = true;
    world.ask(conn, &["SET", "a", "1"]);
    world.advance(1500);
    world.disk.stuck = true;
    world.send(conn, b"SHUTDOWN SAVE\r\n");
    world.advance(100);
    world.disk.log.sync_fault = Some(BROKEN.to_owned());
    world.let_log_sync();
    world.disk.stuck = false;
    world.finish_file();
    world.advance(100);
    assert_eq!(world.take_received(conn), refused.as_bytes());
    assert!(!world.ended && says(&world, "Making the AOF anew after an error, can't exit."));
    world.disk.log.sync_fault = None;
    world.advance(10_000);
    assert_loads(&mut world, "after an end that was refused");

    // A rewrite is no reason to stay.
    let (mut world, conn) = started(AppendFsync::Everysec);
    world.ask(conn, &["SET", "a", "1"]);
    world.disk.stuck = true;
    world.ask(conn, &["BGREWRITEAOF"]);
    world.send(conn, b"SHUTDOWN\r\n");
    assert!(world.ended && world.disk.open.is_none());
    assert_loads(&mut world, "after a rewrite that was given up");
}

#[test]
fn writes_wait_while_too_much_is_not_on_the_disk() {
    let (mut world, conn) = started(AppendFsync::Everysec);
    let other = world.connect().unwrap();
    world.disk.log.holds_writes = true;
    let value = "x".repeat(1 << 20);
    for _ in 0..65 {
        world.ask(conn, &["SET", "big", &value]);
    }
    world.ask(other, &["SET", "a", "1"]);
    world.let_log_write();
    assert_eq!(world.take_received(other), b"+OK\r\n");
    assert_eq!(world.ask(other, &["GET", "a"]), "$1\r\n1\r\n");
    assert_eq!(world.take_received(conn).len(), 65 * 5);
    assert_eq!(figure(&mut world, conn, "aof_buffer_length"), "0");
    // It had not been executed.
    world.disk.log.holds_writes = true;
    for _ in 0..65 {
        world.ask(conn, &["SET", "big", &value]);
    }
    world.ask(other, &["SET", "a", "2"]);
    let third = world.connect().unwrap();
    world.ask(third, &["GET", "a"]);
    world.let_log_write();
    assert_eq!(world.take_received(third), b"$1\r\n1\r\n");
    assert_eq!(world.take_received(other), b"+OK\r\n");
}

#[test]
fn times_stand_in_front_of_the_first_batch_of_a_second() {
    let mut config = config(AppendFsync::Everysec);
    config.aof_timestamp_enabled = true;
    let mut world = started_with(config, BTreeMap::new());
    let conn = world.connect().unwrap();
    let lines = |world: &World| {
        let text = String::from_utf8(world.disk.log_file().to_vec()).unwrap();
        text.matches("#TS:").count()
    };
    world.ask(conn, &["SET", "a", "1"]);
    world.ask(conn, &["SET", "a", "2"]);
    assert_eq!(lines(&world), 1);
    let second = world.now.unix.secs();
    assert!(world.disk.log_file().starts_with(format!("#TS:{second}\r\n").as_bytes()));
    world.advance(3000);
    assert_eq!(lines(&world), 1);
    world.ask(conn, &["SET", "a", "3"]);
    assert_eq!(lines(&world), 2);
    assert_loads(&mut world, "with times");
}

#[test]
fn what_expires_is_logged_and_messages_are_not() {
    let (mut world, conn) = started(AppendFsync::Everysec);
    world.ask(conn, &["SET", "a", "1", "PX", "500"]);
    world.ask(conn, &["PUBLISH", "channel", "message"]);
    world.advance(2000);
    let text = String::from_utf8_lossy(world.disk.log_file()).into_owned();
    assert!(text.contains("PXAT") && text.contains("DEL"), "{text}");
    assert!(!text.contains("PUBLISH"), "{text}");
}
