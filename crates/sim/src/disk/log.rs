//! The threads that write the log, as the rim has them: one that takes orders in rounds, writes
//! all batches that wait with one call and syncs once for all of them; and one that syncs while
//! appending goes on.

use std::collections::VecDeque;

use vesta_node::{DiskNews, LogStep};
use vesta_types::Mono;

use super::Ground;
use super::faults::{Deed, Faults};
use super::volume::{FileId, Volume, dir_of, part_of};
use crate::Flaw;

/// What the first thread is ordered to do.
#[derive(Debug)]
pub(super) enum Order {
    Open { name: String, len: u64 },
    Append { batch: u64, bytes: Vec<u8>, sync: bool },
    Retry,
    Sync,
    Close,
}

/// Both threads.
#[derive(Debug, Default)]
pub(super) struct Log {
    orders: VecDeque<Order>,
    /// What is left of the round at hand.
    round: VecDeque<Op>,
    /// When the operation under way is done.
    done_at: Option<Mono>,
    file: Option<Open>,
    queue: VecDeque<(u64, Vec<u8>)>,
    wants_sync: bool,
    /// The last batch that was written.
    written: u64,
    /// Syncs that the second thread is to carry out, the first one under way.
    syncs: VecDeque<SyncJob>,
    sync_done_at: Option<Mono>,
    /// Batches by where they end, those that are known to be safe left out.
    placed: VecDeque<Placed>,
    /// The last batch of those that are safe with all before them.
    safe: Option<u64>,
    /// Files that could not be synced: the rim remembers.
    faulty: Vec<FileId>,
}

#[derive(Clone, Copy, Debug)]
struct Open {
    id: FileId,
    /// Its length in whole batches.
    whole: usize,
}

/// One thing that the first thread does.
#[derive(Debug)]
enum Op {
    Take(u64, Vec<u8>, bool),
    Write,
    /// Ends a round.
    SyncIfWanted {
        before: u64,
    },
    Open {
        name: String,
        len: u64,
    },
    HandOutSync,
    /// Syncs the file and closes it.
    Close,
}

#[derive(Clone, Copy, Debug)]
struct SyncJob {
    id: FileId,
    len: usize,
    batch: u64,
}

#[derive(Clone, Copy, Debug)]
struct Placed {
    batch: u64,
    id: FileId,
    end: usize,
}

impl Log {
    pub(super) fn order(&mut self, order: Order) {
        self.orders.push_back(order);
    }

    /// Begins what is next, on both threads.
    pub(super) fn begin(&mut self, now: Mono, faults: &mut Faults) {
        if self.done_at.is_none() {
            if self.round.is_empty() {
                self.begin_round();
            }
            if let Some(op) = self.round.front() {
                let deed = match op {
                    Op::Take(..) | Op::HandOutSync => None,
                    Op::Write => Some(Deed::Write).filter(|_| !self.queue.is_empty()),
                    Op::SyncIfWanted { .. } => Some(Deed::Sync).filter(|_| self.wants_sync),
                    Op::Open { .. } => Some(Deed::Names),
                    Op::Close => Some(Deed::Sync),
                };
                self.done_at = Some(deed.map_or(now, |deed| faults.done_at(now, deed)));
            }
        }
        if self.sync_done_at.is_none() && !self.syncs.is_empty() {
            self.sync_done_at = Some(faults.done_at(now, Deed::Sync));
        }
    }

    /// Takes all orders there are.
    fn begin_round(&mut self) {
        if self.orders.is_empty() {
            return;
        }
        let before = self.written;
        for order in std::mem::take(&mut self.orders) {
            match order {
                Order::Append { batch, bytes, sync } => {
                    self.round.push_back(Op::Take(batch, bytes, sync));
                }
                Order::Retry => {}
                Order::Open { name, len } => {
                    self.round.extend([Op::Write, Op::Open { name, len }]);
                }
                Order::Sync => self.round.extend([Op::Write, Op::HandOutSync]),
                Order::Close => self.round.extend([Op::Write, Op::Close]),
            }
        }
        self.round.extend([Op::Write, Op::SyncIfWanted { before }]);
    }

    pub(super) fn next_at(&self) -> Option<Mono> {
        self.done_at.into_iter().chain(self.sync_done_at).min()
    }

    /// Ends what is under way and due on one of the threads.
    pub(super) fn end(&mut self, ground: &mut Ground<'_>) {
        if self.sync_done_at.is_some_and(|at| at <= ground.now) {
            self.sync_done_at = None;
            if let Some(job) = self.syncs.pop_front() {
                self.sync(job, ground);
            }
        } else if let Some(op) = self.round.pop_front() {
            self.done_at = None;
            self.carry_out(op, ground);
        }
        self.note_safe(ground.volume);
    }

    fn carry_out(&mut self, op: Op, ground: &mut Ground<'_>) {
        match op {
            Op::Take(batch, bytes, sync) => {
                self.queue.push_back((batch, bytes));
                self.wants_sync |= sync;
            }
            Op::Write => {
                // What could not be written is reported and tried again later.
                let _ = self.write(ground);
            }
            Op::SyncIfWanted { before } => {
                if self.wants_sync && (self.written > before || self.queue.is_empty()) {
                    self.wants_sync = !self.queue.is_empty();
                    self.sync_file(ground);
                }
            }
            Op::Open { name, len } => {
                let outcome = self.open(&name, len, ground);
                ground.news.push_back(DiskNews::LogOpened(outcome));
            }
            Op::HandOutSync => match self.file {
                Some(Open { id, whole }) => {
                    self.syncs.push_back(SyncJob { id, len: whole, batch: self.written });
                }
                None => ground.news.push_back(DiskNews::LogSynced { batch: self.written }),
            },
            Op::Close => {
                self.sync_file(ground);
                self.file = None;
                self.queue.clear();
                self.wants_sync = false;
                ground.news.push_back(DiskNews::LogClosed);
            }
        }
    }

    /// Writes all that waits; the beginning of a batch is taken back.
    fn write(&mut self, ground: &mut Ground<'_>) -> Result<(), String> {
        if self.queue.is_empty() {
            return Ok(());
        }
        let before = self.written;
        let mut outcome = Ok(());
        match &mut self.file {
            None => outcome = Err("Transport endpoint is not connected".to_owned()),
            Some(open) => {
                let struck = ground.faults.strikes_log(ground.now, Deed::Write);
                let fit = if struck.is_some() { self.queue.len() / 2 } else { self.queue.len() };
                for (batch, bytes) in self.queue.drain(..fit) {
                    let loses = ground.flaw == Some(Flaw::BatchesAreLost);
                    if !(loses && batch.is_multiple_of(40)) {
                        ground.volume.append(open.id, &bytes);
                        open.whole += bytes.len();
                    }
                    self.written = batch;
                    self.placed.push_back(Placed { batch, id: open.id, end: open.whole });
                }
                if let Some(why) = struck {
                    outcome = Err(why);
                }
            }
        }
        if self.written > before {
            ground.news.push_back(DiskNews::LogWritten { batch: self.written });
        }
        outcome.inspect_err(|why| {
            let (step, why) = (LogStep::Write, why.clone());
            ground.news.push_back(DiskNews::LogFailed { step, why });
        })
    }

    fn open(&mut self, name: &str, len: u64, ground: &mut Ground<'_>) -> Result<(), String> {
        if self.file.is_some() && !self.queue.is_empty() {
            return Err("what was appended before is not written".to_owned());
        }
        if let Some(why) = ground.faults.strikes_log(ground.now, Deed::Write) {
            return Err(why);
        }
        let whole = usize::try_from(len).unwrap_or(usize::MAX);
        let Ground { volume, flaw, .. } = ground;
        let flaw = *flaw;
        let id = match volume.find(name) {
            Some(id) if volume.len(id) < whole => return Err("Invalid argument".to_owned()),
            Some(id) => id,
            None if whole > 0 => return Err("Invalid argument".to_owned()),
            None => {
                let id = volume.create(name).map_err(|_| "No such file or directory".to_owned())?;
                volume.sync_dir(dir_of(name));
                id
            }
        };
        if let Some(before) = self.file.filter(|open| !self.faulty.contains(&open.id)) {
            self.sync_file(ground);
            if self.faulty.contains(&before.id) {
                return Err("the file before it could not be made safe".to_owned());
            }
        }
        if flaw != Some(Flaw::TailsAreKept) {
            ground.volume.cut(id, whole);
        }
        self.file = Some(Open { id, whole });
        // What was there before is a batch, too, for whoever asks what is safe.
        self.placed.push_back(Placed { batch: self.written, id, end: whole });
        Ok(())
    }

    fn sync_file(&mut self, ground: &mut Ground<'_>) {
        if let Some(Open { id, whole }) = self.file {
            self.sync(SyncJob { id, len: whole, batch: self.written }, ground);
        }
    }

    fn sync(&mut self, job: SyncJob, ground: &mut Ground<'_>) {
        let SyncJob { id, len, batch } = job;
        let Ground { now, volume, faults, flaw, news } = ground;
        let is_skipped = *flaw == Some(Flaw::SyncsAreSkipped) && faults.rng.below(3) == 0;
        let has_failed = self.faulty.contains(&id);
        let struck = faults.strikes_log(*now, Deed::Sync);
        match struck.or_else(|| has_failed.then(|| "Input/output error".to_owned())) {
            Some(why) => {
                volume.fail_to_sync(id);
                self.faulty.push(id);
                news.push_back(DiskNews::LogFailed { step: LogStep::Sync, why });
            }
            None => {
                if !is_skipped {
                    volume.sync(id, len);
                }
                news.push_back(DiskNews::LogSynced { batch });
            }
        }
    }

    /// Forgets batches that are safe.
    fn note_safe(&mut self, volume: &Volume) {
        let is_safe = |placed: &mut Placed| volume.safe_len(placed.id) >= placed.end;
        while let Some(placed) = self.placed.pop_front_if(is_safe) {
            self.safe = Some(placed.batch);
        }
    }

    /// Forgets what went to files before the present one.
    pub(super) fn forget_old(&mut self) {
        let present = self.file.map(|open| open.id);
        self.placed.retain(|placed| Some(placed.id) == present);
    }

    /// The last batch that was written.
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    /// The last batch that is there when the process ends: what a failed sync has lost is not.
    pub(super) fn lasting(&self, volume: &Volume) -> Option<u64> {
        let is_lost = |placed: &&Placed| {
            volume.is_lossy(placed.id) && placed.end > volume.safe_len(placed.id)
        };
        let lost = self.placed.iter().find(is_lost);
        lost.map_or(Some(self.written), |placed| placed.batch.checked_sub(1))
    }

    /// The last batch that the end of the machine does not harm; 0 stands for what was loaded.
    pub(super) fn safe(&self) -> Option<u64> {
        self.safe
    }

    /// Both threads are no more. Of what was being written a part may be there.
    pub(super) fn die(&mut self, volume: &mut Volume, faults: &mut Faults) {
        if self.done_at.is_some()
            && let (Some(Op::Write), Some(open)) = (self.round.front(), self.file)
        {
            let bytes: Vec<u8> = self.queue.iter().flat_map(|(_, bytes)| bytes).copied().collect();
            let kept = part_of(bytes.len(), &mut faults.rng);
            volume.append(open.id, bytes.get(..kept).unwrap_or_default());
        }
        *self = Self::default();
    }
}
