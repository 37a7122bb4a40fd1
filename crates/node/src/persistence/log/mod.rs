//! The log on disk (AOF): every effect is appended to it, so that a restart loses nothing that a
//! client was told is done.
//!
//! ```text
//!                 appendonly yes                          base and manifest are safe
//!       Off -----------------------------> Building ------------------------------+
//!        ^  \                               ^  |  ^                               |
//!        |   \ start, files are there       |  +--+ the attempt failed: again     v
//!        |    +----> Naming ----> Starting -|-----------------------------------> Open
//!        |                                  |                                     |
//!        |                                  +----- a sync has failed -------------+
//!        |                                                                        |
//!        +------- Closing <--------------- appendonly no -------------------------+
//! ```
//!
//! A log is a base and increments, which a manifest names (`vesta_persist::aof`). *Building* makes
//! a base and an increment of which the manifest knows nothing until both are there: for a start
//! without any files, when the log is switched on, and when a file could not be made safe and is
//! not trusted any more. A *rewrite* of an open log ([`rewrite`]) has the increment named before
//! anything goes into it, so that base and increments are whole at any time.
//!
//! The log bytes of a turn are a *batch*, handed out behind all other actions of the turn
//! ([`append`]). A reply leaves when the batch has got as far as `appendfsync` asks for ([`gate`]).
//! What happens when the disk refuses is in [`fault`]; how a log is switched on and off, in
//! [`switch`]; when rewrites begin, in [`schedule`].

mod append;
mod fault;
mod gate;
mod limit;
mod rewrite;
mod schedule;
mod switch;

use crate::Node;
use crate::action::{ExitCause, Level};
use crate::disk::{DiskNews, DiskWish};
use crate::server::Server;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use append::Queue;
use fault::Health;
use gate::Gate;
use rewrite::Rewrite;
use schedule::Rewrites;
use vesta_config::AppendFsync;
use vesta_persist::aof::Manifest;
use vesta_types::{Mono, Now, ascii};

/// Everything about the log.
#[derive(Debug)]
pub(crate) struct Log {
    state: State,
    rewrite: Rewrite,
    rewrites: Rewrites,
    /// As it is on the disk.
    manifest: Manifest,
    /// The directory that the log's own lies in, as `dir` was.
    home: String,
    queue: Queue,
    /// Files that were to be opened, of which nothing was heard yet.
    opening: u32,
    gate: Gate,
    sizes: Sizes,
    parting: Option<Parting>,
    /// The time of the turn.
    seen: Now,
    /// The second of the last time written to the log, since 1970.
    stamped_s: u64,
}

#[derive(Debug)]
enum State {
    /// There is none.
    Off,
    /// The server starts and has found no increment: the first one is being named.
    Naming { job: u64, next: Box<Manifest> },
    /// The server starts: the last increment is being opened.
    Starting,
    /// A base and an increment are being made that no manifest names.
    Building(Building),
    /// It is appended to.
    Open(Health),
    /// It was switched off, and what it has is being made safe.
    Closing,
}

/// New files, and what for.
#[derive(Debug)]
struct Building {
    why: Why,
    /// When the next attempt begins, unless one is under way.
    next_at: Mono,
    /// Attempts that failed.
    failures: u32,
    /// The last batch of the old files that is safe.
    safe: u64,
}

#[derive(Debug)]
enum Why {
    /// The server starts, and there are no files.
    Start,
    /// `appendonly` was set.
    Asked,
    /// The present files are not to be trusted: what the system said when it had to make them safe.
    Distrust(String),
    /// They hold data that is not in force any more.
    Replaced,
}

/// Bytes of files.
#[derive(Clone, Copy, Debug, Default)]
struct Sizes {
    /// All but those in the present increment since it began.
    before: u64,
    /// Those.
    increment: u64,
    /// All, when a rewrite was last over or the server started.
    rewritten: u64,
}

/// The end of the server, once the log is safe.
#[derive(Clone, Copy, Debug)]
struct Parting {
    cause: ExitCause,
    /// Whether it ends even if the log cannot be made safe.
    force: bool,
    /// What must be safe; not known before the turn has ended.
    batch: Option<u64>,
}

/// What INFO tells about the log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts {
    pub(crate) is_on: bool,
    pub(crate) rewrites: bool,
    pub(crate) is_scheduled: bool,
    /// Seconds that the last rewrite took.
    pub(crate) last_rewrite_s: Option<u64>,
    /// Seconds since the rewrite under way began.
    pub(crate) rewrite_s: Option<u64>,
    pub(crate) has_rewrite_failed: bool,
    /// Rewrites that were begun.
    pub(crate) rewrites_begun: u64,
    pub(crate) rewrite_failures: u32,
    pub(crate) has_failed: bool,
    pub(crate) size_bytes: u64,
    pub(crate) rewritten_bytes: u64,
    /// Handed out and not written.
    pub(crate) unwritten_bytes: usize,
    pub(crate) is_syncing: bool,
    /// How often a sync took so long that replies had to wait.
    pub(crate) delayed_syncs: u64,
}

impl Log {
    pub(super) fn new(now: Now) -> Self {
        Self {
            state: State::Off,
            rewrite: Rewrite::Idle,
            rewrites: Rewrites::default(),
            manifest: Manifest::default(),
            home: String::new(),
            queue: Queue::new(now.mono),
            opening: 0,
            gate: Gate::default(),
            sizes: Sizes::default(),
            parting: None,
            seen: now,
            stamped_s: 0,
        }
    }

    /// Whether anything is appended, or waits for having been.
    #[inline]
    pub(crate) fn is_on(&self) -> bool {
        !matches!(self.state, State::Off)
    }

    /// Whether the server is not ready yet because of the log.
    pub(crate) fn is_starting(&self) -> bool {
        match &self.state {
            State::Naming { .. } | State::Starting => true,
            State::Building(building) => matches!(building.why, Why::Start),
            State::Off | State::Open(_) | State::Closing => false,
        }
    }

    /// The number of the batch that what is executed now goes to. Numbers go upwards from 1.
    pub(crate) fn batch(&self) -> u64 {
        self.queue.batch()
    }

    /// Batches up to this one are in files that a crash leaves whole, and that a restart reads.
    pub(crate) fn synced(&self) -> u64 {
        match &self.state {
            // The files that are made are worth nothing before the manifest names them.
            State::Building(building) => building.safe,
            State::Off
            | State::Naming { .. }
            | State::Starting
            | State::Open(_)
            | State::Closing => self.queue.synced(),
        }
    }

    /// Whether its files hold what was there before it began. Then [`Log::synced`] says all.
    pub(crate) fn holds_all(&self) -> bool {
        match &self.state {
            State::Open(_) | State::Closing => true,
            State::Building(building) => matches!(building.why, Why::Distrust(_)),
            State::Off | State::Naming { .. } | State::Starting => false,
        }
    }

    /// Whether all that was handed out is in the hands of the system.
    pub(super) fn is_written(&self) -> bool {
        self.queue.written() >= self.queue.appended()
    }

    /// Tells how long the files are that were loaded, in bytes: the base, and all.
    pub(crate) fn set_sizes(&mut self, base: u64, all: u64) {
        self.sizes = Sizes { before: all, increment: 0, rewritten: base };
    }

    /// Bytes of all files.
    fn size_bytes(&self) -> u64 {
        self.sizes.before + self.sizes.increment
    }

    /// Notes the time of the turn.
    #[inline]
    pub(crate) fn note_time(&mut self, now: Now) {
        self.seen = now;
    }

    /// The time of the turn.
    pub(crate) fn seen(&self) -> Now {
        self.seen
    }

    /// What speaks against the end of the server. Source of the first text: redis-server 7.0.15.
    pub(super) fn objection(&self) -> Option<&'static str> {
        match &self.state {
            State::Building(building) => match building.why {
                // Whoever has the data can give it again.
                Why::Start | Why::Replaced => None,
                Why::Asked => Some("Writing initial AOF"),
                Why::Distrust(_) => Some("Making the AOF anew after an error"),
            },
            State::Open(Health::Failing { .. }) => Some("The AOF cannot be written"),
            State::Off
            | State::Naming { .. }
            | State::Starting
            | State::Open(Health::Good)
            | State::Closing => None,
        }
    }

    /// Has the server end once everything is safe; whether it does that by itself.
    pub(super) fn part_when_safe(&mut self, cause: ExitCause, force: bool) -> bool {
        let is_open = matches!(self.state, State::Open(Health::Good));
        if is_open {
            self.parting = Some(Parting { cause, force, batch: None });
        }
        is_open
    }

    /// Takes that back: why it was to end, and whether by force.
    pub(super) fn stop_parting(&mut self) -> Option<(ExitCause, bool)> {
        self.parting.take().map(|parting| (parting.cause, parting.force))
    }

    /// Whether nobody is served because the server is about to end.
    pub(super) fn is_parting(&self) -> bool {
        self.parting.is_some()
    }

    /// `is_wanted` is whether there is to be a log (`appendonly`).
    pub(crate) fn facts(&self, now: Now, is_wanted: bool) -> Facts {
        let Rewrites { begun, failures, has_failed, last_s, .. } = self.rewrites;
        // A log that is about to be made is as good as a rewrite that waits for its turn: whoever
        // waits until there is none waits until everything is logged.
        let (is_on, is_to_be_made) = match &self.state {
            State::Off => (false, false),
            State::Closing => (is_wanted, is_wanted),
            State::Building(_) => (true, !self.is_rewriting()),
            State::Naming { .. } | State::Starting | State::Open(_) => (true, false),
        };
        Facts {
            is_on,
            rewrites: self.is_rewriting(),
            is_scheduled: self.rewrites.is_scheduled || is_to_be_made,
            last_rewrite_s: last_s,
            rewrite_s: self.rewrite.elapsed_s(now),
            has_rewrite_failed: has_failed,
            rewrites_begun: begun,
            rewrite_failures: failures,
            has_failed: self.trouble().is_some(),
            size_bytes: self.size_bytes(),
            rewritten_bytes: self.sizes.rewritten,
            unwritten_bytes: self.queue.unwritten_bytes(),
            is_syncing: self.queue.is_syncing(),
            delayed_syncs: self.gate.delays(),
        }
    }
}

impl Server {
    /// Ends the server if that is all that was waited for.
    fn part(&mut self) {
        let log = &self.persistence.log;
        if let Some(Parting { cause, batch: Some(batch), .. }) = log.parting
            && log.queue.synced() >= batch
            && !self.ending
        {
            self.end(cause);
        }
    }

    /// Has an increment appended to from here on.
    fn open_increment(&mut self, name: String, len: u64) {
        let log = &mut self.persistence.log;
        log.opening += 1;
        self.wish(DiskWish::LogOpen { name, len });
    }

    /// The directory of the log.
    pub(super) fn log_dir(&self) -> String {
        let home = &self.persistence.log.home;
        // Names are relative while the working directory is the one that the log began in.
        if home.is_empty() || *home == self.config.dir {
            self.config.appenddirname.clone()
        } else {
            format!("{}/{}", home.trim_end_matches('/'), self.config.appenddirname)
        }
    }

    /// The path of a file of the log.
    pub(super) fn in_log(&self, name: &[u8]) -> String {
        format!("{}/{}", self.log_dir(), ascii::lossy(name))
    }

    pub(super) fn manifest_path(&self) -> String {
        self.in_log(format!("{}.manifest", self.config.appendfilename).as_bytes())
    }

    fn log_creation(&mut self, kind: &str, name: &[u8], when: &str) {
        let line = format!("Creating AOF {kind} file {} on {when}", ascii::lossy(name));
        self.log(Level::Notice, line);
    }

    /// The policy in force: without syncs while a snapshot keeps the disk busy, if so configured.
    pub(super) fn sync_policy(&self) -> AppendFsync {
        let spares_disk = self.config.no_appendfsync_on_rewrite;
        if spares_disk && self.persistence.saving.is_under_way() {
            AppendFsync::No
        } else {
            self.config.appendfsync
        }
    }
}

impl Node {
    /// Does what is due.
    pub(crate) fn drive_log(&mut self, now: Now) {
        self.go_on_with_log(now);
        self.server.update_gate(now);
        self.server.part();
        self.server.arm_persistence(now);
    }

    /// Brings the log closer to what it is to be.
    fn go_on_with_log(&mut self, now: Now) {
        let log = &self.server.persistence.log;
        let is_wanted = self.server.config.appendonly;
        match &log.state {
            State::Off => self.begin_base(now),
            State::Open(_) if !is_wanted => self.switch_log_off(now),
            State::Open(_) => {
                self.server.retry_log(now);
                self.begin_base(now);
            }
            State::Building(building) if !is_wanted && !matches!(building.why, Why::Start) => {
                self.switch_log_off(now);
            }
            State::Building(_) => {
                self.build_on(now);
                self.begin_base(now);
            }
            State::Naming { .. } | State::Starting | State::Closing => {}
        }
    }

    /// Takes in what has become of the log.
    pub(in crate::persistence) fn hear_of_log(&mut self, now: Now, news: DiskNews) {
        match news {
            DiskNews::FilesDone { id, outcome } => {
                let outcome = outcome.map_err(|fault| fault.why);
                match &self.server.persistence.log.state {
                    State::Naming { job, .. } if *job == id => {
                        self.server.first_increment_named(outcome);
                    }
                    State::Naming { .. }
                    | State::Off
                    | State::Starting
                    | State::Building(_)
                    | State::Open(_)
                    | State::Closing => self.rewrite_files_done(now, id, outcome),
                }
            }
            DiskNews::LogOpened(outcome) => self.log_opened(now, outcome),
            DiskNews::LogWritten { batch } => self.server.log_written(batch),
            DiskNews::LogSynced { batch } => self.server.persistence.log.queue.note_synced(batch),
            DiskNews::LogFailed { step, why } => self.log_failed(now, step, &why),
            DiskNews::LogClosed => self.log_closed(now),
            DiskNews::SaveWritten { .. }
            | DiskNews::SaveDone { .. }
            | DiskNews::Listed(_)
            | DiskNews::Running(_)
            | DiskNews::LoadOpened(_)
            | DiskNews::LoadPiece(_)
            | DiskNews::ShipOpened { .. }
            | DiskNews::ShipPiece { .. } => {}
        }
        if core::mem::take(&mut self.server.settings_changed) {
            self.config_changed(now);
        }
        self.drive_log(now);
    }

    fn log_opened(&mut self, now: Now, outcome: Result<(), String>) {
        let log = &mut self.server.persistence.log;
        log.opening = log.opening.saturating_sub(1);
        if log.opening > 0 {
            // Something about a file that was given up.
            return;
        }
        match (&log.state, outcome) {
            (State::Starting, Ok(())) => {
                log.state = State::Open(Health::Good);
                self.begin_logging();
                self.server.become_ready();
            }
            (State::Starting, Err(why)) => self.server.fail_to_start(&why),
            (_, Ok(())) => self.server.increment_opened(),
            (_, Err(why)) if log.rewrite.is_opening() => self.increment_not_opened(now, &why),
            // It was given up meanwhile: the file before it could not be made safe.
            (_, Err(_)) => {}
        }
    }

    /// From here on effects go to the log.
    fn begin_logging(&mut self) {
        self.propagation.set_logged(true);
        self.propagation.begin_increment();
        self.store.record_deleted(true);
    }
}
