//! The accounts of the store: bytes, counters, and the record of deletions nobody asked for.

use crate::events::{Class, Notices};
use crate::expiring::Expiring;
use crate::snapshot::{Change, Progress, Snapshot};
use crate::trash::Trash;
use crate::{Deleted, Entry, Stats, Touched, Why};
use alloc::vec::Vec;
use vesta_ds::Field;
use vesta_types::DbIndex;

#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// Bytes of all entries, those waiting to be freed included.
    pub(crate) entry_bytes: usize,
    pub(crate) stats: Stats,
    pub(crate) deleted: Vec<Deleted>,
    pub(crate) record_deleted: bool,
    pub(crate) touched: Vec<Touched>,
    pub(crate) record_touched: bool,
    pub(crate) notices: Notices,
    pub(crate) snapshot: Snapshot,
}

impl Ledger {
    /// Puts an entry that comes to a table on the accounts. Its key has this hash; `expiring` and
    /// `progress` are its database's.
    #[inline]
    pub(crate) fn learn(
        &mut self,
        expiring: &mut Expiring,
        progress: Option<&Progress>,
        hash: u64,
        entry: &mut Entry,
    ) {
        self.entry_bytes += entry.alloc_bytes();
        expiring.learn(hash, entry);
        self.snapshot.note(progress, entry, Change::Comes);
    }

    /// Takes an entry that left its table off the accounts; `expiring` and `progress` are its
    /// database's.
    #[inline]
    pub(crate) fn forget(
        &mut self,
        expiring: &mut Expiring,
        progress: Option<&Progress>,
        gone: &mut Entry,
    ) {
        self.snapshot.note(progress, gone, Change::Leaves);
        self.entry_bytes -= gone.alloc_bytes();
        expiring.forget(gone);
    }

    /// As [`Ledger::forget`] for an entry that left its table for good: what is left of it is
    /// freed.
    pub(crate) fn discard(
        &mut self,
        expiring: &mut Expiring,
        progress: Option<&Progress>,
        gone: Entry,
        trash: &mut Trash,
    ) {
        expiring.forget(&gone);
        self.let_go(progress, gone, trash);
    }

    /// As [`Ledger::discard`], where nothing is known of what expires. What a snapshot gives in
    /// pieces is taken off the accounts and freed after that.
    pub(crate) fn let_go(&mut self, progress: Option<&Progress>, gone: Entry, trash: &mut Trash) {
        if let Some(gone) = self.snapshot.let_go(progress, gone) {
            self.entry_bytes -= gone.alloc_bytes();
            trash.throw(gone, self);
        }
    }

    /// The value of an entry is about to be replaced as a whole; `progress` is its database's.
    #[inline]
    pub(crate) fn note_replaced(&mut self, progress: Option<&Progress>, entry: &mut Entry) {
        if let Some(progress) = progress {
            self.entry_bytes += self.snapshot.save_replaced(progress, entry);
        }
    }

    /// Counts a reading command that found no key.
    #[inline]
    pub(crate) fn miss(&mut self, db: DbIndex, key: &[u8], tell: bool) {
        self.stats.misses += 1;
        if tell {
            self.notices.tell(db, Class::Missed, "keymiss", key);
        }
    }

    /// Puts on record that a key may have changed, for whoever waits for it.
    #[inline]
    pub(crate) fn touch(&mut self, db: DbIndex, key: &[u8]) {
        if self.record_touched {
            self.touched.push(Touched::Key { db, key: key.into() });
        }
    }

    /// Puts on record that any key of a database may have changed.
    pub(crate) fn touch_all(&mut self, db: DbIndex) {
        if self.record_touched {
            self.touched.push(Touched::All { db });
        }
    }

    /// Puts a deletion that nobody asked for on record.
    pub(crate) fn note_deleted(&mut self, db: DbIndex, key: &[u8], why: Why) {
        self.touch(db, key);
        match why {
            Why::Expired => {
                self.stats.expired += 1;
                self.notices.changed(db, Class::Expired, "expired", key);
            }
            Why::Evicted => {
                self.stats.evicted += 1;
                self.notices.changed(db, Class::Evicted, "evicted", key);
            }
        }
        if self.record_deleted {
            self.deleted.push(Deleted { db, key: key.into(), why, fields: Vec::new() });
        }
    }

    /// Puts on record that fields of the hash at `key` have expired.
    pub(crate) fn note_fields_expired(&mut self, db: DbIndex, key: &[u8], fields: Vec<Field>) {
        if fields.is_empty() {
            return;
        }
        self.touch(db, key);
        self.stats.expired_fields += fields.len() as u64;
        self.notices.changed(db, Class::Hash, "hexpired", key);
        if self.record_deleted {
            self.deleted.push(Deleted { db, key: key.into(), why: Why::Expired, fields });
        }
    }
}
