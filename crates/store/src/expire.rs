//! Active expiry: deleting keys, and fields of hashes, whose time has come although nobody asks
//! for them.
//!
//! The tables know a lower bound of the earliest expiry of each of their segments, so a round
//! looks only where something is due and finds all of it, where sampling would leave up to a
//! tenth behind. Hashes with fields that expire are found the same way (see `expiring`), and a
//! large hash is gone through in as many slices as it takes. The owner bounds a round in time by
//! asking for it in slices.

use crate::snapshot::Change;
use crate::{Class, Db, Field, Hash, Kind, Store, Why};
use alloc::vec::Vec;
use vesta_types::{DbIndex, Unix};

/// How one slice of active expiry went.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ExpireRound {
    /// Keys and fields deleted.
    pub expired: usize,
    /// Whether nothing due is left in any database.
    pub done: bool,
}

impl Store {
    /// Deletes keys and fields that are due at `now`, looking at about `visits` entries and fields;
    /// goes on where the last slice stopped.
    pub fn expire_some(&mut self, now: Unix, visits: usize) -> ExpireRound {
        let count = self.dbs.len();
        let mut round = ExpireRound::default();
        let mut left = visits;
        for step in 0..count {
            let index = (self.expire_turn + step) % count;
            let Some(db) = DbIndex::new(index as u64, self.databases()) else { continue };
            let done = self.expire_keys(db, now, &mut left, &mut round)
                && self.expire_fields(db, now, &mut left, &mut round);
            if !done {
                self.expire_turn = index;
                return round;
            }
        }
        round.done = true;
        round
    }

    /// Deletes due keys of one database; whether none is left.
    fn expire_keys(
        &mut self,
        index: DbIndex,
        now: Unix,
        left: &mut usize,
        round: &mut ExpireRound,
    ) -> bool {
        let Some(db) = self.dbs.get_mut(index.index()) else { return true };
        if db.expiring.keys == 0 {
            return true;
        }
        let Self { ledger, trash, .. } = self;
        let Db { table, expiring, progress } = db;
        let scan = table.take_due(now.ms(), *left, |entry| {
            ledger.note_deleted(index, entry.key(), Why::Expired);
            ledger.discard(expiring, progress.as_ref(), entry, trash);
        });
        round.expired += scan.taken;
        *left = left.saturating_sub(scan.visited);
        scan.done
    }

    /// Deletes due fields of one database, and the hashes that have none left; whether no due
    /// field is left.
    fn expire_fields(
        &mut self,
        index: DbIndex,
        now: Unix,
        left: &mut usize,
        round: &mut ExpireRound,
    ) -> bool {
        let Some(db) = self.dbs.get_mut(index.index()) else { return true };
        if db.expiring.hashes() == 0 {
            return true;
        }
        let mut hashes = Vec::new();
        let scan = db.expiring.take_due(now.ms(), *left, |item| hashes.push(item));
        *left = left.saturating_sub(scan.visited);
        let mut done = scan.done;
        for item in hashes {
            done &= self.expire_fields_of(index, item, now, left, round);
        }
        done
    }

    /// Deletes the due fields of one hash, which has been taken out of those that have any; puts
    /// it back if some are left that expire. Whether none is left that is due.
    fn expire_fields_of(
        &mut self,
        index: DbIndex,
        item: Field,
        now: Unix,
        left: &mut usize,
        round: &mut ExpireRound,
    ) -> bool {
        let (key, hash) = (item.name(), self.hash(item.name()));
        let Self { dbs, ledger, trash, .. } = self;
        let Some(Db { table, expiring, progress }) = dbs.get_mut(index.index()) else {
            return true;
        };
        if *left == 0 {
            expiring.set_hash(hash, key, item.expiry());
            return false;
        }
        let Some(entry) = table.find_mut(hash, key) else { return true };
        let bytes = entry.alloc_bytes();
        ledger.snapshot.note(progress.as_ref(), entry, Change::Stays);
        let Some(fields) = entry.object_mut().and_then(Hash::of_mut) else { return true };
        let mut gone = Vec::new();
        let scan = fields.take_due(now.ms(), *left, |field| gone.push(field));
        let (is_spent, bound) = (fields.is_empty(), fields.due_bound());
        ledger.entry_bytes = ledger.entry_bytes - bytes + entry.alloc_bytes();
        ledger.note_fields_expired(index, key, gone);
        round.expired += scan.taken;
        *left = left.saturating_sub(scan.visited.max(1));
        expiring.set_hash(hash, key, bound);
        if is_spent && let Some(gone) = table.remove(hash, key) {
            ledger.discard(expiring, progress.as_ref(), gone, trash);
            ledger.notices.changed(index, Class::Generic, "del", key);
        }
        scan.done
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
        let bytes = gone.alloc_bytes();
        let Self { ledger, trash, .. } = self;
        ledger.discard(&mut slot.expiring, slot.progress.as_ref(), gone, trash);
        ledger.note_deleted(db, key, Why::Evicted);
        Some(bytes)
    }
}
