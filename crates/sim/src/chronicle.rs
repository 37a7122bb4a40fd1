//! What a server and those before it have done, as far as files may have to give it back: the
//! stream of effects with the data at each point of it, how far the log has got, and what others
//! have been shown.
//!
//! A point is named by its offset in the stream. The history branches when a server comes back
//! with less than was there: what is behind that point is forgotten.

use std::collections::BTreeMap;

use vesta_config::AppendFsync;
use vesta_types::{Mono, Now};

use crate::checker::Check;
use crate::disk::Crash;
use crate::model::Data;

/// Longest time that under `everysec` may lie between a write that is lost and the last moment
/// when somebody was shown it or something behind it, in microseconds.
const EXPOSED_US_MAX: u64 = 2_000_000;

/// Everything that is known of the past.
#[derive(Debug)]
pub(crate) struct Chronicle {
    /// What the log promises, while there is one.
    promise: Option<AppendFsync>,
    entries: Vec<Entry>,
    /// The data at the end of each effect.
    states: BTreeMap<u64, State>,
    /// Behind a SELECT: the offset before it, and the database.
    selects: BTreeMap<u64, (u64, usize)>,
    /// The end of the stream.
    end: u64,
    /// Batches of the log and where in the stream they end; the first is 0 for what was loaded.
    batches: Vec<(u64, u64)>,
    /// When others were last shown that the stream had got so far, and under which promise.
    shown: BTreeMap<u64, (Mono, AppendFsync)>,
    /// Between which offsets the snapshots with these numbers began.
    snapshots: BTreeMap<u64, (u64, u64)>,
    /// The last snapshot of which the node was told that it is in its place.
    saved: u64,
    /// The last batch of which the node was told that it is safe.
    synced: u64,
    /// What was ever known to be safe goes up to here.
    floor: u64,
    /// What must come back.
    expected: Option<Expected>,
}

/// Effects that take place together.
#[derive(Debug)]
struct Entry {
    end: u64,
    now: Now,
    /// One by one, as a follower repeats them.
    bytes: Vec<u8>,
}

/// The data at a point, and the database that the stream has selected.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) data: Data,
    pub(crate) stream_db: usize,
}

/// What must come back after the end of a server.
#[derive(Clone, Copy, Debug)]
struct Expected {
    at_least: u64,
    why: &'static str,
    /// Whether more may be lost than was safe, but only what others have known for a short time.
    is_exposed: bool,
}

/// What is true of the log at the moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LogFacts {
    /// The last batch that was written.
    pub(crate) written: u64,
    /// The last batch that the end of the process does not harm: no failed sync has lost it.
    pub(crate) lasting: Option<u64>,
    /// The last batch that the end of the machine does not harm.
    pub(crate) safe: Option<u64>,
    /// Whether it cannot be written or synced, and the node knows.
    pub(crate) is_failing: bool,
}

impl Chronicle {
    pub(crate) fn new(data: Data) -> Self {
        Self {
            promise: None,
            entries: Vec::new(),
            states: BTreeMap::from([(0, State { data, stream_db: 0 })]),
            selects: BTreeMap::new(),
            end: 0,
            batches: vec![(0, 0)],
            shown: BTreeMap::new(),
            snapshots: BTreeMap::new(),
            saved: 0,
            synced: 0,
            floor: 0,
            expected: None,
        }
    }

    /// From here on the log promises this, or there is none.
    pub(crate) fn promise(&mut self, promise: Option<AppendFsync>) {
        self.promise = promise;
    }

    /// What the log promises, while there is one.
    pub(crate) fn promised(&self) -> Option<AppendFsync> {
        self.promise
    }

    /// The end of the stream, in bytes.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    /// The stream has got to `end` by a SELECT.
    pub(crate) fn selected(&mut self, end: u64, db: usize) {
        let before = self.end;
        self.selects.insert(end, (before, db));
        self.end = end;
    }

    /// The stream has got to `end` by effects that take place together.
    pub(crate) fn happened(&mut self, end: u64, now: Now, bytes: Vec<u8>) {
        self.entries.push(Entry { end, now, bytes });
        self.end = end;
    }

    /// The data when the stream had got to `end`.
    pub(crate) fn note(&mut self, end: u64, data: Data, stream_db: usize) {
        self.states.insert(end, State { data, stream_db });
    }

    /// The log was given a batch, which holds everything up to here.
    pub(crate) fn appended(&mut self, batch: u64) {
        self.batches.push((batch, self.end));
    }

    /// The node was told that this batch is safe.
    pub(crate) fn synced(&mut self, batch: u64) {
        self.synced = self.synced.max(batch);
    }

    /// A snapshot has begun while the stream went from one offset to the other.
    pub(crate) fn snapshot_began(&mut self, number: u64, span: (u64, u64)) {
        self.snapshots.insert(number, span);
    }

    /// The node was told that the snapshot is in its place.
    pub(crate) fn snapshot_is_saved(&mut self, number: u64) {
        self.saved = self.saved.max(number);
    }

    /// Others are from now on shown that the stream has got to `offset`.
    pub(crate) fn release(&mut self, now: Mono, offset: u64, log: LogFacts) -> Check {
        let Some(promise) = self.promise else { return Ok(()) };
        let batch = self.batches.partition_point(|(_, end)| *end < offset);
        let batch = self.batches.get(batch).map(|(batch, _)| *batch);
        let has = |reached: Option<u64>| {
            offset <= self.floor || batch.is_some_and(|batch| Some(batch) <= reached)
        };
        let (may_leave, reached) = match promise {
            AppendFsync::Always => (has(log.safe), log.safe),
            AppendFsync::Everysec | AppendFsync::No => {
                (has(Some(log.written)) || log.is_failing, Some(log.written))
            }
        };
        if !may_leave {
            return Err(format!(
                "a reply leaves that shows offset {offset}, which is in batch {batch:?} of the \
                 log, and the log has only got to {reached:?}"
            ));
        }
        // While the log fails, no writes are taken and nothing is promised to who only looks, but
        // under `always`.
        if !log.is_failing || promise == AppendFsync::Always {
            self.shown.insert(offset, (now, promise));
        }
        Ok(())
    }

    /// The log begins anew with a snapshot.
    pub(crate) fn has_base(&mut self, snapshot: u64) {
        let from = self.snapshots.get(&snapshot).map_or(0, |(from, _)| *from);
        self.floor = self.floor.max(from);
    }

    /// The server ends by a crash, or orderly.
    /// `has_lost`: with it goes what a failed sync has lost.
    pub(crate) fn server_ends(&mut self, crash: Option<Crash>, log: LogFacts, has_lost: bool) {
        let Some(promise) = self.promise else {
            self.expected = None;
            return;
        };
        let synced = if self.synced > 0 { self.end_of(self.synced) } else { 0 };
        let safe = log.safe.map_or(0, |batch| self.end_of(batch));
        self.floor = self.floor.max(safe).max(synced);
        // What was once shown under `always` was safe. Who ends because it was asked to has made
        // safe whatever was shown to anybody; by itself it may have deleted keys since.
        let counts = |promise: AppendFsync| crash.is_none() || promise == AppendFsync::Always;
        let shown = self.shown.iter().rev().find(|(_, (_, promise))| counts(*promise));
        let shown = shown.map_or(0, |(offset, _)| *offset);
        let (mut at_least, mut why) = match crash {
            Some(Crash::Machine) => (self.floor, "what was safe"),
            Some(Crash::Process) | None => {
                let lasting = log.lasting.map_or(0, |batch| self.end_of(batch));
                (self.floor.max(lasting), "what was written")
            }
        };
        if shown > at_least {
            (at_least, why) = (shown, "what was shown");
        }
        let is_machine = crash == Some(Crash::Machine);
        let is_exposed = is_machine && promise == AppendFsync::Everysec;
        // A server that ends while it loads owes what the one before it owed, or as much of it as
        // was safe.
        match &mut self.expected {
            Some(owed) if !is_machine => {
                if has_lost {
                    owed.at_least = owed.at_least.min(self.floor);
                }
            }
            _ => self.expected = Some(Expected { at_least, why, is_exposed }),
        }
    }

    /// Where a batch ends.
    fn end_of(&self, batch: u64) -> u64 {
        let place = self.batches.partition_point(|(number, _)| *number <= batch);
        let last = place.checked_sub(1).and_then(|place| self.batches.get(place));
        last.map_or(0, |(_, end)| *end)
    }

    /// After a long rest all must be safe that was there at `at`, but for `appendfsync no`.
    pub(crate) fn is_rested(&mut self, at: Mono) {
        if self.promise.is_some_and(|promise| promise != AppendFsync::No) {
            let old = self.entries.iter().rev().find(|entry| entry.now.mono <= at);
            self.floor = self.floor.max(old.map_or(0, |entry| entry.end));
        }
    }

    /// Which offset a server must have that has loaded a snapshot, when it is known exactly.
    pub(crate) fn snapshot_offsets(&self, number: u64) -> Result<(u64, u64), String> {
        if number < self.saved {
            let saved = self.saved;
            return Err(format!("snapshot {number} has come back, and {saved} was saved"));
        }
        if number == 0 {
            return Ok((0, 0));
        }
        self.snapshots.get(&number).copied().ok_or_else(|| format!("snapshot {number} is unknown"))
    }

    /// Whether a server at this offset may have loaded this snapshot.
    pub(crate) fn has_snapshot(&self, number: u64, offset: u64) -> bool {
        self.snapshot_offsets(number).is_ok_and(|(from, to)| (from..=to).contains(&offset))
    }

    /// Whether this snapshot is of something that a crash has taken back. It is not expected to
    /// come back any more.
    pub(crate) fn take_orphan(&mut self, number: u64) -> bool {
        let is_orphan = self.snapshots.get(&number).is_some_and(|(_, to)| *to > self.end);
        if is_orphan {
            self.saved = 0;
        }
        is_orphan
    }

    /// A server is there again, with everything up to `offset`: what the data was then. Whoever
    /// has loaded a snapshot owes nothing of what a log has promised.
    pub(crate) fn recovered(&mut self, offset: u64, is_log: bool) -> Result<State, String> {
        let expected = self.expected.take().filter(|_| is_log);
        if offset > self.end {
            return Err(format!(
                "offset {offset} has come back, and {} was never passed",
                self.end
            ));
        }
        if let Some(Expected { at_least, why, is_exposed }) = expected {
            if offset < at_least {
                return Err(format!(
                    "offset {offset} has come back of {}, and {why} goes up to {at_least}",
                    self.end
                ));
            }
            if is_exposed {
                self.check_exposure(offset)?;
            }
        }
        let state = match self.selects.get(&offset) {
            Some((before, db)) => {
                self.states.get(before).map(|state| State { stream_db: *db, ..state.clone() })
            }
            None => self.states.get(&offset).cloned(),
        };
        let state = state.ok_or_else(|| {
            let near = self.states.range(..offset).next_back().map(|(end, _)| end);
            format!("offset {offset} has come back, which is within an effect behind {near:?}")
        })?;
        self.branch(offset);
        self.states.insert(offset, state.clone());
        Ok(state)
    }

    /// Nothing that others have known of for long may be lost.
    fn check_exposure(&self, offset: u64) -> Check {
        let lost = self.entries.iter().find(|entry| entry.end > offset);
        let shown = self.shown.range(offset + 1..).map(|(_, shown)| *shown);
        let shown = shown.filter(|(_, promise)| *promise == AppendFsync::Everysec);
        let shown = shown.map(|(at, _)| at).max();
        let (Some(lost), Some(shown)) = (lost, shown) else { return Ok(()) };
        let us = shown.since_us(lost.now.mono);
        if us <= EXPOSED_US_MAX {
            return Ok(());
        }
        Err(format!("a write is lost that was there {us} us when somebody was last shown it"))
    }

    /// What is behind `offset` has never been.
    fn branch(&mut self, offset: u64) {
        self.end = offset;
        self.entries.retain(|entry| entry.end <= offset);
        self.states.split_off(&(offset + 1));
        self.selects.split_off(&(offset + 1));
        self.shown.split_off(&(offset + 1));
        self.batches = vec![(0, offset)];
        self.synced = 0;
        self.floor = self.floor.min(offset);
    }

    /// All effects up to here, each with its time.
    pub(crate) fn effects(&self) -> impl Iterator<Item = (Now, &[u8])> {
        self.entries.iter().map(|entry| (entry.now, &*entry.bytes))
    }
}
