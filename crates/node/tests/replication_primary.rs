//! A node as the primary of replicas that the test plays.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails where it panics")]

mod driver;

use driver::World;
use driver::replicas::{acknowledge, copied, info, introduced, offset, replica};
use vesta_config::{Config, OutputLimit};
use vesta_node::{ConnId, SaveFault, SaveStep};
use vesta_testkit::client::encode;

fn config() -> Config {
    Config { repl_diskless_sync_delay_s: 0, save: Vec::new(), ..Config::default() }
}

/// A primary, and a client that may ask it.
fn primary(config: Config) -> (World, ConnId) {
    let mut world = World::new(config);
    let client = world.connect().unwrap();
    (world, client)
}

/// The keys of a snapshot, by what a node makes of it.
fn loaded(snapshot: &[u8], client: &[&str]) -> String {
    let mut world = World::new(Config::default());
    world.disk.files.insert("dump.rdb".to_owned(), snapshot.to_vec());
    world.node.load_at_start(world.now);
    world.advance(300);
    let conn = world.connect().unwrap();
    world.ask(conn, client)
}

#[test]
fn a_replica_gets_everything_and_then_the_stream() {
    let (mut world, client) = primary(config());
    world.ask(client, &["SET", "a", "1"]);
    let (conn, copied) = replica(&mut world);
    assert_eq!(loaded(&copied.snapshot, &["GET", "a"]), "$1\r\n1\r\n");
    assert_eq!(copied.id, info(&mut world, client, "master_replid"));
    world.ask(client, &["SET", "b", "2"]);
    let stream = encode(&["SELECT", "0"]).into_iter().chain(encode(&["SET", "b", "2"]));
    let stream: Vec<u8> = stream.collect();
    assert_eq!(world.take_received(conn), stream);
    assert_eq!(offset(&mut world, client), copied.offset + stream.len() as u64);
    assert_eq!(info(&mut world, client, "sync_full"), "1");
    assert_eq!(info(&mut world, client, "sync_full_reason_first_sync"), "1");
    assert_eq!(info(&mut world, client, "sync_partial_err"), "0");
}

#[test]
fn the_stream_waits_until_the_replica_has_said_that_it_has_the_snapshot() {
    let (mut world, client) = primary(config());
    let conn = introduced(&mut world);
    world.send(conn, &encode(&["PSYNC", "?", "-1"]));
    world.advance(10);
    let copied = copied(&world.take_received(conn));
    world.ask(client, &["SET", "a", "1"]);
    assert!(world.take_received(conn).is_empty());
    assert!(info(&mut world, client, "slave0").contains("state=online"));
    acknowledge(&mut world, conn, 0);
    assert_eq!(world.take_received(conn).len(), 50);
    assert!(copied.rest.is_empty());
}

#[test]
fn a_snapshot_is_that_of_its_offset_while_writes_go_on() {
    let (mut world, client) = primary(Config { rdbcompression: false, ..config() });
    for n in 0..4000 {
        world.ask(client, &["SET", &format!("key{n}"), &"x".repeat(2000)]);
    }
    let conn = introduced(&mut world);
    world.set_deaf(conn, true);
    world.send(conn, &encode(&["PSYNC", "?", "-1"]));
    world.advance(1);
    for n in 0..4000 {
        world.ask(client, &["DEL", &format!("key{n}")]);
    }
    world.advance(10);
    assert!(info(&mut world, client, "slave0").contains("state=wait_bgsave"));
    for _ in 0..200 {
        world.set_deaf(conn, false);
        world.advance(10);
    }
    let copied = copied(&world.take_received(conn));
    assert_eq!(loaded(&copied.snapshot, &["DBSIZE"]), ":4000\r\n");
    acknowledge(&mut world, conn, copied.offset);
    let stream = world.take_received(conn);
    assert_eq!(stream.len() as u64, offset(&mut world, client) - copied.offset);
}

#[test]
fn a_replica_that_comes_back_goes_on_where_it_was() {
    let (mut world, client) = primary(config());
    let (conn, copied) = replica(&mut world);
    world.ask(client, &["SET", "a", "1"]);
    let first = world.take_received(conn).len() as u64;
    world.leave(conn);
    world.ask(client, &["SET", "a", "2"]);
    let again = introduced(&mut world);
    let from = (copied.offset + first + 1).to_string();
    world.send(again, &encode(&["PSYNC", &copied.id.to_uppercase(), &from]));
    let mut expected = format!("+CONTINUE {}\r\n", copied.id).into_bytes();
    expected.extend(encode(&["SET", "a", "2"]));
    assert_eq!(world.take_received(again), expected);
    assert_eq!(info(&mut world, client, "sync_partial_ok"), "1");
}

#[test]
fn why_a_replica_copies_everything_is_counted() {
    let (mut world, client) = primary(config());
    let (conn, copied) = replica(&mut world);
    world.leave(conn);
    for (id, from, reason) in [
        (copied.id.as_str(), "0", "behind_backlog"),
        (&copied.id, "100000", "ahead"),
        (&"f".repeat(40), "1", "other_history"),
        ("nonsense", "1", "other_history"),
    ] {
        let field = format!("sync_full_reason_{reason}");
        let before: u64 = info(&mut world, client, &field).parse().unwrap();
        let conn = introduced(&mut world);
        world.send(conn, &encode(&["PSYNC", id, from]));
        world.advance(10);
        assert!(world.take_received(conn).starts_with(b"+FULLRESYNC "), "{id} {from}");
        assert_eq!(info(&mut world, client, &field), (before + 1).to_string());
        world.leave(conn);
    }
    assert_eq!(info(&mut world, client, "sync_partial_err"), "4");
}

#[test]
fn replicas_that_come_together_share_a_snapshot() {
    let config = Config { repl_diskless_sync_delay_s: 5, ..config() };
    let (mut world, client) = primary(config);
    world.ask(client, &["SET", "a", "1"]);
    let replicas = [introduced(&mut world), introduced(&mut world)];
    for conn in replicas {
        world.send(conn, &encode(&["PSYNC", "?", "-1"]));
        world.advance(2000);
    }
    for conn in replicas {
        let waiting = world.take_received(conn);
        assert!(!waiting.is_empty() && waiting.iter().all(|byte| *byte == b'\n'), "{waiting:?}");
    }
    world.advance(1500);
    let all = replicas.map(|conn| copied(&world.take_received(conn)));
    assert_eq!(all[0].snapshot, all[1].snapshot);
    assert_eq!(all[0].offset, all[1].offset);
}

#[test]
fn enough_replicas_wait_for_no_more() {
    let config =
        Config { repl_diskless_sync_delay_s: 3600, repl_diskless_sync_max_replicas: 2, ..config() };
    let (mut world, _) = primary(config);
    let replicas = [introduced(&mut world), introduced(&mut world)];
    for conn in replicas {
        assert!(world.take_received(conn).is_empty());
        world.send(conn, &encode(&["PSYNC", "?", "-1"]));
    }
    world.advance(10);
    for conn in replicas {
        copied(&world.take_received(conn));
    }
}

/// What a replica gets that is sent a file: the snapshot, and what comes behind it.
fn shipped(bytes: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let at = bytes.iter().position(|byte| *byte == b'$').unwrap();
    let end = at + bytes[at..].windows(2).position(|pair| pair == b"\r\n").unwrap();
    let len: usize = std::str::from_utf8(&bytes[at + 1..end]).unwrap().parse().unwrap();
    let body = &bytes[end + 2..];
    (body[..len].to_vec(), body[len..].to_vec())
}

#[test]
fn whoever_does_not_know_the_mark_gets_a_file_of_known_length() {
    let (mut world, client) = primary(config());
    world.ask(client, &["SET", "a", &"x".repeat(700_000)]);
    world.ask(client, &["SET", "b", "1"]);
    let conn = world.connect().unwrap();
    world.send(conn, b"SYNC\r\n");
    world.advance(10);
    let received = world.take_received(conn);
    assert_eq!(received[0], b'$', "SYNC has no reply in front of the snapshot");
    let (snapshot, rest) = shipped(&received);
    assert!(rest.is_empty());
    assert_eq!(loaded(&snapshot, &["GET", "b"]), "$1\r\n1\r\n");
    world.ask(client, &["SET", "c", "1"]);
    assert_eq!(world.take_received(conn).len(), 50, "it is sent the stream without a word");
    world.advance(200_000);
    assert!(!world.is_closed(conn), "nobody expects it to speak");
}

#[test]
fn without_diskless_sync_everybody_gets_a_file() {
    let (mut world, client) = primary(Config { repl_diskless_sync: false, ..config() });
    world.ask(client, &["SET", "a", "1"]);
    let replicas = [introduced(&mut world), introduced(&mut world)];
    for conn in replicas {
        world.send(conn, &encode(&["PSYNC", "?", "-1"]));
    }
    world.ask(client, &["SET", "b", "1"]);
    world.advance(10);
    for conn in replicas {
        let received = world.take_received(conn);
        assert!(received.starts_with(b"+FULLRESYNC "));
        let (snapshot, rest) = shipped(&received);
        assert!(snapshot.starts_with(b"REDIS"));
        let stream = [encode(&["SELECT", "0"]), encode(&["SET", "b", "1"])].concat();
        assert!(stream.ends_with(&rest) || rest == stream, "{rest:?}");
    }
    assert_eq!(info(&mut world, client, "connected_slaves"), "2");
}

#[test]
fn a_file_for_replicas_goes_where_nothing_else_is_kept() {
    for (appendonly, is_kept) in [(false, false), (true, true)] {
        let config = Config { repl_diskless_sync: false, rdb_del_sync_files: true, ..config() };
        let (mut world, client) = primary(config);
        if appendonly {
            world.ask(client, &["CONFIG", "SET", "appendonly", "yes"]);
        }
        world.ask(client, &["SET", "a", "1"]);
        let replicas = [introduced(&mut world), introduced(&mut world)];
        for conn in replicas {
            world.send(conn, &encode(&["PSYNC", "?", "-1"]));
        }
        world.advance(100);
        for conn in replicas {
            let (snapshot, _) = shipped(&world.take_received(conn));
            assert!(snapshot.starts_with(b"REDIS"));
        }
        assert_eq!(world.disk.files.contains_key("dump.rdb"), is_kept);
    }
}

#[test]
fn a_file_that_cannot_be_written_costs_replicas_their_connections() {
    let (mut world, _) = primary(Config { repl_diskless_sync: false, ..config() });
    let why = "No space left on device".to_owned();
    let fault = Some(SaveFault { step: SaveStep::Write, why });
    world.disk.fault = fault;
    let conn = introduced(&mut world);
    world.send(conn, &encode(&["PSYNC", "?", "-1"]));
    world.advance(10);
    assert!(world.is_closed(conn));
}

#[test]
fn a_snapshot_that_nobody_wants_any_more_is_given_up() {
    let (mut world, client) = primary(Config { rdbcompression: false, ..config() });
    for n in 0..2000 {
        world.ask(client, &["SET", &format!("key{n}"), &"x".repeat(4000)]);
    }
    let conn = introduced(&mut world);
    world.set_deaf(conn, true);
    world.send(conn, &encode(&["PSYNC", "?", "-1"]));
    world.advance(50);
    let bgsave = world.ask(client, &["BGSAVE"]);
    assert_eq!(bgsave, "-ERR Background save already in progress\r\n");
    world.leave(conn);
    world.advance(50);
    assert_eq!(world.ask(client, &["BGSAVE"]), "+Background saving started\r\n");
}

#[test]
fn a_replica_that_sends_what_is_answered_is_disconnected() {
    let (mut world, client) = primary(config());
    let (conn, _) = replica(&mut world);
    assert_eq!(world.ask(conn, &["PSYNC", "?", "-1"]), "", "it is a replica already");
    assert_eq!(world.ask(conn, &["REPLCONF", "GETACK", "*"]), "");
    assert!(!world.is_closed(conn));
    assert_eq!(world.ask(conn, &["GET", "a"]), "");
    assert!(world.is_closed(conn));
    assert_eq!(info(&mut world, client, "connected_slaves"), "0");
}

#[test]
fn replicas_are_pinged_and_the_silent_ones_given_up() {
    let (mut world, client) = primary(config());
    let (conn, _) = replica(&mut world);
    world.advance(12_000);
    let signs = world.take_received(conn);
    assert!(signs.starts_with(&encode(&["PING"])), "{signs:?}");
    let before = offset(&mut world, client);
    assert!(before >= signs.len() as u64, "a sign is part of the stream");
    assert!(info(&mut world, client, "slave0").contains(",lag=12,"));
    world.advance(50_000);
    assert!(world.is_closed(conn));
    assert!(world.log.iter().any(|line| line.contains("timedout replica (streaming sync)")));
}

#[test]
fn a_backlog_that_nobody_comes_back_for_goes_with_its_history() {
    let (mut world, client) = primary(Config { repl_backlog_ttl_s: 100, ..config() });
    assert_eq!(info(&mut world, client, "repl_backlog_active"), "0");
    let (conn, copied) = replica(&mut world);
    assert_eq!(info(&mut world, client, "repl_backlog_active"), "1");
    world.leave(conn);
    world.advance(99_000);
    assert_eq!(info(&mut world, client, "master_replid"), copied.id);
    world.advance(3000);
    assert_eq!(info(&mut world, client, "repl_backlog_active"), "0");
    assert_ne!(info(&mut world, client, "master_replid"), copied.id);
    world.ask(client, &["SET", "a", "1"]);
    let again = introduced(&mut world);
    world.send(again, &encode(&["PSYNC", &copied.id, &(copied.offset + 1).to_string()]));
    world.advance(10);
    assert!(world.take_received(again).starts_with(b"+FULLRESYNC "), "it lacks a write");
}

#[test]
fn wait_counts_the_replicas_that_have_applied_the_clients_writes() {
    let (mut world, client) = primary(config());
    assert_eq!(world.ask(client, &["WAIT", "0", "0"]), ":0\r\n");
    let (conn, _) = replica(&mut world);
    assert_eq!(world.ask(client, &["WAIT", "1", "0"]), ":1\r\n", "it has written nothing");
    world.ask(client, &["SET", "a", "1"]);
    let written = offset(&mut world, client);
    world.take_received(conn);
    assert_eq!(world.ask(client, &["WAIT", "1", "0"]), "");
    assert_eq!(world.take_received(conn), encode(&["REPLCONF", "GETACK", "*"]));
    acknowledge(&mut world, conn, written - 1);
    assert_eq!(world.take_received(client), b"");
    acknowledge(&mut world, conn, written);
    assert_eq!(world.take_received(client), b":1\r\n");
    world.ask(client, &["SET", "a", "2"]);
    assert_eq!(world.ask(client, &["WAIT", "1", "100"]), "");
    world.advance(200);
    assert_eq!(world.take_received(client), b":0\r\n");
}

#[test]
fn waitaof_counts_the_replicas_that_have_the_clients_writes_on_their_disks() {
    let (mut world, client) = primary(config());
    let (conn, _) = replica(&mut world);
    world.ask(client, &["SET", "a", "1"]);
    let written = offset(&mut world, client).to_string();
    assert_eq!(world.ask(client, &["WAITAOF", "0", "1", "0"]), "");
    world.send(conn, &encode(&["REPLCONF", "ACK", &written, "FACK", "0"]));
    assert_eq!(world.take_received(client), b"");
    world.send(conn, &encode(&["REPLCONF", "ACK", &written, "FACK", &written]));
    assert_eq!(world.take_received(client), b"*2\r\n:0\r\n:1\r\n");
}

#[test]
fn without_enough_good_replicas_nothing_is_written() {
    let config = Config { min_replicas_to_write: 1, min_replicas_max_lag_s: 10, ..config() };
    let (mut world, client) = primary(config);
    let refusal = "-NOREPLICAS Not enough good replicas to write.\r\n";
    assert_eq!(world.ask(client, &["SET", "a", "1"]), refusal);
    assert_eq!(world.ask(client, &["GET", "a"]), "$-1\r\n");
    assert_eq!(info(&mut world, client, "min_slaves_good_slaves"), "0");
    let (_, _) = replica(&mut world);
    assert_eq!(world.ask(client, &["SET", "a", "1"]), "+OK\r\n");
    assert_eq!(info(&mut world, client, "min_slaves_good_slaves"), "1");
    world.advance(12_000);
    assert_eq!(world.ask(client, &["SET", "a", "1"]), refusal);
}

#[test]
fn the_lag_is_told_in_bytes_and_milliseconds() {
    let (mut world, client) = primary(config());
    let (conn, _) = replica(&mut world);
    world.ask(client, &["SET", "a", "1"]);
    let written = offset(&mut world, client);
    world.advance(700);
    let line = info(&mut world, client, "slave0");
    assert!(line.ends_with("lag=0,lag_ms=700,lag_bytes=50"), "{line}");
    assert!(line.starts_with("ip=127.0.0.1,port=7001,state=online,offset="), "{line}");
    acknowledge(&mut world, conn, written);
    let line = info(&mut world, client, "slave0");
    assert!(line.ends_with("lag=0,lag_ms=0,lag_bytes=0"), "{line}");
}

/// A primary whose replica takes nothing, with so much room for it.
fn with_deaf_replica(limit: OutputLimit) -> (World, ConnId, ConnId) {
    let mut limits = Config::default().client_output_buffer_limit;
    limits[1] = limit;
    let config = Config { client_output_buffer_limit: limits, ..config() };
    let (mut world, client) = primary(Config { repl_backlog_size_bytes: 10_000, ..config });
    let (conn, _) = replica(&mut world);
    world.set_deaf(conn, true);
    (world, client, conn)
}

#[test]
fn the_backlog_grows_for_a_replica_that_is_behind() {
    let limit = OutputLimit { hard_bytes: 0, soft_bytes: 0, soft_seconds: 0 };
    let (mut world, client, conn) = with_deaf_replica(limit);
    let before = offset(&mut world, client);
    for _ in 0..100 {
        assert_eq!(world.ask(client, &["SET", "a", &"x".repeat(20_000)]), "+OK\r\n");
    }
    let histlen: u64 = info(&mut world, client, "repl_backlog_histlen").parse().unwrap();
    assert!(histlen > 1_500_000, "{histlen}");
    let listed = world.ask(client, &["CLIENT", "LIST", "TYPE", "replica"]);
    assert!(listed.contains(" flags=S ") && listed.contains(" oll=1 "), "{listed}");
    world.set_deaf(conn, false);
    let received = world.take_received(conn).len() as u64;
    assert_eq!(received, offset(&mut world, client) - before, "nothing is lacking");
    world.ask(client, &["SET", "a", "1"]);
    let histlen: u64 = info(&mut world, client, "repl_backlog_histlen").parse().unwrap();
    assert_eq!(histlen, 10_000, "what nobody needs is given back");
}

#[test]
fn writers_are_held_back_for_a_while_before_a_replica_is_given_up() {
    let limit = OutputLimit { hard_bytes: 1_000_000, soft_bytes: 0, soft_seconds: 0 };
    let (mut world, client, conn) = with_deaf_replica(limit);
    let request = encode(&["SET", "a", &"x".repeat(20_000)]);
    // Beside what the backlog holds, some is in the replica's outbox.
    let is_held = (0..100).any(|_| {
        world.send(client, &request);
        world.take_received(client).is_empty()
    });
    assert!(is_held, "nobody is held back");
    assert!(!world.is_closed(conn), "the replica is not given up yet");
    world.advance(25);
    assert!(!world.take_received(client).is_empty(), "it is for a while only");
    for _ in 0..40 {
        world.send(client, &request);
        world.advance(25);
    }
    assert!(world.is_closed(conn), "it has never taken anything");
    world.take_received(client);
    assert_eq!(world.ask(client, &["SET", "a", "1"]), "+OK\r\n");
}

#[test]
fn a_replica_that_lacks_too_much_for_too_long_is_given_up() {
    let limit = OutputLimit { hard_bytes: 0, soft_bytes: 100_000, soft_seconds: 10 };
    let (mut world, client, conn) = with_deaf_replica(limit);
    for _ in 0..30 {
        world.ask(client, &["SET", "a", &"x".repeat(20_000)]);
    }
    world.advance(9000);
    assert!(!world.is_closed(conn));
    world.advance(4000);
    assert!(world.is_closed(conn));
}

#[test]
fn a_replica_that_wants_no_keys_gets_none() {
    let (mut world, client) = primary(config());
    world.ask(client, &["SET", "a", "1"]);
    let conn = introduced(&mut world);
    world.ask(conn, &["REPLCONF", "rdb-filter-only", "functions"]);
    world.ask(conn, &["REPLCONF", "rdb-only", "1"]);
    world.send(conn, &encode(&["PSYNC", "?", "-1"]));
    world.advance(100);
    let copied = copied(&world.take_received(conn));
    assert_eq!(loaded(&copied.snapshot, &["DBSIZE"]), ":0\r\n");
    world.advance(4000);
    assert!(world.is_closed(conn), "it wants no stream");
    let strange = world.connect().unwrap();
    world.ask(strange, &["REPLCONF", "rdb-filter-only", ""]);
    let refusal = "-ERR Filtered replica requires EOF capability\r\n";
    assert_eq!(world.ask(strange, &["PSYNC", "?", "-1"]), refusal);
}

#[test]
fn the_end_waits_for_replicas_that_lack_something() {
    let (mut world, client) = primary(config());
    let (conn, _) = replica(&mut world);
    world.ask(client, &["SET", "a", "1"]);
    let end = offset(&mut world, client);
    let other = world.connect().unwrap();
    assert_eq!(world.ask(client, &["SHUTDOWN"]), "");
    assert!(!world.ended);
    assert_eq!(world.ask(other, &["GET", "a"]), "$1\r\n1\r\n");
    assert_eq!(world.ask(other, &["SET", "a", "2"]), "", "nothing is written any more");
    assert!(world.take_received(conn).ends_with(&encode(&["REPLCONF", "GETACK", "*"])));
    world.advance(5000);
    acknowledge(&mut world, conn, end);
    assert!(world.ended);
}

#[test]
fn the_end_waits_no_longer_than_it_may_and_not_at_all_if_it_is_to_be_now() {
    let (mut world, client) = primary(config());
    let (_, _) = replica(&mut world);
    world.ask(client, &["SET", "a", "1"]);
    world.ask(client, &["SHUTDOWN"]);
    world.advance(9_900);
    assert!(!world.ended);
    world.advance(200);
    assert!(world.ended);
    let (mut world, client) = primary(config());
    let (_, _) = replica(&mut world);
    world.ask(client, &["SET", "a", "1"]);
    world.ask(client, &["SHUTDOWN", "NOW"]);
    assert!(world.ended);
}

#[test]
fn an_end_that_waits_can_be_called_off() {
    let (mut world, client) = primary(config());
    let (_, _) = replica(&mut world);
    world.ask(client, &["SET", "a", "1"]);
    let other = world.connect().unwrap();
    let writer = world.connect().unwrap();
    world.ask(client, &["SHUTDOWN"]);
    assert_eq!(world.ask(writer, &["SET", "a", "2"]), "");
    assert_eq!(world.ask(other, &["SHUTDOWN", "ABORT"]), "+OK\r\n");
    assert_eq!(world.take_received(writer), b"+OK\r\n");
    assert!(world.take_received(client).starts_with(b"-ERR Errors trying to SHUTDOWN."));
    world.advance(20_000);
    assert!(!world.ended);
}

#[test]
fn a_replica_that_takes_nothing_of_its_snapshot_is_given_up() {
    let (mut world, client) = primary(Config { rdbcompression: false, ..config() });
    for n in 0..2000 {
        world.ask(client, &["SET", &format!("key{n}"), &"x".repeat(4000)]);
    }
    let conn = introduced(&mut world);
    world.set_deaf(conn, true);
    world.send(conn, &encode(&["PSYNC", "?", "-1"]));
    world.advance(55_000);
    assert!(!world.is_closed(conn));
    world.advance(10_000);
    assert!(world.is_closed(conn));
    assert!(world.log.iter().any(|line| line.contains("timedout replica (full sync)")));
}

#[test]
fn a_replica_whose_file_takes_long_to_write_is_not_silent() {
    let (mut world, client) = primary(Config { repl_diskless_sync: false, ..config() });
    world.ask(client, &["SET", "a", "1"]);
    world.disk.stuck = true;
    let conn = introduced(&mut world);
    world.send(conn, &encode(&["PSYNC", "?", "-1"]));
    world.advance(200_000);
    assert!(!world.is_closed(conn));
    let signs = world.take_received(conn).iter().filter(|byte| **byte == b'\n').count();
    assert!((195..=205).contains(&signs), "{signs}");
}

#[test]
fn what_a_replica_lacks_evicts_no_keys() {
    let config = Config {
        maxmemory_bytes: 2 << 20,
        maxmemory_policy: vesta_config::MaxmemoryPolicy::AllkeysRandom,
        ..config()
    };
    let (mut world, client) = primary(config);
    let (conn, _) = replica(&mut world);
    world.set_deaf(conn, true);
    for _ in 0..100 {
        world.ask(client, &["SET", "a", &"x".repeat(60_000)]);
    }
    let excess: u64 = info(&mut world, client, "mem_not_counted_for_evict").parse().unwrap();
    assert!(excess > 4 << 20, "{excess}");
    assert_eq!(info(&mut world, client, "evicted_keys"), "0");
}
