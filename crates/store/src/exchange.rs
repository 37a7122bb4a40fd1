//! Filling a store beside the one in use, and putting it in its place.
//!
//! Keys are where their hashes say, so both stores hash alike. What the store in use counts,
//! records and watches stays with it; only the databases change hands.

use crate::{Db, Store};

impl Store {
    /// An empty store that can take the place of this one ([`Store::take_over`]).
    #[must_use]
    pub fn beside(&mut self) -> Self {
        let dbs = self.dbs.iter().map(|_| Db::new(&self.rules.hasher)).collect();
        Self {
            dbs,
            trash: crate::trash::Trash::default(),
            rules: self.rules.clone(),
            unpacked: crate::object::packed::Unpacked::default(),
            rng: self.rng.fork(),
            access: self.access,
            ledger: crate::ledger::Ledger::default(),
            expire_turn: 0,
            evict_turn: 0,
        }
    }

    /// Puts the databases of `other`, which was made by [`Store::beside`] of this store, in the
    /// place of its own. What was there is freed in slices by [`Store::reap`]. Watched keys that
    /// are there before or after have been modified, and every key may have been.
    pub fn take_over(&mut self, mut other: Self) {
        for index in self.indexes() {
            self.flush(index, true);
            let (Some(ours), Some(theirs)) =
                (self.dbs.get_mut(index.index()), other.dbs.get_mut(index.index()))
            else {
                continue;
            };
            core::mem::swap(ours, theirs);
            self.mark_present(index, None);
        }
        // What is in no database of the other store was never in one: it only loads.
        self.ledger.entry_bytes += core::mem::take(&mut other.ledger.entry_bytes);
    }

    /// Frees a store made by [`Store::beside`] that is not wanted, in slices by [`Store::reap`].
    pub fn throw_away(&mut self, other: Self) {
        let Self { dbs, ledger, .. } = other;
        self.ledger.entry_bytes += ledger.entry_bytes;
        for db in dbs {
            self.trash.throw_db(db, &mut self.ledger);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Access, AccessPolicy, Deadline, Keyspace, NewValue, Store, Touched};
    use alloc::format;
    use alloc::vec::Vec;
    use vesta_types::{DbIndex, Now};

    fn db(raw: u64) -> DbIndex {
        DbIndex::new(raw, 4).unwrap()
    }

    fn set(store: &mut Store, in_db: u64, key: &str) {
        let mut keys = Keyspace::new(store, db(in_db), Now::default());
        keys.set(key.as_bytes(), NewValue::Bytes(key.as_bytes()), Deadline::Never);
    }

    fn has(store: &mut Store, in_db: u64, key: &str) -> bool {
        Keyspace::new(store, db(in_db), Now::default()).contains(key.as_bytes())
    }

    fn entry_bytes(store: &Store) -> usize {
        store.bytes() - store.overhead_bytes()
    }

    fn store() -> Store {
        let access = Access { policy: AccessPolicy::Lru, log_factor: 10, decay_minutes: 1 };
        Store::new(4, access, 1)
    }

    #[test]
    fn a_store_takes_the_place_of_another_and_the_accounts_are_right() {
        let mut ours = store();
        for number in 0..1000 {
            set(&mut ours, 0, &format!("old{number}"));
        }
        set(&mut ours, 2, "gone");
        ours.watch(db(0), b"old1");
        ours.watch(db(1), b"new1");
        ours.watch(db(3), b"nowhere");
        ours.record_touched(true);
        let mut theirs = ours.beside();
        for number in 0..500 {
            set(&mut theirs, 1, &format!("new{number}"));
        }
        let alone = entry_bytes(&theirs);
        ours.take_over(theirs);
        assert!(has(&mut ours, 1, "new1") && has(&mut ours, 1, "new499"));
        assert!(!has(&mut ours, 0, "old1") && !has(&mut ours, 2, "gone"));
        let modified = ours.take_modified();
        let modified: Vec<_> = modified.iter().map(|it| (it.db, &*it.key)).collect();
        assert_eq!(modified, [(db(0), &b"old1"[..]), (db(1), &b"new1"[..])]);
        assert!(ours.take_touched().contains(&Touched::All { db: db(1) }));
        while ours.reap(64) {}
        assert_eq!(entry_bytes(&ours), alone);
        ours.flush(db(1), false);
        assert_eq!(entry_bytes(&ours), 0);
    }

    #[test]
    fn a_store_that_is_not_wanted_is_freed_in_slices() {
        let mut ours = store();
        let mut theirs = ours.beside();
        for number in 0..1000 {
            set(&mut theirs, 1, &format!("new{number}"));
        }
        let bytes = entry_bytes(&theirs);
        ours.throw_away(theirs);
        assert!(entry_bytes(&ours) == bytes && ours.has_garbage());
        while ours.reap(64) {}
        assert_eq!(entry_bytes(&ours), 0);
    }
}
