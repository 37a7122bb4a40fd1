//! What a restart brings back: all that was logged, in the history it belongs to.

mod driver;

use driver::World;
use driver::logged::{
    BASE, FIRST, FIRST_LINE, Files, MANIFEST, State, config, dump, has_logged, keys, loaded,
    loaded_with, requests,
};
use vesta_config::{Config, Guarded};
use vesta_testkit::client::encode;
use vesta_testkit::diff;
use vesta_testkit::rdb::Mutator;

fn field(world: &mut World, name: &str) -> String {
    let conn = world.connect().expect("the first client is served");
    let info = world.ask(conn, &["INFO", "replication"]);
    let field = info.lines().find_map(|line| line.strip_prefix(&format!("{name}:")));
    field.unwrap_or_else(|| panic!("no {name} in {info}")).to_owned()
}

#[test]
fn the_history_goes_on_where_the_log_ends() {
    let id = "0123456789abcdef0123456789abcdef01234567";
    let annotation = format!("#REPL:{id}:1000\r\n");
    let stream = requests(&["SET a 1", "MULTI", "SET b 2", "SET c 3", "EXEC"]);
    let later = format!("#REPL:{id}:5000\r\n");
    let log = [
        &requests(&["SELECT 0"]),
        annotation.as_bytes(),
        &stream,
        later.as_bytes(),
        b"#TS:1700000000\r\n",
        &stream,
    ];
    let log = log.concat();
    let end = 5000 + stream.len();
    // A tail that is cut off is not of the history.
    let cut = [log.as_slice(), &stream[..40]].concat();
    for (log, end) in [(log, end), (cut, end + requests(&["SET a 1"]).len())] {
        let mut world = loaded(&[(MANIFEST, FIRST_LINE.as_bytes()), (FIRST, &log)]);
        assert_eq!(field(&mut world, "master_replid2"), id);
        assert_eq!(field(&mut world, "master_repl_offset"), end.to_string());
        assert_eq!(field(&mut world, "second_repl_offset"), (end + 1).to_string());
        assert_ne!(field(&mut world, "master_replid"), id);
    }
    // Whose log says nothing of a history begins one.
    let mut world = loaded(&[(MANIFEST, FIRST_LINE.as_bytes()), (FIRST, &stream)]);
    assert_eq!(field(&mut world, "master_replid2"), "0".repeat(40));
    assert_eq!(field(&mut world, "master_repl_offset"), "0");
    assert_eq!(field(&mut world, "second_repl_offset"), "-1");
}

#[test]
fn a_snapshot_says_where_in_the_history_it_was_taken() {
    let mut world = World::new(Config::default());
    let conn = world.connect().unwrap();
    world.ask(conn, &["SET", "a", "1"]);
    world.ask(conn, &["SAVE"]);
    world.advance(1000);
    // Nobody kept the stream: the offset says nothing.
    let file = &world.disk.files["dump.rdb"];
    assert!(!file.windows(7).any(|bytes| bytes == b"repl-id"));
    world.node.keep_stream();
    world.ask(conn, &["SET", "a", "2"]);
    world.ask(conn, &["SAVE"]);
    world.advance(1000);
    let (id, offset) =
        (field(&mut world, "master_replid"), field(&mut world, "master_repl_offset"));
    assert_eq!(offset, requests(&["SELECT 0", "SET a 2"]).len().to_string());
    let file = world.disk.files["dump.rdb"].clone();
    let mut later = loaded_with(Config::default(), &[("dump.rdb", &file)]);
    assert_eq!(field(&mut later, "master_replid2"), id);
    assert_eq!(field(&mut later, "master_repl_offset"), offset);
    let conn = later.connect().unwrap();
    later.ask(conn, &["DEBUG", "CHANGE-REPL-ID"]);
}

/// A node that goes on with the files of another, after that has ended without notice.
fn restarted(world: &World) -> World {
    let files = world.disk.files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
    let files: Vec<(&str, &[u8])> = files.collect();
    loaded_with(world.node.config().clone(), &files)
}

#[test]
fn a_history_goes_on_from_start_to_start() {
    let mut world = loaded(&[]);
    assert_eq!(field(&mut world, "second_repl_offset"), "-1");
    let mut sent = 0;
    for round in 0..4 {
        let id = field(&mut world, "master_replid");
        let conn = world.connect().unwrap();
        for request in ["SELECT 2", "SET a 1", "INCR a", "SPOP nothing", "LPUSH l 1 2"] {
            world.ask(conn, &request.split(' ').collect::<Vec<_>>());
        }
        if round == 2 {
            assert_eq!(world.ask(conn, &["BGREWRITEAOF"]).chars().next(), Some('+'));
            world.advance(1000);
        }
        // Whoever reads the stream of this run has selected no database before.
        sent += requests(&["SELECT 2", "SET a 1", "INCR a", "LPUSH l 1 2"]).len();
        assert_eq!(field(&mut world, "master_repl_offset"), sent.to_string(), "round {round}");
        let before = dump(&mut world);
        world = restarted(&world);
        assert_eq!(dump(&mut world), before);
        assert_eq!(field(&mut world, "master_replid2"), id, "round {round}");
        assert_eq!(field(&mut world, "master_repl_offset"), sent.to_string());
        assert_eq!(field(&mut world, "second_repl_offset"), (sent + 1).to_string());
    }
}

#[test]
fn a_log_that_is_switched_on_begins_a_history() {
    let mut world = World::new(Config::default());
    let conn = world.connect().unwrap();
    world.ask(conn, &["SET", "a", "1"]);
    let id = field(&mut world, "master_replid");
    assert_eq!(world.ask(conn, &["CONFIG", "SET", "appendonly", "yes"]), "+OK\r\n");
    world.advance(1000);
    assert_ne!(field(&mut world, "master_replid"), id, "nobody kept the stream until now");
    assert_eq!(field(&mut world, "master_replid2"), "0".repeat(40));
}

#[test]
fn what_time_has_deleted_stays_deleted() {
    let mut world = loaded(&[]);
    let conn = world.connect().unwrap();
    for request in [
        "SET k 5 PX 500",
        "SET l 5 PX 500",
        "HSET h f 1 g 2",
        "HPEXPIRE h 500 FIELDS 1 f",
        "DEBUG SET-ACTIVE-EXPIRE 0",
    ] {
        world.ask(conn, &request.split(' ').collect::<Vec<_>>());
    }
    let early = restarted(&world);
    world.advance(1000);
    assert_eq!(world.ask(conn, &["INCR", "k"]), ":1\r\n");
    assert_eq!(world.ask(conn, &["HINCRBY", "h", "f", "7"]), ":7\r\n");
    assert_eq!(world.ask(conn, &["GET", "l"]), "$-1\r\n");
    let mut later = restarted(&world);
    assert_eq!(keys(&mut later, 0), "h=hash f=7 g=2 k=\"1\"");
    // Who had no time to delete it does so after the start, and that is in the log, too.
    let mut early = restarted(&early);
    early.advance(2000);
    assert_eq!(keys(&mut early, 0), "h=hash g=2");
    let mut later = restarted(&early);
    assert_eq!(keys(&mut later, 0), "h=hash g=2");
}

#[test]
fn nothing_expires_before_there_is_a_log_to_tell() {
    let log = requests(&["SET k 5 PXAT 1000", "SET b 1"]);
    let base = "file appendonly.aof.1.base.rdb seq 1 type b\n";
    let mut world = World::new(config());
    world.disk.files.insert(MANIFEST.to_owned(), base.into());
    world.disk.files.insert(BASE.to_owned(), log);
    world.disk.holds_jobs = true;
    world.node.load_at_start(world.now);
    world.advance(1000);
    let conn = world.connect().unwrap();
    assert!(world.ask(conn, &["INFO", "keyspace"]).contains("db0:keys=2,"));
    assert!(world.ask(conn, &["GET", "k"]).starts_with("-LOADING "));
    world.let_jobs_go();
    world.advance(1000);
    assert!(world.ask(conn, &["INFO", "keyspace"]).contains("db0:keys=1,"));
    assert!(world.disk.log_file().ends_with(&requests(&["DEL k"])));
}

#[test]
fn debug_loadaof_loads_what_was_written_before_it() {
    let debug = Config { enable_debug_command: Guarded::Yes, ..config() };
    let mut world = loaded_with(debug.clone(), &[]);
    let (conn, other) = (world.connect().unwrap(), world.connect().unwrap());
    let pipeline = requests(&["SET a 1", "RPUSH l 1 2 3", "DEBUG LOADAOF", "LLEN l", "SET a 2"]);
    world.disk.log.holds_writes = true;
    world.send(conn, &pipeline);
    world.advance(500);
    assert_eq!(world.ask(other, &["SET", "b", "1"]), "", "nobody is served meanwhile");
    world.let_log_write();
    world.advance(500);
    assert_eq!(world.take_received(conn), b"+OK\r\n:3\r\n+OK\r\n:3\r\n+OK\r\n");
    assert_eq!(world.take_received(other), b"+OK\r\n");
    assert_eq!(keys(&mut world, 0), "a=\"2\" b=\"1\" l=list 1 2 3");
    has_logged(&world, "Append Only File loaded by DEBUG LOADAOF");
    let mut again = restarted(&world);
    assert_eq!(keys(&mut again, 0), "a=\"2\" b=\"1\" l=list 1 2 3");
    // Without a log nothing is forgotten, unlike in Redis, which ends.
    let mut world = World::new(Config { appendonly: false, ..debug });
    let conn = world.connect().unwrap();
    world.ask(conn, &["SET", "a", "1"]);
    let error = "-ERR Error trying to load the AOF files, check server logs.\r\n";
    world.send(conn, &encode(&["DEBUG", "LOADAOF"]));
    world.advance(500);
    assert_eq!(world.take_received(conn), error.as_bytes());
    assert_eq!(keys(&mut world, 0), "a=\"1\"");
}

#[test]
fn what_debug_reload_leaves_out_leaves_the_log_too() {
    let debug = Config { enable_debug_command: Guarded::Yes, ..config() };
    let mut world = loaded_with(debug, &[]);
    let conn = world.connect().unwrap();
    world.ask(conn, &["DEBUG", "SET-ACTIVE-EXPIRE", "0"]);
    world.ask(conn, &["SET", "k", "5", "PX", "100"]);
    world.advance(500);
    world.send(conn, &requests(&["DEBUG RELOAD", "INCR k"]));
    world.advance(500);
    assert_eq!(world.take_received(conn), b"+OK\r\n:1\r\n");
    let mut later = restarted(&world);
    assert_eq!(keys(&mut later, 0), "k=\"1\"");
}

/// Of how many random sequences the log is cut; `VESTA_SEQUENCES` says otherwise.
const SEQUENCES: u64 = 4;

fn sequences() -> u64 {
    let count = std::env::var("VESTA_SEQUENCES").ok().and_then(|count| count.parse().ok());
    count.unwrap_or(SEQUENCES)
}

/// Bytes at whose every place a log is cut.
const CUT_BYTES: usize = 1024;

#[test]
fn a_log_brings_back_what_any_requests_have_made() {
    for seed in 0..sequences() {
        let (log, states) = recorded(seed);
        for len in log.len().saturating_sub(CUT_BYTES)..=log.len() {
            // The state after the last request whose effects are there as a whole.
            let (_, expected) = states.iter().rev().find(|(end, _)| *end <= len).unwrap();
            let files: Files<'_> = &[(MANIFEST, FIRST_LINE.as_bytes()), (FIRST, &log[..len])];
            let mut world = loaded(files);
            assert!(!world.ended, "seed {seed}, {len} bytes: {:#?}", world.log);
            let failed = world.log.iter().find(|line| line.contains("CRITICAL"));
            assert_eq!(failed, None, "seed {seed}, {len} bytes");
            assert_eq!(dump(&mut world), *expected, "seed {seed}, {len} of {} bytes", log.len());
        }
    }
}

#[test]
fn a_log_that_is_rewritten_now_and_then_brings_back_the_same() {
    for seed in 0..2 * sequences() {
        let preamble = seed % 2 == 0;
        let mut world = loaded_with(Config { aof_use_rdb_preamble: preamble, ..config() }, &[]);
        let conn = world.connect().unwrap();
        let rewrite_every = 20 + seed % 60;
        for (request, number) in diff::sequence(seed).into_iter().zip(0..) {
            world.send(conn, &encode(&request));
            world.take_received(conn);
            if number % rewrite_every == 0 {
                world.ask(conn, &["BGREWRITEAOF"]);
            }
            if number % 7 == 0 {
                world.advance(5);
            }
        }
        let mut later = restarted(&world);
        assert!(!later.ended, "seed {seed}: {:#?}", later.log);
        // What is over is there until somebody looks.
        later.now = world.now;
        assert_eq!(dump(&mut later), dump(&mut world), "seed {seed}");
    }
}

/// Damage anywhere ends the server with a message, or is none, or is the tail that may be cut.
#[test]
fn a_log_is_never_touched_but_at_its_end() {
    let mut mutator = Mutator::new(0xa0f);
    for seed in 0..20 {
        let (log, _) = recorded(seed);
        for _ in 0..20 {
            let log = mutator.mutated(&log);
            let world = loaded(&[(MANIFEST, FIRST_LINE.as_bytes()), (FIRST, &log)]);
            let after = &world.disk.files[FIRST];
            if world.ended {
                assert!(*after == log && !world.log.is_empty(), "seed {seed}");
            } else {
                // What has expired is deleted behind what was kept.
                let kept = after.iter().zip(&log).take_while(|(after, log)| after == log).count();
                assert!(after[kept..].is_empty() || after[kept..].starts_with(b"#REPL:"));
            }
        }
    }
}

/// The log of a random sequence of requests, and the states of the data near its end: each with the
/// length of the log then.
fn recorded(seed: u64) -> (Vec<u8>, Vec<(usize, State)>) {
    let mut world = World::new(Config { enable_debug_command: Guarded::Yes, ..Config::default() });
    world.node.keep_stream();
    let conn = world.connect().expect("the first client is served");
    let (mut log, mut states) = (Vec::new(), vec![(0, dump(&mut world))]);
    for request in diff::sequence(seed) {
        world.send(conn, &encode(&request));
        world.take_received(conn);
        let fresh = world.node.take_stream();
        if !fresh.is_empty() {
            log.extend(fresh);
            states.push((log.len(), dump(&mut world)));
        }
    }
    (log, states)
}
