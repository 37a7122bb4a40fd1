//! Logs made by hand, and servers that have tried to load them.

use super::World;
use vesta_config::Config;
use vesta_testkit::client::encode;
use vesta_types::DbIndex;

pub const MANIFEST: &str = "appendonlydir/appendonly.aof.manifest";
pub const BASE: &str = "appendonlydir/appendonly.aof.1.base.rdb";
pub const FIRST: &str = "appendonlydir/appendonly.aof.1.incr.aof";
pub const SECOND: &str = "appendonlydir/appendonly.aof.2.incr.aof";
pub const BASE_LINE: &str = "file appendonly.aof.1.base.rdb seq 1 type b\n";
pub const FIRST_LINE: &str = "file appendonly.aof.1.incr.aof seq 1 type i\n";
pub const SECOND_LINE: &str = "file appendonly.aof.2.incr.aof seq 2 type i\n";

/// Files by name.
pub type Files<'f> = &'f [(&'f str, &'f [u8])];

/// All data of a node, database by database.
pub type State = Vec<Vec<(Box<[u8]>, String, Option<u64>)>>;

/// What a client would have to send.
pub fn requests(requests: &[&str]) -> Vec<u8> {
    let words = requests.iter().map(|request| request.split(' ').collect::<Vec<_>>());
    words.flat_map(|words| encode(&words)).collect()
}

/// The file that SAVE writes after these requests.
pub fn snapshot(requests: &[&str]) -> Vec<u8> {
    let mut world = World::new(Config::default());
    let conn = world.connect().expect("the first client is served");
    for request in requests {
        world.ask(conn, &request.split(' ').collect::<Vec<_>>());
    }
    world.send(conn, b"SAVE\r\n");
    world.advance(1000);
    world.disk.files.get("dump.rdb").cloned().expect("SAVE writes a file")
}

/// Settings of a server that has a log.
pub fn config() -> Config {
    Config { appendonly: true, ..Config::default() }
}

/// A node that has tried to load these files.
pub fn loaded_with(config: Config, files: Files<'_>) -> World {
    let mut world = World::new(config);
    for (name, bytes) in files {
        world.disk.files.insert((*name).to_owned(), bytes.to_vec());
    }
    world.node.load_at_start(world.now);
    world.advance(300);
    world
}

/// A node that has tried to load these files as its log.
pub fn loaded(files: Files<'_>) -> World {
    loaded_with(config(), files)
}

/// All data of a node.
pub fn dump(world: &mut World) -> State {
    let count = world.node.config().databases;
    let all = (0..u64::from(count)).filter_map(|raw| DbIndex::new(raw, count));
    all.map(|db| world.node.dump(world.now, db)).collect()
}

/// The keys of a database with their values, as text.
pub fn keys(world: &mut World, db: u64) -> String {
    let db = DbIndex::new(db, 16).expect("there are 16 databases");
    let entries = world.node.dump(world.now, db);
    let texts = entries.iter().map(|(key, value, _)| format!("{}={value}", key.escape_ascii()));
    texts.collect::<Vec<_>>().join(" ")
}

/// The log of the server has this line.
#[track_caller]
pub fn has_logged(world: &World, line: &str) {
    let lines = &world.log;
    assert!(lines.iter().any(|logged| logged == line), "no {line:?} in {lines:#?}");
}
