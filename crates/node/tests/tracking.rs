//! What clients that keep keys are told where a transcript cannot show it: the limit of the table,
//! evictions, exchanges of databases, and several requests in one turn.

mod driver;

use driver::World;
use vesta_config::Config;
use vesta_node::ConnId;

/// A world with a client that speaks RESP3 and tracks with these options, and another client.
fn tracked(options: &str) -> (World, ConnId, ConnId) {
    let mut world = World::new(Config::default());
    let keeper = world.connect().expect("there is room for a client");
    let other = world.connect().expect("there is room for a client");
    world.ask(keeper, &["HELLO", "3"]);
    let words: Vec<&str> = options.split_whitespace().collect();
    let request = [&["CLIENT", "TRACKING", "ON"][..], &words].concat();
    assert_eq!(world.ask(keeper, &request), "+OK\r\n");
    (world, keeper, other)
}

fn told(world: &mut World, conn: ConnId) -> String {
    String::from_utf8(world.take_received(conn)).expect("text")
}

fn invalid(key: &str) -> String {
    format!(">2\r\n$10\r\ninvalidate\r\n*1\r\n${}\r\n{key}\r\n", key.len())
}

const ALL_INVALID: &str = ">2\r\n$10\r\ninvalidate\r\n_\r\n";

fn info(world: &mut World, conn: ConnId, field: &str) -> String {
    let all = world.ask(conn, &["INFO", "everything"]);
    let line = all.lines().find_map(|line| line.strip_prefix(&format!("{field}:")));
    line.expect("the field is there").to_owned()
}

#[test]
fn a_full_table_forgets_keys_and_says_so() {
    let (mut world, keeper, other) = tracked("");
    assert_eq!(world.ask(other, &["CONFIG", "SET", "tracking-table-max-keys", "3"]), "+OK\r\n");
    let mut forgotten = String::new();
    for key in ["a", "b", "c", "d", "e"] {
        let reply = world.ask(keeper, &["GET", key]);
        forgotten.push_str(reply.strip_prefix("_\r\n").expect("there is no such key"));
    }
    // Keys take turns, so that it is not always the same that go.
    assert_eq!(forgotten, format!("{}{}", invalid("a"), invalid("b")));
    assert_eq!(info(&mut world, other, "tracking_total_keys"), "3");
    assert_eq!(info(&mut world, other, "tracking_total_items"), "3");
    world.ask(other, &["MSET", "a", "1", "e", "1"]);
    assert_eq!(told(&mut world, keeper), invalid("e"));
}

#[test]
fn what_a_client_evicts_by_its_own_write_is_told_in_spite_of_noloop() {
    let (mut world, keeper, other) = tracked("NOLOOP");
    world.ask(other, &["SET", "victim", "v"]);
    world.ask(keeper, &["GET", "victim"]);
    for (name, value) in [("maxmemory-policy", "allkeys-random"), ("maxmemory", "1")] {
        world.ask(other, &["CONFIG", "SET", name, value]);
    }
    let reply = world.ask(keeper, &["SET", "k", "v"]);
    let all = reply + &told(&mut world, keeper);
    assert!(all.contains(&invalid("victim")), "{all}");
}

#[test]
fn an_exchange_of_databases_makes_all_invalid() {
    let (mut world, keeper, other) = tracked("");
    world.ask(keeper, &["GET", "k"]);
    world.ask(other, &["SWAPDB", "0", "1"]);
    assert_eq!(told(&mut world, keeper), ALL_INVALID);
    assert_eq!(info(&mut world, other, "tracking_total_keys"), "0");
}

#[test]
fn asking_again_to_broadcast_loses_nothing_of_the_same_turn() {
    let (mut world, keeper, _) = tracked("BCAST PREFIX k");
    world.send(keeper, b"SET k1 v\r\nCLIENT TRACKING ON BCAST PREFIX x\r\n");
    assert_eq!(told(&mut world, keeper), format!("+OK\r\n+OK\r\n{}", invalid("k1")));
}

#[test]
fn one_s_own_change_does_not_hide_that_of_another() {
    let (mut world, keeper, other) = tracked("BCAST NOLOOP");
    world.ask(keeper, &["SET", "own", "v"]);
    assert_eq!(told(&mut world, keeper), "");
    // The other's change is told of at the end of a turn in which the keeper changed it as well.
    world.send_at_once(&[(other, b"SET k a\r\n".to_vec()), (keeper, b"APPEND k b\r\n".to_vec())]);
    assert_eq!(told(&mut world, keeper), format!(":2\r\n{}", invalid("k")));
}

#[test]
fn a_client_that_is_gone_tracks_nothing() {
    let (mut world, keeper, other) = tracked("BCAST PREFIX a PREFIX b");
    assert_eq!(info(&mut world, other, "tracking_total_prefixes"), "2");
    assert_eq!(info(&mut world, other, "tracking_clients"), "1");
    world.leave(keeper);
    assert_eq!(info(&mut world, other, "tracking_total_prefixes"), "0");
    assert_eq!(info(&mut world, other, "tracking_clients"), "0");
}
