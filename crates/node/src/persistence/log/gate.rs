//! The reply gate: which batches must have got how far before replies leave.
//!
//! | `appendfsync` | a reply leaves when its batch is |
//! |---|---|
//! | `always` | safe |
//! | `everysec` | written; and see below |
//! | `no` | written |
//!
//! What is written survives the end of the process, what is safe that of the machine. Every reply
//! waits, that of a read as well: nobody sees what could still be lost.
//!
//! That holds while a sync is under way, too, although appending may then have to wait for it: what
//! a client was told must not depend on whether the process dies in that moment. With `everysec`
//! the gate shuts in addition while the oldest batch that is not safe is older than two seconds: no
//! reply leaves that nobody has had yet. So the crash of a machine costs what was acknowledged in
//! two seconds at most.
//!
//! A log that cannot be written takes no writes, and holds back no reply ([`super::fault`]). With
//! `always` the server ends; if `always` is asked for only then, the gate shuts at once, until
//! everything is safe or the next attempt has failed. So it does while files are made in the place
//! of those that cannot be trusted: nothing behind what was safe before leaves until the manifest
//! names them.
//!
//! The gate shuts at once and opens with the next event. A client may change the policy while it
//! is served, and others are served behind it before anything is carried out: what has to wait for
//! the last batch then must not leave because those before it may ([`Action::Release`]).

use super::fault::Health;
use super::{Building, Log, State, Why};
use crate::Node;
use crate::action::Action;
use crate::server::Server;
use vesta_config::AppendFsync;
use vesta_resp::{Mark, Outbox};
use vesta_types::{Mono, Now};

/// Milliseconds after which what is not safe holds replies back (`appendfsync everysec`).
const UNSAFE_MS_MAX: u64 = 2000;
/// Bytes handed out and not written above which commands that write wait, until half are left.
const UNWRITTEN_BYTES_MAX: usize = 64 << 20;
/// Every batch there is or will be.
const ALL: u64 = u64::MAX;

/// Which replies may leave.
#[derive(Debug)]
pub(super) struct Gate {
    /// Those that wait for this batch or one before.
    open_to: u64,
    /// The last batch of which somebody may have had a reply.
    acknowledged: u64,
    /// Whether what is not safe is too old.
    is_shut: bool,
    /// How often it came to that.
    delays: u64,
    /// Whether too much is not written.
    is_full: bool,
}

impl Default for Gate {
    fn default() -> Self {
        Self { open_to: ALL, acknowledged: 0, is_shut: false, delays: 0, is_full: false }
    }
}

impl Gate {
    #[inline]
    fn is_open_for(&self, batch: u64) -> bool {
        batch <= self.open_to
    }

    pub(super) fn delays(&self) -> u64 {
        self.delays
    }
}

impl Log {
    /// Whether a reply that waits for this batch may leave.
    #[inline]
    pub(crate) fn is_open_for(&self, batch: u64) -> bool {
        self.gate.is_open_for(batch)
    }

    /// Whether commands that write have to wait.
    pub(crate) fn is_full(&self) -> bool {
        self.gate.is_full
    }

    /// When the gate is to be shut.
    pub(super) fn shut_at(&self, policy: AppendFsync) -> Mono {
        match self.queue.unsafe_since() {
            Some(since) if policy == AppendFsync::Everysec && !self.gate.is_shut => {
                since.plus_ms(UNSAFE_MS_MAX)
            }
            Some(_) | None => Mono::NEVER,
        }
    }

    /// Whether what is not safe is too old.
    fn must_shut(&self, policy: AppendFsync, now: Mono) -> bool {
        let is_old = |since: Mono| now >= since.plus_ms(UNSAFE_MS_MAX);
        policy == AppendFsync::Everysec
            && matches!(self.state, State::Open(Health::Good))
            && self.queue.unsafe_since().is_some_and(is_old)
    }

    /// When the gate is to be opened further.
    pub(super) fn opens_at(&self, policy: AppendFsync) -> Mono {
        if self.opening(policy) > self.gate.open_to { Mono(0) } else { Mono::NEVER }
    }

    /// Up to which batch replies may leave.
    fn opening(&self, policy: AppendFsync) -> u64 {
        let queue = &self.queue;
        match &self.state {
            State::Building(Building { why: Why::Distrust(_), safe, .. })
                if policy == AppendFsync::Always =>
            {
                *safe
            }
            State::Off | State::Naming { .. } | State::Starting | State::Building(_) => ALL,
            State::Open(Health::Failing { .. }) if policy != AppendFsync::Always => ALL,
            State::Open(_) | State::Closing => match policy {
                AppendFsync::Always => queue.synced(),
                AppendFsync::Everysec if self.gate.is_shut => {
                    queue.synced().max(self.gate.acknowledged)
                }
                AppendFsync::Everysec | AppendFsync::No => queue.written(),
            },
        }
    }
}

impl Server {
    /// To be called when settings have changed: holds replies back that have to wait now.
    pub(super) fn shut_gate(&mut self, now: Now) {
        let policy = self.sync_policy();
        let log = &mut self.persistence.log;
        let before = log.gate.open_to;
        let acknowledged = before.min(log.queue.appended());
        log.gate.acknowledged = log.gate.acknowledged.max(acknowledged);
        let must_shut = log.must_shut(policy, now.mono);
        log.gate.delays += u64::from(must_shut && !log.gate.is_shut);
        log.gate.is_shut = must_shut;
        log.gate.open_to = before.min(log.opening(policy));
    }

    /// To be called whenever something else may have changed: lets replies leave that have waited.
    pub(super) fn update_gate(&mut self, now: Now) {
        self.shut_gate(now);
        let policy = self.sync_policy();
        let log = &mut self.persistence.log;
        let before = log.gate.open_to;
        let opening = log.opening(policy);
        log.gate.open_to = opening;
        if log.gate.is_full && log.queue.unwritten_bytes() <= UNWRITTEN_BYTES_MAX / 2 {
            log.gate.is_full = false;
        }
        if opening > before {
            // Nobody waits for a batch behind the open one.
            let batch = opening.min(log.queue.batch());
            self.actions.push_back(Action::Release { batch });
        }
    }

    /// To be called when something was handed out.
    pub(super) fn note_backlog(&mut self) {
        let log = &mut self.persistence.log;
        if !log.gate.is_full && log.queue.unwritten_bytes() > UNWRITTEN_BYTES_MAX {
            log.gate.is_full = true;
            let now = log.seen;
            self.arm_persistence(now);
        }
    }
}

impl Node {
    /// The batch that a reply must wait for that is given now; `None`: it may leave.
    #[inline]
    pub(crate) fn awaited_batch(&self) -> Option<u64> {
        let log = &self.server.persistence.log;
        let batch = if self.propagation.has_log() { log.batch() } else { log.queue.appended() };
        (!log.is_open_for(batch)).then_some(batch)
    }

    /// Has the replies of a client behind `from` wait as they must.
    #[inline(never)]
    pub(crate) fn fence(&mut self, now: Now, outbox: &mut Outbox, from: Mark) {
        self.server.persistence.log.note_time(now);
        if let Some(batch) = self.awaited_batch() {
            outbox.fence(from, batch);
        }
    }
}
