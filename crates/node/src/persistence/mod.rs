//! The data on disk: writing it down while it changes, and reading it back.
//!
//! The node opens no file. It hands out bytes and is given bytes, in pieces, as actions and events;
//! what is not acknowledged yet is bounded.

mod functions;
mod keeper;
mod load;
mod log;
mod replay;
mod request_keeper;
mod save;
mod shutdown;
mod target;

pub(crate) use load::{Beside, CopyOutcome, Loading};
pub(crate) use log::{Facts as LogFacts, Log};
pub(crate) use save::{Purpose, Saving};

use crate::Node;
use crate::action::Action;
use crate::client::Waiting;
use crate::disk::{DiskNews, DiskWish, FileStep};
use crate::gates::Armed;
use crate::server::Server;
use alloc::vec::Vec;
use vesta_types::{Mono, Now};

/// Everything about the data on disk.
#[derive(Debug)]
pub(crate) struct Persistence {
    pub(crate) saving: Saving,
    pub(crate) loading: Loading,
    pub(crate) log: Log,
    /// Jobs on files that were begun.
    jobs: u64,
    /// Libraries of functions that were read. Nobody can call them here, but they are written
    /// down again, so that they are not lost.
    functions: Vec<Vec<u8>>,
}

impl Persistence {
    pub(crate) fn new(now: Now) -> Self {
        Self {
            saving: Saving::new(now),
            loading: Loading::default(),
            log: Log::new(now),
            jobs: 0,
            functions: Vec::new(),
        }
    }

    /// The gates that are armed for every client.
    fn armed(&self) -> Armed {
        Armed::LOADING
            .when(self.log.is_starting())
            .and(Armed::STANDSTILL.when(self.stands_still()))
            .and(Armed::DISK.when(self.saving.has_failed()))
            .and(Armed::LOG.when(self.log.trouble().is_some()))
            .and(Armed::BACKLOG.when(self.log.is_full()))
    }

    /// Whether nobody is served: the data on disk is about to be all there is.
    pub(crate) fn stands_still(&self) -> bool {
        self.loading.is_reload() || self.saving.stands_still() || self.log.is_parting()
    }
}

impl Node {
    /// Takes in what has become of files.
    pub(crate) fn hear_of_disk(&mut self, now: Now, news: DiskNews) {
        let Self { store, server, .. } = self;
        let side = &server.replication.replica;
        let is_copy = match &news {
            DiskNews::SaveWritten { id, .. } | DiskNews::SaveDone { id, .. } => {
                side.writes_file(*id)
            }
            DiskNews::LoadOpened(_) | DiskNews::LoadPiece(_) => side.reads_file(),
            DiskNews::Listed(_)
            | DiskNews::Running(_)
            | DiskNews::FilesDone { .. }
            | DiskNews::LogOpened(_)
            | DiskNews::LogWritten { .. }
            | DiskNews::LogSynced { .. }
            | DiskNews::LogFailed { .. }
            | DiskNews::LogClosed
            | DiskNews::ShipOpened { .. }
            | DiskNews::ShipPiece { .. } => false,
        };
        if is_copy {
            self.hear_of_copy(now, news);
            return self.drive_log(now);
        }
        match news {
            DiskNews::SaveWritten { id, bytes } => server.save_written(now, id, bytes),
            DiskNews::SaveDone { id, outcome } => {
                server.save_done(now, store, id, outcome);
                self.drive_log(now);
            }
            DiskNews::LoadOpened(_)
            | DiskNews::LoadPiece(_)
            | DiskNews::Listed(_)
            | DiskNews::Running(_)
            | DiskNews::FilesDone { id: load::LOADER_JOB, .. } => {
                self.hear_while_loading(now, news);
            }
            DiskNews::FilesDone { .. }
            | DiskNews::LogOpened(_)
            | DiskNews::LogWritten { .. }
            | DiskNews::LogSynced { .. }
            | DiskNews::LogFailed { .. }
            | DiskNews::LogClosed => self.hear_of_log(now, news),
            DiskNews::ShipOpened { ship, outcome } => server.ship_opened(ship, outcome),
            DiskNews::ShipPiece { ship, outcome } => server.ship_read(ship, outcome),
        }
    }
}

impl Server {
    /// To be called after every change of state.
    pub(crate) fn arm_persistence(&mut self, now: Now) {
        let before = self.alarms;
        self.alarms = self
            .persistence
            .armed()
            .and(Armed::LOADING.when(self.lacks_data()))
            .and(Armed::STANDSTILL.when(self.suspended.is_some()));
        let ends = |gate| before.holds(gate) && !self.alarms.holds(gate);
        if ends(Armed::STANDSTILL) || ends(Armed::BACKLOG) {
            self.retry_blocked = !self.blocked.is_empty();
            self.resume_held(now.mono);
        }
    }

    /// Whether the data is not all there, or the log is not that is to hold what becomes of it:
    /// until then nothing is changed, and nothing expires or is evicted.
    pub(crate) fn is_loading(&self) -> bool {
        self.alarms.holds(Armed::LOADING)
    }

    /// Whether the data is not all there: what there is must not be saved in the place of all.
    pub(crate) fn lacks_data(&self) -> bool {
        self.persistence.loading.is_under_way() || self.replication.replica.reads_file()
    }

    /// When there is something to do about files.
    pub(crate) fn persistence_deadline(&self) -> Mono {
        let Persistence { saving, loading, log, .. } = &self.persistence;
        let log = log.next_deadline(self.sync_policy());
        saving.next_deadline().min(loading.next_deadline()).min(log)
    }

    /// Has a job on files carried out; its number.
    pub(crate) fn wish_files(&mut self, steps: Vec<FileStep>) -> u64 {
        self.persistence.jobs += 1;
        let id = self.persistence.jobs;
        self.wish(DiskWish::Files { id, steps });
        id
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
