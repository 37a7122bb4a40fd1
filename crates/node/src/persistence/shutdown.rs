//! The end of a server: the last save, and what becomes of it when that fails.
//!
//! While the last save is under way, and the log is made safe behind it, nobody is served, so that
//! nothing is acknowledged that is not in them.

use super::Purpose;
use crate::ConnId;
use crate::action::{Action, ExitCause, Level};
use crate::server::Server;
use alloc::format;
use alloc::string::{String, ToString};
use vesta_cmd::StreamPoint;
use vesta_config::ShutdownWish;
use vesta_store::Store;
use vesta_types::Now;

const REFUSED: &str = "Errors trying to shut down the server. Check the logs for more information.";

impl Server {
    /// Ends the server, once the data is saved if that is wished for; whether it may. `asker` waits
    /// then, and is told only if the server goes on.
    pub(crate) fn shut_down(
        &mut self,
        now: Now,
        store: &mut Store,
        point: StreamPoint,
        wish: ShutdownWish,
        asked_by: (ExitCause, Option<ConnId>),
    ) -> bool {
        let (cause, asker) = asked_by;
        if wish.now {
            self.stop_waiting_to_part(now);
        }
        let is_decided = self.ending || self.is_about_to_end();
        if !(is_decided || self.is_free_to_end(wish)) {
            return false;
        }
        self.persistence.saving.exit_askers.extend(asker);
        if is_decided || self.wait_to_part(now, wish, cause, point.offset) {
            return true;
        }
        if self.persistence.log.is_rewriting() {
            let line = "A rewrite of the AOF is under way: it is given up.".to_string();
            self.log(Level::Warning, line);
        }
        // What is not loaded yet must not be overwritten by what is.
        let is_complete = !self.lacks_data();
        let is_wanted = !wish.nosave && (wish.save || !self.config.save.is_empty());
        if self.persistence.saving.is_background() {
            let line = "A background save is under way: it is given up.".to_string();
            self.log(Level::Warning, line);
        }
        if is_complete && is_wanted {
            let line = "Saving the final RDB snapshot before exiting.".to_string();
            self.log(Level::Notice, line);
            let purpose = Purpose::Exit { cause, force: wish.force };
            self.begin_save(now, store, point, purpose);
        } else {
            self.give_up_save(now, store);
            self.end_when_safe(now, cause, wish.force);
        }
        true
    }

    /// Whether nothing speaks against the end, or nobody listens to it.
    fn is_free_to_end(&mut self, wish: ShutdownWish) -> bool {
        self.log(Level::Notice, "User requested shutdown...".to_string());
        let is_free = self.is_log_fit_to_end(wish.force);
        if !is_free {
            self.log(Level::Warning, REFUSED.to_string());
        }
        is_free
    }

    /// Whether the log holds what it should, or nobody cares.
    fn is_log_fit_to_end(&mut self, force: bool) -> bool {
        let Some(why) = self.persistence.log.objection() else { return true };
        let line =
            if force { format!("{why}. Exit anyway.") } else { format!("{why}, can't exit.") };
        self.log(Level::Warning, line);
        force
    }

    /// Whether nobody is served because the server is about to end.
    fn is_about_to_end(&self) -> bool {
        let persistence = &self.persistence;
        let saves = matches!(persistence.saving.purpose(), Some(Purpose::Exit { .. }));
        saves || persistence.log.is_parting() || self.replication.primary.parting.is_some()
    }

    /// Ends the server once the log is safe.
    fn end_when_safe(&mut self, now: Now, cause: ExitCause, force: bool) {
        if self.persistence.log.part_when_safe(cause, force) {
            self.log(Level::Notice, "Calling fsync() on the AOF file.".to_string());
            self.arm_persistence(now);
        } else if self.is_log_fit_to_end(force) {
            self.end(cause);
        } else {
            // It has failed during the last save.
            self.refuse_to_end();
            self.arm_persistence(now);
        }
    }

    /// The log cannot be made safe: nobody ends because of it, unless that is forced.
    pub(super) fn stay(&mut self, now: Now) {
        let Some((cause, force)) = self.persistence.log.stop_parting() else { return };
        if force {
            self.log(Level::Warning, "Error trying to sync the AOF. Exit anyway.".to_string());
            self.end(cause);
        } else {
            self.log(Level::Warning, "Error trying to sync the AOF, can't exit.".to_string());
            self.refuse_to_end();
        }
        self.arm_persistence(now);
    }

    /// The last save is done, or has failed.
    pub(super) fn saved_for_exit(
        &mut self,
        now: Now,
        cause: ExitCause,
        force: bool,
        is_saved: bool,
    ) {
        if is_saved {
            self.end_when_safe(now, cause, force);
        } else if force {
            self.log(Level::Warning, "Error trying to save the DB. Exit anyway.".to_string());
            self.end_when_safe(now, cause, force);
        } else {
            self.log(Level::Warning, "Error trying to save the DB, can't exit.".to_string());
            self.refuse_to_end();
        }
    }

    /// Tells everybody that it does not come.
    fn refuse_to_end(&mut self) {
        self.go_on();
        self.log(Level::Warning, REFUSED.to_string());
    }

    /// Takes the wish to end back; whether there was one.
    pub(crate) fn abort_shutdown(&mut self, now: Now, store: &mut Store) -> bool {
        if !self.is_about_to_end() {
            return false;
        }
        let only_waits = self.stop_waiting_to_part(now);
        if self.persistence.log.stop_parting().is_none() && !only_waits {
            self.give_up_save(now, store);
        }
        self.arm_persistence(now);
        self.go_on();
        self.log(Level::Notice, "Shutdown manually aborted.".to_string());
        true
    }

    /// Something has come to speak against the end while it waited.
    pub(crate) fn cannot_end(&mut self, now: Now) {
        self.retry_blocked = !self.blocked.is_empty();
        self.resume_held(now.mono);
        self.refuse_to_end();
    }

    /// Tells who waits for the end that it does not come.
    fn go_on(&mut self) {
        for conn in core::mem::take(&mut self.persistence.saving.exit_askers) {
            self.finish(conn, Err(String::from("ERR Errors trying to SHUTDOWN. Check logs.")));
        }
    }

    /// Ends the server: nothing more is executed.
    pub(crate) fn end(&mut self, cause: ExitCause) {
        self.ending = true;
        self.actions.push_back(Action::Exit(cause));
    }
}
