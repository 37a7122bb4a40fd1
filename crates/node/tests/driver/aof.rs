//! Servers that keep a log: how they are started, and what is on their disks.

use super::{Disk, World};
use std::collections::BTreeMap;
use vesta_config::{AppendFsync, Config};
use vesta_node::{ConnId, FileFault, SaveFault, SaveStep};
use vesta_types::DbIndex;

pub const MANIFEST: &str = "appendonlydir/appendonly.aof.manifest";
pub const FULL: &str = "No space left on device";
pub const BROKEN: &str = "Input/output error";

/// A database: keys, values, times to live.
pub type Dump = Vec<(Box<[u8]>, String, Option<u64>)>;

/// The settings of a server that has a log and saves nothing.
pub fn config(policy: AppendFsync) -> Config {
    Config { appendonly: true, appendfsync: policy, ..without_log() }
}

pub fn without_log() -> Config {
    Config { save: Vec::new(), ..Config::default() }
}

/// A server that has started with these files.
pub fn started_with(config: Config, files: BTreeMap<String, Vec<u8>>) -> World {
    let mut world = World::new(config);
    world.disk.files = files;
    world.node.load_at_start(world.now);
    world.advance(200);
    world
}

/// A server without files that has started, and a client.
pub fn started(policy: AppendFsync) -> (World, ConnId) {
    let mut world = started_with(config(policy), BTreeMap::new());
    let conn = world.connect().expect("the first client is served");
    (world, conn)
}

/// The first databases.
pub fn dump(world: &mut World) -> Vec<Dump> {
    let all = (0..3).filter_map(|raw| DbIndex::new(raw, 16));
    all.map(|db| world.node.dump(world.now, db)).collect()
}

/// The manifest that is there, with shorter names.
pub fn manifest(disk: &Disk) -> String {
    let text = disk.files.get(MANIFEST).cloned().unwrap_or_default();
    String::from_utf8(text).expect("names are text").replace("appendonly.aof", "aof")
}

/// What a save meets on a full disk.
pub fn no_room() -> SaveFault {
    SaveFault { step: SaveStep::Create, why: FULL.to_owned() }
}

/// What a job meets in this step.
pub fn job_fault(step: usize) -> FileFault {
    FileFault { step, why: FULL.to_owned() }
}
