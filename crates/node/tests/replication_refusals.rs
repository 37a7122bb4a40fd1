//! What a replica does when it must not, or will not, do as its primary says.

mod driver;

use driver::World;
use driver::link::{ID, MARK, NEXT, follower, linked};
use driver::logged::{has_logged, keys, snapshot};
use vesta_config::{Config, SavePoint};
use vesta_node::{ConnId, SaveFault, SaveStep};

const TOLD: &str = "Replica is applying a command even though it is unable to write to disk.";

/// A replica whose last background save has failed.
fn unable_to_save(config: Config) -> (World, ConnId, ConnId) {
    let save = vec![SavePoint { seconds: 3600, changes: 1 }];
    let (mut world, client, link) = linked(Config { save, ..config }, &["SET a 1"], 100);
    let why = "No space left on device".to_owned();
    world.disk.fault = Some(SaveFault { step: SaveStep::Create, why });
    world.ask(client, &["BGSAVE"]);
    world.advance(10);
    assert_eq!(world.info(client, "rdb_last_bgsave_status"), "err");
    (world, client, link)
}

fn count(world: &World, line: &str) -> usize {
    world.log.iter().filter(|logged| *logged == line).count()
}

#[test]
fn a_replica_that_cannot_save_ends_rather_than_write() {
    for write in [&["SET a 2"][..], &["MULTI", "SET a 2"], &["FUNCTION LOAD x"]] {
        let (mut world, client, link) = unable_to_save(Config::default());
        world.stream(link, &["PING", "SELECT 0", "PUBLISH a b", "REPLCONF GETACK *"]);
        assert!(!world.ended, "nothing was written");
        assert_eq!(world.ask(client, &["GET", "a"]), "$1\r\n1\r\n");
        world.stream(link, write);
        assert!(world.ended, "{write:?}");
        has_logged(&world, "Replica was unable to write command to disk. Exiting...");
        assert_eq!(keys(&mut world, 0), "a=\"1\"", "{write:?}");
    }
}

#[test]
fn a_replica_that_cannot_save_may_be_told_to_go_on() {
    let told = Config { replica_ignore_disk_write_errors: true, ..Config::default() };
    let (mut world, client, link) = unable_to_save(told);
    world.stream(link, &["SELECT 0", "SET a 2", "MULTI", "SET b 2", "EXEC"]);
    assert_eq!(keys(&mut world, 0), "a=\"2\" b=\"2\"");
    assert_eq!(count(&world, TOLD), 1);
    world.advance(9_000);
    world.stream(link, &["SET a 3"]);
    assert_eq!(count(&world, TOLD), 1);
    world.advance(1_100);
    world.stream(link, &["SET a 4"]);
    assert_eq!(count(&world, TOLD), 2);
    assert!(!world.ended);
    // Who does not want to be stopped by that is not.
    world.ask(client, &["CONFIG", "SET", "replica-ignore-disk-write-errors", "no"]);
    world.ask(client, &["CONFIG", "SET", "stop-writes-on-bgsave-error", "no"]);
    world.stream(link, &["SET a 5"]);
    assert!(!world.ended);
    assert_eq!(keys(&mut world, 0), "a=\"5\" b=\"2\"");
}

/// Offers a replica no data, of this history.
fn offer_nothing(world: &mut World, id: &str) {
    let (link, _) = world.greet();
    let nothing = snapshot(&[]);
    world.send(link, format!("+FULLRESYNC {id} 5\r\n${}\r\n", nothing.len()).as_bytes());
    world.send(link, &nothing);
    world.advance(10);
    assert!(world.is_closed(link));
}

#[test]
fn an_empty_primary_is_asked_again_less_and_less_often() {
    let (mut world, _, link) = linked(Config::default(), &["SET a 1"], 100);
    world.leave(link);
    world.advance(1000);
    let line = "The master has no data, and this replica does: its data stays as it is. Set \
                replica-refuse-empty-primary to no to follow the master all the same.";
    for wait_ms in [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000] {
        offer_nothing(&mut world, NEXT);
        world.advance(wait_ms - 100);
        assert!(world.dials.open.is_none(), "not before {wait_ms} ms");
        world.advance(200);
        assert!(world.dials.open.is_some(), "after {wait_ms} ms");
        assert_eq!(count(&world, line), 1, "nothing has changed");
    }
    // Another history is something new.
    offer_nothing(&mut world, &NEXT.replace('b', "c"));
    assert_eq!(count(&world, line), 2);
    world.advance(1_100);
    assert!(world.dials.open.is_some());
    assert_eq!(keys(&mut world, 0), "a=\"1\"");
}

#[test]
fn the_log_tells_of_a_small_snapshot_in_order() {
    let (mut world, _) = follower(Config::default());
    let (link, _) = world.greet();
    let head = format!("+FULLRESYNC {ID} 7\r\n$EOF:{MARK}\r\n");
    world.send(link, &[head.as_bytes(), &snapshot(&["SET a 1"]), MARK.as_bytes()].concat());
    world.advance(10);
    let place = |line: &str| world.log.iter().position(|logged| logged == line);
    let begun = place("MASTER <-> REPLICA sync: receiving streamed RDB from master with EOF");
    let ended = place("MASTER <-> REPLICA sync: Finished with success");
    assert!(begun.is_some() && begun < ended, "{:#?}", world.log);
}
