//! When a rewrite begins: when somebody asks for it, when the log has grown enough, and not when it
//! has failed too often.

use super::Log;
use super::State;
use super::fault::Health;
use super::limit::Limit;
use super::rewrite::Asker;
use crate::ConnId;
use crate::action::Level;
use crate::server::Server;
use alloc::format;
use vesta_cmd::{Flow, Outcome, ReplyError};
use vesta_types::Now;

/// What has become of rewrites.
#[derive(Debug, Default)]
pub(super) struct Rewrites {
    /// One is to begin as soon as it can.
    pub(super) is_scheduled: bool,
    pub(super) begun: u64,
    /// Those that failed since one succeeded.
    pub(super) failures: u32,
    /// Whether the last one failed.
    pub(super) has_failed: bool,
    /// Seconds the last one took.
    pub(super) last_s: Option<u64>,
    pub(super) limit: Limit,
}

impl Log {
    /// How much the log has grown since a rewrite, in percent.
    fn growth_percent(&self) -> u64 {
        let (size, from) = (self.size_bytes(), self.sizes.rewritten.max(1));
        size.saturating_mul(100).checked_div(from).unwrap_or(0).saturating_sub(100)
    }
}

impl Server {
    /// Begins a rewrite, or has it begin later (BGREWRITEAOF). `Wait`: the client is told when it
    /// has begun; `Done`: it begins later.
    ///
    /// # Errors
    /// When one is under way.
    ///
    /// Source of the texts here and below: redis-server 7.0.15.
    pub(crate) fn ask_for_rewrite(&mut self, now: Now, conn: ConnId) -> Outcome {
        let is_saving = self.persistence.saving.purpose().is_some();
        let log = &mut self.persistence.log;
        if log.is_rewriting() {
            let text = "Background append only file rewriting already in progress";
            return Err(ReplyError::text(text));
        }
        match &mut log.state {
            State::Off | State::Open(Health::Good) if !is_saving => {
                self.prepare_rewrite(now, Some(Asker::Rewrite(conn)));
                return Ok(Flow::Wait);
            }
            State::Off | State::Open(Health::Good) => {}
            State::Naming { .. } | State::Starting | State::Closing => {}
            State::Building(building) => {
                building.next_at = now.mono;
                return Ok(Flow::Done);
            }
            // What the new files take may be there when the old ones are gone.
            State::Open(Health::Failing { why, .. }) => {
                let why = core::mem::take(why);
                log.distrust(now, why);
                return Ok(Flow::Done);
            }
        }
        log.rewrites.is_scheduled = true;
        log.rewrites.failures = 0;
        Ok(Flow::Done)
    }

    /// Begins what has waited for its turn, and a rewrite when the log has grown enough.
    pub(crate) fn check_rewrites(&mut self, now: Now) {
        let is_saving = self.persistence.saving.purpose().is_some();
        let log = &mut self.persistence.log;
        let can_begin = match &log.state {
            State::Off | State::Open(Health::Good) => !is_saving && !log.is_rewriting(),
            State::Naming { .. }
            | State::Starting
            | State::Building(_)
            | State::Open(Health::Failing { .. })
            | State::Closing => false,
        };
        if !can_begin || self.ending {
            return;
        }
        let percentage = u64::from(self.config.auto_aof_rewrite_percentage);
        let growth = log.growth_percent();
        let is_grown = matches!(log.state, State::Open(_))
            && percentage > 0
            && log.size_bytes() > self.config.auto_aof_rewrite_min_size_bytes
            && growth >= percentage;
        if !(log.rewrites.is_scheduled || is_grown) || self.is_rewrite_limited(now) {
            return;
        }
        if !core::mem::take(&mut self.persistence.log.rewrites.is_scheduled) {
            let line = format!("Starting automatic rewriting of AOF on {growth}% growth");
            self.log(Level::Notice, line);
        }
        self.prepare_rewrite(now, None);
    }

    /// Whether rewrites have failed so often that none begins by itself.
    fn is_rewrite_limited(&mut self, now: Now) -> bool {
        let Rewrites { limit, failures, .. } = &mut self.persistence.log.rewrites;
        let (is_limited, minutes) = limit.ask(now.mono, *failures);
        if let Some(minutes) = minutes {
            let line = format!(
                "Background AOF rewrite has repeatedly failed and triggered the limit, will retry \
                 in {minutes} minutes"
            );
            self.log(Level::Warning, line);
        }
        is_limited
    }
}
