//! The end of a server: the last save, and what becomes of it when that fails.
//!
//! While the last save is under way nobody is served, so that nothing is acknowledged that is not
//! in it.

use super::Purpose;
use crate::ConnId;
use crate::action::{Action, ExitCause, Level};
use crate::server::Server;
use alloc::string::{String, ToString};
use vesta_config::ShutdownWish;
use vesta_store::Store;
use vesta_types::Now;

impl Server {
    /// Ends the server, once the data is saved if that is wished for. `asker` waits, and is told
    /// only if the server goes on.
    pub(crate) fn shut_down(
        &mut self,
        now: Now,
        store: &mut Store,
        changes: u64,
        wish: ShutdownWish,
        asked_by: (ExitCause, Option<ConnId>),
    ) {
        let (cause, asker) = asked_by;
        if self.ending {
            return;
        }
        self.persistence.saving.exit_askers.extend(asker);
        if let Some(Purpose::Exit { .. }) = self.persistence.saving.purpose() {
            return;
        }
        self.log(Level::Notice, "User requested shutdown...".to_string());
        // What is not loaded yet must not be overwritten by what is.
        let is_complete = !self.persistence.loading.is_under_way();
        let is_wanted = !wish.nosave && (wish.save || !self.config.save.is_empty());
        if self.persistence.saving.is_background() {
            let line = "A background save is under way: it is given up.".to_string();
            self.log(Level::Warning, line);
        }
        if is_complete && is_wanted {
            let line = "Saving the final RDB snapshot before exiting.".to_string();
            self.log(Level::Notice, line);
            let purpose = Purpose::Exit { cause, force: wish.force };
            self.begin_save(now, store, changes, purpose);
        } else {
            self.give_up_save(now, store);
            self.end(cause);
        }
    }

    /// The last save is done, or has failed.
    pub(super) fn saved_for_exit(&mut self, cause: ExitCause, force: bool, is_saved: bool) {
        if is_saved {
            self.end(cause);
        } else if force {
            self.log(Level::Warning, "Error trying to save the DB. Exit anyway.".to_string());
            self.end(cause);
        } else {
            self.log(Level::Warning, "Error trying to save the DB, can't exit.".to_string());
            self.go_on();
            let line = "Errors trying to shut down the server. Check the logs for more \
                        information.";
            self.log(Level::Warning, line.to_string());
        }
    }

    /// Takes the wish to end back; whether there was one.
    pub(crate) fn abort_shutdown(&mut self, now: Now, store: &mut Store) -> bool {
        let Some(Purpose::Exit { .. }) = self.persistence.saving.purpose() else { return false };
        self.give_up_save(now, store);
        self.go_on();
        self.log(Level::Notice, "Shutdown manually aborted.".to_string());
        true
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
