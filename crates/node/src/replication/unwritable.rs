//! What a replica does with the stream while its disk refuses.
//!
//! A server that cannot save or log takes no writes from clients. Its primary it cannot refuse: the
//! data would be another's. So it ends rather than have data that would not outlive it, or, with
//! `replica-ignore-disk-write-errors`, goes on and says so.
//!
//! Source of the rule, the texts and the interval: redis-server 7.0.15, which ends (aborts) at the
//! first write of the stream, in MULTI already, FUNCTION LOAD included; PUBLISH does not count.

use super::apply::Diverged;
use crate::Node;
use crate::action::{ExitCause, Level};
use crate::gates::Armed;
use crate::serve::Prepared;
use alloc::string::ToString;
use vesta_resp::Request;
use vesta_spec::Flags;
use vesta_types::{Now, ascii};

/// Milliseconds between lines of the log about it.
const TOLD_EVERY_MS: u64 = 10_000;

impl Node {
    /// Whether a request of the stream may be applied with the disk as it is. If not, the server
    /// ends.
    #[inline]
    pub(super) fn heed_disk(
        &mut self,
        now: Now,
        request: Request<'_>,
        prepared: Prepared,
    ) -> Result<(), Diverged> {
        if self.server.alarms.holds(Armed::DISK.and(Armed::LOG)) {
            return self.heed_trouble(now, request, prepared);
        }
        Ok(())
    }

    #[cold]
    fn heed_trouble(
        &mut self,
        now: Now,
        request: Request<'_>,
        prepared: Prepared,
    ) -> Result<(), Diverged> {
        let writes = match prepared.found.or_else(|| self.find_original(request)) {
            Some(found) => found.command.spec.flags.has(Flags::WRITE),
            // Libraries are kept as they come, and written down.
            None => ascii::is_word(request.arg(0), "function"),
        };
        if !writes || self.server.disk_trouble().is_none() {
            return Ok(());
        }
        if !self.server.config.replica_ignore_disk_write_errors {
            self.server.end(ExitCause::Failed);
            let line = "Replica was unable to write command to disk. Exiting...";
            return Err(Diverged(line.to_string()));
        }
        let told_at = &mut self.server.replication.replica.applying.disk_told_at;
        if told_at.is_none_or(|at| now.mono >= at.plus_ms(TOLD_EVERY_MS)) {
            *told_at = Some(now.mono);
            let line = "Replica is applying a command even though it is unable to write to disk.";
            self.server.log(Level::Warning, line.to_string());
        }
        Ok(())
    }
}
