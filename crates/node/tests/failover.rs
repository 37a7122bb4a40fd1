//! Handing the part of the primary over to a replica that the test plays.

#![expect(clippy::unwrap_used, reason = "a test fails where it panics")]

mod driver;

use driver::World;
use driver::link::copy;
use driver::replicas::{acknowledge, info, introduced, offset, replica};
use vesta_config::{Config, Guarded};
use vesta_node::ConnId;
use vesta_testkit::client::encode;

/// A primary with a replica, and a client that may ask it.
fn world() -> (World, ConnId, ConnId) {
    let config = Config {
        repl_diskless_sync_delay_s: 0,
        save: Vec::new(),
        enable_debug_command: Guarded::Yes,
        ..Config::default()
    };
    let mut world = World::new(config);
    world.dials.answers = true;
    let client = world.connect().unwrap();
    let (conn, _) = replica(&mut world);
    (world, client, conn)
}

/// Plays the one who is asked to take over, up to its question for the stream.
fn asked(world: &mut World) -> (ConnId, String) {
    let (conn, question) = world.greet();
    assert!(question.ends_with(" FAILOVER"), "{question}");
    (conn, question)
}

#[test]
fn nobody_to_hand_over_to_is_an_error() {
    let mut world = World::new(Config::default());
    let client = world.connect().unwrap();
    for words in [
        &["FAILOVER"][..],
        &["FAILOVER", "TO", "127.0.0.1", "7001"],
        &["FAILOVER", "TO", "127.0.0.1", "7001", "FORCE", "TIMEOUT", "100"],
        &["FAILOVER", "FORCE"],
        &["FAILOVER", "TIMEOUT", "100"],
    ] {
        let error = "-ERR FAILOVER requires connected replicas.\r\n";
        assert_eq!(world.ask(client, words), error, "{words:?}");
    }
    let error = "-ERR No failover in progress.\r\n";
    assert_eq!(world.ask(client, &["FAILOVER", "ABORT"]), error);
}

#[test]
fn nothing_is_written_until_the_other_one_has_everything_and_has_taken_over() {
    let (mut world, client, conn) = world();
    world.ask(client, &["SET", "a", "1"]);
    let end = offset(&mut world, client);
    assert_eq!(world.ask(client, &["FAILOVER"]), "+OK\r\n");
    assert_eq!(info(&mut world, client, "master_failover_state"), "waiting-for-sync");
    assert_eq!(world.ask(client, &["GET", "a"]), "$1\r\n1\r\n");
    let writer = world.connect().unwrap();
    assert_eq!(world.ask(writer, &["SET", "a", "2"]), "");
    world.advance(20_000);
    assert_eq!(offset(&mut world, client), end, "the stream stands still");
    acknowledge(&mut world, conn, end);
    assert_eq!(info(&mut world, client, "master_failover_state"), "failover-in-progress");
    assert_eq!(info(&mut world, client, "role"), "slave");
    let (link, question) = asked(&mut world);
    assert!(question.contains(&format!(" {} ", end + 1)), "{question}");
    assert_eq!(world.take_received(writer), b"");
    world.send(link, format!("+CONTINUE {}\r\n", "e".repeat(40)).as_bytes());
    assert_eq!(info(&mut world, client, "master_failover_state"), "no-failover");
    let refusal = b"-READONLY You can't write against a read only replica.\r\n";
    assert_eq!(world.take_received(writer), refusal);
}

#[test]
fn whoever_refuses_leaves_the_primary_as_it_is() {
    let (mut world, client, conn) = world();
    let end = offset(&mut world, client);
    acknowledge(&mut world, conn, end);
    world.ask(client, &["FAILOVER", "TO", "127.0.0.1", "7001"]);
    let writer = world.connect().unwrap();
    let (link, _) = asked(&mut world);
    world.send(link, b"-ERR PSYNC FAILOVER replid must match my replid.\r\n");
    assert_eq!(info(&mut world, client, "role"), "master");
    assert_eq!(info(&mut world, client, "master_failover_state"), "no-failover");
    assert_eq!(world.ask(writer, &["SET", "a", "2"]), "+OK\r\n");
}

#[test]
fn it_is_called_off_when_the_time_is_up() {
    let (mut world, client, _) = world();
    world.ask(client, &["SET", "a", "1"]);
    assert_eq!(world.ask(client, &["FAILOVER", "TIMEOUT", "500"]), "+OK\r\n");
    let again = world.ask(client, &["FAILOVER"]);
    assert_eq!(again, "-ERR FAILOVER already in progress.\r\n");
    let writer = world.connect().unwrap();
    assert_eq!(world.ask(writer, &["SET", "a", "2"]), "");
    world.advance(499);
    assert_eq!(world.take_received(writer), b"");
    world.advance(2);
    assert_eq!(world.take_received(writer), b"+OK\r\n");
    assert_eq!(info(&mut world, client, "master_failover_state"), "no-failover");
}

#[test]
fn by_force_the_other_one_takes_over_with_what_it_has() {
    let (mut world, client, _) = world();
    world.ask(client, &["SET", "a", "1"]);
    let words = ["FAILOVER", "TO", "127.0.0.1", "7001", "FORCE", "TIMEOUT", "500"];
    assert_eq!(world.ask(client, &words), "+OK\r\n");
    world.advance(501);
    assert_eq!(info(&mut world, client, "master_failover_state"), "failover-in-progress");
    asked(&mut world);
}

#[test]
fn it_can_be_called_off_by_hand() {
    let (mut world, client, conn) = world();
    world.ask(client, &["SET", "a", "1"]);
    let nothing = "-ERR No failover in progress.\r\n";
    assert_eq!(world.ask(client, &["FAILOVER", "ABORT"]), nothing);
    world.ask(client, &["FAILOVER"]);
    assert_eq!(world.ask(client, &["FAILOVER", "ABORT"]), "+OK\r\n");
    assert_eq!(world.ask(client, &["SET", "a", "2"]), "+OK\r\n");
    world.ask(client, &["FAILOVER"]);
    let end = offset(&mut world, client);
    acknowledge(&mut world, conn, end);
    asked(&mut world);
    assert_eq!(world.ask(client, &["FAILOVER", "ABORT"]), "+OK\r\n");
    assert_eq!(info(&mut world, client, "role"), "master");
    assert_eq!(world.ask(client, &["SET", "a", "3"]), "+OK\r\n");
}

#[test]
fn a_replica_that_is_asked_takes_over_and_answers() {
    let mut world = World::new(Config {
        repl_diskless_sync_delay_s: 0,
        save: Vec::new(),
        replicaof: Some(vesta_config::ReplicaOf { host: "10.0.0.1".to_owned(), port: 7000 }),
        ..Config::default()
    });
    world.dials.answers = true;
    world.node.load_at_start(world.now);
    world.advance(1500);
    let client = world.connect().unwrap();
    assert_eq!(info(&mut world, client, "role"), "slave");
    let id = info(&mut world, client, "master_replid");
    let from = (offset(&mut world, client) + 1).to_string();
    let stranger = world.connect().unwrap();
    let refusal = "-ERR PSYNC FAILOVER replid must match my replid.\r\n";
    let other = "f".repeat(40);
    assert_eq!(world.ask(stranger, &["PSYNC", &other, &from, "FAILOVER"]), refusal);
    world.ask(stranger, &["REPLCONF", "capa", "psync2"]);
    world.send(stranger, &encode(&["PSYNC", &id, &from, "FAILOVER"]));
    let fresh = info(&mut world, client, "master_replid");
    assert_ne!(fresh, id);
    assert_eq!(info(&mut world, client, "role"), "master");
    assert_eq!(info(&mut world, client, "master_replid2"), id);
    let answer = format!("+CONTINUE {fresh}\r\n");
    assert_eq!(world.take_received(stranger), answer.as_bytes());
    let refusal = "-ERR PSYNC FAILOVER can't be sent to a master.\r\n";
    assert_eq!(world.ask(client, &["PSYNC", &fresh, "1", "FAILOVER"]), refusal);
}

#[test]
fn what_is_read_at_a_former_primary_leaves_its_data_as_that_of_the_new_one_is() {
    let (mut world, client, conn) = world();
    let said = [
        &["PFADD", "h", "a", "b", "c"][..],
        &["SET", "gone", "1", "PX", "200"],
        &["HSET", "lasting", "f", "1"],
    ];
    said.iter().for_each(|words| drop(world.ask(client, words)));
    let end = offset(&mut world, client);
    assert_eq!(world.ask(client, &["FAILOVER"]), "+OK\r\n");
    world.advance(1000);
    // What has expired is not in it, though it is still there.
    let data = world.ask(client, &["DEBUG", "DIGEST"]);
    let is_as_it_was = |world: &mut World, when: &str| {
        assert_eq!(offset(world, client), end, "{when}");
        assert_eq!(world.ask(client, &["DEBUG", "DIGEST"]), data, "{when}");
        assert_eq!(world.ask(client, &["DBSIZE"]), ":3\r\n", "{when}");
    };
    let held = world.connect().unwrap();
    assert_eq!(world.ask(held, &["PFCOUNT", "h"]), "", "it may write");
    assert_eq!(world.ask(client, &["GET", "gone"]), "$-1\r\n");
    is_as_it_was(&mut world, "while the other one catches up");
    acknowledge(&mut world, conn, end);
    let late = world.connect().unwrap();
    assert_eq!(world.ask(late, &["PFCOUNT", "h"]), "", "the other one may refuse");
    assert_eq!(world.ask(client, &["GET", "gone"]), "$-1\r\n");
    is_as_it_was(&mut world, "while the other one is asked");
    let (link, _) = asked(&mut world);
    world.send(link, format!("+CONTINUE {}\r\n", "e".repeat(40)).as_bytes());
    assert_eq!(world.take_received(held), b":3\r\n");
    assert_eq!(world.take_received(late), b":3\r\n");
    assert_eq!(world.ask(client, &["PFCOUNT", "h"]), ":3\r\n");
    assert_eq!(world.ask(client, &["GET", "gone"]), "$-1\r\n");
    world.advance(1000);
    is_as_it_was(&mut world, "behind the new primary");
    world.stream(link, &["SELECT 0", "PFCOUNT h"]);
    assert_ne!(world.ask(client, &["DEBUG", "DIGEST"]), data, "what the primary stores is stored");
}

#[test]
fn a_write_to_a_history_that_has_ended_is_not_waited_for() {
    let (mut world, client, _) = world();
    world.ask(client, &["SET", "a", &"x".repeat(5000)]);
    assert_eq!(world.ask(client, &["REPLICAOF", "10.0.0.1", "7000"]), "+OK\r\n");
    let (link, _) = world.greet();
    copy(&mut world, link, &["SET b 1"], 100);
    assert_eq!(world.ask(client, &["REPLICAOF", "NO", "ONE"]), "+OK\r\n");
    replica(&mut world);
    assert!(offset(&mut world, client) < 5000, "the client wrote behind that");
    assert_eq!(world.ask(client, &["WAIT", "1", "0"]), ":1\r\n");
}

#[test]
fn a_write_is_still_waited_for_when_the_other_one_has_not_taken_over() {
    let (mut world, client, conn) = world();
    let (id, from) = (info(&mut world, client, "master_replid"), offset(&mut world, client) + 1);
    world.ask(client, &["SET", "a", "1"]);
    world.ask(client, &["FAILOVER"]);
    let end = offset(&mut world, client);
    acknowledge(&mut world, conn, end);
    let (link, _) = asked(&mut world);
    world.send(link, b"-ERR PSYNC FAILOVER replid must match my replid.\r\n");
    let behind = introduced(&mut world);
    world.send(behind, &encode(&["PSYNC", &id, &from.to_string()]));
    assert!(world.take_received(behind).starts_with(b"+CONTINUE "));
    assert_eq!(world.ask(client, &["WAIT", "1", "0"]), "");
    acknowledge(&mut world, behind, end);
    assert_eq!(world.take_received(client), b":1\r\n");
}
