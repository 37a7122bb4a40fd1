//! What was deleted and is too large to be freed in one go.
//!
//! A value of many elements takes as long to free as it took to build, so it is put aside and freed
//! in slices between requests, whatever removed it (DEL as well as UNLINK, a value set in its
//! place, expiry, eviction): no command waits for it. Its bytes stay on the accounts until they are
//! really free. Eviction reaps before it takes another key.

use crate::expiring::Expiring;
use crate::ledger::Ledger;
use crate::{Db, Entry, Object};
use alloc::boxed::Box;
use alloc::vec::Vec;
use vesta_ds::{Heap, Table};

/// Values whose dropping costs no more than this are dropped at once (as in Redis, where this many
/// elements are the limit of what a lazy deletion frees by itself).
const DROPPED_AT_ONCE_MAX: usize = 64;

/// Tables and values that wait to be freed.
#[derive(Debug, Default)]
pub(crate) struct Trash {
    tables: Vec<Table<Entry>>,
    /// What was remembered of the tables' hashes.
    expiring: Vec<Expiring>,
    objects: Vec<Object>,
}

impl Trash {
    /// Puts a whole database aside. Its entries stay on the accounts.
    pub(crate) fn throw_db(&mut self, db: Db, ledger: &mut Ledger) {
        let Db { mut table, expiring, .. } = db;
        if expiring.hashes() > DROPPED_AT_ONCE_MAX {
            self.expiring.push(expiring);
        }
        if table.len() <= DROPPED_AT_ONCE_MAX {
            table.drain_some(usize::MAX, |mut entry| {
                ledger.entry_bytes -= entry.alloc_bytes();
                if let Some(object) = entry.take_object() {
                    self.throw_object(object, ledger);
                }
            });
            return;
        }
        self.tables.push(table);
    }

    /// Takes what is left of an entry that left its table and the accounts.
    #[inline]
    pub(crate) fn throw(&mut self, mut entry: Entry, ledger: &mut Ledger) {
        if let Some(object) = entry.take_object() {
            self.throw_object(object, ledger);
        }
    }

    /// Takes an object that left its entry and the accounts.
    pub(crate) fn throw_object(&mut self, object: Box<Object>, ledger: &mut Ledger) {
        if is_large(&object) {
            ledger.entry_bytes += object.heap_bytes();
            self.objects.push(*object);
        }
    }

    /// Frees about `items` entries and elements and takes them off the accounts.
    pub(crate) fn reap(&mut self, items: usize, ledger: &mut Ledger) {
        if let Some(object) = self.objects.last_mut() {
            let before = object.heap_bytes();
            object.drain_some(items);
            let left = object.drop_cost();
            ledger.entry_bytes -= before;
            if left > 1 {
                ledger.entry_bytes += object.heap_bytes();
            } else {
                self.objects.pop();
                ledger.stats.reaped += 1;
            }
        } else if let Some(table) = self.tables.last_mut() {
            let objects = &mut self.objects;
            table.drain_some(items, |mut entry| {
                let is_large = entry.object().is_some_and(is_large);
                let object = if is_large { entry.take_object() } else { None };
                ledger.entry_bytes -= entry.alloc_bytes();
                match object {
                    Some(object) => {
                        ledger.entry_bytes -= size_of::<Object>().next_multiple_of(8);
                        objects.push(*object);
                    }
                    None => ledger.stats.reaped += 1,
                }
            });
            if table.is_empty() {
                self.tables.pop();
            }
        } else if let Some(expiring) = self.expiring.last_mut() {
            expiring.drain_some(items);
            if expiring.hashes() == 0 {
                self.expiring.pop();
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.tables.is_empty() && self.expiring.is_empty() && self.objects.is_empty()
    }

    /// Keys and values that wait.
    pub(crate) fn items(&self) -> usize {
        self.tables.iter().map(Table::len).sum::<usize>() + self.objects.len()
    }

    /// Bytes of the tables, without their entries, and of the lists of what waits.
    pub(crate) fn overhead_bytes(&self) -> usize {
        let tables: usize = self.tables.iter().map(Table::heap_bytes).sum();
        let expiring: usize = self.expiring.iter().map(Expiring::heap_bytes).sum();
        let lists = self.tables.capacity() * size_of::<Table<Entry>>()
            + self.expiring.capacity() * size_of::<Expiring>()
            + self.objects.capacity() * size_of::<Object>();
        tables + expiring + lists
    }
}

fn is_large(object: &Object) -> bool {
    object.drop_cost() > DROPPED_AT_ONCE_MAX
}
