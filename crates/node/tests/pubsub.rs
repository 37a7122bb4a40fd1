//! Messages between clients: their order among replies, and what becomes of those who do not take
//! them.

mod driver;

use driver::World;
use vesta_config::{Config, Peer};
use vesta_node::ConnId;

fn world(pairs: &[(&str, &str)]) -> World {
    let pairs: Vec<(&[u8], &[u8])> =
        pairs.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
    World::new(
        vesta_config::set(&Config::default(), &pairs, Peer::Local).expect("good settings").config,
    )
}

fn client(world: &mut World) -> ConnId {
    world.connect().expect("there is room for a client")
}

fn received(world: &mut World, conn: ConnId) -> String {
    String::from_utf8(world.take_received(conn)).expect("text")
}

/// A message as RESP2 has it.
fn message(channel: &str, text: &str) -> String {
    let bulk = |text: &str| format!("${}\r\n{text}\r\n", text.len());
    format!("*3\r\n{}{}{}", bulk("message"), bulk(channel), bulk(text))
}

#[test]
fn a_client_gets_messages_and_replies_in_the_order_in_which_they_came_about() {
    let mut world = world(&[]);
    let (listener, other) = (client(&mut world), client(&mut world));
    world.ask(listener, &["HELLO", "3"]);
    world.ask(listener, &["SUBSCRIBE", "x"]);
    // One turn: its own message stands behind the reply that tells how many got it, and before
    // the reply of the next request.
    world.send(listener, b"PUBLISH x 1\r\nPING\r\nPUBLISH x 2\r\n");
    let push = |text: &str| message("x", text).replacen('*', ">", 1);
    let expected = format!(":1\r\n{}+PONG\r\n:1\r\n{}", push("1"), push("2"));
    assert_eq!(received(&mut world, listener), expected);
    assert_eq!(world.ask(other, &["PUBLISH", "x", "3"]), ":1\r\n");
    assert_eq!(received(&mut world, listener), push("3"));
}

#[test]
fn messages_of_one_turn_are_all_sent() {
    let mut world = world(&[]);
    let (listener, other) = (client(&mut world), client(&mut world));
    world.ask(listener, &["SUBSCRIBE", "x"]);
    world.send(other, b"PUBLISH x 1\r\nPUBLISH y 0\r\nPUBLISH x 2\r\nPUBLISH x 3\r\n");
    assert_eq!(received(&mut world, other), ":1\r\n:0\r\n:1\r\n:1\r\n");
    let all: String = ["1", "2", "3"].iter().map(|text| message("x", text)).collect();
    assert_eq!(received(&mut world, listener), all);
}

#[test]
fn who_is_gone_is_forgotten() {
    let mut world = world(&[]);
    let (listener, other) = (client(&mut world), client(&mut world));
    world.ask(listener, &["SUBSCRIBE", "x", "y"]);
    world.ask(listener, &["PSUBSCRIBE", "x*"]);
    assert_eq!(world.ask(other, &["PUBLISH", "x", "1"]), ":2\r\n");
    world.leave(listener);
    assert_eq!(world.ask(other, &["PUBLISH", "x", "1"]), ":0\r\n");
    assert_eq!(world.ask(other, &["PUBSUB", "CHANNELS"]), "*0\r\n");
    assert_eq!(world.ask(other, &["PUBSUB", "NUMPAT"]), ":0\r\n");
}

#[test]
fn who_takes_no_messages_is_disconnected_at_the_limit_of_its_class() {
    let mut world = world(&[("client-output-buffer-limit", "pubsub 1mb 0 0")]);
    let [listener, idle, other] = [0; 3].map(|_| client(&mut world));
    for conn in [listener, idle] {
        world.ask(conn, &["SUBSCRIBE", "x"]);
    }
    world.set_deaf(listener, true);
    let text = "v".repeat(100_000);
    let sent: Vec<String> = (0..12).map(|_| world.ask(other, &["PUBLISH", "x", &text])).collect();
    // The eleventh message exceeds the limit; those behind it find one subscriber.
    assert_eq!(sent.iter().filter(|reply| *reply == ":2\r\n").count(), 11);
    assert_eq!(sent.last().unwrap(), ":1\r\n");
    assert!(world.is_closed(listener) && !world.is_closed(idle));
    assert!(world.log.iter().any(|line| line.contains("output buffer limits")));
}

#[test]
fn who_listens_is_never_idle() {
    let mut world = world(&[("timeout", "1")]);
    let (listener, other) = (client(&mut world), client(&mut world));
    world.ask(listener, &["SUBSCRIBE", "x"]);
    world.advance(5_000);
    assert!(world.is_closed(other));
    assert!(!world.is_closed(listener));
}

#[test]
fn keyspace_events_come_in_the_order_of_what_happened() {
    let mut world = world(&[("notify-keyspace-events", "EA")]);
    let [listener, waiter, other] = [0; 3].map(|_| client(&mut world));
    world.ask(listener, &["PSUBSCRIBE", "__keyevent@*__:*"]);
    world.ask(waiter, &["BLPOP", "l", "0"]);
    world.ask(other, &["RPUSH", "l", "x"]);
    world.ask(other, &["SET", "k", "v", "PX", "10"]);
    world.advance(1_000);
    let told = received(&mut world, listener);
    let events: Vec<&str> =
        told.split("\r\n").filter_map(|line| line.strip_prefix("__keyevent@0__:")).collect();
    assert_eq!(events, ["rpush", "lpop", "del", "set", "expire", "expired"]);
}
