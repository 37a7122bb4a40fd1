//! How a log comes to be and ceases to be: at the start of the server, and when it is switched on
//! or off.

use super::rewrite::Asker;
use super::{Building, State, Why};
use crate::action::{Action, ExitCause, Level};
use crate::disk::{DiskWish, FileStep};
use crate::persistence::Persistence;
use crate::server::Server;
use crate::{ConnId, Node};
use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use vesta_config::{Config, Opt};
use vesta_persist::aof::Manifest;
use vesta_types::{Mono, Now};

impl Server {
    /// Begins to log once the data is there, if it is to be logged, and then says that the server
    /// is ready ([`Action::Ready`]).
    ///
    /// `manifest` is what is on the disk, whether there is to be a log or not; `at` is its last
    /// increment: name (as in [`DiskWish::LogOpen`]) and length of what was loaded.
    pub(crate) fn begin_log(&mut self, now: Now, manifest: Manifest, at: Option<(String, u64)>) {
        if !self.config.appendonly {
            return self.begin_without_log(now, manifest);
        }
        let has_base = manifest.base().is_some();
        self.persistence.log.manifest = manifest;
        self.persistence.log.home = self.config.dir.clone();
        if let Some((name, len)) = at {
            let line = format!("Opening AOF incr file {} on server start", file_name(&name));
            self.log(Level::Notice, line);
            self.open_increment(name, len);
            self.persistence.log.state = State::Starting;
        } else if has_base {
            self.name_first_increment();
        } else {
            let why = Why::Start;
            let building = Building { why, next_at: Mono::NEVER, failures: 0, safe: 0 };
            self.persistence.log.state = State::Building(building);
            self.prepare_rewrite(now, None);
        }
        self.arm_persistence(now);
    }

    /// Says that the server is ready, whose data does not come from a log. If there is to be one by
    /// now, it is begun as at any other time.
    pub(crate) fn begin_without_log(&mut self, now: Now, manifest: Manifest) {
        self.persistence.log.manifest = manifest;
        self.persistence.log.home = self.config.dir.clone();
        self.become_ready();
        if self.config.appendonly {
            self.switch_log_on(now, None);
        }
        self.arm_persistence(now);
    }

    /// Has the manifest name an increment behind a base that has none.
    fn name_first_increment(&mut self) {
        let stem = self.config.appendfilename.clone();
        let mut next = self.persistence.log.manifest.clone();
        let name = next.begin_increment(stem.as_bytes()).name.clone();
        self.log_creation("incr", &name, "server start");
        let job = self.wish_files(vec![
            FileStep::MakeDir { name: self.log_dir() },
            FileStep::Replace { name: self.in_log(&name), bytes: Vec::new() },
            FileStep::Replace { name: self.manifest_path(), bytes: next.to_text() },
        ]);
        self.persistence.log.state = State::Naming { job, next: Box::new(next) };
    }

    /// The first increment is named, or that failed.
    pub(super) fn first_increment_named(&mut self, outcome: Result<(), String>) {
        let State::Naming { next, .. } =
            core::mem::replace(&mut self.persistence.log.state, State::Starting)
        else {
            return;
        };
        match outcome {
            Ok(()) => {
                let name = next.last_increment().map(|file| self.in_log(&file.name));
                self.persistence.log.manifest = *next;
                self.open_increment(name.unwrap_or_default(), 0);
            }
            Err(why) => self.fail_to_start(&why),
        }
    }

    /// Ends a server that has no log and should have one.
    pub(super) fn fail_to_start(&mut self, why: &str) {
        self.log(Level::Warning, format!("Can't open the append-only file: {why}. Exiting."));
        self.end(ExitCause::Failed);
    }

    pub(super) fn become_ready(&mut self) {
        self.actions.push_back(Action::Ready);
        self.sweep();
    }

    /// Whether the log can be switched on at once.
    pub(crate) fn can_switch_log_on(&self) -> bool {
        let Persistence { log, loading, .. } = &self.persistence;
        matches!(log.state, State::Off) && log.rewrite.is_idle() && !loading.is_under_way()
    }

    /// Switches the log on for CONFIG SET, which waits until it is known whether there can be one.
    /// `before` is what the settings were, and `options` what was changed.
    pub(crate) fn switch_log_on_for(
        &mut self,
        now: Now,
        conn: ConnId,
        before: Box<Config>,
        options: Vec<&'static Opt>,
    ) {
        self.switch_log_on(now, Some(Asker::Setting { conn, before, options }));
    }

    /// Switches the log on.
    pub(super) fn switch_log_on(&mut self, now: Now, asker: Option<Asker>) {
        if self.persistence.saving.purpose().is_some() {
            let line = "AOF was enabled while the data is being saved: it is written after that.";
            self.log(Level::Notice, line.to_string());
        }
        let log = &mut self.persistence.log;
        log.rewrites.is_scheduled = false;
        let safe = log.queue.synced();
        let building = Building { why: Why::Asked, next_at: now.mono, failures: 0, safe };
        log.state = State::Building(building);
        if log.rewrite.is_idle() {
            self.prepare_rewrite(now, asker);
        }
    }

    /// Says where the log is when the working directory has changed: what is already there and what
    /// is to come stay together.
    pub(crate) fn note_new_dir(&mut self) {
        let log = &self.persistence.log;
        if log.is_on() && log.home != self.config.dir {
            let line = format!(
                "The AOF stays in {} until appendonly is switched off and on, or the server is \
                 started anew",
                log.home
            );
            self.log(Level::Warning, line);
        }
    }
}

impl Node {
    /// Does as the settings say now.
    pub(crate) fn follow_log_settings(&mut self, now: Now) {
        let Self { store, server, .. } = self;
        let is_off = matches!(server.persistence.log.state, State::Off);
        if is_off && server.config.appendonly && !server.persistence.loading.is_under_way() {
            // A base without increments is of no use to a log.
            server.give_up_rewrite(now, store);
            server.switch_log_on(now, None);
        }
        if let State::Open(_) = self.server.persistence.log.state {
            // Old files may be wanted no more (`aof-disable-auto-gc`).
            self.server.sweep();
        }
        self.go_on_with_log(now);
        self.server.shut_gate(now);
        self.server.part();
        self.server.arm_persistence(now);
    }

    pub(super) fn switch_log_off(&mut self, now: Now) {
        self.flush_log();
        let Self { store, server, propagation, .. } = self;
        propagation.set_logged(false);
        store.record_deleted(propagation.is_wanted());
        let log = &mut server.persistence.log;
        log.rewrites.is_scheduled = false;
        log.state = State::Closing;
        server.give_up_rewrite(now, store);
        server.wish(DiskWish::LogClose);
    }

    pub(super) fn log_closed(&mut self, now: Now) {
        let log = &mut self.server.persistence.log;
        if let State::Closing = log.state {
            log.queue.settle();
            log.state = State::Off;
            self.follow_log_settings(now);
        }
    }
}

/// The name of a file without its directory.
fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
