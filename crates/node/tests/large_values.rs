//! Values that are saved in pieces: a file holds them as they were when it was begun, whatever
//! becomes of them meanwhile.

mod driver;

use driver::World;
use driver::aof::{self, started_with};
use std::collections::BTreeMap;
use vesta_config::{AppendFsync, Config};
use vesta_node::ConnId;

/// Elements of each value.
const ELEMENTS: usize = 400;

/// A server that saves slowly, a piece of a value in each millisecond, with large values.
fn filled(config: Config) -> (World, ConnId) {
    let mut world = started_with(config, BTreeMap::new());
    world.node.save_in_pieces_from(2000);
    let conn = world.connect().expect("the first client is served");
    world.ask(conn, &["CONFIG", "SET", "rdb-key-save-delay", "1000"]);
    for database in ["0", "1"] {
        world.ask(conn, &["SELECT", database]);
        for (number, add) in ["HSET", "SADD", "ZADD", "RPUSH"].into_iter().enumerate() {
            let mut words = vec![add.to_owned(), format!("large:{number}")];
            for element in 0..ELEMENTS {
                if matches!(add, "HSET" | "ZADD") {
                    words.push(element.to_string());
                }
                words.push(format!("element {element}"));
            }
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            world.ask(conn, &words);
        }
        for element in 0..ELEMENTS {
            world.ask(conn, &["XADD", "large:4", &format!("{}-0", element + 1), "name", "value"]);
        }
        world.ask(conn, &["XGROUP", "CREATE", "large:4", "group", "0"]);
        world.ask(conn, &["XREADGROUP", "GROUP", "group", "a", "STREAMS", "large:4", ">"]);
        world.ask(conn, &["SET", "large:5", &"0123456789".repeat(20_000)]);
        world.ask(conn, &["PEXPIRE", "large:5", "1000000"]);
        for key in 0..20 {
            world.ask(conn, &["SET", &format!("key:{key}"), "value"]);
        }
    }
    world.ask(conn, &["SELECT", "0"]);
    (world, conn)
}

/// What happens while it is saved, one request in each millisecond.
fn ways() -> Vec<Vec<&'static str>> {
    let edits = ["HSET large:0 a b", "SADD large:1 a", "ZADD large:2 1 a", "RPUSH large:3 a"];
    let [hash, set, zset, list] = edits;
    let stream = "XADD large:4 * name value";
    vec![
        vec![],
        vec![hash, set, zset, list, stream, "APPEND large:5 x"],
        vec!["XACK large:4 group 5-0", "LPOP large:3", "ZREM large:2 a", "PERSIST large:5"],
        vec!["RENAME large:0 key:0", "MOVE large:1 2", "COPY large:2 key:1", "EXPIRE large:3 100"],
        vec!["DEL large:0 large:1 large:2 large:3 large:4 large:5", hash, set, "SET key:3 a"],
        vec!["SET large:0 a", "SET large:3 a", "SET large:5 a", set, "SET large:1 a"],
        vec!["FLUSHDB", hash, set, zset, "FLUSHALL", list],
        vec!["SWAPDB 0 1", hash, set, "SWAPDB 1 2", "SELECT 1", zset, list, "FLUSHDB"],
        vec!["PEXPIRE large:0 3", "PEXPIRE large:4 3", "SET key:1 a", "GET large:0", stream],
        vec!["SORT large:3 ALPHA STORE large:0", "SUNIONSTORE large:2 large:1", "DEL large:1"],
    ]
}

/// Begins with `command`, and does the rest of a way so many milliseconds later.
fn run(world: &mut World, conn: ConnId, command: &str, way: &[&str], wait_ms: u64) {
    world.ask(conn, &[command]);
    world.advance(wait_ms);
    let is_under_way = || "rdb_bgsave_in_progress:1\r\n|aof_rewrite_in_progress:1\r\n".split('|');
    let info = world.ask(conn, &["INFO", "persistence"]);
    assert!(is_under_way().any(|line| info.contains(line)), "it is over before anything happens");
    for request in way {
        let reply = world.ask(conn, &request.split(' ').collect::<Vec<_>>());
        assert!(!reply.starts_with('-'), "{request}: {reply}");
        world.advance(1);
    }
    world.advance(2000);
    let info = world.ask(conn, &["INFO", "persistence"]);
    assert!(!is_under_way().any(|line| info.contains(line)), "it is not over");
}

#[test]
fn a_snapshot_holds_large_values_as_they_were() {
    for way in ways() {
        for wait_ms in [1, 20, 150] {
            let (mut world, conn) = filled(aof::without_log());
            let before = aof::dump(&mut world);
            run(&mut world, conn, "BGSAVE", &way, wait_ms);
            let mut later = started_with(aof::without_log(), world.disk.files.clone());
            assert!(aof::dump(&mut later) == before, "{way:?}, {wait_ms} ms later");
        }
    }
}

#[test]
fn a_rewritten_log_holds_large_values_as_they_became() {
    for (number, way) in ways().into_iter().enumerate() {
        for (aof_use_rdb_preamble, wait_ms) in [(true, 20), (true, 150), (false, 20), (false, 90)] {
            let config = Config { aof_use_rdb_preamble, ..aof::config(AppendFsync::Always) };
            let (mut world, conn) = filled(config.clone());
            run(&mut world, conn, "BGREWRITEAOF", &way, wait_ms + number as u64);
            assert!(aof::manifest(&world.disk).contains("file aof.2.base."), "{way:?}");
            let after = aof::dump(&mut world);
            let mut later = started_with(config, world.disk.files.clone());
            assert!(
                aof::dump(&mut later) == after,
                "{way:?}, {wait_ms} ms, {aof_use_rdb_preamble}"
            );
        }
    }
}
