//! The data: numbered databases of keys, their expiry, their eviction, and the memory they take.
//!
//! A [`Store`] owns the databases. Commands work on one of them through a [`Keyspace`], a view
//! for one request: it knows the time, deletes what it finds expired, keeps the access clocks and
//! the accounts. Whatever the store deletes by itself (expired, evicted) is put on record
//! ([`Store::take_deleted`]) so that the owner can tell the log and the replicas.
#![no_std]
#![forbid(unsafe_code)]
extern crate alloc;

mod access;
mod evict;
mod expire;
mod keyspace;
mod ledger;

pub use access::{Access, AccessPolicy};
pub use evict::{Candidates, Evict, Victims};
pub use expire::ExpireRound;
pub use keyspace::{Deadline, Keyspace, WrongType};
pub use vesta_ds::{Entry, NewValue, Stats as TableStats, StrRef};

use crate::ledger::Ledger;
use alloc::boxed::Box;
use alloc::vec::Vec;
use vesta_ds::{KeyHasher, Table};
use vesta_types::{DbIndex, Rng, Unix};

/// All databases of a node.
#[derive(Debug)]
pub struct Store {
    dbs: Vec<Db>,
    /// What was flushed or unlinked and is still to be freed, in slices.
    garbage: Vec<Table<Entry>>,
    hasher: KeyHasher,
    rng: Rng,
    access: Access,
    ledger: Ledger,
    expire_turn: usize,
    evict_turn: usize,
}

/// One numbered database.
#[derive(Debug)]
struct Db {
    table: Table<Entry>,
    /// How many of its keys have an expiry.
    expiring: usize,
}

/// A key that the store deleted without being asked to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Deleted {
    /// Where it was.
    pub db: DbIndex,
    /// Its name.
    pub key: Box<[u8]>,
    /// Why it went.
    pub why: Why,
}

/// Why the store deleted a key by itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Why {
    /// Its time had come.
    Expired,
    /// Memory was needed.
    Evicted,
}

/// What the store counts, since start or CONFIG RESETSTAT.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stats {
    /// Lookups by reading commands that found a key.
    pub hits: u64,
    /// Lookups by reading commands that found none.
    pub misses: u64,
    /// Keys deleted because they had expired.
    pub expired: u64,
    /// Keys deleted to free memory.
    pub evicted: u64,
    /// Active expiry rounds that ended because their time was up.
    pub expire_rounds_cut: u64,
    /// Entries that [`Store::reap`] has freed.
    pub reaped: u64,
}

/// The size of one database.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DbSize {
    /// Keys, those that have expired and were not yet deleted included.
    pub keys: usize,
    /// Keys with an expiry.
    pub expiring: usize,
}

impl Store {
    /// `count` empty databases; `seed` decides hashes and samples.
    #[must_use]
    pub fn new(count: u32, access: Access, seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let hasher = KeyHasher::new(rng.bits());
        let dbs = (0..count.max(1)).map(|_| Db::new(&hasher)).collect();
        Self {
            dbs,
            garbage: Vec::new(),
            hasher,
            rng,
            access,
            ledger: Ledger::default(),
            expire_turn: 0,
            evict_turn: 0,
        }
    }

    /// How many databases there are.
    #[must_use]
    pub fn databases(&self) -> u32 {
        u32::try_from(self.dbs.len()).unwrap_or(u32::MAX)
    }

    /// How many keys `db` has.
    #[must_use]
    pub fn size(&self, db: DbIndex) -> DbSize {
        let db = self.db(db);
        DbSize { keys: db.table.len(), expiring: db.expiring }
    }

    /// The indexes of all databases, in order.
    pub fn indexes(&self) -> impl Iterator<Item = DbIndex> + use<> {
        let count = self.databases();
        (0..u64::from(count)).filter_map(move |raw| DbIndex::new(raw, count))
    }

    /// How long keys of `db` that expire still have on average, in milliseconds; 0 when there are
    /// none. Only the first `visits` entries are looked at: their order is that of hashes, so they
    /// stand for all.
    #[must_use]
    pub fn mean_ttl_ms(&self, db: DbIndex, now: Unix, visits: usize) -> u64 {
        let db = self.db(db);
        if db.expiring == 0 {
            return 0;
        }
        let expiries = db.table.iter().take(visits).filter_map(Entry::expiry);
        let (count, sum) = expiries.fold((0_u64, 0_u64), |(count, sum), at| {
            (count + 1, sum.saturating_add(at.saturating_sub(now.ms())))
        });
        sum.checked_div(count).unwrap_or(0)
    }

    /// The shape of the table of `db`.
    #[must_use]
    pub fn table_stats(&self, db: DbIndex) -> TableStats {
        self.db(db).table.stats()
    }

    /// Bytes requested for the data set: entries, tables, and what waits to be freed.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.ledger.entry_bytes + self.overhead_bytes()
    }

    /// Bytes of the tables, without the entries.
    #[must_use]
    pub fn overhead_bytes(&self) -> usize {
        self.dbs.iter().map(|db| &db.table).chain(&self.garbage).map(Table::heap_bytes).sum()
    }

    /// Bytes of the table of `db`, without the entries.
    #[must_use]
    pub fn table_bytes(&self, db: DbIndex) -> usize {
        self.db(db).table.heap_bytes()
    }

    /// What was counted.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        &self.ledger.stats
    }

    /// Counts from zero again.
    pub fn reset_stats(&mut self) {
        self.ledger.stats = Stats::default();
    }

    /// How access clocks are kept from here on. A change of policy leaves the clocks of keys not
    /// yet touched in the other form, as in Redis.
    pub fn set_access(&mut self, access: Access) {
        self.access = access;
    }

    /// How access clocks are kept.
    #[must_use]
    pub fn access(&self) -> &Access {
        &self.access
    }

    /// Whether deletions that nobody asked for are put on record for [`Store::take_deleted`].
    pub fn record_deleted(&mut self, wanted: bool) {
        self.ledger.record_deleted = wanted;
    }

    /// The deletions on record since the last call, in order.
    pub fn take_deleted(&mut self) -> Vec<Deleted> {
        core::mem::take(&mut self.ledger.deleted)
    }

    /// Whether [`Store::take_deleted`] would give anything.
    #[must_use]
    #[inline]
    pub fn has_deleted(&self) -> bool {
        !self.ledger.deleted.is_empty()
    }

    /// Exchanges two databases.
    pub fn swap(&mut self, left: DbIndex, right: DbIndex) {
        self.dbs.swap(left.index(), right.index());
    }

    /// Empties `db` and says how many keys it had. `lazily`: the memory is freed in slices by
    /// [`Store::reap`]; otherwise before this returns.
    pub fn flush(&mut self, db: DbIndex, lazily: bool) -> usize {
        let empty = Db::new(&self.hasher);
        let Some(slot) = self.dbs.get_mut(db.index()) else { return 0 };
        let mut old = core::mem::replace(slot, empty).table;
        let keys = old.len();
        if lazily && keys > 0 {
            self.garbage.push(old);
        } else {
            let mut freed = 0;
            old.drain_some(usize::MAX, |entry| freed += entry.alloc_bytes());
            self.ledger.entry_bytes -= freed;
        }
        keys
    }

    /// Frees about `items` entries of what was flushed lazily; whether more is left.
    pub fn reap(&mut self, items: usize) -> bool {
        if let Some(table) = self.garbage.last_mut() {
            let (mut freed, mut count) = (0, 0);
            table.drain_some(items, |entry| {
                freed += entry.alloc_bytes();
                count += 1;
            });
            self.ledger.entry_bytes -= freed;
            self.ledger.stats.reaped += count;
            if table.is_empty() {
                self.garbage.pop();
            }
        }
        self.has_garbage()
    }

    /// Whether memory waits to be freed by [`Store::reap`].
    #[must_use]
    #[inline]
    pub fn has_garbage(&self) -> bool {
        !self.garbage.is_empty()
    }

    /// Entries that wait to be freed.
    #[must_use]
    pub fn garbage_items(&self) -> usize {
        self.garbage.iter().map(Table::len).sum()
    }

    /// The hash of `key`, for [`Store::prefetch_bucket`] and [`Keyspace::knowing`].
    #[must_use]
    #[inline]
    pub fn hash(&self, key: &[u8]) -> u64 {
        self.hasher.hash(key)
    }

    /// Asks for the cache line where the search for a key with `hash` begins.
    #[inline]
    pub fn prefetch_bucket(&self, db: DbIndex, hash: u64) {
        self.db(db).table.prefetch_bucket(hash);
    }

    /// Asks for the memory of the entry that `hash` leads to, once its bucket is near.
    #[inline]
    pub fn prefetch_entry(&self, db: DbIndex, hash: u64) {
        self.db(db).table.prefetch_item(hash);
    }

    #[inline]
    fn db(&self, db: DbIndex) -> &Db {
        self.dbs.get(db.index()).expect("an index is below the number of databases that made it")
    }
}

impl Db {
    fn new(hasher: &KeyHasher) -> Self {
        Self { table: Table::new(hasher.clone()), expiring: 0 }
    }
}
