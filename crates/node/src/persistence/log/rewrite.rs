//! Making a new base, which takes the place of all that came before it.
//!
//! ```text
//!   Preparing    the next increment is made, empty, and named in the manifest
//!   Prepared     until the data can be walked
//!   Writing      in one turn: the log moves on to the new increment, and a snapshot begins, so
//!                that nothing is in both and nothing in neither; the snapshot is the base
//!   Committing   the manifest names the new base; what it replaces is history
//!   Sweeping     history is deleted
//! ```
//!
//! A crash between any two steps leaves a manifest that names one whole log: the old base with all
//! increments, the last of which may be empty, or the new base with the last increment. A rewrite
//! that fails leaves an increment more.
//!
//! When no manifest may name the increment before the base is there ([`super::Building`]), the
//! first step leaves the manifest alone. When there is no log, a rewrite makes a base only, as in
//! Redis.

use super::fault::Health;
use super::{Building, Log, State, Why};
use crate::action::Level;
use crate::disk::{DiskWish, FileStep};
use crate::persistence::Purpose;
use crate::server::Server;
use crate::{ConnId, Node};
use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use vesta_config::{Config, Opt};
use vesta_persist::aof::{BaseFormat, Manifest};
use vesta_store::Store;
use vesta_types::{Now, ascii};

/// Where a rewrite is.
#[derive(Debug)]
pub(super) enum Rewrite {
    /// There is none.
    Idle,
    /// A job makes the increment; `asker` waits for it.
    Preparing {
        job: u64,
        draft: Box<Draft>,
        asker: Option<Asker>,
    },
    Prepared(Box<Draft>),
    /// The snapshot is being written.
    Writing {
        draft: Box<Draft>,
        /// Whether the new increment is the one that is appended to.
        is_open: bool,
        /// The length of the base, once it is there.
        base_bytes: Option<u64>,
    },
    /// A job names the base.
    Committing {
        job: u64,
        draft: Box<Draft>,
        base_bytes: u64,
    },
    /// The rewrite is over; a job deletes what is left from before.
    Sweeping {
        job: u64,
        next: Box<Manifest>,
    },
}

/// What a rewrite is about to make.
#[derive(Debug)]
pub(super) struct Draft {
    began: Now,
    /// The manifest with the new increment, and in the end with the new base.
    next: Manifest,
    format: BaseFormat,
    kind: Kind,
}

/// Who waits for a rewrite to begin.
#[derive(Debug)]
pub(super) enum Asker {
    /// BGREWRITEAOF.
    Rewrite(ConnId),
    /// CONFIG SET, which has switched the log on, and what takes that back.
    Setting { conn: ConnId, before: Box<Config>, options: Vec<&'static Opt> },
}

impl Asker {
    fn conn(&self) -> ConnId {
        match self {
            Self::Rewrite(conn) | Self::Setting { conn, .. } => *conn,
        }
    }
}

/// What happens to the log when the snapshot begins.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    /// It moves on to an increment that is named already.
    Named,
    /// It begins, or begins anew, with an increment that is not named before the base is there.
    Unnamed,
    /// There is none.
    BaseOnly,
}

impl Rewrite {
    pub(super) fn is_idle(&self) -> bool {
        matches!(self, Self::Idle)
    }

    /// Whether the log is moving on to the increment of it.
    pub(super) fn is_opening(&self) -> bool {
        matches!(self, Self::Writing { is_open: false, .. })
    }

    /// The data was replaced: what is about to be named is not what the log goes on behind.
    pub(super) fn disown(&mut self) {
        if let Self::Committing { draft, .. } = self {
            draft.kind = Kind::BaseOnly;
        }
    }

    fn draft(&self) -> Option<&Draft> {
        match self {
            Self::Preparing { draft, .. }
            | Self::Prepared(draft)
            | Self::Writing { draft, .. }
            | Self::Committing { draft, .. } => Some(draft),
            Self::Idle | Self::Sweeping { .. } => None,
        }
    }

    /// Seconds since it began.
    pub(super) fn elapsed_s(&self, now: Now) -> Option<u64> {
        self.draft().map(|draft| now.mono.since_us(draft.began.mono) / 1_000_000)
    }
}

impl Log {
    /// Whether a rewrite is under way.
    pub(crate) fn is_rewriting(&self) -> bool {
        self.rewrite.draft().is_some()
    }
}

impl Server {
    /// Begins a rewrite; `asker` waits for that.
    pub(super) fn prepare_rewrite(&mut self, now: Now, asker: Option<Asker>) {
        let log = &mut self.persistence.log;
        let (kind, when) = match &log.state {
            State::Off | State::Closing | State::Naming { .. } | State::Starting => {
                (Kind::BaseOnly, "")
            }
            State::Building(Building { why: Why::Start, .. }) => (Kind::Unnamed, "server start"),
            State::Building(_) => (Kind::Unnamed, "background rewrite"),
            State::Open(_) => (Kind::Named, "background rewrite"),
        };
        if kind != Kind::Named && log.home != self.config.dir {
            log.home.clone_from(&self.config.dir);
            log.manifest.forget_files();
        }
        let format =
            if self.config.aof_use_rdb_preamble { BaseFormat::Rdb } else { BaseFormat::Requests };
        let mut next = log.manifest.clone();
        let is_start = log.is_starting();
        let stem = self.config.appendfilename.clone();
        let mut steps = vec![FileStep::MakeDir { name: self.log_dir() }];
        if is_start {
            let name = next.next_base_name(stem.as_bytes(), format);
            self.log_creation("base", &name, when);
        }
        if kind != Kind::BaseOnly {
            let name = next.begin_increment(stem.as_bytes()).name.clone();
            self.log_creation("incr", &name, when);
            steps.push(FileStep::Replace { name: self.in_log(&name), bytes: Vec::new() });
        }
        if kind == Kind::Named {
            steps.push(FileStep::Replace { name: self.manifest_path(), bytes: next.to_text() });
        }
        let job = self.wish_files(steps);
        let draft = Box::new(Draft { began: now, next, format, kind });
        self.persistence.log.rewrite = Rewrite::Preparing { job, draft, asker };
    }

    /// The increment is there.
    fn prepared(&mut self, draft: Box<Draft>, asker: Option<Asker>) {
        if draft.kind == Kind::Named {
            self.persistence.log.manifest = draft.next.clone();
        }
        match asker {
            Some(Asker::Rewrite(conn)) => {
                self.finish_with(conn, Ok("Background append only file rewriting started"));
            }
            Some(Asker::Setting { conn, .. }) => self.finish(conn, Ok(())),
            None => {}
        }
        self.persistence.log.rewrite = Rewrite::Prepared(draft);
    }

    /// The increment cannot be made.
    fn not_prepared(&mut self, now: Now, draft: &Draft, asker: Option<Asker>, why: &str) {
        let dir = self.log_dir();
        self.log(Level::Warning, format!("Can't prepare the files of the AOF in {dir}: {why}"));
        // Who knows what is on the disk; such names are not used again.
        self.persistence.log.manifest.pass_over(&draft.next);
        let failures = self.persistence.log.rewrites.failures;
        let text = match asker {
            None => return self.rewrite_failed(now),
            Some(Asker::Rewrite(_)) => {
                "ERR Can't execute an AOF background rewriting. Please check the server logs for \
                 more information."
            }
            Some(Asker::Setting { ref before, ref options, .. }) => {
                self.config = vesta_config::carry_over(&self.config, before, options);
                self.settings_changed = true;
                self.persistence.log.state = State::Off;
                "ERR CONFIG SET failed (possibly related to argument 'appendonly') - Unable to \
                 turn on AOF. Check server logs."
            }
        };
        self.rewrite_failed(now);
        // Somebody knows of it: that is none of those that go on by themselves.
        self.persistence.log.rewrites.failures = failures;
        if let Some(asker) = asker {
            self.finish(asker.conn(), Err(text.to_string()));
        }
    }

    /// The new increment is the one that is appended to.
    pub(super) fn increment_opened(&mut self) {
        if let Rewrite::Writing { is_open, .. } = &mut self.persistence.log.rewrite {
            *is_open = true;
            self.commit_if_complete();
        }
    }

    /// The snapshot is a base of so many bytes, or it has failed.
    pub(in crate::persistence) fn base_done(&mut self, now: Now, outcome: Result<u64, ()>) {
        let Rewrite::Writing { base_bytes, draft, .. } = &mut self.persistence.log.rewrite else {
            return;
        };
        match outcome {
            Ok(bytes) => {
                *base_bytes = Some(bytes);
                let stem = self.config.appendfilename.as_bytes();
                let name = draft.next.next_base_name(stem, draft.format);
                if !self.persistence.log.is_starting() {
                    self.tell_base_done(&ascii::lossy(&name));
                }
                self.commit_if_complete();
            }
            Err(()) => {
                let line = "Background AOF rewrite terminated with error";
                self.log(Level::Warning, line.to_string());
                self.rewrite_failed(now);
            }
        }
    }

    /// The base has got to its place as `name`. Source of the lines, which may be looked for:
    /// redis-server 7.0.15.
    fn tell_base_done(&mut self, name: &str) {
        let temporary = self.temporary_base_name();
        for line in [
            format!("Successfully created the temporary AOF base file {temporary}"),
            "Background AOF rewrite terminated with success".to_string(),
            format!("Successfully renamed the temporary AOF base file {temporary} into {name}"),
        ] {
            self.log(Level::Notice, line);
        }
    }

    /// Has the manifest name the base, once it is there and whatever it lacks goes to the new
    /// increment. Before that the old increment could still be all there is of something.
    fn commit_if_complete(&mut self) {
        let rewrite = core::mem::replace(&mut self.persistence.log.rewrite, Rewrite::Idle);
        let Rewrite::Writing { mut draft, is_open: true, base_bytes: Some(base_bytes) } = rewrite
        else {
            self.persistence.log.rewrite = rewrite;
            return;
        };
        let stem = self.config.appendfilename.clone();
        let first_kept = match draft.kind {
            Kind::Named | Kind::Unnamed => draft.next.last_increment().map_or(0, |file| file.seq),
            Kind::BaseOnly => u64::MAX,
        };
        draft.next.complete_rewrite(stem.as_bytes(), draft.format, first_kept);
        let name = self.manifest_path();
        let job = self.wish_files(vec![FileStep::Replace { name, bytes: draft.next.to_text() }]);
        self.persistence.log.rewrite = Rewrite::Committing { job, draft, base_bytes };
    }

    /// The manifest names the base: the rewrite is over.
    fn committed(&mut self, now: Now, draft: Draft, base_bytes: u64) {
        let log = &mut self.persistence.log;
        log.manifest = draft.next;
        log.sizes.before = base_bytes;
        log.sizes.rewritten = log.size_bytes();
        (log.rewrites.failures, log.rewrites.has_failed) = (0, false);
        let is_start = log.is_starting();
        if draft.kind == Kind::Unnamed && matches!(log.state, State::Building(_)) {
            log.state = State::Open(Health::Good);
        }
        if is_start {
            return self.become_ready();
        }
        log.rewrites.last_s = Some(now.mono.since_us(draft.began.mono) / 1_000_000);
        self.sweep();
        let line = "Background AOF rewrite finished successfully";
        self.log(Level::Notice, line.to_string());
    }

    /// Nobody knows whether the manifest names the base.
    fn not_committed(&mut self, now: Now, draft: &Draft, why: &str) {
        let line = format!("Error trying to write the AOF manifest file: {why}");
        self.log(Level::Warning, line);
        // Should it do so, nothing may take the place of the files that it names.
        self.persistence.log.manifest.pass_over(&draft.next);
        self.rewrite_failed(now);
    }

    /// Deletes what no manifest needs any more.
    pub(super) fn sweep(&mut self) {
        let log = &mut self.persistence.log;
        let is_wanted = !self.config.aof_disable_auto_gc && log.manifest.has_history();
        if !(is_wanted && log.rewrite.is_idle()) {
            return;
        }
        let mut next = log.manifest.clone();
        let mut steps = Vec::new();
        for file in next.take_history().collect::<Vec<_>>() {
            let line = format!("Removing the history file {}", ascii::lossy(&file.name));
            self.log(Level::Notice, format!("{line} in the background"));
            steps.push(FileStep::Remove { name: self.in_log(&file.name) });
        }
        steps.push(FileStep::Replace { name: self.manifest_path(), bytes: next.to_text() });
        let job = self.wish_files(steps);
        self.persistence.log.rewrite = Rewrite::Sweeping { job, next: Box::new(next) };
    }

    /// Counts a failure, and sees to what depends on it.
    fn rewrite_failed(&mut self, now: Now) {
        let log = &mut self.persistence.log;
        log.rewrite = Rewrite::Idle;
        log.rewrites.failures = log.rewrites.failures.saturating_add(1);
        log.rewrites.has_failed = true;
        if log.is_starting() {
            self.fail_to_start("its files cannot be made");
        } else {
            self.build_later(now);
        }
    }

    /// Gives up a rewrite, unless it is as good as done. Nobody counts that as a failure.
    pub(super) fn give_up_rewrite(&mut self, now: Now, store: &mut Store) {
        let rewrite = core::mem::replace(&mut self.persistence.log.rewrite, Rewrite::Idle);
        match rewrite {
            Rewrite::Preparing { draft, asker, .. } => {
                self.persistence.log.manifest.pass_over(&draft.next);
                if let Some(asker) = asker {
                    let text = "ERR The rewrite of the AOF was given up.";
                    self.finish(asker.conn(), Err(text.to_string()));
                }
            }
            Rewrite::Writing { .. } => self.give_up_save(now, store),
            Rewrite::Idle | Rewrite::Prepared(_) => {}
            Rewrite::Committing { .. } | Rewrite::Sweeping { .. } => {
                self.persistence.log.rewrite = rewrite;
            }
        }
    }

    /// The snapshot of a rewrite was given up for something else: it begins again later.
    pub(in crate::persistence) fn base_given_up(&mut self, now: Now) {
        let log = &mut self.persistence.log;
        if let Rewrite::Writing { .. } = log.rewrite {
            log.rewrite = Rewrite::Idle;
            match &mut log.state {
                State::Building(building) => building.next_at = now.mono,
                State::Off
                | State::Naming { .. }
                | State::Starting
                | State::Open(_)
                | State::Closing => log.rewrites.is_scheduled = true,
            }
        }
    }

    /// Where the base of a rewrite goes, and how it is written.
    pub(in crate::persistence) fn base_target(&self) -> Option<(String, BaseFormat)> {
        let draft = self.persistence.log.rewrite.draft()?;
        let stem = self.config.appendfilename.as_bytes();
        Some((self.in_log(&draft.next.next_base_name(stem, draft.format)), draft.format))
    }

    /// Where it is written at first: beside the log, as it cannot be renamed across file systems.
    pub(in crate::persistence) fn temporary_base_name(&self) -> String {
        let name = format!("temp-rewriteaof-bg-{}.aof", self.process.pid);
        match self.log_dir().rsplit_once('/') {
            Some((home, _)) => format!("{home}/{name}"),
            None => name,
        }
    }
}

impl Node {
    /// Begins the next attempt to make a log, when it is time.
    pub(super) fn build_on(&mut self, now: Now) {
        let log = &self.server.persistence.log;
        let State::Building(building) = &log.state else { return };
        if !log.rewrite.is_idle() {
            return;
        }
        let is_due = now.mono >= building.next_at;
        // Between two attempts nothing is logged.
        self.stop_logging();
        if is_due && !self.server.ending {
            self.server.prepare_rewrite(now, None);
        }
    }

    fn stop_logging(&mut self) {
        let Self { store, server, propagation, .. } = self;
        propagation.set_logged(false);
        propagation.take_log();
        store.record_deleted(propagation.is_wanted());
        server.persistence.log.queue.settle();
    }

    /// Moves the log on to the new increment and begins the snapshot, if the data can be walked.
    pub(super) fn begin_base(&mut self, now: Now) {
        if !matches!(self.server.persistence.log.rewrite, Rewrite::Prepared(_)) {
            return;
        }
        self.clear_the_way(now);
        let Self { store, server, .. } = self;
        let persistence = &server.persistence;
        let can_begin = !server.ending
            && !persistence.stands_still()
            && !server.lacks_data()
            && persistence.saving.is_idle()
            && !matches!(persistence.log.state, State::Open(Health::Failing { .. }));
        if !can_begin {
            return;
        }
        let rewrite = core::mem::replace(&mut server.persistence.log.rewrite, Rewrite::Idle);
        let Rewrite::Prepared(draft) = rewrite else { return };
        let kind = draft.kind;
        let increment = draft.next.last_increment().map(|file| server.in_log(&file.name));
        let is_open = kind == Kind::BaseOnly;
        server.persistence.log.rewrite = Rewrite::Writing { draft, is_open, base_bytes: None };
        if store.has_news() {
            self.hand_on_news(None);
        }
        if let Some(name) = increment
            && !is_open
        {
            self.move_on(kind, name);
        }
        let Self { store, server, propagation, .. } = self;
        if !server.persistence.log.is_starting() {
            server.persistence.log.rewrites.begun += 1;
            let pid = server.process.pid;
            let line = format!("Background append only file rewriting started by pid {pid}");
            server.log(Level::Notice, line);
        }
        server.begin_save(now, store, propagation.point(), Purpose::Rewrite);
    }

    /// What comes from here on goes to the increment `name`.
    fn move_on(&mut self, kind: Kind, name: String) {
        if kind == Kind::Named {
            self.flush_log();
            self.propagation.begin_increment();
        } else {
            self.server.wish(DiskWish::LogClose);
            self.server.persistence.log.queue.settle();
            let is_kept = self.propagation.point().is_kept;
            if !is_kept && !self.server.persistence.log.is_starting() {
                self.begin_history();
            }
            self.begin_logging();
        }
        self.server.open_increment(name, 0);
        let sizes = &mut self.server.persistence.log.sizes;
        let old = sizes.before + core::mem::take(&mut sizes.increment);
        sizes.before = if kind == Kind::Named { old } else { 0 };
    }

    /// Has a background save make room for a log without which no writes are taken.
    fn clear_the_way(&mut self, now: Now) {
        let Self { store, server, .. } = self;
        let persistence = &mut server.persistence;
        if persistence.log.trouble().is_some() && persistence.saving.is_background() {
            persistence.saving.put_off(Purpose::Background);
            server.give_up_save(now, store);
        }
    }

    /// The log cannot move on to the new increment, and goes on where it was.
    pub(super) fn increment_not_opened(&mut self, now: Now, why: &str) {
        self.server.log(Level::Warning, format!("Can't open the append-only file: {why}"));
        self.abandon_rewrite(now);
    }

    /// Ends a rewrite that cannot succeed any more.
    pub(super) fn abandon_rewrite(&mut self, now: Now) {
        let Self { store, server, .. } = self;
        if server.persistence.log.is_rewriting() {
            server.give_up_rewrite(now, store);
            if !server.persistence.log.is_rewriting() {
                server.rewrite_failed(now);
            }
        }
    }

    /// A job of a rewrite is done.
    pub(super) fn rewrite_files_done(&mut self, now: Now, id: u64, outcome: Result<(), String>) {
        let server = &mut self.server;
        let rewrite = core::mem::replace(&mut server.persistence.log.rewrite, Rewrite::Idle);
        match (rewrite, outcome) {
            (Rewrite::Preparing { job, draft, asker }, outcome) if job == id => match outcome {
                Ok(()) => server.prepared(draft, asker),
                Err(why) => server.not_prepared(now, &draft, asker, &why),
            },
            (Rewrite::Committing { job, draft, base_bytes }, outcome) if job == id => match outcome
            {
                Ok(()) => server.committed(now, *draft, base_bytes),
                Err(why) => server.not_committed(now, &draft, &why),
            },
            (Rewrite::Sweeping { job, next }, outcome) if job == id => match outcome {
                Ok(()) => server.persistence.log.manifest = *next,
                Err(why) => {
                    let line = format!("Old files of the AOF cannot be removed: {why}");
                    server.log(Level::Warning, line);
                }
            },
            (rewrite, _) => server.persistence.log.rewrite = rewrite,
        }
    }
}
