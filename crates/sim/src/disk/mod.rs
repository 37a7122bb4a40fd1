//! The disk of a server and the threads that use it: wishes in, news out, each in its time, with
//! faults, and with what a crash leaves.
//!
//! Three things go on beside each other, as in the rim: saving and jobs on whole files, loading,
//! and the log with its syncs.

mod faults;
mod log;
mod saving;
mod volume;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};

use vesta_node::{DiskNews, DiskWish, FileStep};
use vesta_types::{Mono, Rng};

pub(crate) use faults::{Manner, Spell, Trouble};

use crate::Flaw;
use faults::{Deed, Faults};
use log::{Log, Order};
use saving::Saving;
use volume::Volume;

/// What ends with a crash.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Crash {
    /// The process: what the system has been given is there.
    Process,
    /// The machine: what is safe is there.
    Machine,
}

/// A disk.
#[derive(Debug)]
pub(crate) struct Disk {
    volume: Volume,
    faults: Faults,
    saving: Saving,
    log: Log,
    loading: Loading,
    /// What is unread of the files that are shipped.
    ships: BTreeMap<u64, VecDeque<u8>>,
    /// What the node is still to be told.
    news: VecDeque<DiskNews>,
    /// Steps so far, and how many there are to be.
    steps: u64,
    steps_max: Option<u64>,
    flaw: Option<Flaw>,
}

/// What the threads work on.
struct Ground<'a> {
    now: Mono,
    volume: &'a mut Volume,
    faults: &'a mut Faults,
    flaw: Option<Flaw>,
    news: &'a mut VecDeque<DiskNews>,
}

/// The file that is loaded.
#[derive(Debug, Default)]
struct Loading {
    wishes: VecDeque<DiskWish>,
    done_at: Option<Mono>,
    unread: VecDeque<u8>,
}

impl Disk {
    pub(crate) fn new(manner: Manner, rng: Rng, flaw: Option<Flaw>) -> Self {
        Self {
            volume: Volume::default(),
            faults: Faults { manner, rng },
            saving: Saving::default(),
            log: Log::default(),
            loading: Loading::default(),
            ships: BTreeMap::new(),
            news: VecDeque::new(),
            steps: 0,
            steps_max: None,
            flaw,
        }
    }

    /// Takes a wish.
    pub(crate) fn take(&mut self, now: Mono, wish: DiskWish) {
        match wish {
            DiskWish::SaveOpen { id, temporary, name, .. } => self.saving.open(id, temporary, name),
            DiskWish::SaveWrite(bytes) => self.saving.write(bytes),
            DiskWish::SaveFinish => self.saving.finish(),
            DiskWish::SaveAbort => self.saving.abort(),
            DiskWish::Files { id, mut steps } => {
                if self.flaw == Some(Flaw::ListsAreCutShort) {
                    steps.iter_mut().for_each(cut_short);
                }
                self.saving.job(id, steps);
            }
            DiskWish::List { .. }
            | DiskWish::Running { .. }
            | DiskWish::LoadOpen { .. }
            | DiskWish::LoadRead { .. } => {
                self.loading.wishes.push_back(wish);
            }
            DiskWish::LogOpen { name, len } => self.log.order(Order::Open { name, len }),
            DiskWish::LogAppend { batch, bytes, sync } => {
                self.log.order(Order::Append { batch, bytes, sync });
            }
            DiskWish::LogRetry => self.log.order(Order::Retry),
            DiskWish::LogSync => self.log.order(Order::Sync),
            DiskWish::LogClose => self.log.order(Order::Close),
            DiskWish::ShipOpen { ship, name } => {
                let file = self.volume.find(&name).map(|id| self.volume.bytes(id).to_vec());
                let absent = || "No such file or directory".to_owned();
                let outcome = file.as_ref().map(|file| file.len() as u64).ok_or_else(absent);
                self.ships.extend(file.map(|file| (ship, file.into())));
                self.news.push_back(DiskNews::ShipOpened { ship, outcome });
            }
            DiskWish::ShipRead { ship, bytes_max } => {
                if let Some(unread) = self.ships.get_mut(&ship) {
                    let piece = unread.drain(..bytes_max.min(unread.len())).collect();
                    self.news.push_back(DiskNews::ShipPiece { ship, outcome: Ok(piece) });
                }
            }
            DiskWish::ShipClose { ship } => {
                self.ships.remove(&ship);
            }
        }
        self.begin(now);
    }

    fn begin(&mut self, now: Mono) {
        self.saving.begin(now, &mut self.faults);
        self.log.begin(now, &mut self.faults);
        self.loading.begin(now, &mut self.faults);
    }

    /// Steps that were made so far.
    pub(crate) fn steps(&self) -> u64 {
        self.steps
    }

    /// It is to stand still once it has made so many steps.
    pub(crate) fn stop_at(&mut self, steps: Option<u64>) {
        self.steps_max = steps;
    }

    /// Carries out all wishes about loading at once, and the jobs that belong to it.
    pub(crate) fn load_now(&mut self) {
        let Self { volume, faults, saving, loading, news, flaw, .. } = self;
        let mut ground = Ground { now: Mono(0), volume, faults, flaw: *flaw, news };
        while !loading.wishes.is_empty() {
            loading.end(&mut ground);
        }
        while saving.next_at().is_some() {
            saving.end(&mut ground);
            saving.begin(Mono(0), ground.faults);
        }
    }

    /// When something happens next.
    pub(crate) fn next_at(&self) -> Option<Mono> {
        if !self.news.is_empty() {
            return Some(Mono(0));
        }
        if self.steps_max == Some(self.steps) {
            return None;
        }
        let all = [self.saving.next_at(), self.log.next_at(), self.loading.done_at];
        all.into_iter().flatten().min()
    }

    /// Lets everything happen that is due.
    pub(crate) fn pass_to(&mut self, now: Mono) {
        let Self { volume, faults, saving, log, loading, news, flaw, steps, steps_max, .. } = self;
        while steps_max.is_none_or(|most| *steps < most) {
            let nexts = [loading.done_at, saving.next_at(), log.next_at()];
            let Some(at) = nexts.into_iter().flatten().min().filter(|at| *at <= now) else {
                return;
            };
            let ground = &mut Ground { now: at, volume, faults, flaw: *flaw, news };
            *steps += 1;
            // What follows begins when the one before has ended.
            if loading.done_at == Some(at) {
                loading.end(ground);
            } else if saving.next_at() == Some(at) {
                saving.end(ground);
            } else {
                log.end(ground);
            }
            saving.begin(at, faults);
            log.begin(at, faults);
            loading.begin(at, faults);
        }
    }

    /// The threads do what they still have to do, as they do when a process ends by itself. Nobody
    /// hears of it.
    pub(crate) fn finish(&mut self) {
        self.steps_max = None;
        while let Some(at) = [self.saving.next_at(), self.log.next_at()].into_iter().flatten().min()
        {
            self.pass_to(at);
        }
        self.news.clear();
    }

    /// Something that the node is told now.
    pub(crate) fn news(&mut self) -> Option<DiskNews> {
        self.news.pop_front()
    }

    /// Everything that uses the disk is no more; whether the end of a process has taken with it
    /// what a failed sync has lost.
    pub(crate) fn crash(&mut self, crash: Crash) -> bool {
        let Self { volume, faults, saving, log, .. } = self;
        saving.die(volume, faults);
        log.die(volume, faults);
        let has_lost = match crash {
            Crash::Process => volume.process_ends(),
            Crash::Machine => {
                let zeros = faults.manner.zeros;
                volume.machine_ends(&mut faults.rng, zeros);
                false
            }
        };
        self.loading = Loading::default();
        self.ships.clear();
        self.news.clear();
        has_lost
    }

    /// From here on nothing goes wrong.
    pub(crate) fn heal(&mut self) {
        self.faults.heal();
    }

    /// When there is no trouble any more that keeps a server from working.
    pub(crate) fn calm_at(&self, now: Mono) -> Mono {
        self.faults.calm_at(now)
    }

    /// The last batch of the log that was written.
    pub(crate) fn written_batch(&self) -> u64 {
        self.log.written()
    }

    /// The last batch of the log that is there when the process ends.
    pub(crate) fn lasting_batch(&self) -> Option<u64> {
        self.log.lasting(&self.volume)
    }

    /// The last batch of the log that the end of the machine does not harm; 0 stands for what was
    /// loaded, and is not there either at first.
    pub(crate) fn safe_batch(&self) -> Option<u64> {
        self.log.safe()
    }

    /// Files of the log before the present one do not count any more.
    pub(crate) fn forget_old_log(&mut self) {
        self.log.forget_old();
    }

    /// How many snapshots were ever begun: the number of the last.
    pub(crate) fn snapshots_begun(&self) -> u64 {
        self.saving.opened
    }

    /// The snapshot that was saved last: its name and its number.
    pub(crate) fn last_saved(&self) -> Option<(String, u64)> {
        let name = self.saving.saved.clone()?;
        let number = self.snapshot_at(&name);
        Some((name, number))
    }

    /// The number of the snapshot that has this name; 0 for none.
    pub(crate) fn snapshot_at(&self, name: &str) -> u64 {
        self.volume.find(name).map_or(0, |id| self.volume.label_of(id))
    }

    /// Removes a file for good.
    pub(crate) fn forget(&mut self, name: &str) {
        self.volume.remove(name);
        self.volume.sync_dir(volume::dir_of(name));
    }

    /// What is in a file, if it is there.
    pub(crate) fn read(&self, name: &str) -> Option<&[u8]> {
        self.volume.find(name).map(|id| self.volume.bytes(id))
    }

    /// The names of all files with their lengths, for a report.
    pub(crate) fn listing(&self) -> String {
        let line = |(name, len)| format!("{name} ({len} bytes)");
        self.volume.listing().map(line).collect::<Vec<_>>().join(", ")
    }
}

/// Takes the last line of a list of files away.
fn cut_short(step: &mut FileStep) {
    if let FileStep::Replace { name, bytes } = step
        && name.ends_with(".manifest")
    {
        let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
        let kept = lines.len().saturating_sub(1).max(1);
        *bytes = lines.into_iter().take(kept).flatten().copied().collect();
    }
}

impl Loading {
    fn begin(&mut self, now: Mono, faults: &mut Faults) {
        if self.done_at.is_none() && !self.wishes.is_empty() {
            self.done_at = Some(faults.done_at(now, Deed::Write));
        }
    }

    fn end(&mut self, ground: &mut Ground<'_>) {
        self.done_at = None;
        match self.wishes.pop_front() {
            Some(DiskWish::LoadOpen { name }) => {
                let file = ground.volume.find(&name);
                let bytes = file.map(|id| ground.volume.bytes(id).to_vec());
                let len = bytes.as_ref().map(|bytes| bytes.len() as u64);
                self.unread = bytes.unwrap_or_default().into();
                ground.news.push_back(DiskNews::LoadOpened(Ok(len)));
            }
            Some(DiskWish::LoadRead { bytes_max }) => {
                let most = 1 + usize::try_from(ground.faults.rng.below(100_000)).unwrap_or(0);
                let len = bytes_max.min(most).min(self.unread.len());
                let piece = self.unread.drain(..len).collect();
                ground.news.push_back(DiskNews::LoadPiece(Ok(piece)));
            }
            Some(DiskWish::List { name }) => {
                let within = if name == "." { String::new() } else { format!("{name}/") };
                let names = ground.volume.listing();
                let names = names.filter_map(|(path, _)| path.strip_prefix(&within));
                let names = names.filter(|name| !name.contains('/'));
                let names = names.map(str::to_owned).collect();
                ground.news.push_back(DiskNews::Listed(Ok(names)));
            }
            // There is one process for each volume.
            Some(DiskWish::Running { .. }) => ground.news.push_back(DiskNews::Running(Vec::new())),
            // Nothing else is about loading.
            Some(_) | None => {}
        }
    }
}
