//! The data on disk: writing it down while it changes, and reading it back.
//!
//! The node opens no file. It hands out bytes and is given bytes, in pieces, as actions and events;
//! what is not acknowledged yet is bounded.

mod keeper;
mod load;
mod save;
mod shutdown;

pub(crate) use load::Loading;
pub(crate) use save::{Purpose, Saving};

use crate::Node;
use crate::action::Action;
use crate::client::Waiting;
use crate::disk::{DiskNews, DiskWish};
use crate::gates::Armed;
use crate::server::Server;
use alloc::vec::Vec;
use vesta_types::{Mono, Now};

/// Everything about the data on disk.
#[derive(Debug)]
pub(crate) struct Persistence {
    pub(crate) saving: Saving,
    pub(crate) loading: Loading,
    /// Libraries of functions that were read. Nobody can call them here, but they are written
    /// down again, so that they are not lost.
    functions: Vec<Vec<u8>>,
}

impl Persistence {
    pub(crate) fn new(now: Now) -> Self {
        Self { saving: Saving::new(now), loading: Loading::default(), functions: Vec::new() }
    }

    /// The gates that are armed for every client.
    fn armed(&self) -> Armed {
        Armed::LOADING
            .when(self.loading.is_under_way())
            .and(Armed::STANDSTILL.when(self.stands_still()))
            .and(Armed::DISK.when(self.saving.has_failed()))
    }

    /// When there is something to do.
    pub(crate) fn next_deadline(&self) -> Mono {
        self.saving.next_deadline().min(self.loading.next_deadline())
    }

    /// Whether nobody is served: the data on disk is about to be all there is.
    pub(crate) fn stands_still(&self) -> bool {
        self.loading.is_reload() || self.saving.stands_still()
    }
}

impl Node {
    /// Takes in what has become of files.
    pub(crate) fn hear_of_disk(&mut self, now: Now, news: DiskNews) {
        let Self { store, server, .. } = self;
        match news {
            DiskNews::SaveWritten { id, bytes } => server.save_written(now, id, bytes),
            DiskNews::SaveDone { id, outcome } => server.save_done(now, store, id, outcome),
            DiskNews::LoadOpened(outcome) => server.load_opened(now, store, outcome),
            DiskNews::LoadPiece(outcome) => server.load_piece(now, outcome),
            DiskNews::FilesDone { .. }
            | DiskNews::LogOpened(_)
            | DiskNews::LogWritten { .. }
            | DiskNews::LogSynced { .. }
            | DiskNews::LogFailed { .. }
            | DiskNews::LogClosed => {}
        }
    }
}

impl Server {
    /// To be called after every change of state.
    pub(crate) fn arm_persistence(&mut self, now: Now) {
        let before = self.alarms;
        self.alarms = self.persistence.armed();
        if before.holds(Armed::STANDSTILL) && !self.alarms.holds(Armed::STANDSTILL) {
            self.retry_blocked = !self.blocked.is_empty();
            self.resume_held(now.mono);
        }
    }

    pub(crate) fn wish(&mut self, wish: DiskWish) {
        self.actions.push_back(Action::Disk(wish));
    }

    /// Lets every client go on that was held back.
    pub(crate) fn resume_held(&mut self, now: Mono) {
        let Self { clients, actions, .. } = self;
        for (conn, client) in clients.iter_mut() {
            if client.waiting == Waiting::Pause && !client.closing {
                client.waiting = Waiting::No;
                client.active = now;
                actions.push_back(Action::Resume(conn));
            }
        }
    }
}
