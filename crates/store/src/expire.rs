//! Active expiry: deleting keys whose time has come although nobody asks for them.
//!
//! The tables know a lower bound of the earliest expiry of each of their segments, so a round
//! looks only where something is due and finds all of it, where sampling would leave up to a
//! tenth behind. The owner bounds a round in time by asking for it in slices.

use crate::{Store, Why};
use vesta_types::{DbIndex, Unix};

/// How one slice of active expiry went.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ExpireRound {
    /// Keys deleted.
    pub expired: usize,
    /// Whether nothing due is left in any database.
    pub done: bool,
}

impl Store {
    /// Deletes keys that are due at `now`, looking at about `visits` entries; goes on where the
    /// last slice stopped.
    pub fn expire_some(&mut self, now: Unix, visits: usize) -> ExpireRound {
        let count = self.dbs.len();
        let mut round = ExpireRound { expired: 0, done: false };
        let mut left = visits;
        for step in 0..count {
            let index = (self.expire_turn + step) % count;
            let Some(db_index) = DbIndex::new(index as u64, self.databases()) else { continue };
            let Some(db) = self.dbs.get_mut(index).filter(|db| db.expiring > 0) else { continue };
            let (ledger, expiring) = (&mut self.ledger, &mut db.expiring);
            let scan = db.table.take_due(now.ms(), left, |entry| {
                ledger.forget(expiring, &entry);
                ledger.note_deleted(db_index, entry.key(), Why::Expired);
            });
            round.expired += scan.taken;
            left = left.saturating_sub(scan.visited);
            if !scan.done {
                self.expire_turn = index;
                return round;
            }
        }
        round.done = true;
        round
    }

    /// Counts a round of active expiry that was cut short because its time was up.
    pub fn note_cut_round(&mut self) {
        self.ledger.stats.expire_rounds_cut += 1;
    }

    /// Deletes the entry of a key to free memory; the bytes that gives back.
    pub(crate) fn evict(&mut self, db: DbIndex, key: &[u8]) -> Option<usize> {
        let hash = self.hash(key);
        let slot = self.dbs.get_mut(db.index())?;
        let gone = slot.table.remove(hash, key)?;
        self.ledger.forget(&mut slot.expiring, &gone);
        self.ledger.note_deleted(db, key, Why::Evicted);
        Some(gone.alloc_bytes())
    }
}
