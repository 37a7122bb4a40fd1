//! Saving a snapshot while the data goes on changing.
//!
//! ```text
//!            begin                all given                file in place
//!   Idle ------------> Walking -------------> Closing ----------------------> Idle
//!    ^                    | failed, or given up                                ^
//!    |                    v                                                    |
//!    +---------------- Clearing (marks of the snapshot go; the next may wait) -+
//! ```
//!
//! The walk goes in slices of a quarter of a millisecond. The more clients have executed, the less
//! of the time slices take: an eighth at the least, and half of it while the walk stands at a large
//! value, because what is written down besides has to wait in memory then.
//! When too much was handed out that is not on the disk yet, the walk waits; who changes what the
//! walk has not got to does not.

use super::Persistence;
use super::load::Reload;
use super::target::Target;
use crate::action::{Action, ExitCause, Level};
use crate::cron::{STEPS_PER_SLICE, Slice};
use crate::disk::{DiskWish, SaveFault, SaveStep};
use crate::server::Server;
use crate::{ConnId, Meter, Node};
use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use vesta_cmd::StreamPoint;
use vesta_store::{Keeper, SnapshotPhase, Store};
use vesta_types::{Mono, Now};

/// Bytes handed out and not yet written above which the walk waits.
const OUTSTANDING_BYTES_MAX: usize = 4 << 20;
/// Bytes handed out in one slice. A checksum is made of them.
const HANDED_OUT_BYTES: usize = 1 << 20;
/// Longest slice of the walk, in microseconds.
const WALK_SLICE_US: u64 = 250;
/// Buckets walked between two readings of the meter.
const BUCKETS_PER_STEP: usize = 16;
/// Longest pause between slices while clients are served, in slices.
const GAP_SLICES: u64 = 7;
/// The same while the walk stands at a large value.
const LARGE_GAP_SLICES: u64 = 1;
/// From how many bytes on a value is written in pieces. Less is written within a slice.
const LARGE_BYTES: usize = 128 * 1024;
/// How long after a failure save points are ignored, in milliseconds. Source: redis-server 7.0.15.
const RETRY_DELAY_MS: u64 = 5000;

/// What a snapshot is saved for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Purpose {
    /// BGSAVE or a save point.
    Background,
    /// SAVE, whose client waits.
    Client(ConnId),
    /// The end of the server; `force`: it ends even if saving fails.
    Exit { cause: ExitCause, force: bool },
    /// DEBUG RELOAD, whose client waits.
    Reload(ConnId, Reload),
    /// The base of the log.
    Rewrite,
    /// Replicas, that get it as it is written down; `functions`: with those.
    Streamed { functions: bool },
    /// Replicas, that get the file.
    Shipped,
    /// Our own use: what comes from our primary is written to the file.
    Received,
}

impl Purpose {
    /// Whether the snapshot goes to replicas as it is written down, and to no file.
    fn is_streamed(self) -> bool {
        matches!(self, Self::Streamed { .. })
    }
}

/// A save that is under way.
#[derive(Clone, Copy, Debug)]
struct Job {
    id: u64,
    purpose: Purpose,
    began: Now,
    /// Changes of the data set since the start, when it began.
    changes: u64,
    /// Keys of all databases when it began.
    keys: u64,
    /// Keys written down.
    kept: u64,
    /// Bytes handed out.
    bytes: u64,
}

#[derive(Debug)]
enum State {
    Idle,
    /// Entries are being given.
    Walking {
        job: Job,
        /// Bytes handed out that are not written yet.
        outstanding: usize,
        /// More is written down than was handed out: the walk waits.
        is_behind: bool,
        /// When the next slice comes; never while too much is outstanding.
        next_at: Mono,
        /// Commands executed before the last slice, and when that was.
        seen: (u64, Mono),
    },
    /// All is handed out; the disk has the word.
    Closing(Job),
    /// What comes from our primary is written to this file.
    Lent,
    /// What a save that ended early has left in the data is being removed.
    Clearing {
        next_at: Mono,
        /// What is to be saved then.
        next: Option<Purpose>,
    },
}

/// Everything about saving.
#[derive(Debug)]
pub(crate) struct Saving {
    state: State,
    next_id: u64,
    /// Changes of the data set since the start that are on disk.
    saved_changes: u64,
    /// When the data was last saved; at first, when the server started.
    saved_at: Now,
    /// When a background save last began.
    tried_at: Mono,
    /// Whether the last background save failed.
    failed: bool,
    /// Seconds the last background save took.
    background_s: Option<u64>,
    /// Saves that succeeded.
    saves: u64,
    /// What is to be saved for once nothing else is, each at most once.
    put_off: VecDeque<Purpose>,
    /// From how many bytes on a value is written in pieces.
    pub(super) large_bytes: usize,
    /// Clients that wait for the end of the server.
    pub(super) exit_askers: Vec<ConnId>,
}

impl Saving {
    pub(super) fn new(now: Now) -> Self {
        Self {
            state: State::Idle,
            next_id: 0,
            saved_changes: 0,
            saved_at: now,
            tried_at: Mono(0),
            failed: false,
            background_s: None,
            saves: 0,
            put_off: VecDeque::new(),
            large_bytes: LARGE_BYTES,
            exit_askers: Vec::new(),
        }
    }

    /// What is being saved for, or about to be.
    pub(crate) fn purpose(&self) -> Option<Purpose> {
        match &self.state {
            State::Walking { job, .. } | State::Closing(job) => Some(job.purpose),
            State::Clearing { next, .. } => *next,
            State::Lent => Some(Purpose::Received),
            State::Idle => None,
        }
    }

    fn job(&self) -> Option<&Job> {
        match &self.state {
            State::Walking { job, .. } | State::Closing(job) => Some(job),
            State::Clearing { .. } | State::Lent | State::Idle => None,
        }
    }

    /// Whether a snapshot can begin at once.
    pub(crate) fn is_idle(&self) -> bool {
        matches!(self.state, State::Idle)
    }

    /// Whether a snapshot is being written.
    pub(super) fn is_under_way(&self) -> bool {
        self.job().is_some()
    }

    /// Has something be saved for later.
    pub(crate) fn put_off(&mut self, purpose: Purpose) {
        if !self.put_off.contains(&purpose) {
            self.put_off.push_back(purpose);
        }
    }

    pub(crate) fn is_background(&self) -> bool {
        self.purpose() == Some(Purpose::Background)
    }

    /// Whether a snapshot is being written beside the work of the server, for a file or for
    /// replicas (`rdb_bgsave_in_progress`).
    pub(crate) fn is_beside_work(&self) -> bool {
        match self.purpose() {
            Some(Purpose::Background | Purpose::Streamed { .. } | Purpose::Shipped) => true,
            Some(
                Purpose::Client(_)
                | Purpose::Exit { .. }
                | Purpose::Reload(..)
                | Purpose::Rewrite
                | Purpose::Received,
            )
            | None => false,
        }
    }

    /// Whether clients wait until it is done.
    pub(super) fn stands_still(&self) -> bool {
        match self.purpose() {
            Some(Purpose::Exit { .. } | Purpose::Reload(..)) => true,
            Some(
                Purpose::Background
                | Purpose::Client(_)
                | Purpose::Rewrite
                | Purpose::Streamed { .. }
                | Purpose::Shipped
                | Purpose::Received,
            )
            | None => false,
        }
    }

    /// Whether the last background save failed.
    pub(crate) fn has_failed(&self) -> bool {
        self.failed
    }

    /// Changes, of `changes` since the start, that are not on disk.
    pub(crate) fn unsaved(&self, changes: u64) -> u64 {
        changes.saturating_sub(self.saved_changes)
    }

    /// The data on disk is that after `changes` changes.
    pub(super) fn set_saved(&mut self, changes: u64) {
        self.saved_changes = changes;
    }

    /// When the data was last saved, in seconds since 1970.
    pub(crate) fn saved_at_s(&self) -> u64 {
        self.saved_at.unix.secs()
    }

    /// Seconds the last background save took.
    pub(crate) fn background_s(&self) -> Option<u64> {
        self.background_s
    }

    /// Seconds since the background save under way began.
    pub(crate) fn elapsed_s(&self, now: Now) -> Option<u64> {
        let job = self.job().filter(|job| job.purpose == Purpose::Background)?;
        Some(now.mono.since_us(job.began.mono) / 1_000_000)
    }

    /// Keys written down so far by the save under way, and all of its keys.
    pub(crate) fn progress(&self) -> (u64, u64) {
        self.job().map_or((0, 0), |job| (job.kept, job.keys))
    }

    /// Saves that succeeded.
    pub(crate) fn saves(&self) -> u64 {
        self.saves
    }

    /// So many bytes of what goes to replicas were not taken yet.
    pub(crate) fn eased(&mut self, now: Now, bytes: usize) {
        if let State::Walking { outstanding, next_at, .. } = &mut self.state {
            *outstanding = bytes;
            if *next_at == Mono::NEVER && bytes < OUTSTANDING_BYTES_MAX {
                *next_at = now.mono;
            }
        }
    }

    /// Has no slice wait because of settings that are no more.
    pub(crate) fn hurry(&mut self) {
        if let State::Walking { next_at, .. } = &mut self.state
            && *next_at != Mono::NEVER
        {
            *next_at = Mono(0);
        }
    }

    /// When there is something to do.
    pub(crate) fn next_deadline(&self) -> Mono {
        match self.state {
            State::Walking { next_at, .. } | State::Clearing { next_at, .. } => next_at,
            State::Idle | State::Closing(_) | State::Lent => Mono::NEVER,
        }
    }
}

impl Node {
    /// Has values of so many bytes and more saved in pieces from the next save on. Who drives a
    /// node with small values has some of them saved so.
    pub fn save_in_pieces_from(&mut self, bytes: usize) {
        self.server.persistence.saving.large_bytes = bytes;
    }
}

impl Server {
    /// Begins to save the data as it is now; a save under way is given up. When the marks of an
    /// earlier snapshot are still there, it begins when they are gone.
    pub(crate) fn begin_save(
        &mut self,
        now: Now,
        store: &mut Store,
        point: StreamPoint,
        purpose: Purpose,
    ) {
        self.give_up_save(now, store);
        if store.snapshot_phase() == SnapshotPhase::Idle {
            self.start_save(now, store, point, purpose);
        } else {
            let next = Some(purpose);
            self.persistence.saving.state = State::Clearing { next_at: now.mono, next };
        }
        self.arm_persistence(now);
    }

    fn start_save(&mut self, now: Now, store: &mut Store, point: StreamPoint, purpose: Purpose) {
        let target = self.target_of(purpose);
        let keeper = self.keeper_for(now, store, point, purpose, &target);
        let saving = &mut self.persistence.saving;
        saving.next_id += 1;
        let id = saving.next_id;
        if !purpose.is_streamed() {
            self.actions.push_back(Action::Disk(DiskWish::SaveOpen {
                id,
                temporary: target.temporary,
                name: target.name,
                syncs_early: target.syncs_early,
            }));
        }
        let keys = store.indexes().map(|db| store.size(db).keys as u64).sum();
        store.begin_snapshot(keeper);
        let changes = point.changes;
        let job = Job { id, purpose, began: now, changes, keys, kept: 0, bytes: 0 };
        let seen = (self.statistics.processed, now.mono);
        saving.state =
            State::Walking { job, outstanding: 0, is_behind: false, next_at: now.mono, seen };
        if matches!(purpose, Purpose::Background | Purpose::Shipped) {
            saving.tried_at = now.mono;
            let line = format!("Background saving started by pid {}", self.process.pid);
            self.log(Level::Notice, line);
        }
        self.save_slice(now, store);
    }

    /// Does what is due: walks on, or removes marks.
    pub(crate) fn go_on_saving(&mut self, now: Now, store: &mut Store, point: StreamPoint) {
        if now.mono < self.persistence.saving.next_deadline() {
            return;
        }
        match self.persistence.saving.state {
            State::Walking { .. } => self.save_slice(now, store),
            State::Clearing { .. } => self.clear_slice(now, store, point),
            State::Idle | State::Closing(_) | State::Lent => {}
        }
    }

    /// Walks on for a slice of time and hands out what was written down.
    fn save_slice(&mut self, now: Now, store: &mut Store) {
        let key_delay_us = u64::try_from(self.config.rdb_key_save_delay_us).unwrap_or(0);
        let executed = self.statistics.processed;
        let State::Walking { job, outstanding, is_behind, next_at, seen } =
            &mut self.persistence.saving.state
        else {
            return;
        };
        if *outstanding >= OUTSTANDING_BYTES_MAX {
            *next_at = Mono::NEVER;
            return;
        }
        let is_walked = !*is_behind && walk(store, self.meter, key_delay_us > 0);
        let keeper = store.keeper().expect("a walk has a keeper");
        let fresh_keys = keeper.kept() - job.kept;
        job.kept = keeper.kept();
        let is_streamed = job.purpose.is_streamed();
        let Self { replication, actions, .. } = self;
        let mut hand_out = |keeper: &mut (dyn Keeper + Send)| {
            if is_streamed {
                replication.take_in(keeper, HANDED_OUT_BYTES)
            } else {
                hand_out(keeper, actions)
            }
        };
        let mut bytes = hand_out(keeper);
        *is_behind = bytes >= HANDED_OUT_BYTES;
        let is_over = is_walked && !*is_behind && (key_delay_us == 0 || fresh_keys == 0);
        if is_over {
            keeper.finish();
            bytes += hand_out(keeper);
        }
        *outstanding = if is_streamed { replication.held_bytes() } else { *outstanding + bytes };
        job.bytes += bytes as u64;
        let (commands, seen_at) = core::mem::replace(seen, (executed, now.mono));
        let commands = executed.saturating_sub(commands);
        let pause_us = if key_delay_us > 0 {
            // A piece of a large value counts as a key.
            fresh_keys.max(u64::from(store.gives_large())).saturating_mul(key_delay_us)
        } else {
            let gaps = if store.gives_large() { LARGE_GAP_SLICES } else { GAP_SLICES };
            pause_us(commands, now.mono.since_us(seen_at)).min(WALK_SLICE_US * (1 + gaps))
        };
        *next_at = Mono(now.mono.0.saturating_add(pause_us));
        if is_over {
            let job = *job;
            store.end_snapshot();
            if is_streamed {
                self.persistence.saving.state = State::Idle;
                return self.copy_walked();
            }
            self.wish(DiskWish::SaveFinish);
            self.persistence.saving.state = State::Closing(job);
        }
    }

    /// Removes marks for a slice of time; begins what waits for that.
    fn clear_slice(&mut self, now: Now, store: &mut Store, point: StreamPoint) {
        let mut slice = Slice::start(self.meter);
        while !store.snapshot_step(BUCKETS_PER_STEP) && !slice.is_over() {}
        let is_clear = store.snapshot_phase() == SnapshotPhase::Idle;
        let State::Clearing { next_at, next } = &mut self.persistence.saving.state else { return };
        if !is_clear {
            *next_at = now.mono;
            return;
        }
        let next = next.take();
        self.persistence.saving.state = State::Idle;
        if let Some(purpose) = next {
            self.start_save(now, store, point, purpose);
        }
        self.arm_persistence(now);
    }

    /// Bytes of the file `id` have been written.
    pub(crate) fn save_written(&mut self, now: Now, id: u64, bytes: usize) {
        if let State::Walking { job, outstanding, next_at, .. } = &mut self.persistence.saving.state
            && job.id == id
        {
            *outstanding = outstanding.saturating_sub(bytes);
            if *next_at == Mono::NEVER && *outstanding < OUTSTANDING_BYTES_MAX {
                *next_at = now.mono;
            }
        }
    }

    /// The file `id` is in its place, or has failed.
    pub(crate) fn save_done(
        &mut self,
        now: Now,
        store: &mut Store,
        id: u64,
        outcome: Result<(), SaveFault>,
    ) {
        let Some(job) = self.persistence.saving.job().filter(|job| job.id == id).copied() else {
            return;
        };
        self.leave_job(now, store);
        match &outcome {
            Ok(()) if job.purpose == Purpose::Rewrite => {}
            Ok(()) => {
                let saving = &mut self.persistence.saving;
                saving.saves += 1;
                saving.saved_changes = job.changes;
                saving.saved_at = now;
                saving.failed = false;
                self.log(Level::Notice, "DB saved on disk".to_string());
            }
            Err(fault) => {
                let line = self.fault_line(fault, job.purpose);
                self.log(Level::Warning, line);
            }
        }
        self.end_job(now, &job, outcome.is_ok());
        self.arm_persistence(now);
    }

    /// Does what the save was for.
    fn end_job(&mut self, now: Now, job: &Job, is_saved: bool) {
        match job.purpose {
            Purpose::Background | Purpose::Shipped => {
                let saving = &mut self.persistence.saving;
                saving.background_s = Some(now.mono.since_us(job.began.mono) / 1_000_000);
                saving.failed = !is_saved;
                if is_saved {
                    let line = "Background saving terminated with success".to_string();
                    self.log(Level::Notice, line);
                } else {
                    self.log(Level::Warning, "Background saving error".to_string());
                }
                if job.purpose == Purpose::Shipped {
                    self.copy_written(is_saved);
                }
            }
            Purpose::Client(conn) => self.finish(conn, saved(is_saved)),
            Purpose::Exit { cause, force } => self.saved_for_exit(now, cause, force, is_saved),
            // It has ended with the walk.
            Purpose::Streamed { .. } => {}
            // That is no snapshot of ours.
            Purpose::Received => {}
            Purpose::Rewrite => self.base_done(now, is_saved.then_some(job.bytes).ok_or(())),
            Purpose::Reload(conn, how) => {
                if is_saved {
                    self.begin_reload(now, conn, how);
                } else {
                    self.finish(conn, saved(false));
                }
            }
        }
    }

    /// Gives up what is being saved, or about to be; who waits for it is told.
    pub(crate) fn give_up_save(&mut self, now: Now, store: &mut Store) {
        if let State::Lent = self.persistence.saving.state {
            self.abort_file();
            return self.copy_file_lost(now);
        }
        let purpose = self.persistence.saving.purpose();
        let is_streamed = purpose.is_some_and(Purpose::is_streamed);
        if self.persistence.saving.job().is_some() && !is_streamed {
            self.wish(DiskWish::SaveAbort);
        }
        self.leave_job(now, store);
        match purpose {
            Some(Purpose::Client(conn)) => self.finish(conn, saved(false)),
            Some(Purpose::Rewrite) => self.base_given_up(now),
            Some(Purpose::Streamed { .. }) => self.copy_given_up(),
            Some(Purpose::Shipped) => self.copy_written(false),
            Some(
                Purpose::Background
                | Purpose::Exit { .. }
                | Purpose::Reload(..)
                | Purpose::Received,
            )
            | None => {}
        }
        self.arm_persistence(now);
    }

    /// Begins a file for what comes from our primary, in the place of the snapshot of old, unless
    /// something else is being saved; its number.
    pub(crate) fn lend_file(&mut self) -> Option<u64> {
        if !self.persistence.saving.is_idle() || self.ending {
            return None;
        }
        let Target { temporary, name, syncs_early, .. } = self.target_of(Purpose::Received);
        let saving = &mut self.persistence.saving;
        saving.next_id += 1;
        let id = saving.next_id;
        saving.state = State::Lent;
        self.wish(DiskWish::SaveOpen { id, temporary, name, syncs_early });
        Some(id)
    }

    /// That file is in its place, or has failed.
    pub(crate) fn return_file(&mut self) {
        if let State::Lent = self.persistence.saving.state {
            self.persistence.saving.state = State::Idle;
        }
    }

    /// That file is not wanted any more.
    pub(crate) fn abort_file(&mut self) {
        if let State::Lent = self.persistence.saving.state {
            self.persistence.saving.state = State::Idle;
            self.wish(DiskWish::SaveAbort);
        }
    }

    /// Leaves the states that have a job.
    fn leave_job(&mut self, now: Now, store: &mut Store) {
        store.abort_snapshot();
        self.persistence.saving.state = match store.snapshot_phase() {
            SnapshotPhase::Idle => State::Idle,
            SnapshotPhase::Running | SnapshotPhase::Clearing => {
                State::Clearing { next_at: now.mono, next: None }
            }
        };
    }

    /// Begins a save when a save point says so, or when everything was deleted.
    pub(crate) fn check_save_points(
        &mut self,
        now: Now,
        store: &mut Store,
        point: StreamPoint,
        all_flushed: bool,
    ) {
        if self.ending || self.lacks_data() {
            return;
        }
        if all_flushed && !self.config.save.is_empty() {
            // What is still on disk would come back.
            self.save_when_possible(now, store, point, Purpose::Background);
            return;
        }
        let saving = &self.persistence.saving;
        if saving.purpose().is_some() || self.persistence.log.is_rewriting() {
            return;
        }
        if saving.failed && now.mono < saving.tried_at.plus_ms(RETRY_DELAY_MS) {
            return;
        }
        let elapsed_s = now.mono.since_us(saving.saved_at.mono) / 1_000_000;
        let unsaved = saving.unsaved(point.changes);
        let is_due = |seconds: u64, least: u64| unsaved >= least && elapsed_s > seconds;
        let mut rules = self.config.save.iter();
        let Some(rule) = rules.find(|rule| is_due(rule.seconds, rule.changes)) else { return };
        let line = format!("{} changes in {} seconds. Saving...", rule.changes, rule.seconds);
        self.log(Level::Notice, line);
        self.begin_save(now, store, point, Purpose::Background);
    }

    /// Begins to save; behind a rewrite of the log, if there is one.
    pub(crate) fn save_when_possible(
        &mut self,
        now: Now,
        store: &mut Store,
        point: StreamPoint,
        purpose: Purpose,
    ) {
        if self.persistence.log.is_rewriting() {
            self.persistence.saving.put_off(purpose);
        } else {
            self.begin_save(now, store, point, purpose);
        }
    }

    /// Begins what was put off, if nothing else is being saved.
    pub(crate) fn save_put_off(&mut self, now: Now, store: &mut Store, point: StreamPoint) {
        if self.ending || self.lacks_data() {
            return;
        }
        let Persistence { saving, log, .. } = &mut self.persistence;
        if saving.purpose().is_some() || log.is_rewriting() {
            return;
        }
        if let Some(purpose) = saving.put_off.pop_front() {
            self.begin_save(now, store, point, purpose);
        }
    }

    /// What the log says of a failure. Source of the texts: redis-server 7.0.15.
    fn fault_line(&self, fault: &SaveFault, purpose: Purpose) -> String {
        let Target { temporary, name, .. } = self.target_of(purpose);
        let is_base = purpose == Purpose::Rewrite;
        let (what, kind) = if is_base { ("AOF base", "AOF base") } else { ("DB", "RDB") };
        let (dir, why) = (&self.config.dir, &fault.why);
        match fault.step {
            SaveStep::Create => format!(
                "Failed opening the temp {kind} file {temporary} (in server root dir {dir}) for \
                 saving: {why}"
            ),
            SaveStep::Write => format!("Write error saving {what} on disk(write): {why}"),
            SaveStep::Sync => format!("Write error saving {what} on disk(fsync): {why}"),
            SaveStep::Rename => format!(
                "Error moving temp {what} file {temporary} on the final destination {name} (in \
                 server root dir {dir}): {why}"
            ),
        }
    }
}

/// Has a snapshot go on for a slice of time, or by a single step; whether nothing is left of it.
fn walk(store: &mut Store, meter: Meter, is_slow: bool) -> bool {
    let buckets = if is_slow { 1 } else { BUCKETS_PER_STEP };
    let mut slice = Slice::lasting(meter, WALK_SLICE_US, STEPS_PER_SLICE);
    loop {
        if store.snapshot_step(buckets) {
            return true;
        }
        if slice.is_over() || is_slow {
            return false;
        }
    }
}

/// Microseconds from the beginning of one slice to that of the next, when so many commands were
/// executed in so many microseconds.
///
/// A command that comes during a slice waits for half of it on average. If slices begin every `p`
/// microseconds, a client that sends one command after another waits for `slice^2 / 2p` longer for
/// each; that is to be no more than a fifth of the time that lies between two commands anyway.
fn pause_us(commands: u64, elapsed_us: u64) -> u64 {
    if commands == 0 {
        return 0;
    }
    let wait_us_max = 2 * elapsed_us.max(1) / 5;
    let pause_us = commands.saturating_mul(WALK_SLICE_US * WALK_SLICE_US) / wait_us_max.max(1);
    pause_us.max(WALK_SLICE_US)
}

/// Hands out what was written down, up to [`HANDED_OUT_BYTES`] and one piece more; how many bytes
/// that were.
fn hand_out(keeper: &mut (dyn Keeper + Send), actions: &mut VecDeque<Action>) -> usize {
    let mut handed_out = 0;
    while handed_out < HANDED_OUT_BYTES {
        let bytes = keeper.drain();
        if bytes.is_empty() {
            break;
        }
        handed_out += bytes.len();
        actions.push_back(Action::Disk(DiskWish::SaveWrite(bytes)));
    }
    handed_out
}

/// The reply of whoever waits for a save. Redis says no more than that it failed; the log does.
fn saved(is_saved: bool) -> Result<(), String> {
    if is_saved { Ok(()) } else { Err(String::from("ERR")) }
}
