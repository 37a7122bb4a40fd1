//! Decoding a snapshot into data of its own, beside the data that is in force.

use super::rdb_file::{Intake, RdbFile};
use super::reading::{Source, Step};
use super::{Job, Purpose, Tally};
use crate::cron::{STEPS_PER_SLICE, Slice};
use crate::server::Server;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use vesta_cmd::Propagation;
use vesta_store::Store;
use vesta_types::{DbIndex, Now};

/// Longest slice of decoding while clients are served, in microseconds.
const SLICE_US: u64 = 1000;
/// Items decoded between two readings of the meter.
const ITEMS_PER_STEP: usize = 32;

/// A snapshot that comes in pieces and is decoded.
#[derive(Debug)]
pub(crate) struct Beside {
    store: Box<Store>,
    job: Box<Job>,
    file: Box<RdbFile>,
    source: Source,
    is_complete: bool,
}

/// What a snapshot has become.
pub(crate) struct Outcome {
    /// The data.
    pub(crate) store: Box<Store>,
    /// Its keys.
    pub(crate) tally: Tally,
    /// Libraries of functions.
    pub(crate) functions: Vec<Vec<u8>>,
    /// The database that the stream behind it has selected.
    pub(crate) stream_db: DbIndex,
}

impl Beside {
    /// A snapshot of which nothing has come, to be decoded into `store`, which is empty.
    pub(crate) fn new(now: Now, store: Store, server: &Server) -> Self {
        Self {
            store: Box::new(store),
            job: Job::new(now, Purpose::Copy),
            file: Box::new(RdbFile::new(server.config.proto_max_bulk_len_bytes)),
            source: Source::default(),
            is_complete: false,
        }
    }

    /// The same, of which nothing is kept: it shows whether the snapshot can be read.
    pub(crate) fn checking(mut self) -> Self {
        self.job.keeps_nothing = true;
        self
    }

    /// Keys decoded so far.
    pub(crate) fn keys(&self) -> u64 {
        self.job.tally.loaded
    }

    /// Its length in bytes is this.
    pub(crate) fn set_total(&mut self, total: u64) {
        self.job.total_bytes = total;
    }

    /// Takes the next bytes in; none when there are no more.
    pub(crate) fn take_in(&mut self, bytes: &[u8]) {
        self.source.take_in(bytes.to_vec());
    }

    /// Bytes that wait to be decoded.
    pub(crate) fn waiting_bytes(&self) -> usize {
        self.source.rest().len()
    }

    /// Memory that the writer of the snapshot said it used, in bytes; 0 while that is not known.
    pub(crate) fn used_bytes(&self) -> u64 {
        self.job.used_bytes
    }

    /// Whether there is something to decode.
    pub(crate) fn is_ready(&self) -> bool {
        !self.is_complete && self.source.is_ready()
    }

    /// Whether all of it is decoded.
    pub(crate) fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Decodes for a slice of time.
    ///
    /// # Errors
    /// When it is damaged or cannot be used here.
    pub(crate) fn decode(
        &mut self,
        now: Now,
        server: &mut Server,
        propagation: &mut Propagation,
    ) -> Result<(), String> {
        let mut slice = Slice::lasting(server.meter, SLICE_US, STEPS_PER_SLICE);
        let Self { store, job, file, source, is_complete } = self;
        let mut intake = Intake { store, server, propagation };
        while !*is_complete && source.is_ready() {
            for _ in 0..ITEMS_PER_STEP {
                match intake.decode_item(now, job, file, source)? {
                    Step::Item => {}
                    Step::Short { missing } => {
                        source.lacks(missing);
                        return Ok(());
                    }
                    Step::End => {
                        *is_complete = true;
                        return Ok(());
                    }
                }
            }
            if slice.is_over() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The data, complete or not.
    pub(crate) fn into_store(self) -> Box<Store> {
        self.store
    }

    /// What it has become.
    pub(crate) fn finish(self) -> Outcome {
        let Self { store, job, .. } = self;
        let Job { tally, functions, stream_db, .. } = *job;
        let stream_db = stream_db.and_then(|raw| DbIndex::new(raw, store.databases()));
        Outcome { store, tally, functions, stream_db: stream_db.unwrap_or(DbIndex::ZERO) }
    }
}
