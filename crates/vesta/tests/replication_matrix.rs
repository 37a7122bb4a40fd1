//! Every pair of us and redis-server, as primary and replica, with the links and processes between
//! them failing: the data stays the same, and is copied as a whole only where that must be.

use std::fs;
use std::time::Duration;

use vesta_testkit::client::encode;
use vesta_testkit::local::{eventually, fill};
use vesta_testkit::process::TempDir;
use vesta_testkit::proxy::{Proxy, Way};
use vesta_testkit::replication::{Kind, Load, Peer, each, in_step};
use vesta_testkit::value::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_vesta");

/// Enough for all that is written while a link is down.
const BACKLOG: [&str; 2] = ["--repl-backlog-size", "64mb"];

/// The newest file format that both kinds read.
const RDB_VERSION: u16 = 10;

fn start(kind: &Kind, args: &[&str]) -> Peer {
    kind.start(&[&BACKLOG, args].concat())
}

/// A replica of `primary` from its start on.
fn start_replica(kind: &Kind, primary: &Peer, args: &[&str]) -> Peer {
    let address = primary.address();
    let (host, port) = (address.ip().to_string(), address.port().to_string());
    start(kind, &[&["--replicaof", &host, &port], args].concat())
}

/// A primary with data of all types in several databases.
fn start_filled(kind: &Kind, args: &[&str]) -> Peer {
    let mut primary = start(kind, args);
    fill(primary.client(), RDB_VERSION);
    primary
}

#[test]
fn all_data_gets_across_and_stays_the_same_while_links_are_cut() {
    let ways = [("yes", "swapdb"), ("no", "disabled"), ("yes", "disabled"), ("no", "swapdb")];
    each(Kind::pairs(PROGRAM), |(ours, theirs)| {
        for (diskless, load) in ways {
            let mut primary = start_filled(&ours, &["--repl-diskless-sync", diskless]);
            let mut replica = start(&theirs, &["--repl-diskless-load", load]);
            replica.ok(&["SET", "of", "the replica"]);
            let proxy = Proxy::to(primary.address()).unwrap();
            let writer = Load::on(&primary, 1);
            replica.follow(proxy.address());
            replica.until_linked();
            for cuts in 1..=2 {
                proxy.cut();
                let what = "partial synchronisation";
                primary.until(what, |primary| primary.syncs() == (1, cuts));
            }
            assert!(writer.end() > 0);
            in_step(&mut primary, &mut [&mut replica]);
            assert_eq!(primary.syncs(), (1, 2), "{ours:?} {theirs:?}");
            assert_eq!(replica.ask(&["EXISTS", "of"]), Value::Int(0));
            replica.is_well();
        }
    });
}

#[test]
fn a_silent_link_is_given_up_by_both_sides() {
    each(Kind::pairs(PROGRAM), |(ours, theirs)| {
        let timeout = ["--repl-timeout", "2", "--repl-ping-replica-period", "1"];
        let mut primary = start(&ours, &timeout);
        let mut replica = start(&theirs, &timeout);
        let proxy = Proxy::to(primary.address()).unwrap();
        replica.follow(proxy.address());
        replica.until_linked();
        for way in [Way::Back, Way::There] {
            proxy.stall(way, true);
            match way {
                Way::Back => replica.until_unlinked(),
                Way::There => primary.until_field("connected_slaves", "0"),
            }
            primary.ok(&["SET", "while", "silent"]);
            proxy.stall(way, false);
            // What was held back on the way is of a connection that is no more.
            proxy.cut();
            in_step(&mut primary, &mut [&mut replica]);
        }
        assert_eq!(primary.syncs(), (1, 2), "{ours:?} {theirs:?}");
    });
}

#[test]
fn a_replica_that_restarts_goes_on_where_it_was() {
    each(Kind::pairs(PROGRAM), |(ours, theirs)| {
        for args in [["--save", "3600 1"], ["--appendonly", "yes"]] {
            let mut primary = start_filled(&ours, &[]);
            let mut replica = start_replica(&theirs, &primary, &args);
            in_step(&mut primary, &mut [&mut replica]);
            // The stream is in another database than the first, and does not say so again.
            primary.ok(&["SELECT", "3"]);
            primary.ok(&["SET", "before", "the restart"]);
            in_step(&mut primary, &mut [&mut replica]);
            replica.until_log_is_whole();
            replica.restart();
            primary.ok(&["SET", "behind", "the restart"]);
            in_step(&mut primary, &mut [&mut replica]);
            // Redis does not keep its place in the log.
            let is_known = theirs != Kind::Redis || args[0] == "--save";
            let expected = if is_known { (1, 1) } else { (2, 0) };
            assert_eq!(primary.syncs(), expected, "{ours:?} {theirs:?} {args:?}");
            replica.ok(&["SELECT", "3"]);
            assert_eq!(replica.text(&["GET", "behind"]), "the restart");
        }
    });
}

#[test]
fn a_replica_that_has_forgotten_whom_it_followed_goes_on_when_it_is_told() {
    each(Kind::all(PROGRAM), |ours| {
        for args in [["--save", "3600 1"], ["--appendonly", "yes"]] {
            let mut primary = start_filled(&ours, &[]);
            let mut replica = start(&Kind::Vesta(PROGRAM.into()), &args);
            replica.follow(primary.address());
            primary.ok(&["SELECT", "3"]);
            primary.ok(&["SET", "before", "the restart"]);
            in_step(&mut primary, &mut [&mut replica]);
            replica.until_log_is_whole();
            replica.restart();
            assert_eq!(replica.field("role").as_deref(), Some("master"));
            primary.ok(&["SET", "behind", "the restart"]);
            replica.follow(primary.address());
            in_step(&mut primary, &mut [&mut replica]);
            assert_eq!(primary.syncs(), (1, 1), "{ours:?} {args:?}");
            // With data of its own it is not taken for what it was.
            replica.until_log_is_whole();
            replica.restart();
            replica.ok(&["SET", "of", "its own"]);
            replica.follow(primary.address());
            in_step(&mut primary, &mut [&mut replica]);
            assert_eq!(primary.syncs(), (2, 1), "{ours:?} {args:?}");
        }
    });
}

#[test]
fn a_replica_with_a_log_that_dies_goes_on_where_it_was() {
    for ours in Kind::all(PROGRAM) {
        let mut primary = start_filled(&ours, &[]);
        let vesta = Kind::Vesta(PROGRAM.into());
        let mut replica = start_replica(&vesta, &primary, &["--appendonly", "yes"]);
        in_step(&mut primary, &mut [&mut replica]);
        for round in 1..=2 {
            let writer = Load::on(&primary, round);
            primary.until("something written", |primary| {
                primary.number("master_repl_offset") > replica.number("master_repl_offset") + 5000
                    || primary.number("total_commands_processed") > 2000 * round
            });
            replica.until_log_is_whole();
            replica.crash();
            assert!(writer.end() > 0);
            in_step(&mut primary, &mut [&mut replica]);
            assert_eq!(primary.syncs(), (1, round), "{ours:?}");
        }
    }
}

#[test]
fn replicas_go_on_with_a_primary_that_has_restarted() {
    each(Kind::pairs(PROGRAM), |(ours, theirs)| {
        for args in [["--save", "3600 1"], ["--appendonly", "yes"]] {
            let keeps_place = ours != Kind::Redis || args[0] == "--save";
            let mut primary = start_filled(&ours, &args);
            let mut replica = start(&theirs, &[]);
            replica.follow(primary.address());
            in_step(&mut primary, &mut [&mut replica]);
            let id = primary.field("master_replid");
            primary.restart();
            primary.ok(&["SET", "behind", "the restart"]);
            in_step(&mut primary, &mut [&mut replica]);
            let expected = if keeps_place { (0, 1) } else { (1, 0) };
            assert_eq!(primary.syncs(), expected, "{ours:?} {theirs:?} {args:?}");
            if keeps_place {
                assert_eq!(primary.field("master_replid2"), id, "{ours:?} {theirs:?} {args:?}");
            }
        }
    });
}

#[test]
fn replicas_go_on_with_a_primary_that_has_died_and_had_a_log() {
    for theirs in Kind::all(PROGRAM) {
        let vesta = Kind::Vesta(PROGRAM.into());
        let mut primary = start_filled(&vesta, &["--appendonly", "yes"]);
        let mut replica = start(&theirs, &[]);
        replica.follow(primary.address());
        in_step(&mut primary, &mut [&mut replica]);
        primary.crash();
        primary.ok(&["SET", "behind", "the crash"]);
        in_step(&mut primary, &mut [&mut replica]);
        assert_eq!(primary.syncs(), (0, 1), "{theirs:?}");
    }
}

#[test]
fn a_primary_with_a_log_that_dies_under_load_is_not_behind_its_replicas() {
    let policies = ["always", "everysec", "no"];
    let all = Kind::all(PROGRAM).into_iter();
    let all = all.flat_map(|theirs| policies.map(|policy| (theirs.clone(), policy))).collect();
    each(all, |(theirs, policy)| {
        let vesta = Kind::Vesta(PROGRAM.into());
        let args = ["--appendonly", "yes", "--appendfsync", policy];
        let mut primary = start_filled(&vesta, &args);
        let mut replica = start(&theirs, &[]);
        replica.follow(primary.address());
        in_step(&mut primary, &mut [&mut replica]);
        for round in 1..=3 {
            let writer = Load::on(&primary, 100 * round);
            let begun = primary.number("total_commands_processed");
            primary.until("some writes", |primary| {
                primary.number("total_commands_processed") > begun + 300
            });
            primary.crash();
            assert!(writer.end_with_server() > 0);
            in_step(&mut primary, &mut [&mut replica]);
            assert_eq!(primary.syncs(), (0, 1), "{theirs:?} {policy}");
        }
    });
}

#[test]
fn siblings_go_on_with_the_one_that_was_promoted() {
    each(Kind::pairs(PROGRAM), |(ours, theirs)| {
        let mut primary = start_filled(&ours, &["--appendonly", "yes"]);
        let mut first = start(&ours, &[]);
        let mut second = start(&theirs, &[]);
        for replica in [&mut first, &mut second] {
            replica.follow(primary.address());
            replica.until_linked();
        }
        primary.ok(&["SET", "before", "the fall"]);
        in_step(&mut primary, &mut [&mut first, &mut second]);
        let id = primary.field("master_replid");
        primary.server.kill().unwrap();
        first.ok(&["REPLICAOF", "NO", "ONE"]);
        second.follow(first.address());
        second.until_linked();
        first.ok(&["SET", "behind", "the fall"]);
        in_step(&mut first, &mut [&mut second]);
        assert_eq!(first.syncs(), (0, 1), "{ours:?} {theirs:?}");
        assert_eq!(first.field("master_replid2"), id);
        assert_eq!(second.field("master_replid2"), id);
        // The old one comes back as a replica. It had nothing that the others have not.
        primary.crash();
        primary.follow(first.address());
        in_step(&mut first, &mut [&mut second, &mut primary]);
        let full = u64::from(ours == Kind::Redis);
        assert_eq!(first.syncs(), (full, 2 - full), "{ours:?} {theirs:?}");
    });
}

#[test]
fn a_chain_of_both_kinds_can_be_hung_elsewhere() {
    each(Kind::pairs(PROGRAM), |(ours, theirs)| {
        let mut primary = start_filled(&ours, &[]);
        let mut middle = start(&theirs, &[]);
        let mut last = start(&ours, &[]);
        middle.follow(primary.address());
        middle.until_linked();
        last.follow(middle.address());
        let writer = Load::on(&primary, 7);
        last.until_linked();
        assert!(writer.end() > 0);
        in_step(&mut primary, &mut [&mut middle, &mut last]);
        // Under the first, and back again.
        let writer = Load::on(&primary, 1007);
        last.follow(primary.address());
        primary.until_field("connected_slaves", "2");
        last.until_linked();
        last.follow(middle.address());
        middle.until_field("connected_slaves", "1");
        last.until_linked();
        assert!(writer.end() > 0);
        in_step(&mut primary, &mut [&mut middle, &mut last]);
        assert_eq!(primary.syncs(), (1, 1), "{ours:?} {theirs:?}");
        assert_eq!(middle.syncs(), (1, 1), "{ours:?} {theirs:?}");
        // In the middle it is cut off: nobody needs a copy for that.
        middle.ok(&["REPLICAOF", "NO", "ONE"]);
        middle.ok(&["SET", "of", "the middle"]);
        in_step(&mut middle, &mut [&mut last]);
        assert_eq!(middle.syncs(), (1, 2), "{ours:?} {theirs:?}");
    });
}

#[test]
fn a_client_can_wait_until_replicas_have_its_writes() {
    each(Kind::pairs(PROGRAM), |(ours, theirs)| {
        let mut primary = start(&ours, &[]);
        let mut replica = start(&theirs, &[]);
        assert_eq!(primary.ask(&["WAIT", "0", "0"]), Value::Int(0));
        let proxy = Proxy::to(primary.address()).unwrap();
        replica.follow(proxy.address());
        replica.until_linked();
        for number in 0..20 {
            primary.ok(&["SET", "n", &number.to_string()]);
            assert_eq!(primary.ask(&["WAIT", "1", "20000"]), Value::Int(1));
            assert_eq!(replica.text(&["GET", "n"]), number.to_string());
        }
        proxy.stall(Way::Back, true);
        primary.ok(&["SET", "n", "held up"]);
        assert_eq!(primary.ask(&["WAIT", "1", "50"]), Value::Int(0), "{ours:?} {theirs:?}");
        proxy.stall(Way::Back, false);
        assert_eq!(primary.ask(&["WAIT", "2", "1"]).int().map(|count| count < 2), Some(true));
        assert_eq!(primary.ask(&["WAIT", "1", "20000"]), Value::Int(1));
        let error = "ERR WAIT cannot be used with replica instances. Please also note that since \
                     Redis 4.0 if a replica is configured to be writable (which is not the \
                     default) writes to replicas are just local and are not propagated.";
        assert_eq!(replica.text(&["WAIT", "1", "1"]), error);
    });
}

#[test]
fn keys_expire_on_a_replica_when_its_primary_says_so() {
    each(Kind::pairs(PROGRAM), |(ours, theirs)| {
        let mut primary = start(&ours, &[]);
        let mut replica = start(&theirs, &[]);
        replica.follow(primary.address());
        replica.until_linked();
        primary.ok(&["DEBUG", "SET-ACTIVE-EXPIRE", "0"]);
        primary.ok(&["SET", "brief", "v", "PX", "1"]);
        primary.ok(&["SET", "long", "v", "EX", "1000"]);
        primary.ok(&["SET", "mark", "v"]);
        replica.until("the writes", |replica| replica.ask(&["EXISTS", "mark"]) == Value::Int(1));
        replica.until("its time", |replica| replica.ask(&["GET", "brief"]) == Value::NilBulk);
        // Nobody is shown it, and it is there.
        assert_eq!(replica.ask(&["EXISTS", "brief"]), Value::Int(0));
        assert_eq!(replica.ask(&["DBSIZE"]), Value::Int(3), "{ours:?} {theirs:?}");
        primary.ok(&["DEBUG", "SET-ACTIVE-EXPIRE", "1"]);
        replica.until("its end", |replica| replica.ask(&["DBSIZE"]) == Value::Int(2));
        in_step(&mut primary, &mut [&mut replica]);
        assert_eq!(replica.field("expired_keys").as_deref(), Some("0"), "{ours:?} {theirs:?}");
        let left = replica.ask(&["TTL", "long"]).int().unwrap();
        assert!((900..=1000).contains(&left), "{left}");
    });
}

#[test]
fn who_only_reads_on_a_replica_changes_nothing_there() {
    let vesta = Kind::Vesta(PROGRAM.into());
    let (mut primary, mut replica) = (start(&vesta, &[]), start(&vesta, &[]));
    replica.follow(primary.address());
    assert_eq!(primary.ask(&["PFADD", "seen", "a", "b"]), Value::Int(1));
    in_step(&mut primary, &mut [&mut replica]);
    // The primary keeps the count in the value, and tells its replicas to.
    assert_eq!(replica.ask(&["PFCOUNT", "seen"]), Value::Int(2));
    in_step(&mut primary, &mut [&mut replica]);
    assert_eq!(primary.ask(&["PFCOUNT", "seen"]), Value::Int(2));
    in_step(&mut primary, &mut [&mut replica]);
}

#[test]
fn a_transaction_that_is_cut_takes_place_as_a_whole_or_not_at_all() {
    each(Kind::pairs(PROGRAM), |(ours, theirs)| {
        let mut primary = start(&ours, &[]);
        if primary.text(&["COMMAND", "INFO", "multi"]).is_empty()
            && primary.ask(&["COMMAND", "INFO", "multi"]).items().unwrap()[0].items().is_none()
        {
            return;
        }
        let mut replica = start(&theirs, &[]);
        let proxy = Proxy::to(primary.address()).unwrap();
        replica.follow(proxy.address());
        replica.until_linked();
        let keys = 2000;
        for round in 1..=3_u64 {
            // Nobody gets through before it has been looked at what the cut has left.
            proxy.cut_after(Way::Back, 20_000 * round);
            let value = round.to_string();
            let mut batch = encode(&["MULTI"]);
            for key in 0..keys {
                batch.extend(encode(&["SET", &format!("key:{key}"), &value]));
            }
            batch.extend(encode(&["EXEC"]));
            primary.client().send_raw(&batch).unwrap();
            (0..keys + 2).for_each(|_| drop(primary.client().reply().unwrap()));
            eventually("the cut", || !proxy.is_to_cut(Way::Back));
            // Either all have the value of before or all have that of now.
            let look = encode(&["GET", "key:0"]).into_iter().chain(encode(&["GET", "key:1999"]));
            replica.client().send_raw(&look.collect::<Vec<u8>>()).unwrap();
            let first = replica.client().reply().unwrap();
            assert_eq!(replica.client().reply().unwrap(), first, "{ours:?} {theirs:?}");
            in_step(&mut primary, &mut [&mut replica]);
            assert_eq!(primary.syncs(), (1, round), "{ours:?} {theirs:?}");
        }
    });
}

#[test]
fn passwords_and_users_of_both_kinds_fit() {
    each(Kind::pairs(PROGRAM), |(ours, theirs)| {
        let mut primary = start(&ours, &[]);
        let mut replica = start(&theirs, &["--masterauth", "wrong"]);
        primary.ok(&["CONFIG", "SET", "requirepass", "secret"]);
        primary.ok(&["AUTH", "secret"]);
        primary.ok(&["SET", "a", "1"]);
        replica.follow(primary.address());
        replica.until("a refusal", |replica| {
            let log = replica.server.log();
            log.contains("WRONGPASS") || log.contains("Unable to AUTH")
        });
        assert_eq!(replica.field("master_link_status").as_deref(), Some("down"));
        replica.ok(&["CONFIG", "SET", "masterauth", "secret"]);
        in_step(&mut primary, &mut [&mut replica]);
        assert_eq!(replica.text(&["GET", "a"]), "1", "{ours:?} {theirs:?}");
    });
}

#[test]
fn a_slow_link_loses_nothing() {
    each(Kind::pairs(PROGRAM), |(ours, theirs)| {
        let mut primary = start_filled(&ours, &[]);
        let mut replica = start(&theirs, &[]);
        let proxy = Proxy::to(primary.address()).unwrap();
        for way in [Way::There, Way::Back] {
            proxy.delay(way, Duration::from_millis(1));
        }
        let writer = Load::on(&primary, 77);
        replica.follow(proxy.address());
        replica.until_linked();
        assert!(writer.end() > 0);
        in_step(&mut primary, &mut [&mut replica]);
        assert_eq!(primary.syncs(), (1, 0), "{ours:?} {theirs:?}");
    });
}

#[test]
fn a_copy_that_is_cut_or_stalled_in_the_middle_leaves_the_old_data() {
    for (ours, diskless) in
        Kind::all(PROGRAM).into_iter().flat_map(|kind| [(kind.clone(), "yes"), (kind, "no")])
    {
        let args = ["--repl-diskless-sync", diskless, "--rdbcompression", "no"];
        let mut primary = start_filled(&ours, &args);
        primary.ok(&["DEBUG", "POPULATE", "20000", "large", "300"]);
        let mut replica = start(&Kind::Vesta(PROGRAM.into()), &[]);
        replica.ok(&["SET", "old", "data"]);
        let proxy = Proxy::to(primary.address()).unwrap();
        for round in 1..=2 {
            proxy.cut_after(Way::Back, 1_000_000 * round);
            replica.follow(proxy.address());
            eventually("a cut", || !proxy.is_to_cut(Way::Back));
            assert_eq!(replica.text(&["GET", "old"]), "data", "{ours:?} {diskless}");
            replica.ok(&["REPLICAOF", "NO", "ONE"]);
        }
        // A link that stands still in the middle.
        let passed = proxy.passed(Way::Back);
        proxy.delay(Way::Back, Duration::from_millis(2));
        replica.follow(proxy.address());
        eventually("a beginning", || proxy.passed(Way::Back) > passed + 500_000);
        proxy.stall(Way::Back, true);
        replica.until_field("master_sync_in_progress", "1");
        assert_eq!(replica.text(&["GET", "old"]), "data", "{ours:?} {diskless}");
        assert_eq!(replica.ask(&["DBSIZE"]), Value::Int(1), "{ours:?} {diskless}");
        assert_eq!(replica.field("master_link_status").as_deref(), Some("down"));
        primary.ok(&["SET", "during", "it"]);
        proxy.delay(Way::Back, Duration::ZERO);
        proxy.stall(Way::Back, false);
        in_step(&mut primary, &mut [&mut replica]);
        assert_eq!(replica.ask(&["EXISTS", "old", "during"]), Value::Int(1));
    }
}

#[test]
fn a_primary_hands_over_to_its_replica_without_loss() {
    each(Kind::pairs(PROGRAM), |(ours, theirs)| {
        let mut first = start_filled(&ours, &[]);
        let mut second = start(&theirs, &[]);
        second.follow(first.address());
        second.until_linked();
        let mut counter = first.server.client().unwrap();
        let counting = std::thread::scope(|scope| {
            // Every write that is answered with a number has happened.
            let counting = scope.spawn(move || {
                let mut last = 0;
                while let Value::Int(next) = counter.command(&["INCR", "n"]).unwrap() {
                    last = next;
                }
                last
            });
            first.until("some writes", |first| {
                first.text(&["GET", "n"]).parse::<i64>().is_ok_and(|count| count > 100)
            });
            first.ok(&["FAILOVER"]);
            second.until_field("role", "master");
            first.until_field("role", "slave");
            first.until_field("master_failover_state", "no-failover");
            counting.join().unwrap()
        });
        assert!(counting > 100);
        assert_eq!(second.text(&["GET", "n"]), counting.to_string(), "{ours:?} {theirs:?}");
        second.ok(&["SET", "behind", "it"]);
        in_step(&mut second, &mut [&mut first]);
        assert_eq!(second.syncs(), (0, 1), "{ours:?} {theirs:?}");
        assert_eq!(first.syncs(), (1, 0), "{ours:?} {theirs:?}");
    });
}

#[test]
fn a_primary_without_enough_replicas_takes_no_writes() {
    each(Kind::pairs(PROGRAM), |(ours, theirs)| {
        let guard = ["--min-replicas-to-write", "1", "--min-replicas-max-lag", "2"];
        let mut primary = start(&ours, &guard);
        let refused = "NOREPLICAS Not enough good replicas to write.";
        primary.until("a refusal", |primary| primary.text(&["SET", "a", "1"]) == refused);
        let mut replica = start(&theirs, &[]);
        let proxy = Proxy::to(primary.address()).unwrap();
        replica.follow(proxy.address());
        primary.until("enough replicas", |primary| primary.text(&["SET", "a", "1"]) == "OK");
        proxy.stall(Way::There, true);
        primary.until("too much lag", |primary| primary.text(&["SET", "a", "2"]) == refused);
        proxy.stall(Way::There, false);
        primary.until("enough replicas", |primary| primary.text(&["SET", "a", "3"]) == "OK");
        in_step(&mut primary, &mut [&mut replica]);
    });
}

#[test]
fn a_client_can_wait_until_replicas_have_its_writes_on_disk() {
    let vesta = Kind::Vesta(PROGRAM.into());
    let mut primary = start(&vesta, &["--appendonly", "yes"]);
    let mut with_log = start(&vesta, &["--appendonly", "yes"]);
    let mut without = start(&vesta, &[]);
    for replica in [&mut with_log, &mut without] {
        replica.follow(primary.address());
        replica.until_linked();
    }
    for number in 0..5 {
        primary.ok(&["SET", "n", &number.to_string()]);
        let safe = primary.ask(&["WAITAOF", "1", "1", "20000"]);
        assert_eq!(safe.items().unwrap(), [Value::Int(1), Value::Int(1)]);
    }
    let safe = primary.ask(&["WAITAOF", "1", "2", "200"]);
    assert_eq!(safe.items().unwrap(), [Value::Int(1), Value::Int(1)], "one has no log");
    in_step(&mut primary, &mut [&mut with_log, &mut without]);
}

#[test]
fn redis_cli_is_a_replica_and_takes_a_snapshot() {
    let Some(redis) = Kind::all(PROGRAM).into_iter().find(|kind| *kind == Kind::Redis) else {
        return;
    };
    for diskless in ["yes", "no"] {
        let vesta = Kind::Vesta(PROGRAM.into());
        let mut primary = start_filled(&vesta, &["--repl-diskless-sync", diskless]);
        let dir = TempDir::new().unwrap();
        let file = dir.path().join("dump.rdb");
        let output = dir.path().join("output");
        let mut taker = primary.redis_cli(&["--rdb", file.to_str().unwrap()], &output);
        assert!(taker.wait().unwrap().success(), "{:?}", fs::read_to_string(&output));
        let mut copy = redis.start(&[]);
        fs::copy(&file, copy.server.dir().join("dump.rdb")).unwrap();
        copy.ok(&["DEBUG", "RELOAD", "NOSAVE"]);
        assert_eq!(copy.digest(), primary.digest(), "{diskless}");

        let mut replica = primary.redis_cli(&["--replica"], &output);
        primary.until_field("connected_slaves", "1");
        primary.until("it online", |primary| {
            primary.text(&["INFO", "replication"]).contains("state=online")
        });
        primary.ok(&["SET", "seen", "by redis-cli"]);
        let line = "\"SET\",\"seen\",\"by redis-cli\"";
        eventually("the write", || fs::read_to_string(&output).unwrap().contains(line));
        replica.kill().unwrap();
        replica.wait().unwrap();
        primary.until_field("connected_slaves", "0");
        primary.is_well();
    }
}
