//! Loading a log: what is there, what is damaged, and what must not be touched.

mod driver;

use driver::World;
use driver::logged::{
    BASE, BASE_LINE, FIRST, FIRST_LINE, Files, MANIFEST, SECOND, SECOND_LINE, config, has_logged,
    keys, loaded, loaded_with, requests, snapshot,
};
use vesta_config::{Config, PropagationError};
use vesta_testkit::client::encode;

/// Loading these files ends the server with these last words, and leaves them as they are.
#[track_caller]
fn refused_with(config: Config, files: Files<'_>, words: &[&str]) {
    let world = loaded_with(config, files);
    assert!(world.ended, "{:#?}", world.log);
    let said: Vec<&str> = world.log.iter().map(String::as_str).collect();
    assert!(said.ends_with(words), "{said:#?} does not end with {words:#?}");
    let after: Vec<(&str, &[u8])> =
        world.disk.files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    let mut before = files.to_vec();
    before.sort_unstable();
    assert_eq!(after, before, "the files are as they were");
}

#[track_caller]
fn refused(files: Files<'_>, words: &[&str]) {
    refused_with(config(), files, words);
}
#[test]
fn base_and_increments_are_loaded_in_the_order_of_the_manifest() {
    let manifest = [BASE_LINE, FIRST_LINE, SECOND_LINE].concat();
    let mut world = loaded(&[
        (MANIFEST, manifest.as_bytes()),
        (BASE, &snapshot(&["SET a base", "SET b base", "RPUSH l 1"])),
        (FIRST, &requests(&["SELECT 0", "SET a first", "RPUSH l 2", "SELECT 3", "SET d 3"])),
        (SECOND, &requests(&["SET c second", "RPUSH l 3"])),
        ("dump.rdb", &snapshot(&["SET other 1"])),
    ]);
    assert!(!world.ended, "{:#?}", world.log);
    assert_eq!(keys(&mut world, 0), "a=\"first\" b=\"base\" c=\"second\" l=list 1 2 3");
    assert_eq!(keys(&mut world, 3), "d=\"3\"");
    for line in [
        "Reading RDB base file on AOF loading...",
        "Done loading RDB, keys loaded: 3, keys expired: 0.",
        "DB loaded from base file appendonly.aof.1.base.rdb: 0.000 seconds",
        "DB loaded from incr file appendonly.aof.2.incr.aof: 0.000 seconds",
        "DB loaded from append only file: 0.000 seconds",
    ] {
        has_logged(&world, line);
    }
}

#[test]
fn clients_are_told_how_far_it_is() {
    let mut world = World::new(Config { key_load_delay_us: 1_000_000, ..config() });
    let log = requests(&["SET a 1", "SET b 2", "SET c 3"]);
    world.disk.files.insert(MANIFEST.to_owned(), FIRST_LINE.into());
    world.disk.files.insert(FIRST.to_owned(), log.clone());
    world.node.load_at_start(world.now);
    world.advance(2500);
    let conn = world.connect().unwrap();
    assert!(world.ask(conn, &["GET", "a"]).starts_with("-LOADING "));
    let info = world.ask(conn, &["INFO", "persistence"]);
    for field in ["loading:1", "async_loading:0", &format!("loading_total_bytes:{}", log.len())] {
        assert!(info.contains(&format!("{field}\r\n")), "{field} in {info}");
    }
    world.advance(5000);
    assert_eq!(world.ask(conn, &["GET", "c"]), "$1\r\n3\r\n");
    let progress = world.log.iter().find(|line| line.starts_with("Loading: "));
    let progress = progress.expect("progress is told");
    assert!(progress.contains("requests") && progress.ends_with("seconds left"), "{progress}");
    // What was loaded is in no snapshot.
    let info = world.ask(conn, &["INFO", "persistence"]);
    assert!(info.contains("rdb_changes_since_last_save:3\r\n"), "{info}");
}

#[test]
fn nothing_expires_while_a_log_is_read() {
    let past = [
        "SELECT 0",
        "SET k 1 PXAT 1000",
        "INCR k",
        "SET gone 1 PXAT 1000",
        "DEL gone",
        "SET e 1",
        "PEXPIREAT e 2000",
        "APPEND e 2",
        "HSET h f 1",
        "HPEXPIREAT h 1000 FIELDS 1 f",
        "HINCRBY h f 5",
        "SET t 1 PXAT 1000",
        "PERSIST t",
    ];
    let mut world = loaded(&[(MANIFEST, FIRST_LINE.as_bytes()), (FIRST, &requests(&past))]);
    let conn = world.connect().unwrap();
    assert!(!world.ended, "{:#?}", world.log);
    assert!(!world.log.iter().any(|line| line.contains("CRITICAL")), "{:#?}", world.log);
    // Now time counts again.
    for key in ["k", "gone", "e", "h"] {
        assert_eq!(world.ask(conn, &["EXISTS", key]), ":0\r\n", "{key}");
    }
    assert_eq!(world.ask(conn, &["GET", "t"]), "$1\r\n1\r\n");
    assert_eq!(world.ask(conn, &["OBJECT", "IDLETIME", "t"]), ":0\r\n");
}

#[test]
fn a_base_keeps_what_has_expired_for_the_requests_behind_it() {
    let base = snapshot(&["SET k 5 PX 500", "SET other 1"]);
    let manifest = [BASE_LINE, FIRST_LINE].concat();
    let mut world = World::new(config());
    for (name, bytes) in [
        (MANIFEST, manifest.as_bytes()),
        (BASE, &base),
        (FIRST, &requests(&["INCR k", "PERSIST k"])),
    ] {
        world.disk.files.insert(name.to_owned(), bytes.to_vec());
    }
    world.advance(10_000);
    world.node.load_at_start(world.now);
    world.advance(1000);
    assert_eq!(keys(&mut world, 0), "k=\"6\" other=\"1\"");
}

#[test]
fn a_tail_that_a_crash_has_cut_is_cut_off() {
    let whole = requests(&["SELECT 0", "SET a 1"]);
    let tails = [
        (requests(&["SET b 2"]), false),
        (requests(&["MULTI", "SET b 2", "SET c 3", "EXEC"]), true),
        (b"#TS:1700000000\r\n".to_vec(), false),
    ];
    for (tail, is_transaction) in tails {
        for len in 1..tail.len() {
            let cut = [whole.as_slice(), &tail[..len]].concat();
            let mut world = loaded(&[(MANIFEST, FIRST_LINE.as_bytes()), (FIRST, &cut)]);
            assert!(!world.ended, "{len}: {:#?}", world.log);
            assert_eq!(keys(&mut world, 0), "a=\"1\"", "{len}");
            assert_eq!(world.disk.files[FIRST], whole, "{len}");
            for line in [
                "!!! Warning: short read while loading the AOF file appendonly.aof.1.incr.aof!!!",
                "!!! Truncating the AOF appendonly.aof.1.incr.aof at offset 50 !!!",
                "AOF appendonly.aof.1.incr.aof loaded anyway because aof-load-truncated is enabled",
            ] {
                has_logged(&world, line);
            }
            if is_transaction && len > "*1\r\n$5\r\nMULTI\r\n".len() {
                has_logged(
                    &world,
                    "Revert incomplete MULTI/EXEC transaction in AOF file \
                     appendonly.aof.1.incr.aof",
                );
            }
        }
        let all = [whole.as_slice(), &tail].concat();
        let mut world = loaded(&[(MANIFEST, FIRST_LINE.as_bytes()), (FIRST, &all)]);
        assert!(!world.ended && !world.log.iter().any(|line| line.contains("!!!")));
        assert!(is_transaction == keys(&mut world, 0).contains("c=\"3\""));
    }
}

#[test]
fn only_the_last_file_may_be_cut_and_only_if_allowed() {
    let cut = requests(&["SELECT 0", "SET a 1", "SET b 2"]);
    let cut = &cut[..cut.len() - 3];
    let refuses = Config { aof_load_truncated: false, ..config() };
    refused_with(
        refuses.clone(),
        &[(MANIFEST, FIRST_LINE.as_bytes()), (FIRST, cut)],
        &["Unexpected end of file reading the append only file appendonly.aof.1.incr.aof: what \
           begins at byte 50 is not complete. You can: 1) Make a backup of your AOF, then use \
           vesta check aof --fix appendonly.aof.manifest. 2) Alternatively you can set the \
           'aof-load-truncated' configuration option to yes and restart the server."],
    );
    let manifest = [FIRST_LINE, SECOND_LINE].concat();
    refused(
        &[(MANIFEST, manifest.as_bytes()), (FIRST, cut), (SECOND, &requests(&["SET c 3"]))],
        &["Unexpected end of file reading the append only file appendonly.aof.1.incr.aof: what \
           begins at byte 50 is not complete. Fatal error: the truncated file is not the last \
           file"],
    );
    // One that a rewrite has named before anything went into it does not count.
    let files: Files<'_> = &[(MANIFEST, manifest.as_bytes()), (FIRST, cut), (SECOND, b"")];
    let mut world = loaded(files);
    assert_eq!(keys(&mut world, 0), "a=\"1\"");
    assert_eq!(world.disk.files[FIRST], cut[..50]);
    has_logged(&world, "Opening AOF incr file appendonly.aof.2.incr.aof on server start");
    // A base is named when it is whole.
    let manifest = [BASE_LINE, FIRST_LINE].concat();
    refused(
        &[(MANIFEST, manifest.as_bytes()), (BASE, cut), (FIRST, b"")],
        &["Unexpected end of file reading the append only file appendonly.aof.1.base.rdb: what \
           begins at byte 50 is not complete. Fatal error: the truncated file is not the last \
           file"],
    );
    // A transaction does not go on in another file.
    let manifest = [FIRST_LINE, SECOND_LINE].concat();
    let open = requests(&["SELECT 0", "MULTI", "SET a 1"]);
    refused(
        &[(MANIFEST, manifest.as_bytes()), (FIRST, &open), (SECOND, &requests(&["EXEC"]))],
        &[
            "Revert incomplete MULTI/EXEC transaction in AOF file appendonly.aof.1.incr.aof",
            "Unexpected end of file reading the append only file appendonly.aof.1.incr.aof: what \
             begins at byte 23 is not complete. Fatal error: the truncated file is not the last \
             file",
        ],
    );
}

#[test]
fn a_damaged_file_is_refused_with_the_place() {
    let good = requests(&["SELECT 0", "SET a 1"]);
    let told = |at: usize, expected: &str| {
        format!(
            "Bad file format reading the append only file appendonly.aof.1.incr.aof: byte {at}: \
             expected {expected}. Make a backup of your AOF, then use vesta check aof --fix \
             appendonly.aof.manifest"
        )
    };
    let behind = |bytes: &[u8]| [good.as_slice(), bytes, &good].concat();
    for (bytes, line) in [
        (behind(b"xx"), told(50, "'*' or '#'")),
        (behind(&[0; 20]), told(50, "'*' or '#'")),
        (behind(b"*2\r\n$x\r\n"), told(54, "a length of an argument")),
        (
            behind(&[requests(&["MULTI", "SET b 2"]), b"oops".to_vec()].concat()),
            told(92, "'*' or '#'"),
        ),
        (b"RED".to_vec(), told(0, "'*' or '#'")),
    ] {
        refused(&[(MANIFEST, FIRST_LINE.as_bytes()), (FIRST, &bytes)], &[&line]);
    }
    let base = snapshot(&["SET a 1"]);
    let manifest = [BASE_LINE, FIRST_LINE].concat();
    let cut = &base[..base.len() - 3];
    let line = format!(
        "Fatal error loading the DB appendonly.aof.1.base.rdb: byte {}: expected more bytes. \
         Exiting.",
        base.len() - 9
    );
    refused(&[(MANIFEST, manifest.as_bytes()), (BASE, cut), (FIRST, b"")], &[&line]);
}

#[test]
fn a_request_that_is_none_is_refused_and_one_that_fails_is_told() {
    let log = |request: &str| requests(&["SELECT 0", "SET a 1", request, "SET b 2"]);
    for (request, words) in [
        ("FOO x", "Unknown command 'FOO'"),
        ("SET b", "Wrong number of arguments for 'set'"),
        ("SELECT 99", "Database 99, which is not one of the 16 configured,"),
    ] {
        let line =
            format!("{words} reading the append only file appendonly.aof.1.incr.aof, at byte 50");
        refused(&[(MANIFEST, FIRST_LINE.as_bytes()), (FIRST, &log(request))], &[&line]);
    }
    let fails = log("LPUSH a x");
    let line = "== CRITICAL == This server is sending an error to its AOF-loading-client: \
                '-WRONGTYPE Operation against a key holding the wrong kind of value' after \
                processing the command 'lpush', file appendonly.aof.1.incr.aof, byte 50";
    let mut world = loaded(&[(MANIFEST, FIRST_LINE.as_bytes()), (FIRST, &fails)]);
    assert_eq!(keys(&mut world, 0), "a=\"1\" b=\"2\"");
    has_logged(&world, line);
    has_logged(&world, "1 requests of the AOF could not be executed");
    let panics = Config { propagation_error_behavior: PropagationError::Panic, ..config() };
    refused_with(panics, &[(MANIFEST, FIRST_LINE.as_bytes()), (FIRST, &fails)], &[line]);
    // What is no write changes nothing, nor does anybody wait.
    for request in ["GET a", "PING", "CONFIG SET maxmemory 1", "BLPOP nolist 0", "EXEC"] {
        let files: Files<'_> = &[(MANIFEST, FIRST_LINE.as_bytes()), (FIRST, &log(request))];
        let mut world = loaded(files);
        assert_eq!(keys(&mut world, 0), "a=\"1\" b=\"2\"", "{request}");
        assert_eq!(world.node.config().maxmemory_bytes, 0);
    }
}

#[test]
fn libraries_of_functions_come_through() {
    let source = |name: &str| format!("#!lua name={name}\nredis.register_function('f', f)");
    let load = |name: &str| encode(&["FUNCTION", "LOAD", "REPLACE", &source(name)]);
    let log = [
        load("gone"),
        encode(&["FUNCTION", "FLUSH", "ASYNC"]),
        load("one"),
        load("two"),
        load("one"),
        encode(&["FUNCTION", "DELETE", "two"]),
    ];
    let mut world = loaded(&[(MANIFEST, FIRST_LINE.as_bytes()), (FIRST, &log.concat())]);
    let conn = world.connect().unwrap();
    world.ask(conn, &["SAVE"]);
    world.advance(1000);
    let file = &world.disk.files["dump.rdb"];
    let count = |name: &str| {
        let line = format!("name={name}\n");
        file.windows(line.len()).filter(|bytes| *bytes == line.as_bytes()).count()
    };
    assert_eq!(["one", "two", "gone"].map(count), [1, 0, 0]);
    refused(
        &[(MANIFEST, FIRST_LINE.as_bytes()), (FIRST, &requests(&["FUNCTION RESTORE x"]))],
        &["Unknown command 'FUNCTION RESTORE' reading the append only file \
           appendonly.aof.1.incr.aof, at byte 0"],
    );
}

#[test]
fn commands_of_a_log_are_known_by_their_present_names_and_their_own() {
    let renamed = [("del", ""), ("set", "put"), ("append", "set")];
    let bytes = |name: &str| name.as_bytes().to_vec();
    let rename_commands = renamed.map(|(from, to)| (bytes(from), bytes(to))).to_vec();
    let log = requests(&["PUT a 1", "SET a 2", "PUT b 1", "DEL b"]);
    let config = Config { rename_commands, ..config() };
    let mut world = loaded_with(config, &[(MANIFEST, FIRST_LINE.as_bytes()), (FIRST, &log)]);
    assert_eq!(keys(&mut world, 0), "a=\"12\"");
}

#[test]
fn a_log_of_one_file_becomes_the_base() {
    let tail = requests(&["SELECT 0", "SET b 2"]);
    let with_preamble = [snapshot(&["SET a 1"]), tail.clone()].concat();
    let moved = "appendonlydir/appendonly.aof";
    let manifest = b"file appendonly.aof seq 1 type b\n".as_slice();
    for (old, keys_then) in [
        (tail.as_slice(), "b=\"2\""),
        (with_preamble.as_slice(), "a=\"1\" b=\"2\""),
        // A crash has cut its end, and another one the move.
        (&tail[..tail.len() - 2], ""),
    ] {
        for manifest in [None, Some(manifest)] {
            let mut files = vec![("appendonly.aof", old)];
            files.extend(manifest.map(|manifest| (MANIFEST, manifest)));
            let mut world = loaded(&files);
            assert!(!world.ended, "{:#?}", world.log);
            assert_eq!(keys(&mut world, 0), keys_then);
            has_logged(
                &world,
                "Successfully migrated an old-style AOF file (appendonly.aof) into the AOF \
                 directory (appendonlydir).",
            );
            assert!(!world.disk.files.contains_key("appendonly.aof"));
            let kept = &world.disk.files[moved];
            assert!(old.starts_with(kept));
            let manifest = String::from_utf8_lossy(&world.disk.files[MANIFEST]);
            assert!(manifest.starts_with("file appendonly.aof seq 1 type b\n"), "{manifest}");
        }
    }
}

#[test]
fn an_old_file_beside_a_log_is_left_alone() {
    let old = requests(&["SET old 1"]);
    let new = requests(&["SELECT 0", "SET new 1"]);
    let in_dir = "appendonlydir/appendonly.aof";
    for files in [
        vec![("appendonly.aof", &old), (MANIFEST, &FIRST_LINE.into()), (FIRST, &new)],
        vec![
            ("appendonly.aof", &old),
            (MANIFEST, &b"file appendonly.aof seq 1 type b\n".to_vec()),
            (in_dir, &new),
        ],
    ] {
        let files: Vec<(&str, &[u8])> =
            files.into_iter().map(|(name, bytes)| (name, bytes.as_slice())).collect();
        let mut world = loaded(&files);
        assert_eq!(keys(&mut world, 0), "new=\"1\"");
        assert_eq!(world.disk.files["appendonly.aof"], old);
    }
    refused(
        &[("appendonly.aof", &old), (in_dir, &new)],
        &["Fatal error: both appendonly.aof and appendonlydir/appendonly.aof are there, and no \
           manifest says which is the AOF. Move one of them away."],
    );
}

#[test]
fn a_manifest_that_cannot_be_is_refused() {
    let two = [BASE_LINE, BASE_LINE].concat();
    let wrong = [
        (two.as_str(), Some((2, BASE_LINE.trim_end())), "Found duplicate base file information"),
        ("", None, "Found an empty AOF manifest"),
        ("garbage\n", Some((1, "garbage")), "Invalid AOF manifest file format"),
        (
            "file a/b seq 1 type i\n",
            Some((1, "file a/b seq 1 type i")),
            "File can't be a path, just a filename",
        ),
        (FIRST_LINE.trim_end(), None, "The AOF manifest file contains too long line"),
    ];
    for (manifest, at, problem) in wrong {
        let mut words = vec!["\n*** FATAL AOF MANIFEST FILE ERROR ***".to_owned()];
        if let Some((line, text)) = at {
            words.push(format!("Reading the manifest file, at line {line}"));
            words.push(format!(">>> '{text}'"));
        }
        words.push(problem.to_owned());
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let files: Files<'_> = &[(MANIFEST, manifest.as_bytes())];
        refused(files, &words);
        // It counts without a log as well: one could be begun at any time.
        refused_with(Config::default(), files, &words);
    }
    let manifest = [BASE_LINE, FIRST_LINE].concat();
    refused(
        &[(MANIFEST, manifest.as_bytes()), (FIRST, &requests(&["SET a 1"]))],
        &["Unable to obtain the AOF file appendonly.aof.1.base.rdb length. stat: No such file or \
           directory"],
    );
}

#[test]
fn files_without_a_manifest_are_told_of_and_stay() {
    let base = snapshot(&["SET a 1"]);
    let log = requests(&["SET b 2"]);
    let third = "appendonlydir/appendonly.aof.3.incr.aof";
    let mut world = loaded(&[(BASE, &base), (third, &log), ("dump.rdb", &base)]);
    assert!(!world.ended, "{:#?}", world.log);
    has_logged(
        &world,
        "The AOF manifest appendonlydir/appendonly.aof.manifest names no files, or is missing, but \
         2 files of an AOF lie in appendonlydir. They are NOT loaded; they stay as they are, and a \
         new AOF is begun beside them. To load them, stop the server and put their manifest back.",
    );
    has_logged(
        &world,
        "./dump.rdb is there but NOT loaded: with appendonly yes the data is what the AOF says, \
         and there is none yet. To begin one with this data, start with appendonly no, and then \
         use CONFIG SET appendonly yes.",
    );
    assert_eq!(keys(&mut world, 0), "");
    assert_eq!((&world.disk.files[BASE], &world.disk.files[third]), (&base, &log));
}

#[test]
fn what_killed_servers_have_left_is_removed_once_all_is_loaded() {
    let manifest = [BASE_LINE, FIRST_LINE].concat();
    let base = snapshot(&["SET a 1"]);
    let draft = "appendonlydir/appendonly.aof.manifest.tmp-7-0123456789abcdef";
    let files: Vec<(&str, &[u8])> = vec![
        (MANIFEST, manifest.as_bytes()),
        (BASE, &base),
        (FIRST, b""),
        // Those of process 7, which has ended, and of ours before us.
        ("temp-7.rdb", b"left"),
        ("temp-rewriteaof-bg-1.aof", b"left"),
        (draft, b"left"),
        // Process 8 runs.
        ("temp-8.rdb", b"left"),
        ("temp-mine.rdb", b"left"),
        ("appendonlydir/temp-7.rdb", b"left"),
        ("appendonlydir/appendonly.aof.2.base.aof", b"left"),
        ("appendonlydir/appendonly.aof.0.incr.aof", b"left"),
    ];
    let load = |config: Config, more: Files<'_>| {
        let mut world = World::new(config);
        world.disk.running.insert(8);
        for (name, bytes) in files.iter().chain(more) {
            world.disk.files.insert((*name).to_owned(), bytes.to_vec());
        }
        world.node.load_at_start(world.now);
        world.advance(300);
        let gone = files.iter().filter(|(name, _)| !world.disk.files.contains_key(*name));
        let gone: Vec<&str> = gone.map(|(name, _)| *name).collect();
        (world, gone)
    };
    let (mut world, gone) = load(config(), &[]);
    assert!(!world.ended, "{:#?}", world.log);
    let unnamed = "appendonlydir/appendonly.aof.2.base.aof";
    assert_eq!(gone, ["temp-7.rdb", "temp-rewriteaof-bg-1.aof", draft, unnamed]);
    for line in [
        "Removing temp-7.rdb, which process 7 has left behind",
        "Removing temp-rewriteaof-bg-1.aof, which process 1 has left behind",
        &format!("Removing {draft}, which process 7 has left behind"),
        &format!("Removing {unnamed}, a base that no manifest names and none will"),
    ] {
        has_logged(&world, line);
    }
    assert_eq!(keys(&mut world, 0), "a=\"1\"");

    // A base may be of a log that was begun anew, whose increment holds what nothing else does.
    let (world, gone) = load(config(), &[(SECOND, b"SET b 2")]);
    assert!(!world.ended && !gone.contains(&unnamed), "{gone:?}");
    assert!(world.disk.files.contains_key(SECOND));
    // What lies beside a log that is not in use is nobody's business.
    let (world, gone) = load(Config::default(), &[]);
    assert!(!world.ended, "{:#?}", world.log);
    assert_eq!(gone, ["temp-7.rdb", "temp-rewriteaof-bg-1.aof"]);
    // Where nothing can be loaded, what was left may be the best there is.
    let (world, gone) = load(config(), &[(BASE, b"REDIS0010\xff")]);
    assert!(world.ended && gone.is_empty(), "{gone:?}");
}

#[test]
fn without_a_log_the_snapshot_is_loaded() {
    let log = requests(&["SET log 1"]);
    let files: Files<'_> = &[
        (MANIFEST, FIRST_LINE.as_bytes()),
        (FIRST, &log),
        ("appendonly.aof", &log),
        ("dump.rdb", &snapshot(&["SET snapshot 1"])),
    ];
    let mut world = loaded_with(Config::default(), files);
    assert_eq!(keys(&mut world, 0), "snapshot=\"1\"");
    assert_eq!(world.disk.files[FIRST], log);
}
