//! The check that a snapshot holds what was there when it began.

use vesta_cmd::host::Process;
use vesta_config::Config;
use vesta_node::{Action, DiskNews, DiskWish, Event, Meter, Node, Setup};
use vesta_types::{DbIndex, Now};

use crate::checker::Check;

/// The snapshot under way, and what it must hold.
#[derive(Debug)]
pub(crate) struct Pictures {
    /// Settings for a node that loads a snapshot to compare it.
    config: Config,
    begun: Option<(u64, Picture)>,
}

/// All data at one time.
#[derive(Debug)]
struct Picture {
    now: Now,
    databases: Vec<Dump>,
}

type Dump = Vec<(Box<[u8]>, String, Option<u64>)>;

impl Pictures {
    /// `config` is for a node that holds the same data and nothing else.
    pub(crate) fn new(config: Config) -> Self {
        Self { config, begun: None }
    }

    /// The snapshot `id` is to hold all that is in `node` now, and those before it do not matter.
    pub(crate) fn take(&mut self, id: u64, node: &mut Node, now: Now) {
        self.begun = Some((id, Picture { now, databases: dump(node, now) }));
    }

    /// Has the snapshot at hand hold what is there now.
    pub(crate) fn take_anew(&mut self, node: &mut Node, now: Now) {
        if let Some((id, _)) = self.begun.take() {
            self.take(id, node, now);
        }
    }

    /// No snapshot is under way.
    pub(crate) fn forget(&mut self) {
        self.begun = None;
    }

    /// The snapshot `id` is in its place: it must hold what was there when it began, if that is
    /// known; whether it was.
    pub(crate) fn compare(&mut self, id: u64, file: &[u8]) -> Result<bool, String> {
        let expected = self.begun.take().filter(|(of, _)| *of == id);
        let Some((_, Picture { now, databases })) = expected else { return Ok(false) };
        let process = Process { pid: 1, arch_bits: 64, ..Process::default() };
        let config = self.config.clone();
        let mut node = Node::new(Setup { config, process, seed: 2, now, meter: Meter::still() });
        load(&mut node, now, file)?;
        for (db, (want, got)) in databases.iter().zip(dump(&mut node, now)).enumerate() {
            if *want != got {
                let odd = want.iter().zip(&got).find(|(want, got)| want != got);
                let (had, has) = (want.len(), got.len());
                return Err(format!(
                    "a snapshot of db {db} has {has} of {had} keys, and differs first in {odd:?}"
                ));
            }
        }
        Ok(true)
    }
}

/// Has a node load a file; no time passes.
fn load(node: &mut Node, now: Now, file: &[u8]) -> Check {
    let mut unread = file;
    node.load_at_start(now);
    loop {
        while let Some(action) = node.poll_action() {
            match action {
                Action::Disk(DiskWish::List { .. }) => {
                    node.handle(now, Event::Disk(DiskNews::Listed(Ok(Vec::new()))));
                }
                Action::Disk(DiskWish::LoadOpen { name }) => {
                    let is_there = name == node.config().dbfilename;
                    let len = Ok(is_there.then_some(file.len() as u64));
                    node.handle(now, Event::Disk(DiskNews::LoadOpened(len)));
                }
                Action::Disk(DiskWish::LoadRead { bytes_max }) => {
                    let (piece, rest) = unread.split_at(bytes_max.min(unread.len()));
                    unread = rest;
                    let piece = Ok(piece.to_vec());
                    node.handle(now, Event::Disk(DiskNews::LoadPiece(piece)));
                }
                Action::Ready => return Ok(()),
                Action::Exit(_) => return Err("a snapshot cannot be loaded".to_owned()),
                Action::Log { .. }
                | Action::Close(_)
                | Action::Send { .. }
                | Action::Resume(_)
                | Action::Measure
                | Action::Apply { .. }
                | Action::RewriteConfig { .. }
                | Action::PurgeMemory
                | Action::Sleep { .. }
                | Action::Disk(_)
                | Action::Release { .. }
                | Action::Connect { .. }
                | Action::GiveUpConnect { .. }
                | Action::Feed(_)
                | Action::Role { .. } => {}
            }
        }
        node.handle(now, Event::Tick);
    }
}

fn dump(node: &mut Node, now: Now) -> Vec<Dump> {
    let count = node.config().databases;
    let all = (0..u64::from(count)).filter_map(|raw| DbIndex::new(raw, count));
    all.map(|db| node.dump(now, db)).collect()
}
