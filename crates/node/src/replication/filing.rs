//! Getting everything by way of a file, where old and new data are not to be in memory together.
//!
//! ```text
//!   Waiting -----> Writing ------> Closing -------> Emptying ------> Reading
//!   (others save)  (and looked    (made safe,      (our data is     (as at
//!                   through)       takes its name)  freed)           the start)
//! ```
//!
//! Up to the end of *Closing* our data is in force, and whatever goes wrong leaves it so. The file
//! takes the place of our snapshot, which it is from then on. From there on nobody is served but
//! who wants to know how far it is, and the link is not needed any more: when it ends, another one
//! is made once the data is there.

use super::replica::Side;
use super::transfer::Transfer;
use crate::Node;
use crate::action::{Action, Level};
use crate::disk::{DiskNews, DiskWish, FileStep, SaveFault};
use crate::persistence::Beside;
use crate::server::Server;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;
use vesta_repl::History;
use vesta_repl::link::Event;
use vesta_types::{Mono, Now};

/// Bytes handed out and not written above which no more are read from the link.
const UNWRITTEN_BYTES_MAX: usize = 4 << 20;
/// Bytes kept while somebody else has a file written, above which no more are read.
const KEPT_BYTES_MAX: usize = 1 << 20;
/// Bytes asked for at a time.
const PIECE_BYTES: usize = 1 << 20;
/// Milliseconds between two looks at whether it can go on.
const LOOK_EVERY_MS: u64 = 10;

/// A snapshot that goes through a file.
#[derive(Debug)]
pub(super) struct Filing {
    state: State,
    /// The number of the file.
    id: u64,
    /// What has come and was not handed out.
    kept: Vec<u8>,
    /// Bytes handed out that are not written.
    unwritten: usize,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Waiting,
    Writing,
    Closing,
    Emptying,
    /// The file is being opened, or bytes of it were asked for.
    Asking,
    /// There is something to decode.
    Reading,
}

impl Filing {
    /// One of which this has come.
    pub(super) fn new(kept: Vec<u8>) -> Self {
        Self { state: State::Waiting, id: 0, kept, unwritten: 0 }
    }

    /// Whether as much has come as can be dealt with.
    pub(super) fn is_full(&self) -> bool {
        self.unwritten > UNWRITTEN_BYTES_MAX || self.kept.len() > KEPT_BYTES_MAX
    }

    /// Whether our data has gone.
    pub(super) fn has_emptied(&self) -> bool {
        match self.state {
            State::Waiting | State::Writing | State::Closing => false,
            State::Emptying | State::Asking | State::Reading => true,
        }
    }

    /// Takes bytes of the snapshot.
    pub(super) fn take(&mut self, bytes: &[u8]) {
        self.kept.extend_from_slice(bytes);
    }

    /// When to look whether it can go on.
    pub(super) fn look_at(&self, now: Mono) -> Mono {
        match self.state {
            State::Waiting | State::Emptying => now.plus_ms(LOOK_EVERY_MS),
            State::Writing | State::Closing | State::Asking | State::Reading => Mono::NEVER,
        }
    }
}

impl Side {
    /// Whether our data has gone and that of the primary is read from a file.
    pub(crate) fn reads_file(&self) -> bool {
        self.filing().is_some_and(Filing::has_emptied)
    }

    /// Whether this is the file that a snapshot goes to.
    pub(crate) fn writes_file(&self, id: u64) -> bool {
        self.filing().is_some_and(|filing| {
            filing.id == id && matches!(filing.state, State::Writing | State::Closing)
        })
    }

    fn filing(&self) -> Option<&Filing> {
        self.transfer.as_ref()?.filing.as_ref()
    }

    fn filing_mut(&mut self) -> Option<&mut Filing> {
        self.transfer.as_mut()?.filing.as_mut()
    }
}

impl Server {
    /// Hands out what has come, once there is a file to write to.
    pub(super) fn write_copy(&mut self) {
        let Some(mut filing) = self.replication.replica.filing_mut().map(core::mem::take) else {
            return;
        };
        if filing.state == State::Waiting
            && let Some(id) = self.lend_file()
        {
            (filing.id, filing.state) = (id, State::Writing);
        }
        if filing.state == State::Writing && !filing.kept.is_empty() {
            let bytes = core::mem::take(&mut filing.kept);
            filing.unwritten += bytes.len();
            self.actions.push_back(Action::Disk(DiskWish::SaveWrite(bytes)));
        }
        if let Some(place) = self.replication.replica.filing_mut() {
            *place = filing;
        }
    }

    /// All has come and can be read: has the file take its place.
    pub(super) fn close_copy(&mut self) {
        self.write_copy();
        if let Some(filing) = self.replication.replica.filing_mut()
            && filing.state == State::Writing
        {
            filing.state = State::Closing;
            self.actions.push_back(Action::Disk(DiskWish::SaveFinish));
        }
    }

    /// A snapshot that was made to synchronize somebody is of no further use: removes its file,
    /// if nothing else is kept on the disk (`rdb-del-sync-files`).
    pub(super) fn remove_sync_file(&mut self) {
        let config = &self.config;
        if config.rdb_del_sync_files && config.save.is_empty() && !config.appendonly {
            let name = config.dbfilename.clone();
            self.wish_files(vec![FileStep::Remove { name }]);
        }
    }

    /// The file was taken away for something else.
    pub(crate) fn copy_file_lost(&mut self, now: Now) {
        if let Some(filing) = self.replication.replica.filing_mut() {
            filing.state = State::Waiting;
            self.replication.replica.link.handle(now, Event::GivenUp);
        }
    }
}

impl Default for Filing {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

impl Node {
    /// Takes in what has become of the file that a snapshot goes to.
    pub(crate) fn hear_of_copy(&mut self, now: Now, news: DiskNews) {
        match news {
            DiskNews::SaveWritten { bytes, .. } => {
                if let Some(filing) = self.server.replication.replica.filing_mut() {
                    filing.unwritten = filing.unwritten.saturating_sub(bytes);
                }
                self.server.ease_copy();
            }
            DiskNews::SaveDone { outcome, .. } => self.copy_filed(now, outcome),
            DiskNews::LoadOpened(Ok(Some(_))) => {
                self.server.wish(DiskWish::LoadRead { bytes_max: PIECE_BYTES });
            }
            DiskNews::LoadOpened(Ok(None)) => self.fail_copy(now, "it is not there"),
            DiskNews::LoadOpened(Err(why)) | DiskNews::LoadPiece(Err(why)) => {
                self.fail_copy(now, &why);
            }
            DiskNews::LoadPiece(Ok(bytes)) => {
                if let Some(transfer) = &mut self.server.replication.replica.transfer {
                    transfer.beside.take_in(&bytes);
                    transfer.next_at = now.mono;
                }
                if let Some(filing) = self.server.replication.replica.filing_mut() {
                    filing.state = State::Reading;
                }
            }
            DiskNews::FilesDone { .. }
            | DiskNews::Listed(_)
            | DiskNews::Running(_)
            | DiskNews::LogOpened(_)
            | DiskNews::LogWritten { .. }
            | DiskNews::LogSynced { .. }
            | DiskNews::LogFailed { .. }
            | DiskNews::LogClosed
            | DiskNews::ShipOpened { .. }
            | DiskNews::ShipPiece { .. } => {}
        }
        self.drive_link(now);
    }

    /// The file is in its place, or is not.
    fn copy_filed(&mut self, now: Now, outcome: Result<(), SaveFault>) {
        self.server.return_file();
        if let Err(fault) = outcome {
            let line =
                format!("Writing the MASTER synchronization DB to disk failed: {}", fault.why);
            self.server.log(Level::Warning, line);
            self.server.replication.replica.link.handle(now, Event::GivenUp);
            return;
        }
        let line = "MASTER <-> REPLICA sync: Flushing old data";
        self.server.log(Level::Notice, line.to_string());
        self.log_anew(now);
        for db in self.store.indexes() {
            self.store.flush(db, true);
        }
        // What is left is of no history that anybody has.
        let history = History::new(&mut self.server.rng);
        self.take_history(history, 0);
        self.server.disconnect_replicas();
        let store = self.store.beside();
        let loader = Box::new(Beside::new(now, store, &self.server));
        if let Some(transfer) = &mut self.server.replication.replica.transfer {
            let checker = core::mem::replace(&mut transfer.beside, loader);
            self.store.throw_away(*checker.into_store());
            transfer.beside.set_total(transfer.received);
            transfer.next_at = now.mono;
        }
        if let Some(filing) = self.server.replication.replica.filing_mut() {
            filing.state = State::Emptying;
        }
        self.server.cron.wake_by(now.mono);
        self.server.arm_persistence(now);
    }

    /// Does what is due before, between and behind slices of decoding.
    pub(super) fn go_on_filing(&mut self) {
        self.server.write_copy();
        let is_empty = !self.store.has_garbage();
        let Some(filing) = self.server.replication.replica.filing_mut() else { return };
        if filing.state == State::Emptying && is_empty {
            filing.state = State::Asking;
            let line = "MASTER <-> REPLICA sync: Loading DB in memory";
            self.server.log(Level::Notice, line.to_string());
            let name = self.server.config.dbfilename.clone();
            self.server.wish(DiskWish::LoadOpen { name });
        }
    }

    /// All that was read is decoded: asks for more.
    pub(super) fn read_more(&mut self) {
        if let Some(filing) = self.server.replication.replica.filing_mut()
            && filing.state == State::Reading
        {
            filing.state = State::Asking;
            self.server.wish(DiskWish::LoadRead { bytes_max: PIECE_BYTES });
        }
    }
}

impl Transfer {
    /// Looks through what comes, and has it written to a file.
    pub(super) fn file(&mut self, now: Now, checker: Beside, kept: Vec<u8>) -> Beside {
        self.filing = Some(Filing::new(kept));
        self.next_at = now.mono;
        *core::mem::replace(&mut self.beside, Box::new(checker))
    }
}
