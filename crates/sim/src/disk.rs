//! The disk of a server: it keeps the one file that is written, and gives it back; it may take its
//! time, and fail. And the check that a snapshot holds what was there when it began.

use std::collections::VecDeque;

use vesta_cmd::host::Process;
use vesta_config::Config;
use vesta_node::{Action, DiskNews, DiskWish, Event, Meter, Node, SaveFault, SaveStep, Setup};
use vesta_types::{DbIndex, Now, Rng};

use crate::checker::Check;

/// Of a thousand files, so many cannot be created; and of a thousand pieces, written.
const FAULTS_PER_1000: u64 = 40;

/// A disk.
#[derive(Debug)]
pub(crate) struct Disk {
    /// A chance of its own: whether anything is saved changes nothing for everybody else.
    rng: Rng,
    /// The file in its place.
    file: Option<Vec<u8>>,
    /// The file that is written, with its number.
    fresh: Option<(u64, Vec<u8>)>,
    /// What must be in the file with a number.
    expected: Option<(u64, Picture)>,
    /// What the node is still to be told.
    news: VecDeque<DiskNews>,
    /// What is left to be read.
    unread: VecDeque<u8>,
    /// Settings for a node that loads a snapshot to compare it.
    config: Config,
}

/// All data at one time.
#[derive(Debug)]
struct Picture {
    now: Now,
    databases: Vec<Dump>,
}

type Dump = Vec<(Box<[u8]>, String, Option<u64>)>;

impl Disk {
    /// A disk for a node; `config` is for one that holds the same data and nothing else.
    pub(crate) fn new(config: Config) -> Self {
        Self {
            rng: Rng::new(1),
            file: None,
            fresh: None,
            expected: None,
            news: VecDeque::new(),
            unread: VecDeque::new(),
            config,
        }
    }

    /// A snapshot of all that is in `node` now is about to be written.
    pub(crate) fn begin(&mut self, id: u64, node: &mut Node, now: Now) {
        self.expected = Some((id, Picture { now, databases: dump(node, now) }));
    }

    /// Has the file at hand hold what is there now.
    pub(crate) fn expect_now(&mut self, node: &mut Node, now: Now) {
        if let Some((id, _)) = &self.fresh {
            self.begin(*id, node, now);
        }
    }

    pub(crate) fn open(&mut self, id: u64) {
        self.fresh = None;
        if self.fails() {
            self.fail(id, SaveStep::Create);
        } else {
            self.fresh = Some((id, Vec::new()));
        }
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) {
        let fails = self.fails();
        let Some((id, file)) = &mut self.fresh else { return };
        let id = *id;
        if fails {
            self.fresh = None;
            self.fail(id, SaveStep::Write);
            return;
        }
        file.extend_from_slice(bytes);
        self.news.push_back(DiskNews::SaveWritten { id, bytes: bytes.len() });
    }

    /// The file gets its name. It must hold what was there when it began, if that is known; whether
    /// it was.
    pub(crate) fn finish(&mut self) -> Result<bool, String> {
        let Some((id, file)) = self.fresh.take() else { return Ok(false) };
        self.news.push_back(DiskNews::SaveDone { id, outcome: Ok(()) });
        let expected = self.expected.take().filter(|(of, _)| *of == id);
        if let Some((_, expected)) = &expected {
            self.compare(&file, expected)?;
        }
        self.file = Some(file);
        Ok(expected.is_some())
    }

    pub(crate) fn abort(&mut self) {
        self.fresh = None;
    }

    /// Something that the node is told now.
    pub(crate) fn news(&mut self) -> Option<DiskNews> {
        if self.rng.below(3) == 0 { None } else { self.news.pop_front() }
    }

    /// Opens the file in its place, if there is one: how long it is.
    pub(crate) fn open_to_read(&mut self) -> Option<u64> {
        let file = self.file.as_ref()?;
        self.unread = file.iter().copied().collect();
        Some(file.len() as u64)
    }

    pub(crate) fn read(&mut self, bytes_max: usize) -> Vec<u8> {
        let len = bytes_max.min(self.unread.len());
        self.unread.drain(..len).collect()
    }

    fn fails(&mut self) -> bool {
        self.rng.below(1000) < FAULTS_PER_1000
    }

    fn fail(&mut self, id: u64, step: SaveStep) {
        let why = "No space left on device".to_owned();
        self.news.push_back(DiskNews::SaveDone { id, outcome: Err(SaveFault { step, why }) });
    }

    /// Whether a node that loads `file` has the data of `expected`.
    fn compare(&self, file: &[u8], expected: &Picture) -> Check {
        let now = expected.now;
        let process = Process { pid: 1, arch_bits: 64, ..Process::default() };
        let config = self.config.clone();
        let mut node = Node::new(Setup { config, process, seed: 2, now, meter: Meter::still() });
        load(&mut node, now, file)?;
        for (db, (want, got)) in expected.databases.iter().zip(dump(&mut node, now)).enumerate() {
            if *want != got {
                let odd = want.iter().zip(&got).find(|(want, got)| want != got);
                let (had, has) = (want.len(), got.len());
                return Err(format!(
                    "a snapshot of db {db} has {has} of {had} keys, and differs first in {odd:?}"
                ));
            }
        }
        Ok(())
    }
}

/// Has a node load a file; no time passes.
fn load(node: &mut Node, now: Now, file: &[u8]) -> Check {
    let mut unread = file;
    node.load_at_start(now);
    loop {
        while let Some(action) = node.poll_action() {
            match action {
                Action::Disk(DiskWish::LoadOpen { .. }) => {
                    let len = Ok(Some(file.len() as u64));
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
                | Action::Release { .. } => {}
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
