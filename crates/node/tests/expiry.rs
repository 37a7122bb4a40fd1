//! Keys expire without anybody asking for them, and replicas and the log are told.

mod driver;

use driver::World;
use vesta_config::{Config, Guarded, Peer};
use vesta_testkit::value::Value;

fn world(lazy_expire: &str) -> World {
    let pairs = [(&b"lazyfree-lazy-expire"[..], lazy_expire.as_bytes())];
    let changed =
        vesta_config::set(&Config::default(), &pairs, Peer::Local).expect("a valid setting");
    let mut world = World::new(changed.config);
    world.node.keep_stream();
    world
}

/// The commands propagated since the last call, a line each.
fn propagated(world: &mut World) -> Vec<String> {
    let stream = world.node.take_stream();
    let (mut rest, mut lines) = (&stream[..], Vec::new());
    while let Some((value, used)) = Value::decode(rest).expect("the stream is well formed") {
        let words = value.items().expect("a command is an array").iter();
        let words: Vec<&[u8]> = words.filter_map(Value::text).collect();
        lines.push(String::from_utf8_lossy(&words.join(&b' ')).into_owned());
        rest = rest.get(used..).unwrap_or_default();
    }
    lines
}

#[test]
fn active_expiry_deletes_in_every_database_and_propagates() {
    for (lazy_expire, deletion) in [("no", "DEL"), ("yes", "UNLINK")] {
        let mut world = world(lazy_expire);
        let conn = world.connect().unwrap();
        world.ask(conn, &["SET", "a", "v", "PX", "50"]);
        world.ask(conn, &["SET", "stays", "v"]);
        world.ask(conn, &["SELECT", "3"]);
        world.ask(conn, &["SET", "b", "v", "PX", "60"]);
        propagated(&mut world);
        world.advance(2000);
        let mut lines = propagated(&mut world);
        assert_eq!(world.ask(conn, &["DBSIZE"]), ":0\r\n");
        world.ask(conn, &["SELECT", "0"]);
        assert_eq!(world.ask(conn, &["DBSIZE"]), ":1\r\n");
        lines.retain(|line| !line.starts_with("SELECT"));
        lines.sort();
        assert_eq!(lines, [format!("{deletion} a"), format!("{deletion} b")]);
        // What was deleted actively is not deleted again by whoever asks for it.
        assert_eq!(world.ask(conn, &["EXISTS", "a"]), ":0\r\n");
        assert!(propagated(&mut world).is_empty());
    }
}

#[test]
fn a_key_that_is_asked_for_before_the_next_round_is_deleted_then() {
    let mut world = world("no");
    let conn = world.connect().unwrap();
    world.ask(conn, &["SET", "k", "v", "PX", "5"]);
    propagated(&mut world);
    // No tick in between: only the clock moves.
    world.now.mono = world.now.mono.plus_ms(10);
    world.now.unix.0 += 10_000;
    assert_eq!(world.ask(conn, &["GET", "k"]), "$-1\r\n");
    assert_eq!(propagated(&mut world), ["DEL k"]);
    world.advance(2000);
    assert!(propagated(&mut world).is_empty());
}

#[test]
fn fields_expire_actively_and_are_handed_on_as_hdel() {
    let mut world = world("yes");
    let conn = world.connect().unwrap();
    world.ask(conn, &["HSET", "h", "a", "1", "b", "2", "c", "3"]);
    world.ask(conn, &["HPEXPIRE", "h", "50", "FIELDS", "1", "a"]);
    world.ask(conn, &["HPEXPIRE", "h", "5000", "FIELDS", "2", "b", "c"]);
    propagated(&mut world);
    world.advance(2000);
    assert_eq!(propagated(&mut world), ["HDEL h a"]);
    assert_eq!(world.ask(conn, &["HLEN", "h"]), ":2\r\n");
    world.advance(5000);
    let lines = propagated(&mut world);
    assert!(["HDEL h b c", "HDEL h c b"].contains(&lines.join(";").as_str()), "{lines:?}");
    assert_eq!(world.ask(conn, &["EXISTS", "h"]), ":0\r\n");
    assert!(world.ask(conn, &["INFO", "stats"]).contains("expired_subkeys:3\r\n"));
}

#[test]
fn without_active_expiry_a_field_stays_until_somebody_names_it() {
    let config = Config { enable_debug_command: Guarded::Yes, ..Config::default() };
    let mut world = World::new(config);
    world.node.keep_stream();
    let conn = world.connect().unwrap();
    world.ask(conn, &["DEBUG", "SET-ACTIVE-EXPIRE", "0"]);
    world.ask(conn, &["HSET", "h", "a", "1", "b", "2"]);
    world.ask(conn, &["HPEXPIRE", "h", "50", "FIELDS", "2", "a", "b"]);
    propagated(&mut world);
    world.advance(2000);
    assert_eq!(world.ask(conn, &["HGETALL", "h"]), "*0\r\n");
    assert_eq!(world.ask(conn, &["HLEN", "h"]), ":2\r\n");
    assert_eq!(world.ask(conn, &["HGET", "h", "a"]), "$-1\r\n");
    assert_eq!(world.ask(conn, &["HLEN", "h"]), ":1\r\n");
    assert_eq!(propagated(&mut world), ["HDEL h a"]);
    assert_eq!(world.ask(conn, &["HSTRLEN", "h", "b"]), ":0\r\n");
    assert_eq!(world.ask(conn, &["EXISTS", "h"]), ":0\r\n");
}
