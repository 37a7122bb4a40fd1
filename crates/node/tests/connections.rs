//! What happens to connections: who is let in, who is sent away, who waits.

mod driver;

use driver::World;
use vesta_config::{Config, MaxmemoryPolicy, OutputLimit, Secret};
use vesta_node::{ConnId, Event};
use vesta_testkit::client::encode;
use vesta_types::DbIndex;

const NO_LIMIT: OutputLimit = OutputLimit { hard_bytes: 0, soft_bytes: 0, soft_seconds: 0 };

fn world(change: impl FnOnce(&mut Config)) -> World {
    let mut config = Config::default();
    change(&mut config);
    World::new(config)
}

fn limited(normal: OutputLimit) -> World {
    let nothing = OutputLimit { hard_bytes: 1, soft_bytes: 1, soft_seconds: 0 };
    world(|config| config.client_output_buffer_limit = [normal, nothing, nothing])
}

/// A client that takes no replies and is owed about `bytes` of them.
fn deaf_client(world: &mut World, bytes: usize) -> ConnId {
    let conn = world.connect().expect("there is room for a client");
    world.set_deaf(conn, true);
    owe(world, conn, bytes);
    conn
}

fn owe(world: &mut World, conn: ConnId, bytes: usize) {
    world.send(conn, &encode(&["ECHO", &"x".repeat(bytes)]));
}

#[test]
fn the_client_beyond_maxclients_is_refused_until_another_leaves() {
    let mut world = world(|config| config.maxclients = 2);
    let first = world.connect().unwrap();
    let second = world.connect().unwrap();
    assert_eq!(world.connect().unwrap_err(), b"-ERR max number of clients reached\r\n");
    assert_eq!(world.ask(first, &["PING"]), "+PONG\r\n");
    assert_eq!(world.ask(second, &["QUIT"]), "+OK\r\n");
    assert!(world.is_closed(second));
    assert!(world.connect().is_ok());
}

#[test]
fn protected_mode_admits_strangers_only_with_a_password() {
    let mut world = world(|_| {});
    let refusal = world.connect_from("192.0.2.1:50000", false).unwrap_err();
    assert!(refusal.starts_with(b"-DENIED "));
    assert!(refusal.ends_with(b"\r\n") && refusal.iter().filter(|b| **b == b'\n').count() == 1);
    let local = world.connect().unwrap();
    world.ask(local, &["CONFIG", "SET", "requirepass", "secret"]);
    let stranger = world.connect_from("192.0.2.1:50001", false).unwrap();
    assert_eq!(world.ask(stranger, &["PING"]), "-NOAUTH Authentication required.\r\n");
    world.ask(local, &["CONFIG", "SET", "requirepass", "", "protected-mode", "no"]);
    let stranger = world.connect_from("192.0.2.1:50002", false).unwrap();
    assert_eq!(world.ask(stranger, &["PING"]), "+PONG\r\n");
}

#[test]
fn an_idle_client_is_disconnected_after_its_timeout() {
    let mut world = world(|config| config.timeout_s = 10);
    let idle = world.connect().unwrap();
    let busy = world.connect().unwrap();
    for _ in 0..3 {
        world.advance(4_000);
        world.ask(busy, &["PING"]);
    }
    assert!(world.is_closed(idle));
    assert!(!world.is_closed(busy));
}

#[test]
fn a_client_that_a_pause_holds_is_not_idle() {
    let mut world = world(|config| config.timeout_s = 2);
    let conn = world.connect().unwrap();
    world.ask(conn, &["CLIENT", "PAUSE", "10000", "WRITE"]);
    assert_eq!(world.ask(conn, &["SET", "k", "v"]), "");
    world.advance(10_000);
    assert_eq!(world.take_received(conn), b"+OK\r\n");
}

#[test]
fn replies_beyond_the_hard_limit_disconnect_and_harm_nobody_else() {
    let mut world = limited(OutputLimit { hard_bytes: 100_000, ..NO_LIMIT });
    let other = world.connect().unwrap();
    let deaf = deaf_client(&mut world, 60_000);
    assert!(!world.is_closed(deaf));
    owe(&mut world, deaf, 60_000);
    assert!(world.is_closed(deaf));
    assert!(world.log.iter().any(|line| line.contains("overcoming of output buffer limits")));
    assert_eq!(world.ask(other, &["PING"]), "+PONG\r\n");
    // One reply may already be too much, although the client would have taken it.
    let eager = world.connect().unwrap();
    owe(&mut world, eager, 200_000);
    assert!(world.is_closed(eager));
}

#[test]
fn replies_beyond_the_soft_limit_disconnect_after_its_time() {
    let soft = OutputLimit { hard_bytes: 0, soft_bytes: 50_000, soft_seconds: 5 };
    let mut world = limited(soft);
    let slow = deaf_client(&mut world, 60_000);
    let recovering = deaf_client(&mut world, 60_000);
    world.advance(4_000);
    assert!(!world.is_closed(slow) && !world.is_closed(recovering));
    // Below the limit for a moment, and the time starts anew.
    world.set_deaf(recovering, false);
    world.set_deaf(recovering, true);
    owe(&mut world, recovering, 60_000);
    world.advance(3_000);
    assert!(world.is_closed(slow));
    assert!(!world.is_closed(recovering));
    world.advance(3_000);
    assert!(world.is_closed(recovering));
}

/// Found by the simulator: the time counted from when the replies were made, not from when they
/// could not be sent, and went on counting after they had been sent at once.
#[test]
fn large_replies_that_are_taken_at_once_never_count_as_slow() {
    let soft = OutputLimit { hard_bytes: 0, soft_bytes: 50_000, soft_seconds: 0 };
    let mut world = limited(soft);
    let eager = world.connect().unwrap();
    for _ in 0..3 {
        owe(&mut world, eager, 60_000);
        assert!(!world.is_closed(eager));
        // Before anybody looks after the client in passing.
        world.now.mono.0 += 10;
    }
}

#[test]
fn the_limits_of_other_classes_are_not_those_of_ordinary_clients() {
    let mut world = limited(NO_LIMIT);
    let deaf = deaf_client(&mut world, 1_000_000);
    world.advance(60_000);
    assert!(!world.is_closed(deaf));
    world.set_deaf(deaf, false);
    assert!(world.take_received(deaf).len() > 1_000_000);
}

#[test]
fn who_is_killed_is_not_sent_what_was_pending() {
    let mut world = world(|_| {});
    let killer = world.connect().unwrap();
    let deaf = deaf_client(&mut world, 1_000);
    let list = world.ask(killer, &["CLIENT", "LIST"]);
    assert!(list.contains(" oll=1 omem=1009 "), "{list}");
    assert_eq!(world.ask(killer, &["CLIENT", "KILL", "ID", "2"]), ":1\r\n");
    assert!(world.is_closed(deaf));
    world.set_deaf(deaf, false);
    assert_eq!(world.take_received(deaf), b"");
    assert_eq!(world.ask(killer, &["CLIENT", "KILL", "ID", "2"]), ":0\r\n");
}

#[test]
fn who_kills_itself_hears_of_it_and_does_nothing_more() {
    let mut world = world(|_| {});
    let other = world.connect().unwrap();
    let conn = world.connect().unwrap();
    let pipeline = "SET a 1\r\nCLIENT KILL TYPE normal SKIPME no\r\nSET b 1\r\n";
    world.send(conn, pipeline.as_bytes());
    assert_eq!(world.take_received(conn), b"+OK\r\n:2\r\n");
    assert!(world.is_closed(conn) && world.is_closed(other));
    let witness = world.connect().unwrap();
    assert_eq!(world.ask(witness, &["EXISTS", "a", "b"]), ":1\r\n");
}

#[test]
fn killed_clients_are_gone_for_the_next_command_of_the_same_pipeline() {
    let mut world = world(|_| {});
    let conn = world.connect().unwrap();
    let other = world.connect().unwrap();
    world.send(conn, b"CLIENT KILL TYPE normal\r\nCLIENT KILL TYPE normal\r\nCLIENT LIST\r\n");
    let replies = String::from_utf8(world.take_received(conn)).unwrap();
    assert!(replies.starts_with(":1\r\n:0\r\n$"), "{replies}");
    assert_eq!(replies.matches(" addr=").count(), 1);
    assert!(world.is_closed(other));
}

#[test]
fn a_pause_ends_on_time_and_who_waited_goes_on_in_order() {
    let mut world = world(|_| {});
    let conn = world.connect().unwrap();
    let waiting = world.connect().unwrap();
    assert_eq!(world.ask(conn, &["CLIENT", "PAUSE", "1234", "ALL"]), "+OK\r\n");
    world.send(waiting, b"INCR k\r\nINCR k\r\n");
    world.send(waiting, b"INCR k\r\nQUIT\r\n");
    world.advance(1_233);
    assert_eq!(world.take_received(waiting), b"");
    world.advance(2);
    assert_eq!(world.take_received(waiting), b":1\r\n:2\r\n:3\r\n+OK\r\n");
    assert!(world.is_closed(waiting));
}

#[test]
fn a_pause_of_all_holds_the_next_pause_too() {
    let mut world = world(|_| {});
    let conn = world.connect().unwrap();
    let other = world.connect().unwrap();
    world.send(conn, b"CLIENT PAUSE 1000 ALL\r\nCLIENT PAUSE 10 WRITE\r\n");
    assert_eq!(world.take_received(conn), b"+OK\r\n");
    assert_eq!(world.ask(other, &["GET", "k"]), "");
    world.advance(1_001);
    assert_eq!(world.take_received(other), b"$-1\r\n");
    assert_eq!(world.take_received(conn), b"+OK\r\n");
    // The second pause begins when the first has ended.
    assert_eq!(world.ask(other, &["SET", "k", "v"]), "");
    world.advance(11);
    assert_eq!(world.take_received(other), b"+OK\r\n");
}

#[test]
fn the_longest_pause_that_can_be_asked_for_is_one() {
    let mut world = world(|_| {});
    let conn = world.connect().unwrap();
    let forever = i64::MAX.to_string();
    assert_eq!(world.ask(conn, &["CLIENT", "PAUSE", &forever, "WRITE"]), "+OK\r\n");
    assert_eq!(world.ask(conn, &["SET", "k", "v"]), "");
    world.advance(60_000);
    let other = world.connect().unwrap();
    assert_eq!(world.ask(other, &["CLIENT", "UNPAUSE"]), "+OK\r\n");
    assert_eq!(world.take_received(conn), b"+OK\r\n");
}

#[test]
fn nothing_expires_during_a_pause() {
    let mut world = world(|_| {});
    let conn = world.connect().unwrap();
    for key in ["a", "b", "c"] {
        world.ask(conn, &["SET", key, "v", "PX", "100"]);
    }
    world.ask(conn, &["CLIENT", "PAUSE", "10000", "WRITE"]);
    world.advance(5_000);
    assert_eq!(world.ask(conn, &["GET", "a"]), "$-1\r\n");
    assert_eq!(world.ask(conn, &["EXISTS", "b"]), ":0\r\n");
    assert_eq!(world.ask(conn, &["DBSIZE"]), ":3\r\n");
    world.advance(6_000);
    assert_eq!(world.ask(conn, &["DBSIZE"]), ":0\r\n");
}

#[test]
fn a_client_that_waits_may_leave() {
    let mut world = world(|_| {});
    let conn = world.connect().unwrap();
    let waiting = world.connect().unwrap();
    world.ask(conn, &["CLIENT", "PAUSE", "10000", "WRITE"]);
    assert_eq!(world.ask(waiting, &["SET", "k", "v"]), "");
    world.leave(waiting);
    // Its place goes to another client, which the end of the pause must not mistake for it.
    assert_eq!(world.ask(conn, &["CLIENT", "UNPAUSE"]), "+OK\r\n");
    assert_eq!(world.ask(conn, &["EXISTS", "k"]), ":0\r\n");
}

#[test]
fn an_outcome_is_not_told_to_who_does_not_wait_for_it() {
    let mut world = world(|_| {});
    // In the place of a client that asked, and left before the outcome was known.
    let conn = world.connect().unwrap();
    let config = Box::new(world.node.config().clone());
    let options = Vec::new();
    world.node.handle(world.now, Event::Applied { conn, config, options, outcome: Ok(()) });
    assert_eq!(world.ask(conn, &["PING"]), "+PONG\r\n");
}

/// Found by the simulator: the settings of a CONFIG SET that waits for the rim took the place of
/// all that others had set meanwhile.
#[test]
fn a_setting_made_while_another_is_applied_is_not_lost() {
    let mut world = world(|_| {});
    let (waits, other) = (world.connect().unwrap(), world.connect().unwrap());
    let changed = vesta_config::set(
        world.node.config(),
        &[(b"maxclients", b"100")],
        vesta_config::Peer::Local,
    )
    .unwrap();
    assert_eq!(world.ask(other, &["CONFIG", "SET", "hz", "50"]), "+OK\r\n");
    let (config, options) = (Box::new(changed.config), changed.options);
    let applied = Event::Applied { conn: waits, config, options, outcome: Ok(()) };
    world.node.handle(world.now, applied);
    assert_eq!((world.node.config().hz, world.node.config().maxclients), (50, 100));
}

#[test]
fn a_browser_is_shown_the_door_without_an_answer() {
    let mut world = world(|_| {});
    let conn = world.connect().unwrap();
    world.send(conn, b"GET / HTTP/1.1\r\nHost: example\r\nSET k v\r\n");
    assert!(world.is_closed(conn));
    assert_eq!(world.take_received(conn), b"");
    assert!(world.log.iter().any(|line| line.starts_with("Possible SECURITY ATTACK detected.")));
    let witness = world.connect().unwrap();
    assert_eq!(world.ask(witness, &["EXISTS", "k"]), ":0\r\n");
}

#[test]
fn without_credentials_nobody_has_keys_evicted() {
    let mut world = world(|config| {
        config.requirepass = Some(Secret::new(b"secret".to_vec()));
        config.maxmemory_policy = MaxmemoryPolicy::AllkeysRandom;
    });
    let owner = world.connect().unwrap();
    world.ask(owner, &["AUTH", "secret"]);
    world.ask(owner, &["SET", "k", "v"]);
    world.ask(owner, &["CONFIG", "SET", "maxmemory", "1"]);
    let stranger = world.connect().unwrap();
    assert_eq!(world.ask(stranger, &["GET", "k"]), "-NOAUTH Authentication required.\r\n");
    assert_eq!(world.node.dump(world.now, DbIndex::ZERO).len(), 1);
    world.ask(owner, &["PING"]);
    assert_eq!(world.node.dump(world.now, DbIndex::ZERO).len(), 0);
}

#[test]
fn who_has_not_authenticated_cannot_make_the_server_hold_many_errors() {
    let mut world = world(|config| config.requirepass = Some(Secret::new(b"sekret".to_vec())));
    let stranger = world.connect().unwrap();
    world.set_deaf(stranger, true);
    for _ in 0..100 {
        world.send(stranger, &b"GET k\r\n".repeat(10));
    }
    assert!(world.is_closed(stranger));
    let friend = world.connect().unwrap();
    assert_eq!(world.ask(friend, &["AUTH", "sekret"]), "+OK\r\n");
}
