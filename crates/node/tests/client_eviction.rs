//! Clients that are disconnected because all together take too much memory.
//!
//! What is expected was seen with redis-server 7.0.15, whose clients take more each.

mod driver;

use driver::World;
use vesta_config::{Config, MemoryOrPercent};
use vesta_node::ConnId;
use vesta_testkit::client::encode;

const LIMIT: u64 = 100_000;

fn limited(limit: MemoryOrPercent) -> World {
    World::new(Config { maxmemory_clients: limit, ..Config::default() })
}

fn ask(world: &mut World, conn: ConnId, line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    world.ask(conn, &words)
}

/// A client that has queued a request of so many bytes.
fn hoarder(world: &mut World, bytes: usize) -> ConnId {
    let conn = world.connect().expect("there is room for a client");
    ask(world, conn, "MULTI");
    queue(world, conn, bytes);
    conn
}

fn queue(world: &mut World, conn: ConnId, bytes: usize) {
    world.ask(conn, &["SET", "k", &"x".repeat(bytes)]);
}

fn evicted(world: &mut World) -> String {
    let conn = world.connect().expect("the last client has left");
    let count = world.info(conn, "evicted_clients");
    world.leave(conn);
    count
}

#[test]
fn the_heaviest_client_goes_first_and_no_more_than_must() {
    let mut world = limited(MemoryOrPercent::Bytes(LIMIT));
    let light = hoarder(&mut world, 20_000);
    let heavy = hoarder(&mut world, 50_000);
    assert_eq!(evicted(&mut world), "0");
    let last = hoarder(&mut world, 40_000);
    let closed = [light, heavy, last].map(|conn| world.is_closed(conn));
    assert_eq!((closed, evicted(&mut world).as_str()), ([false, true, false], "1"));
    assert!(world.log.iter().any(|line| line.contains("Evicting client ")));
    // What has been freed can be used again.
    queue(&mut world, light, 20_000);
    assert_eq!(ask(&mut world, light, "EXEC"), "*2\r\n+OK\r\n+OK\r\n");
    assert_eq!(ask(&mut world, last, "EXEC"), "*1\r\n+OK\r\n");
    hoarder(&mut world, 70_000);
    assert_eq!(evicted(&mut world), "1");
}

#[test]
fn who_asks_for_too_much_is_evicted_itself() {
    let mut world = limited(MemoryOrPercent::Bytes(LIMIT));
    let other = world.connect().unwrap();
    let greedy = hoarder(&mut world, 60_000);
    queue(&mut world, greedy, 60_000);
    assert!(world.is_closed(greedy));
    assert_eq!(ask(&mut world, other, "EXISTS k"), ":0\r\n");
    world.leave(greedy);
    let next = hoarder(&mut world, 60_000);
    assert!(!world.is_closed(next));
}

#[test]
fn replies_and_messages_that_nobody_reads_count() {
    let mut world = limited(MemoryOrPercent::Bytes(LIMIT));
    let [deaf, listener, publisher] = [(); 3].map(|()| world.connect().unwrap());
    ask(&mut world, listener, "SUBSCRIBE news");
    for conn in [deaf, listener] {
        world.set_deaf(conn, true);
    }
    world.send(deaf, &encode(&["ECHO", &"x".repeat(60_000)]));
    for expected in [false, true] {
        world.ask(publisher, &["PUBLISH", "news", &"x".repeat(35_000)]);
        assert_eq!(world.is_closed(listener), expected);
    }
    assert!(!world.is_closed(deaf) && !world.is_closed(publisher));
}

#[test]
fn who_is_spared_counts_and_stays() {
    let mut world = limited(MemoryOrPercent::Bytes(LIMIT));
    let spared = world.connect().unwrap();
    let bystander = hoarder(&mut world, 10);
    for line in ["CLIENT NO-EVICT ON", "MULTI"] {
        ask(&mut world, spared, line);
    }
    queue(&mut world, spared, 150_000);
    assert!(world.is_closed(bystander) && !world.is_closed(spared));
    // Only once it is spared no longer can it go.
    assert_eq!(ask(&mut world, spared, "EXEC"), "*1\r\n+OK\r\n");
    ask(&mut world, spared, "CLIENT NO-EVICT OFF");
    ask(&mut world, spared, "MULTI");
    queue(&mut world, spared, 150_000);
    assert!(world.is_closed(spared));
}

#[test]
fn a_limit_may_come_later_and_be_a_share_of_the_memory() {
    let mut world = limited(MemoryOrPercent::Percent(10));
    let (heavy, admin) = (hoarder(&mut world, 200_000), world.connect().unwrap());
    // A share of no limit is no limit.
    assert!(!world.is_closed(heavy));
    assert_eq!(ask(&mut world, admin, "CONFIG SET maxmemory 10mb"), "+OK\r\n");
    assert!(!world.is_closed(heavy));
    assert_eq!(ask(&mut world, admin, "CONFIG SET maxmemory 1mb"), "+OK\r\n");
    assert!(world.is_closed(heavy) && !world.is_closed(admin));
}
