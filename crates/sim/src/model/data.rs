//! Keys and values of the model.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Shared bytes, so that copies of the data are cheap.
pub(crate) type Bytes = Rc<[u8]>;

/// All databases.
#[derive(Clone, Debug)]
pub(crate) struct Data {
    dbs: Vec<BTreeMap<Bytes, Slot>>,
}

/// What a key holds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Slot {
    pub(crate) value: Bytes,
    /// When it is over, in milliseconds since 1970.
    pub(crate) expiry: Option<u64>,
}

impl Slot {
    pub(crate) fn is_due(&self, now_ms: u64) -> bool {
        self.expiry.is_some_and(|at| at <= now_ms)
    }
}

impl Data {
    pub(crate) fn new(databases: usize) -> Self {
        Self { dbs: vec![BTreeMap::new(); databases] }
    }

    /// What a key holds, also when its time has come and it was not yet deleted.
    pub(crate) fn slot(&self, db: usize, key: &[u8]) -> Option<&Slot> {
        self.dbs.get(db)?.get(key)
    }

    /// What a key holds.
    pub(crate) fn live(&self, db: usize, key: &[u8], now_ms: u64) -> Option<&Slot> {
        self.slot(db, key).filter(|slot| !slot.is_due(now_ms))
    }

    pub(crate) fn live_mut(&mut self, db: usize, key: &[u8], now_ms: u64) -> Option<&mut Slot> {
        self.dbs.get_mut(db)?.get_mut(key).filter(|slot| !slot.is_due(now_ms))
    }

    pub(crate) fn live_keys(&self, db: usize, now_ms: u64) -> BTreeSet<Bytes> {
        self.live_slots(db, now_ms).map(|(key, _)| key.clone()).collect()
    }

    pub(crate) fn live_slots(
        &self,
        db: usize,
        now_ms: u64,
    ) -> impl Iterator<Item = (&Bytes, &Slot)> {
        let slots = self.dbs.get(db).into_iter().flatten();
        slots.filter(move |(_, slot)| !slot.is_due(now_ms))
    }

    pub(crate) fn put(&mut self, db: usize, key: Bytes, slot: Slot) {
        if let Some(slots) = self.dbs.get_mut(db) {
            slots.insert(key, slot);
        }
    }

    pub(crate) fn set(&mut self, db: usize, key: Bytes, value: Bytes, expiry: Option<u64>) {
        self.put(db, key, Slot { value, expiry });
    }

    pub(crate) fn remove(&mut self, db: usize, key: &[u8]) -> Option<Slot> {
        self.dbs.get_mut(db)?.remove(key)
    }

    pub(crate) fn flush(&mut self, db: usize) {
        if let Some(slots) = self.dbs.get_mut(db) {
            slots.clear();
        }
    }

    pub(crate) fn swap(&mut self, left: usize, right: usize) {
        self.dbs.swap(left, right);
    }

    pub(crate) fn databases(&self) -> usize {
        self.dbs.len()
    }

    /// Keys that were not deleted, and how many of them have an expiry.
    pub(crate) fn size(&self, db: usize) -> (usize, usize) {
        let Some(slots) = self.dbs.get(db) else { return (0, 0) };
        (slots.len(), slots.values().filter(|slot| slot.expiry.is_some()).count())
    }

    /// About the memory that a server needs for it, in bytes.
    pub(crate) fn weight_bytes(&self) -> u64 {
        let slots = self.dbs.iter().flatten();
        slots.map(|(key, slot)| (key.len() + slot.value.len() + 32) as u64).sum()
    }
}
