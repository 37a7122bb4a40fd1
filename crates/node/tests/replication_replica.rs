//! A node as a replica of a primary that the tests play.

mod driver;

use driver::World;
use driver::link::{ID, MARK, NEXT, copy, files, follower, linked, restarted};
use driver::logged::{has_logged, keys, snapshot};
use driver::replicas::introduced;
use vesta_config::{Config, ReplDisklessLoad, ReplicaOf};
use vesta_node::ConnId;

#[test]
fn a_primary_that_is_not_there_is_tried_every_second() {
    let mut world = World::new(Config::default());
    let client = world.connect().unwrap();
    assert_eq!(world.ask(client, &["REPLICAOF", "127.0.0.1", "1"]), "+OK\r\n");
    world.advance(5500);
    assert_eq!(world.dials.count, 6);
    assert!(world.is_replica);
    assert_eq!(world.info(client, "role"), "slave");
    assert_eq!(world.info(client, "master_link_status"), "down");
    assert_eq!(world.info(client, "master_link_down_since_seconds"), "-1");
    has_logged(&world, "Error condition on socket for SYNC: Connection refused");
    assert_eq!(
        world.ask(client, &["ROLE"]),
        "*5\r\n$5\r\nslave\r\n$9\r\n127.0.0.1\r\n:1\r\n$7\r\nconnect\r\n:-1\r\n"
    );
}

#[test]
fn a_replica_says_who_it_is_and_asks_for_what_it_lacks() {
    let config = Config {
        masteruser: Some("bob".into()),
        masterauth: Some(vesta_config::Secret::new(b"pw".to_vec())),
        replica_announce_ip: Some("1.2.3.4".into()),
        replica_announce_port: 7777,
        ..Config::default()
    };
    let (mut world, client) = follower(config);
    let id = world.info(client, "master_replid");
    assert_eq!(world.dials.open, Some((1, "10.0.0.1".into(), 7000)));
    let link = world.answer_dial();
    assert_eq!(world.heard(link), ["PING"]);
    world.send(link, b"+PONG\r\n");
    let said = [
        "AUTH bob pw",
        "REPLCONF listening-port 7777",
        "REPLCONF ip-address 1.2.3.4",
        "REPLCONF capa eof capa psync2",
        "REPLCONF version 7.2.4",
    ];
    assert_eq!(world.heard(link), said);
    world.send(link, b"+OK\r\n+OK\r\n+OK\r\n+OK\r\n-ERR what\r\n");
    assert_eq!(world.heard(link), [format!("PSYNC {id} 1")]);
    assert!(
        world
            .ask(client, &["CLIENT", "LIST"])
            .contains("addr=10.0.0.1:7000 laddr=127.0.0.1:45678 fd=9 name= age=0 idle=0 flags=M")
    );
}

#[test]
fn the_data_of_the_primary_takes_the_place_of_ours() {
    let (mut world, client) = follower(Config { replica_read_only: false, ..Config::default() });
    world.ask(client, &["SET", "mine", "1"]);
    let (link, _) = world.greet();
    copy(&mut world, link, &["SET a 1", "RPUSH l x y", "SELECT 3", "SET c 3"], 1000);
    assert_eq!(
        (keys(&mut world, 0).as_str(), keys(&mut world, 3).as_str()),
        ("a=\"1\" l=list x y", "c=\"3\"")
    );
    assert_eq!(world.info(client, "master_link_status"), "up");
    assert_eq!(world.info(client, "master_replid"), ID);
    assert_eq!(world.info(client, "slave_repl_offset"), "1000");
    assert_eq!(world.info(client, "master_repl_offset"), "1000");
    let length = world.stream(link, &["SELECT 3", "SET d 4", "SELECT 0", "DEL a"]);
    assert_eq!(
        (keys(&mut world, 0).as_str(), keys(&mut world, 3).as_str()),
        ("l=list x y", "c=\"3\" d=\"4\"")
    );
    world.advance(100);
    assert_eq!(world.heard(link), [format!("REPLCONF ACK {}", 1000 + length)]);
    has_logged(&world, "MASTER <-> REPLICA sync: Finished with success");
}

#[test]
fn a_snapshot_with_a_mark_may_be_cut_anywhere() {
    let snapshot = snapshot(&["SET a 1", "SET b 2"]);
    let head = format!("+FULLRESYNC {ID} 7\r\n\n$EOF:{MARK}\r\n");
    let tail = "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*2\r\n$3\r\nDEL\r\n$1\r\nb\r\n";
    let bytes = [head.as_bytes(), &snapshot, MARK.as_bytes(), tail.as_bytes()].concat();
    for step in [1, 2, 13, 39, 40, 41, 100, 10_000] {
        let (mut world, client) = follower(Config::default());
        let (link, _) = world.greet();
        for piece in bytes.chunks(step) {
            world.send(link, piece);
        }
        world.advance(200);
        assert_eq!(keys(&mut world, 0), "a=\"1\"", "{step}");
        assert_eq!(world.info(client, "slave_repl_offset"), (7 + tail.len()).to_string());
    }
}

#[test]
fn a_snapshot_that_is_cut_off_changes_nothing() {
    let (mut world, client, link) = linked(Config::default(), &["SET a 1"], 100);
    world.leave(link);
    world.advance(1000);
    let (link, asked) = world.greet();
    assert_eq!(asked, format!("PSYNC {ID} 101"));
    let snapshot = snapshot(&["SET b 2", "SET c 3"]);
    world.send(link, format!("+FULLRESYNC {NEXT} 5\r\n${}\r\n", snapshot.len()).as_bytes());
    world.send(link, &snapshot[..snapshot.len() - 1]);
    world.advance(10);
    assert_eq!(world.ask(client, &["GET", "a"]), "$1\r\n1\r\n");
    assert_eq!(world.info(client, "async_loading"), "1");
    assert_eq!(world.info(client, "master_sync_in_progress"), "1");
    assert_eq!(world.info(client, "master_sync_total_bytes"), snapshot.len().to_string());
    assert_eq!(world.info(client, "master_sync_left_bytes"), "1");
    world.leave(link);
    world.advance(1000);
    assert_eq!(keys(&mut world, 0), "a=\"1\"");
    assert_eq!(world.greet().1, format!("PSYNC {ID} 101"), "the data is what it was");
}

#[test]
fn a_link_may_end_at_any_byte_of_a_snapshot() {
    let (mut world, client, link) = linked(Config::default(), &["SET a 1"], 100);
    world.leave(link);
    let snapshot = snapshot(&["SET b 2", "RPUSH l x y"]);
    let head = format!("+FULLRESYNC {NEXT} 5\r\n$EOF:{MARK}\r\n");
    let bytes = [head.as_bytes(), &snapshot, MARK.as_bytes()].concat();
    for cut in 0..bytes.len() {
        world.advance(1100);
        let (link, asked) = world.greet();
        assert_eq!(asked, format!("PSYNC {ID} 101"), "{cut}");
        world.send(link, &bytes[..cut]);
        world.advance(1);
        world.leave(link);
        assert_eq!(keys(&mut world, 0), "a=\"1\"", "{cut}");
    }
    assert_eq!(world.info(client, "master_link_status"), "down");
    world.advance(1100);
    let (link, _) = world.greet();
    world.send(link, &bytes);
    world.advance(1);
    assert_eq!(keys(&mut world, 0), "b=\"2\" l=list x y");
}

#[test]
fn a_damaged_snapshot_changes_nothing() {
    let (mut world, _, link) = linked(Config::default(), &["SET a 1"], 100);
    world.leave(link);
    world.advance(1000);
    let (link, _) = world.greet();
    let mut snapshot = snapshot(&["SET b 2", "SET c 3"]);
    let middle = snapshot.len() / 2;
    snapshot[middle] ^= 0xff;
    world.send(link, format!("+FULLRESYNC {NEXT} 5\r\n${}\r\n", snapshot.len()).as_bytes());
    world.send(link, &snapshot);
    world.advance(10);
    assert!(world.is_closed(link));
    assert_eq!(keys(&mut world, 0), "a=\"1\"");
    world.advance(1000);
    assert_eq!(world.greet().1, format!("PSYNC {ID} 101"));
}

#[test]
fn only_what_was_applied_is_asked_for_again() {
    let (mut world, client, link) = linked(Config::default(), &[], 100);
    let length = world.stream(link, &["SELECT 0", "SET a 1"]);
    // A transaction without its end, and a part of a request.
    let more = world.stream(link, &["MULTI", "SET b 2"]);
    world.send(link, b"*2\r\n$3\r\nDE");
    assert_eq!(keys(&mut world, 0), "a=\"1\"");
    let read = (100 + length + more + 10).to_string();
    assert_eq!(world.info(client, "slave_read_repl_offset"), read);
    assert_eq!(world.info(client, "slave_repl_offset"), (100 + length).to_string());
    world.advance(1000);
    world.leave(link);
    assert_eq!(world.info(client, "master_link_status"), "down");
    world.advance(5000);
    assert_eq!(world.info(client, "master_link_down_since_seconds"), "5");
    let (link, asked) = world.greet();
    assert_eq!(asked, format!("PSYNC {ID} {}", 101 + length));
    world.send(link, b"+CONTINUE\r\n");
    world.stream(link, &["MULTI", "SET b 2", "SELECT 3", "SET c 3", "EXEC", "SET d 4"]);
    assert_eq!(keys(&mut world, 0), "a=\"1\" b=\"2\"");
    assert_eq!(keys(&mut world, 3), "c=\"3\" d=\"4\"");
}

#[test]
fn the_database_is_still_selected_when_the_stream_goes_on() {
    let (mut world, _, link) = linked(Config::default(), &[], 100);
    world.stream(link, &["SELECT 5", "SET a 1"]);
    world.leave(link);
    world.advance(1000);
    let (link, _) = world.greet();
    world.send(link, b"+CONTINUE\r\n");
    world.stream(link, &["SET b 2"]);
    assert_eq!(keys(&mut world, 5), "a=\"1\" b=\"2\"");
}

#[test]
fn the_bytes_of_the_primary_go_on_unchanged() {
    for step in [1, 2, 41, 1000, 32_767, 1_000_000] {
        the_bytes_go_on_unchanged_in_pieces_of(step);
    }
}

#[track_caller]
fn the_bytes_go_on_unchanged_in_pieces_of(step: usize) {
    let (mut world, client, link) = linked(Config::default(), &[], 100);
    world.node.keep_stream();
    world.node.take_stream();
    let big = "x".repeat(40_000);
    let set = format!("SET big {big}");
    let requests = ["PING", "SELECT 3", "MULTI", "SPOP nothing", "EXEC", &set, "PUBLISH c x"];
    let words = requests.iter().map(|request| request.split(' ').collect::<Vec<_>>());
    let mut bytes: Vec<u8> =
        words.flat_map(|words| vesta_testkit::client::encode(&words)).collect();
    bytes.extend(b"\r\n*0\r\n\r\n*3\r\n$3\r\nSET\r\n$1\r\nb\r\n$1\r\n2\r\n\r\n");
    for piece in bytes.chunks(step) {
        world.send(link, piece);
    }
    let applied = world.info(client, "slave_repl_offset");
    assert_eq!(applied, (100 + bytes.len()).to_string(), "{:#?}", world.log);
    assert!(world.node.take_stream() == bytes);
    assert_eq!(world.ask(client, &["SELECT", "3"]), "+OK\r\n");
    assert_eq!(world.ask(client, &["STRLEN", "big"]), ":40000\r\n");
    assert_eq!(world.ask(client, &["GET", "b"]), "$1\r\n2\r\n");
}

#[test]
fn a_question_from_a_time_as_primary_is_not_asked_in_the_stream_of_another() {
    let mut world = World::new(Config::default());
    world.dials.answers = true;
    let client = world.connect().unwrap();
    let waiting = world.connect().unwrap();
    world.ask(waiting, &["SET", "k", "v"]);
    assert_eq!(world.ask(waiting, &["WAIT", "1", "0"]), "");
    assert_eq!(world.ask(client, &["REPLICAOF", "10.0.0.1", "7000"]), "+OK\r\n");
    let (link, _) = world.greet();
    let chained = introduced(&mut world);
    let snapshot = snapshot(&["SET a 1"]);
    let (last, most) = snapshot.split_last().unwrap();
    world.send(link, format!("+FULLRESYNC {ID} 100\r\n${}\r\n", snapshot.len()).as_bytes());
    world.send(link, most);
    let psync = vesta_testkit::client::encode(&["PSYNC", "?", "-1"]);
    world.send_at_once(&[(link, vec![*last]), (chained, psync)]);
    assert_eq!(world.info(client, "master_repl_offset"), "100");
}

#[test]
fn lines_are_no_stream() {
    let (mut world, client, link) = linked(Config::default(), &[], 100);
    world.send(link, b"SET a 1\r\n");
    assert!(world.is_closed(link));
    assert_eq!(world.info(client, "slave_repl_offset"), "100");
}

#[test]
fn a_question_is_answered_at_once_and_silence_ends_the_link() {
    let (mut world, _, link) = linked(Config::default(), &[], 100);
    let length = world.stream(link, &["REPLCONF GETACK *"]);
    assert_eq!(world.heard(link), [format!("REPLCONF ACK {}", 100 + length)]);
    world.advance(3500);
    assert_eq!(world.heard(link).len(), 3, "and every second");
    world.advance(56_400);
    assert!(!world.is_closed(link));
    world.advance(200);
    assert!(world.is_closed(link));
    has_logged(&world, "MASTER timeout: no data nor PING received...");
    assert!(world.dials.open.is_some());
}

#[test]
fn nothing_expires_by_itself_and_what_has_expired_is_not_seen() {
    let (mut world, client, link) = linked(Config::default(), &[], 100);
    let at = world.now.unix.ms() + 500;
    world.stream(link, &["SELECT 0", "RPUSH k a", &format!("PEXPIREAT k {at}"), "SET l 1 PXAT 1"]);
    world.advance(1000);
    assert_eq!(world.ask(client, &["DBSIZE"]), ":2\r\n");
    for words in [["EXISTS", "k"], ["LLEN", "k"], ["EXISTS", "l"]] {
        assert_eq!(world.ask(client, &words), ":0\r\n");
    }
    assert_eq!(world.ask(client, &["TYPE", "k"]), "+none\r\n");
    assert_eq!(world.ask(client, &["KEYS", "*"]), "*0\r\n");
    assert_eq!(world.ask(client, &["DBSIZE"]), ":2\r\n");
    // The primary's clock decides: for it, the key is there.
    world.stream(link, &["RPUSH k b", "PERSIST k", "DEL l"]);
    assert_eq!(keys(&mut world, 0), "k=list a b");
}

#[test]
fn a_promoted_replica_expires_and_goes_on_under_a_new_name() {
    let (mut world, client, link) = linked(Config::default(), &["SET a 1"], 100);
    let length = world.stream(link, &["SELECT 0", "SET k 1 PXAT 1"]);
    world.stream(link, &["MULTI", "SET lost 1"]);
    assert_eq!(world.ask(client, &["REPLICAOF", "NO", "ONE"]), "+OK\r\n");
    assert!(world.is_closed(link) && !world.is_replica);
    world.advance(200);
    assert_eq!(keys(&mut world, 0), "a=\"1\"");
    assert_eq!(world.info(client, "role"), "master");
    assert_eq!(world.info(client, "master_replid2"), ID);
    assert_ne!(world.info(client, "master_replid"), ID);
    let second = (101 + length).to_string();
    assert_eq!(world.info(client, "second_repl_offset"), second);
    assert_eq!(world.ask(client, &["SET", "b", "2"]), "+OK\r\n");
    // And back again, from where it is.
    let id = world.info(client, "master_replid");
    let offset: u64 = world.info(client, "master_repl_offset").parse().unwrap();
    world.ask(client, &["REPLICAOF", "10.0.0.2", "7000"]);
    assert_eq!(world.greet().1, format!("PSYNC {id} {}", offset + 1));
}

#[test]
fn a_primary_under_a_new_name_is_followed_under_it() {
    let (mut world, client, link) = linked(Config::default(), &["SET a 1"], 100);
    world.leave(link);
    world.advance(1000);
    let (link, _) = world.greet();
    world.send(link, format!("+CONTINUE {NEXT}\r\n").as_bytes());
    assert_eq!(world.info(client, "master_replid"), NEXT);
    assert_eq!(world.info(client, "master_replid2"), ID);
    assert_eq!(world.info(client, "second_repl_offset"), "101");
    world.leave(link);
    world.advance(1000);
    assert_eq!(world.greet().1, format!("PSYNC {NEXT} 101"));
}

#[test]
fn an_empty_primary_does_not_empty_its_replica() {
    let (mut world, client, link) = linked(Config::default(), &["SET a 1"], 100);
    world.leave(link);
    world.advance(1000);
    let (link, _) = world.greet();
    let nothing = snapshot(&[]);
    let refused = |id: &str| format!("+FULLRESYNC {id} 5\r\n${}\r\n", nothing.len());
    world.send(link, refused(NEXT).as_bytes());
    world.send(link, &nothing);
    world.advance(10);
    assert!(world.is_closed(link));
    assert_eq!(keys(&mut world, 0), "a=\"1\"");
    world.advance(1000);
    let (link, asked) = world.greet();
    assert_eq!(asked, format!("PSYNC {ID} 101"));
    world.ask(client, &["CONFIG", "SET", "replica-refuse-empty-primary", "no"]);
    world.send(link, refused(NEXT).as_bytes());
    world.send(link, &nothing);
    world.advance(10);
    assert_eq!(keys(&mut world, 0), "");
    assert_eq!(world.info(client, "master_replid"), NEXT);
}

#[test]
fn a_history_that_has_become_empty_is_followed() {
    let (mut world, _, link) = linked(Config::default(), &["SET a 1"], 100);
    world.leave(link);
    world.advance(1000);
    let (link, _) = world.greet();
    copy(&mut world, link, &[], 5000);
    assert_eq!(keys(&mut world, 0), "");
}

#[test]
fn nothing_of_our_history_from_before_is_refused() {
    let (mut world, _, link) = linked(Config::default(), &["SET a 1"], 100);
    world.leave(link);
    world.advance(1000);
    let (link, _) = world.greet();
    let snapshot = snapshot(&[]);
    world.send(link, format!("+FULLRESYNC {ID} 50\r\n${}\r\n", snapshot.len()).as_bytes());
    world.send(link, &snapshot);
    world.advance(50);
    assert!(world.is_closed(link));
    assert_eq!(keys(&mut world, 0), "a=\"1\"");
}

#[test]
fn a_server_may_begin_as_a_replica() {
    let replicaof = Some(ReplicaOf { host: "10.0.0.1".into(), port: 7000 });
    let mut world = World::new(Config { replicaof, ..Config::default() });
    world.dials.answers = true;
    world.node.load_at_start(world.now);
    world.advance(1500);
    assert!(world.is_replica);
    let (link, _) = world.greet();
    copy(&mut world, link, &["SET a 1"], 100);
    assert_eq!(keys(&mut world, 0), "a=\"1\"");
}

#[test]
fn what_a_primary_does_is_told_to_those_who_listen_and_wait() {
    let config = Config {
        notify_keyspace_events: vesta_config::Config::default().notify_keyspace_events,
        ..Config::default()
    };
    let (mut world, client, link) = linked(config, &[], 100);
    world.ask(client, &["CONFIG", "SET", "notify-keyspace-events", "KA"]);
    let (listener, waiter) = (world.connect().unwrap(), world.connect().unwrap());
    world.ask(listener, &["SUBSCRIBE", "c", "__keyspace@0__:k"]);
    assert_eq!(world.ask(waiter, &["XREAD", "BLOCK", "0", "STREAMS", "s", "$"]), "");
    world.stream(
        link,
        &["SELECT 0", "PUBLISH c hello", "SET k 1", "MULTI", "XADD s 1-1 f v", "EXEC"],
    );
    let said = String::from_utf8_lossy(&world.take_received(listener)).into_owned();
    assert!(said.contains("hello") && said.contains("__keyspace@0__:k\r\n$3\r\nset"), "{said}");
    assert!(String::from_utf8_lossy(&world.take_received(waiter)).contains("1-1"));
}

#[test]
fn clients_that_wait_for_what_a_replica_cannot_give_are_sent_away() {
    let mut world = World::new(Config::default());
    world.dials.answers = true;
    let (client, waiter) = (world.connect().unwrap(), world.connect().unwrap());
    assert_eq!(world.ask(waiter, &["BLPOP", "l", "0"]), "");
    world.ask(client, &["REPLICAOF", "10.0.0.1", "7000"]);
    let said = String::from_utf8_lossy(&world.take_received(waiter)).into_owned();
    assert!(said.starts_with("-UNBLOCKED force unblock"), "{said}");
    assert!(world.is_closed(waiter));
}

#[test]
fn a_failing_command_of_the_stream_is_counted_and_told() {
    let (mut world, client, link) = linked(Config::default(), &["SET a 1"], 100);
    let length = world.stream(link, &["SELECT 0", "LPUSH a 1", "NOSUCH x", "GET", "SET b 2"]);
    assert_eq!(keys(&mut world, 0), "a=\"1\" b=\"2\"");
    assert_eq!(world.info(client, "slave_repl_offset"), (100 + length).to_string());
    has_logged(
        &world,
        "== CRITICAL == This replica is sending an error to its master: 'unknown command' after \
         processing the command 'NOSUCH'",
    );
}

#[test]
fn a_database_that_is_not_there_stops_the_stream() {
    let (mut world, _, link) = linked(Config::default(), &["SET a 1"], 100);
    world.stream(link, &["SELECT 77", "FLUSHDB"]);
    assert!(world.is_closed(link));
    assert_eq!(keys(&mut world, 0), "a=\"1\"");
}

#[test]
fn half_a_transaction_is_no_point_to_go_on_from() {
    let (mut world, _, link) = linked(Config::default(), &["SET a 1"], 100);
    world.stream(link, &["MULTI", "INCR a", "SELECT 77", "EXEC"]);
    assert!(world.is_closed(link));
    world.advance(1000);
    assert!(!world.greet().1.contains(ID), "INCR would be done twice");
}

#[test]
fn a_snapshot_goes_to_a_file_first_where_that_is_wished() {
    let config = Config { repl_diskless_load: ReplDisklessLoad::Disabled, ..Config::default() };
    let (mut world, client, link) = linked(config, &["SET a 1"], 100);
    world.leave(link);
    world.advance(1000);
    let (link, _) = world.greet();
    let snapshot = snapshot(&["SET b 2", "SET c 3"]);
    world.send(link, format!("+FULLRESYNC {NEXT} 5\r\n${}\r\n", snapshot.len()).as_bytes());
    world.send(link, &snapshot[..snapshot.len() - 1]);
    assert_eq!(world.info(client, "async_loading"), "0");
    assert!(world.disk.open.is_some(), "the file is open");
    world.send(link, &snapshot[snapshot.len() - 1..]);
    world.advance(500);
    assert_eq!(keys(&mut world, 0), "b=\"2\" c=\"3\"");
    assert_eq!(world.heard(link).first().map(String::as_str), Some("REPLCONF ACK 5"));
    assert!(world.disk.files.get("dump.rdb").is_some_and(|file| *file == snapshot));
}

#[test]
fn the_file_that_was_read_goes_where_nothing_else_is_kept() {
    for wanted in [false, true] {
        let config = Config { rdb_del_sync_files: wanted, save: Vec::new(), ..disabled() };
        let (mut world, _, link, snapshot) = at_a_file(config);
        world.send(link, &snapshot);
        world.advance(500);
        assert_eq!(keys(&mut world, 7), "c=\"3\"");
        assert_eq!(world.disk.files.contains_key("dump.rdb"), !wanted);
    }
}

#[test]
fn nothing_is_saved_over_the_snapshot_that_is_about_to_be_read() {
    for shutdown in [false, true] {
        let save = vec![vesta_config::SavePoint { seconds: 1, changes: 1 }];
        let (mut world, client, link, snapshot) = at_a_file(Config { save, ..disabled() });
        world.disk.stuck = true;
        world.send(link, &snapshot);
        world.advance(3000);
        world.disk.stuck = false;
        world.finish_file();
        if shutdown {
            world.ask(client, &["SHUTDOWN", "SAVE"]);
        }
        world.advance(5000);
        if shutdown {
            let kept = snapshot.len() - MARK.len();
            assert!(world.disk.files["dump.rdb"] == snapshot[..kept], "{:#?}", world.log);
        } else {
            assert_eq!(keys(&mut world, 7), "c=\"3\"");
        }
    }
}

#[test]
fn a_replica_takes_no_writes_and_shows_no_old_data_if_it_is_not_to() {
    let (mut world, client, link) = linked(Config::default(), &["SET a 1"], 100);
    let readonly = "-READONLY You can't write against a read only replica.\r\n";
    assert_eq!(world.ask(client, &["SET", "a", "2"]), readonly);
    assert_eq!(world.ask(client, &["GET", "a"]), "$1\r\n1\r\n");
    world.ask(client, &["CONFIG", "SET", "replica-serve-stale-data", "no"]);
    assert_eq!(world.ask(client, &["GET", "a"]), "$1\r\n1\r\n", "it is not old");
    world.leave(link);
    let down =
        "-MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.\r\n";
    assert_eq!(world.ask(client, &["GET", "a"]), down);
    assert_eq!(world.ask(client, &["PING"]), down);
    assert_eq!(world.ask(client, &["SET", "a", "2"]), readonly);
    assert!(world.ask(client, &["INFO", "replication"]).contains("role:slave"));
    world.advance(1000);
    let (link, _) = world.greet();
    assert_eq!(world.ask(client, &["GET", "a"]), down);
    world.send(link, b"+CONTINUE\r\n");
    assert_eq!(world.ask(client, &["GET", "a"]), "$1\r\n1\r\n");
}

/// A node with data, at a snapshot of other data that goes through a file; the bytes of the
/// snapshot, of which none was sent.
fn at_a_file(config: Config) -> (World, ConnId, ConnId, Vec<u8>) {
    let (mut world, client, link) = linked(config, &["SET a 1"], 100);
    world.leave(link);
    world.advance(1000);
    let (link, _) = world.greet();
    let snapshot = snapshot(&["SET b 2", "SELECT 7", "SET c 3"]);
    world.send(link, format!("+FULLRESYNC {NEXT} 5\r\n$EOF:{MARK}\r\n").as_bytes());
    (world, client, link, [&snapshot[..], MARK.as_bytes()].concat())
}

fn disabled() -> Config {
    Config { repl_diskless_load: ReplDisklessLoad::Disabled, ..Config::default() }
}

#[test]
fn a_file_that_cannot_be_written_changes_nothing() {
    let (mut world, client, link) = linked(disabled(), &["SET a 1"], 100);
    world.leave(link);
    world.advance(1000);
    let (link, _) = world.greet();
    let (step, why) = (vesta_node::SaveStep::Create, "Permission denied".to_owned());
    world.disk.fault = Some(vesta_node::SaveFault { step, why });
    world.send(link, format!("+FULLRESYNC {NEXT} 5\r\n$10\r\n").as_bytes());
    world.advance(100);
    assert!(world.is_closed(link));
    assert_eq!(keys(&mut world, 0), "a=\"1\"");
    world.disk.fault = None;
    world.advance(1000);
    let (link, asked) = world.greet();
    assert_eq!(asked, format!("PSYNC {ID} 101"));
    world.send(link, b"+CONTINUE\r\n");
    assert_eq!(world.ask(client, &["BGSAVE"]), "+Background saving started\r\n");
}

#[test]
fn a_damaged_snapshot_on_its_way_to_a_file_changes_nothing() {
    let (mut world, _, link, mut snapshot) = at_a_file(disabled());
    let middle = snapshot.len() / 2;
    snapshot[middle] ^= 0xff;
    world.send(link, &snapshot);
    world.advance(100);
    assert!(world.is_closed(link) && world.disk.open.is_none());
    assert_eq!(keys(&mut world, 0), "a=\"1\"");
    assert!(!world.disk.files.contains_key("dump.rdb"));
}

#[test]
fn a_link_that_ends_while_the_file_is_read_does_no_harm() {
    let (mut world, _, link, snapshot) = at_a_file(disabled());
    world.disk.stuck = true;
    world.send(link, &snapshot);
    world.advance(50);
    assert_eq!(keys(&mut world, 0), "a=\"1\"", "the file is not safe yet");
    world.disk.stuck = false;
    world.finish_file();
    world.leave(link);
    world.advance(3000);
    assert_eq!(
        (keys(&mut world, 0).as_str(), keys(&mut world, 7).as_str()),
        ("b=\"2\"", "c=\"3\"")
    );
    assert_eq!(world.greet().1, format!("PSYNC {NEXT} 6"));
}

#[test]
fn a_snapshot_waits_until_the_file_of_another_is_written() {
    let (mut world, client, link, snapshot) = at_a_file(disabled());
    world.disk.stuck = true;
    world.ask(client, &["BGSAVE"]);
    world.send(link, &snapshot);
    world.advance(500);
    assert_eq!(keys(&mut world, 0), "a=\"1\"");
    world.disk.stuck = false;
    world.finish_file();
    world.advance(500);
    assert_eq!(keys(&mut world, 7), "c=\"3\"");
    assert_eq!(world.info(client, "master_link_status"), "up");
}

#[test]
fn what_does_not_fit_beside_the_old_data_goes_to_a_file() {
    let config = Config { maxmemory_bytes: 1, ..Config::default() };
    let (mut world, client, link, snapshot) = at_a_file(config);
    for piece in snapshot.chunks(11) {
        world.send(link, piece);
    }
    world.advance(500);
    assert_eq!(keys(&mut world, 7), "c=\"3\"");
    assert!(world.disk.files.contains_key("dump.rdb"));
    assert_eq!(world.info(client, "master_replid"), NEXT);
    assert_eq!(world.info(client, "slave_repl_offset"), "5");
}

#[test]
fn fields_that_have_expired_are_not_seen_and_stay() {
    let (mut world, client, link) = linked(Config::default(), &[], 100);
    let at = world.now.unix.ms() + 500;
    let expire = format!("HPEXPIREAT h {at} FIELDS 1 f");
    world.stream(link, &["SELECT 0", "HSET h f v g w", &expire]);
    world.advance(1000);
    assert_eq!(world.ask(client, &["HGET", "h", "f"]), "$-1\r\n");
    assert_eq!(world.ask(client, &["HGETALL", "h"]), "*2\r\n$1\r\ng\r\n$1\r\nw\r\n");
    assert_eq!(world.ask(client, &["HEXISTS", "h", "f"]), ":0\r\n");
    world.advance(1000);
    // The primary's clock decides: for it, the field is there.
    world.stream(link, &["HPERSIST h FIELDS 1 f"]);
    assert_eq!(world.ask(client, &["HGET", "h", "f"]), "$1\r\nv\r\n");
}

#[test]
fn a_history_without_a_name_is_not_asked_for_again() {
    let (mut world, client) = follower(Config::default());
    let (link, _) = world.greet();
    world.send(link, b"-ERR unknown command 'PSYNC'\r\n");
    assert_eq!(world.take_received(link), b"SYNC\r\n");
    let snapshot = snapshot(&["SET a 1"]);
    world.send(link, format!("${}\r\n", snapshot.len()).as_bytes());
    world.send(link, &snapshot);
    world.advance(10);
    assert_eq!(world.heard(link), ["REPLCONF ACK 0"]);
    let length = world.stream(link, &["SELECT 0", "SET b 2"]);
    assert_eq!(keys(&mut world, 0), "a=\"1\" b=\"2\"");
    let id = world.info(client, "master_replid");
    world.leave(link);
    world.advance(1000);
    assert_eq!(world.greet().1, format!("PSYNC {id} {}", 1 + length));
}

#[test]
fn a_link_that_is_wanted_no_more_is_closed_when_it_comes() {
    let (mut world, client) = follower(Config::default());
    let open = world.dials.open.clone();
    assert_eq!(world.ask(client, &["REPLICAOF", "NO", "ONE"]), "+OK\r\n");
    assert_eq!(world.dials.open, None, "it is given up");
    world.dials.open = open;
    let link = world.answer_dial();
    assert!(world.is_closed(link));
    assert_eq!(world.heard(link), [""; 0]);
}

#[test]
fn another_primary_is_asked_for_what_is_lacking() {
    let (mut world, client, link) = linked(Config::default(), &["SET a 1"], 100);
    assert_eq!(world.ask(client, &["REPLICAOF", "10.0.0.2", "7001"]), "+OK\r\n");
    assert!(world.is_closed(link));
    assert_eq!(world.dials.open, Some((2, "10.0.0.2".into(), 7001)));
    assert_eq!(world.greet().1, format!("PSYNC {ID} 101"));
    assert_eq!(world.info(client, "master_port"), "7001");
}

#[test]
fn the_age_of_the_data_is_told() {
    let (mut world, client, link) = linked(Config::default(), &["SET a 1"], 100);
    world.stream(link, &["SELECT 0", "SET b 2"]);
    assert_eq!(
        (world.info(client, "lag_ms"), world.info(client, "lag_bytes")),
        ("0".into(), "0".into())
    );
    world.send(link, b"*2\r\n");
    world.advance(250);
    assert_eq!(
        (world.info(client, "lag_ms"), world.info(client, "lag_bytes")),
        ("250".into(), "4".into())
    );
    world.leave(link);
    world.advance(1000);
    assert_eq!(world.info(client, "lag_ms"), "1250");
}

#[test]
fn a_rewrite_of_the_log_keeps_the_place_in_the_history() {
    for preamble in [true, false] {
        let config = Config {
            appendonly: true,
            aof_use_rdb_preamble: preamble,
            replica_read_only: false,
            ..Config::default()
        };
        let mut world = World::new(config.clone());
        world.dials.answers = true;
        world.node.load_at_start(world.now);
        world.advance(300);
        let client = world.connect().unwrap();
        world.ask(client, &["REPLICAOF", "10.0.0.1", "7000"]);
        let (link, _) = world.greet();
        copy(&mut world, link, &["SET a 1"], 100);
        world.advance(1000);
        let mut length = world.stream(link, &["SET z 1", "SELECT 5", "SET b 2", "SELECT 3"]);
        length += world.stream(link, &["PUBLISH c x"]);
        let started = "+Background append only file rewriting started\r\n";
        assert_eq!(world.ask(client, &["BGREWRITEAOF"]), started);
        world.advance(1000);
        // Right behind a base nothing has been said yet about where it is.
        let mut early = restarted(config.clone(), files(&world));
        let (again, asked) = early.greet();
        assert_eq!(asked, format!("PSYNC {ID} {}", 101 + length), "{preamble}");
        early.send(again, b"+CONTINUE\r\n");
        early.stream(again, &["SET c 3"]);
        assert_eq!(keys(&mut early, 3), "c=\"3\"", "{preamble}");
        length += world.stream(link, &["SET c 3", "PING"]);
        world.advance(1000);
        let mut late = restarted(config, files(&world));
        let (link, asked) = late.greet();
        assert_eq!(asked, format!("PSYNC {ID} {}", 101 + length), "{preamble}");
        late.send(link, b"+CONTINUE\r\n");
        late.stream(link, &["SET d 4"]);
        assert_eq!(keys(&mut late, 3), "c=\"3\" d=\"4\"");
        assert_eq!(keys(&mut late, 0), "a=\"1\" z=\"1\"");
    }
}
