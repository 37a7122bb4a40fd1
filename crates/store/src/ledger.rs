//! The accounts of the store: bytes, counters, and the record of deletions nobody asked for.

use crate::{Deleted, Entry, Stats, Why};
use alloc::vec::Vec;
use vesta_types::DbIndex;

#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// Bytes of all entries, those waiting to be freed included.
    pub(crate) entry_bytes: usize,
    pub(crate) stats: Stats,
    pub(crate) deleted: Vec<Deleted>,
    pub(crate) record_deleted: bool,
}

impl Ledger {
    /// Takes an entry that left its table off the accounts; `expiring` is its database's count.
    pub(crate) fn forget(&mut self, expiring: &mut usize, gone: &Entry) {
        self.entry_bytes -= gone.alloc_bytes();
        *expiring -= usize::from(gone.expiry().is_some());
    }

    /// Puts a deletion that nobody asked for on record.
    pub(crate) fn note_deleted(&mut self, db: DbIndex, key: &[u8], why: Why) {
        match why {
            Why::Expired => self.stats.expired += 1,
            Why::Evicted => self.stats.evicted += 1,
        }
        if self.record_deleted {
            self.deleted.push(Deleted { db, key: key.into(), why });
        }
    }
}
