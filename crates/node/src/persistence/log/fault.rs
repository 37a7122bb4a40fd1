//! What is done when the disk refuses.
//!
//! With `appendfsync always` the server ends, and the replies that waited never leave: that is what
//! Redis does, and what its users count on. With the other policies it goes on without taking
//! writes. What could not be written is tried again once a second. A file that could not be made
//! safe is another matter: what the system has lost it will not say again, so the log is made anew
//! from what is in memory.
//!
//! Source of log lines and error texts: redis-server 7.0.15 on a full disk.

use super::rewrite::Rewrite;
use super::{Building, Log, State, Why};
use crate::Node;
use crate::action::{ExitCause, Level};
use crate::disk::{DiskWish, LogStep};
use crate::server::Server;
use alloc::format;
use alloc::string::{String, ToString};
use vesta_config::AppendFsync;
use vesta_types::{Mono, Now};

/// Milliseconds between attempts to write what could not be written.
const RETRY_MS: u64 = 1000;
/// Milliseconds between lines of the log about it.
const TOLD_EVERY_MS: u64 = 30_000;
/// Seconds between attempts to make a log, at most; they double with each failure from one.
const BUILD_DELAY_S_MAX: u64 = 60;

/// Whether an open log can be appended to.
#[derive(Debug)]
pub(super) enum Health {
    Good,
    /// It was refused, for this reason.
    Failing {
        why: String,
        retry_at: Mono,
        told_at: Mono,
    },
}

impl Log {
    /// Why nothing must be written to the data, if so.
    pub(crate) fn trouble(&self) -> Option<&str> {
        match &self.state {
            State::Open(Health::Failing { why, .. })
            | State::Building(Building { why: Why::Distrust(why), .. }) => Some(why),
            State::Off
            | State::Naming { .. }
            | State::Starting
            | State::Open(Health::Good)
            | State::Building(Building { why: Why::Start | Why::Asked | Why::Replaced, .. })
            | State::Closing => None,
        }
    }

    /// Begins to make new files because the present ones are of no use.
    pub(super) fn distrust(&mut self, now: Now, why: String) {
        let (why, safe) = (Why::Distrust(why), self.queue.synced());
        self.state = State::Building(Building { why, next_at: now.mono, failures: 0, safe });
    }
}

impl Node {
    /// All data is about to be replaced: the files stay as they are, for the data that they hold,
    /// until there are others.
    pub(crate) fn log_anew(&mut self, now: Now) {
        if !matches!(self.server.persistence.log.state, State::Open(_) | State::Building(_)) {
            return;
        }
        self.flush_log();
        let Self { store, server, .. } = self;
        server.give_up_rewrite(now, store);
        let log = &mut server.persistence.log;
        log.rewrite.disown();
        let (why, safe) = (Why::Replaced, log.synced());
        log.state = State::Building(Building { why, next_at: now.mono, failures: 0, safe });
        self.drive_log(now);
    }
}

impl Server {
    /// Tries again what has failed, when it is time.
    pub(super) fn retry_log(&mut self, now: Now) {
        if let State::Open(Health::Failing { retry_at, .. }) = &mut self.persistence.log.state
            && now.mono >= *retry_at
        {
            *retry_at = now.mono.plus_ms(RETRY_MS);
            self.wish(DiskWish::LogRetry);
        }
    }

    /// Batches up to this one are written.
    pub(super) fn log_written(&mut self, batch: u64) {
        let log = &mut self.persistence.log;
        log.queue.note_written(batch);
        if let State::Open(health @ Health::Failing { .. }) = &mut log.state
            && log.queue.written() >= log.queue.appended()
        {
            *health = Health::Good;
            let line = "AOF write error looks solved, the server can write again.";
            self.log(Level::Warning, line.to_string());
        }
    }

    /// Ends the server: what it would go on to acknowledge could be lost.
    fn give_up_always(&mut self, step: LogStep, why: &str) {
        match step {
            LogStep::Write => {
                self.log(Level::Warning, format!("Error writing to the AOF file: {why}"));
                let line = "Can't recover from AOF write error when the AOF fsync policy is \
                            'always'. Exiting...";
                self.log(Level::Warning, line.to_string());
            }
            LogStep::Sync => {
                let line = format!(
                    "Can't persist AOF for fsync error when the AOF fsync policy is 'always': \
                     {why}. Exiting..."
                );
                self.log(Level::Warning, line);
            }
        }
        self.end(ExitCause::Failed);
    }

    /// The log cannot be written to.
    fn note_failing(&mut self, now: Now, why: &str) {
        let log = &mut self.persistence.log;
        log.queue.give_up_sync();
        let State::Open(health) = &mut log.state else { return };
        let told_at = match health {
            Health::Good => None,
            Health::Failing { told_at, .. } => Some(*told_at),
        };
        let is_to_be_told = told_at.is_none_or(|at| now.mono >= at.plus_ms(TOLD_EVERY_MS));
        let told_at = told_at.filter(|_| !is_to_be_told).unwrap_or(now.mono);
        let retry_at = now.mono.plus_ms(RETRY_MS);
        *health = Health::Failing { why: why.to_string(), retry_at, told_at };
        if is_to_be_told {
            self.log(Level::Warning, format!("Error writing to the AOF file: {why}"));
        }
    }

    /// An attempt to make a log has failed: another one follows.
    pub(super) fn build_later(&mut self, now: Now) {
        if let State::Building(building) = &mut self.persistence.log.state {
            let delay_s = 1_u64.checked_shl(building.failures).unwrap_or(BUILD_DELAY_S_MAX);
            building.failures += 1;
            building.next_at = now.mono.plus_ms(delay_s.min(BUILD_DELAY_S_MAX) * 1000);
        }
    }
}

impl Node {
    /// Something was refused.
    pub(super) fn log_failed(&mut self, now: Now, step: LogStep, why: &str) {
        if self.server.ending {
            return;
        }
        let is_strict = self.server.config.appendfsync == AppendFsync::Always;
        match &self.server.persistence.log.state {
            State::Off | State::Naming { .. } | State::Starting => {}
            State::Building(_) => self.building_failed(now, step, why),
            State::Open(_) | State::Closing if is_strict => {
                self.server.give_up_always(step, why);
            }
            State::Closing => {
                self.server.log(Level::Warning, format!("The AOF is not complete: {why}"));
            }
            State::Open(_) => {
                match step {
                    LogStep::Write => self.server.note_failing(now, why),
                    LogStep::Sync => self.sync_failed(now, why),
                }
                self.server.stay(now);
            }
        }
    }

    /// New files are being made, and something was refused about them, or about the old ones.
    fn building_failed(&mut self, now: Now, step: LogStep, why: &str) {
        let log = &mut self.server.persistence.log;
        log.queue.give_up_sync();
        // What is about to be named will be refused again, and is dealt with then.
        if let Rewrite::Writing { is_open: true, .. } = log.rewrite {
            let what = match step {
                LogStep::Write => "written to",
                LogStep::Sync => "made safe",
            };
            let line = format!("The new AOF file cannot be {what}: {why}");
            self.server.log(Level::Warning, line);
            self.abandon_rewrite(now);
        }
    }

    /// The present file is not to be trusted any more.
    fn sync_failed(&mut self, now: Now, why: &str) {
        let Self { store, server, .. } = self;
        server.log(Level::Warning, format!("Fail to fsync the AOF file: {why}"));
        let line = "What was written to it may be lost: the AOF is made anew, and no writes are \
                    taken until then.";
        server.log(Level::Warning, line.to_string());
        server.give_up_rewrite(now, store);
        server.persistence.log.distrust(now, why.to_string());
    }
}
