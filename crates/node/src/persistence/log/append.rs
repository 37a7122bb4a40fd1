//! Handing out batches, and having them made safe.
//!
//! A batch is handed out when the node has no other action left ([`Node::poll_action`]), so that a
//! turn makes one. With `appendfsync everysec` a sync begins at most once a second, and not before
//! the one under way is over; with `always` each batch asks for one itself.

use super::fault::Health;
use super::{Log, Parting, State};
use crate::Node;
use crate::action::Action;
use crate::disk::DiskWish;
use crate::server::Server;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use vesta_config::AppendFsync;
use vesta_persist::aof::annotation;
use vesta_types::Mono;

/// Milliseconds between the beginnings of two syncs (`appendfsync everysec`).
const SYNC_EVERY_MS: u64 = 1000;

/// What was handed out and how far it has got.
#[derive(Debug)]
pub(super) struct Queue {
    /// The number of the batch that is being filled.
    open: u64,
    written: u64,
    synced: u64,
    /// Up to this batch somebody was asked to make it safe.
    asked: u64,
    /// Numbers and lengths in bytes of what is not written.
    unwritten: VecDeque<(u64, usize)>,
    unwritten_bytes: usize,
    /// When the oldest batch was handed out that is not safe, apart from those of `flight`.
    unsafe_since: Option<Mono>,
    flight: Option<Flight>,
    /// When the last sync began that was not asked for with a batch.
    sync_began: Mono,
}

/// A sync under way.
#[derive(Clone, Copy, Debug)]
struct Flight {
    /// The last batch that it covers.
    batch: u64,
    /// When the oldest of them was handed out.
    since: Mono,
}

impl Queue {
    pub(super) fn new(now: Mono) -> Self {
        Self {
            open: 1,
            written: 0,
            synced: 0,
            asked: 0,
            unwritten: VecDeque::new(),
            unwritten_bytes: 0,
            unsafe_since: None,
            flight: None,
            sync_began: now,
        }
    }

    pub(super) fn batch(&self) -> u64 {
        self.open
    }

    /// The last batch that was handed out.
    pub(super) fn appended(&self) -> u64 {
        self.open - 1
    }

    pub(super) fn written(&self) -> u64 {
        self.written
    }

    pub(super) fn synced(&self) -> u64 {
        self.synced
    }

    pub(super) fn unwritten_bytes(&self) -> usize {
        self.unwritten_bytes
    }

    pub(super) fn is_syncing(&self) -> bool {
        self.flight.is_some()
    }

    /// When the oldest batch was handed out that is not safe.
    pub(super) fn unsafe_since(&self) -> Option<Mono> {
        self.flight.map(|flight| flight.since).or(self.unsafe_since)
    }

    /// When the next sync is to begin.
    pub(super) fn sync_at(&self, policy: AppendFsync) -> Mono {
        let is_asked = self.asked >= self.appended();
        match policy {
            AppendFsync::Everysec if self.flight.is_none() && self.unsafe_since.is_some() => {
                self.sync_began.plus_ms(SYNC_EVERY_MS)
            }
            // What was handed out under another policy.
            AppendFsync::Always if self.flight.is_none() && !is_asked => Mono(0),
            AppendFsync::Everysec | AppendFsync::Always | AppendFsync::No => Mono::NEVER,
        }
    }

    /// Closes the open batch, which has so many bytes; its number.
    fn hand_out(&mut self, now: Mono, bytes: usize, sync: bool) -> u64 {
        let batch = self.open;
        self.open += 1;
        self.unwritten.push_back((batch, bytes));
        self.unwritten_bytes += bytes;
        self.unsafe_since.get_or_insert(now);
        if sync {
            self.asked = batch;
        }
        batch
    }

    /// A sync of everything that was handed out begins.
    pub(super) fn begin_sync(&mut self, now: Mono) {
        self.sync_began = now;
        self.asked = self.appended();
        if let Some(since) = self.unsafe_since() {
            self.flight = Some(Flight { batch: self.appended(), since });
            self.unsafe_since = None;
        }
    }

    pub(super) fn note_written(&mut self, batch: u64) {
        self.written = self.written.max(batch);
        while let Some((first, bytes)) = self.unwritten.front().copied()
            && first <= batch
        {
            self.unwritten.pop_front();
            self.unwritten_bytes -= bytes;
        }
    }

    pub(super) fn note_synced(&mut self, batch: u64) {
        // What is safe was written, whatever came of the news.
        self.note_written(batch);
        self.synced = self.synced.max(batch);
        if self.flight.is_some_and(|flight| flight.batch <= batch) {
            self.flight = None;
        }
        if self.synced >= self.appended() {
            self.unsafe_since = None;
        }
    }

    /// A sync under way will not cover what it should have.
    pub(super) fn give_up_sync(&mut self) {
        if let Some(flight) = self.flight.take() {
            self.unsafe_since = Some(flight.since);
        }
        self.asked = self.synced;
    }

    /// Nobody needs what was handed out so far any more.
    pub(super) fn settle(&mut self) {
        let last = self.appended();
        self.flight = None;
        self.note_synced(last);
        self.asked = last;
    }
}

impl Log {
    /// When there is something to be made safe, to be tried again or to be let go.
    pub(in crate::persistence) fn next_deadline(&self, policy: AppendFsync) -> Mono {
        let due = match &self.state {
            State::Building(building) if self.rewrite.is_idle() => building.next_at,
            State::Building(_) => self.queue.sync_at(policy),
            State::Open(Health::Good) => self.queue.sync_at(policy).min(self.shut_at(policy)),
            State::Open(Health::Failing { retry_at, .. }) => *retry_at,
            State::Off | State::Naming { .. } | State::Starting | State::Closing => Mono::NEVER,
        };
        due.min(self.opens_at(policy))
    }
}

impl Server {
    /// Begins a sync when one is due. All batches were handed out.
    fn sync_log(&mut self) {
        let policy = self.sync_policy();
        let log = &mut self.persistence.log;
        let is_trusted = matches!(log.state, State::Building(_) | State::Open(Health::Good));
        let now = log.seen.mono;
        let is_last = log.parting.as_mut().is_some_and(|parting| parting.is_due(&log.queue));
        if is_last || is_trusted && now >= log.queue.sync_at(policy) {
            log.queue.begin_sync(now);
            self.wish(DiskWish::LogSync);
        }
    }
}

impl Parting {
    /// Whether a sync is to begin for it, now that all batches were handed out.
    fn is_due(&mut self, queue: &Queue) -> bool {
        let is_new = self.batch.is_none();
        let batch = *self.batch.get_or_insert(queue.appended());
        is_new && queue.synced() < batch
    }
}

impl Node {
    /// Completes an action when there is a log: what a client is sent waits for its batch, and
    /// behind the last action of a turn comes the batch itself.
    #[inline(never)]
    pub(crate) fn poll_logged(&mut self, action: Option<Action>) -> Option<Action> {
        match action {
            Some(Action::Send { conn, bytes, .. }) => {
                let batch = self.awaited_batch().unwrap_or(0);
                Some(Action::Send { conn, bytes, batch })
            }
            Some(action) => Some(action),
            None => {
                self.flush_log();
                self.server.sync_log();
                self.server.part();
                self.server.actions.pop_front()
            }
        }
    }

    /// Hands the open batch out, if there is anything in it.
    pub(super) fn flush_log(&mut self) {
        if !self.propagation.has_log() {
            return;
        }
        let bytes = self.propagation.take_log();
        let bytes = self.server.stamp(bytes);
        let sync = self.server.sync_policy() == AppendFsync::Always;
        let log = &mut self.server.persistence.log;
        log.sizes.increment += bytes.len() as u64;
        let batch = log.queue.hand_out(log.seen.mono, bytes.len(), sync);
        self.note_batch(batch);
        self.server.wish(DiskWish::LogAppend { batch, bytes, sync });
        self.server.note_backlog();
    }
}

impl Server {
    /// Puts the time in front of the first batch of each second, if that is wished for.
    fn stamp(&mut self, bytes: Vec<u8>) -> Vec<u8> {
        let log = &mut self.persistence.log;
        let second = log.seen.unix.secs();
        if !self.config.aof_timestamp_enabled || log.stamped_s == second {
            return bytes;
        }
        log.stamped_s = second;
        let mut stamped = Vec::new();
        annotation::time(&mut stamped, second);
        stamped.extend_from_slice(&bytes);
        stamped
    }
}
