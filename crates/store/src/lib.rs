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
mod events;
mod evict;
mod exchange;
mod expire;
mod expiring;
mod keyspace;
mod ledger;
mod load;
pub mod object;
mod snapshot;
mod trash;
mod typed;

pub use access::{Access, AccessPolicy};
pub use events::{Class, Classes, KeyEvent, Modified};
pub use evict::{Candidates, Evict, Victims};
pub use expire::ExpireRound;
pub use keyspace::{Deadline, Keyspace, WrongType};
pub use object::algebra;
pub use object::{Hash, Kind, Limits, List, Object, Rules, Set, Stream, Zset};
pub use snapshot::{Keeper, SnapshotPhase};
pub use vesta_ds::stream;
pub use vesta_ds::{
    Digits, Direction, Element, Field, Fill, Heap, NewValue, NodeRef, Stats as TableStats, StrRef,
    Value,
};
pub use vesta_ds::{INLINE_MAX, bits, hll};
pub use vesta_ds::{LexBound, Placed, ScoreBound};

use crate::expiring::Expiring;
use crate::ledger::Ledger;
use crate::object::packed::Unpacked;
use crate::snapshot::Progress;
use crate::trash::Trash;
use alloc::boxed::Box;
use alloc::vec::Vec;
use vesta_ds::{KeyHasher, Table};
use vesta_types::{DbIndex, Rng, Unix};

/// A key with its value.
pub type Entry = vesta_ds::Entry<Object>;

/// All databases of a node.
#[derive(Debug)]
pub struct Store {
    dbs: Vec<Db>,
    /// What was flushed or unlinked and is still to be freed, in slices.
    trash: Trash,
    /// What objects need to know when they are changed; the hasher is that of all tables.
    rules: Rules,
    /// Where packed values are unpacked while a command works on them.
    unpacked: Unpacked,
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
    /// What of it expires.
    expiring: Expiring,
    /// How far the snapshot under way has come in it; none when it is through.
    progress: Option<Progress>,
}

/// A key, or fields of one, that the store deleted without being asked to.
#[derive(Clone, Debug)]
pub struct Deleted {
    /// Where it was.
    pub db: DbIndex,
    /// Its name.
    pub key: Box<[u8]>,
    /// Why it went.
    pub why: Why,
    /// The fields of its hash that went; none when the key itself did.
    pub fields: Vec<Field>,
}

/// Something that may have changed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Touched {
    /// A key: made, changed, or gone.
    Key {
        /// Where.
        db: DbIndex,
        /// Its name.
        key: Box<[u8]>,
    },
    /// A whole database: flushed, or exchanged with another.
    All {
        /// Which.
        db: DbIndex,
    },
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
    /// Fields of hashes deleted because they had expired.
    pub expired_fields: u64,
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
        let rules = Rules::seeded(rng.bits());
        let dbs = (0..count.max(1)).map(|_| Db::new(&rules.hasher)).collect();
        Self {
            dbs,
            trash: Trash::default(),
            rules,
            unpacked: Unpacked::default(),
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
        DbSize { keys: db.table.len(), expiring: db.expiring.keys }
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
        if db.expiring.keys == 0 {
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
        let tables: usize = self.dbs.iter().map(Db::heap_bytes).sum();
        tables
            + self.trash.overhead_bytes()
            + self.ledger.snapshot.overhead_bytes()
            + self.unpacked.heap_bytes()
    }

    /// Bytes of the table of `db`, without the entries.
    #[must_use]
    pub fn table_bytes(&self, db: DbIndex) -> usize {
        self.db(db).heap_bytes()
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

    /// Up to where values keep their small encodings from here on. Values that are there already
    /// follow when they are next changed.
    pub fn set_limits(&mut self, limits: Limits) {
        self.rules.limits = limits;
    }

    /// What a value needs to know that is made outside a [`Keyspace`].
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// A generator of its own, for a command that draws elements.
    #[must_use]
    pub fn fork_rng(&mut self) -> Rng {
        self.rng.fork()
    }

    /// Whether what may have changed is put on record for [`Store::take_touched`].
    pub fn record_touched(&mut self, wanted: bool) {
        self.ledger.record_touched = wanted;
    }

    /// What may have changed since the last call, in order; a key may be named more than once.
    pub fn take_touched(&mut self) -> Vec<Touched> {
        core::mem::take(&mut self.ledger.touched)
    }

    /// Whether [`Store::take_touched`] would give anything.
    #[must_use]
    #[inline]
    pub fn has_touched(&self) -> bool {
        !self.ledger.touched.is_empty()
    }

    /// Whether deletions that nobody asked for are put on record for [`Store::take_deleted`].
    pub fn record_deleted(&mut self, wanted: bool) {
        self.ledger.record_deleted = wanted;
    }

    /// The deletions on record since the last call, in order.
    pub fn take_deleted(&mut self) -> Vec<Deleted> {
        core::mem::take(&mut self.ledger.deleted)
    }

    /// Which events are put on record for [`Store::take_events`] from here on.
    pub fn record_events(&mut self, classes: Classes) {
        self.ledger.notices.want(classes);
    }

    /// The events since the last call, in order.
    pub fn take_events(&mut self) -> Vec<KeyEvent> {
        core::mem::take(&mut self.ledger.notices.events)
    }

    /// Whether [`Store::take_events`], [`Store::take_deleted`] or [`Store::take_modified`] would
    /// give anything.
    #[must_use]
    #[inline]
    pub fn has_news(&self) -> bool {
        let notices = &self.ledger.notices;
        notices.events.len()
            | self.ledger.deleted.len()
            | notices.modified.len()
            | usize::from(notices.flooded)
            != 0
    }

    /// Has modifications of a key put on record for [`Store::take_modified`]; as often as it is
    /// watched it must be unwatched. The deletion of a key that has expired is a modification too,
    /// also if it had expired before it was watched.
    pub fn watch(&mut self, db: DbIndex, key: &[u8]) {
        self.ledger.notices.watch((db, key.into()));
    }

    /// Whether a key is there, even if it has expired. Counts and marks nothing.
    #[must_use]
    pub fn holds(&self, db: DbIndex, key: &[u8]) -> bool {
        self.db(db).table.find(self.hash(key), key).is_some()
    }

    /// Takes back one [`Store::watch`].
    pub fn unwatch(&mut self, db: DbIndex, key: &[u8]) {
        self.ledger.notices.unwatch(&(db, key.into()));
    }

    /// Has modifications of all keys put on record for [`Store::take_modified`], or of the watched
    /// ones alone; and databases that change as a whole for [`Store::take_flood`].
    pub fn follow_all(&mut self, all: bool) {
        self.ledger.notices.follow_all(all);
    }

    /// Whether a database was emptied or exchanged since the last call, while all keys are
    /// followed.
    pub fn take_flood(&mut self) -> bool {
        core::mem::take(&mut self.ledger.notices.flooded)
    }

    /// The keys that were modified since the last call, in order: the watched ones, or all while
    /// all are followed. A key may be named more than once.
    pub fn take_modified(&mut self) -> Vec<Modified> {
        core::mem::take(&mut self.ledger.notices.modified)
    }

    /// Whether [`Store::take_modified`] or [`Store::take_flood`] would give anything.
    #[must_use]
    #[inline]
    pub fn has_modified(&self) -> bool {
        !self.ledger.notices.modified.is_empty() || self.ledger.notices.flooded
    }

    /// Marks the watched keys of a database that are there, before all of it changes.
    fn mark_present(&mut self, db: DbIndex, now: Option<Unix>) {
        for key in self.ledger.notices.watched_of(db) {
            let entry = self.db(db).table.find(self.hash(&key), &key);
            let is_there = |entry: &Entry| now.is_none_or(|now| !entry.is_due(now.ms()));
            if entry.is_some_and(is_there) {
                self.ledger.notices.mark(db, &key);
            }
        }
    }

    /// Exchanges two databases. A watched key counts as modified where there is one before, or
    /// after, that has not expired by `now`.
    pub fn swap(&mut self, left: DbIndex, right: DbIndex, now: Unix) {
        if left == right {
            return;
        }
        self.mark_present(left, None);
        self.mark_present(right, None);
        self.dbs.swap(left.index(), right.index());
        self.mark_present(left, Some(now));
        self.mark_present(right, Some(now));
        self.ledger.notices.flood();
        self.ledger.touch_all(left);
        self.ledger.touch_all(right);
    }

    /// Empties `db` and says how many keys it had. `lazily`: the memory is freed in slices by
    /// [`Store::reap`]; otherwise before this returns. What a snapshot under way still needs is
    /// freed by the snapshot's steps. Watched keys that were there are modified.
    pub fn flush(&mut self, db: DbIndex, lazily: bool) -> usize {
        self.mark_present(db, None);
        let empty = Db::new(&self.rules.hasher);
        let Some(slot) = self.dbs.get_mut(db.index()) else { return 0 };
        let old = core::mem::replace(slot, empty);
        let keys = old.table.len();
        self.ledger.notices.flood();
        self.ledger.touch_all(db);
        let Some(mut old) = self.ledger.snapshot.take_flushed(old) else { return keys };
        if lazily {
            self.trash.throw_db(old, &mut self.ledger);
        } else {
            let mut freed = 0;
            old.table.drain_some(usize::MAX, |entry| freed += entry.alloc_bytes());
            self.ledger.entry_bytes -= freed;
        }
        keys
    }

    /// Frees about `items` keys or elements of what was flushed lazily, and of large values that
    /// were deleted; whether more is left.
    pub fn reap(&mut self, items: usize) -> bool {
        self.trash.reap(items, &mut self.ledger);
        self.has_garbage()
    }

    /// Whether memory waits to be freed by [`Store::reap`].
    #[must_use]
    #[inline]
    pub fn has_garbage(&self) -> bool {
        !self.trash.is_empty()
    }

    /// Keys and large values that wait to be freed.
    #[must_use]
    pub fn garbage_items(&self) -> usize {
        self.trash.items()
    }

    /// The hash of `key`, for [`Store::prefetch_bucket`] and [`Keyspace::knowing`].
    #[must_use]
    #[inline]
    pub fn hash(&self, key: &[u8]) -> u64 {
        self.rules.hasher.hash(key)
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
    /// Bytes of the tables, without the entries.
    fn heap_bytes(&self) -> usize {
        self.table.heap_bytes() + self.expiring.heap_bytes()
    }

    fn new(hasher: &KeyHasher) -> Self {
        let table = Table::new(hasher.clone());
        Self { table, expiring: Expiring::new(hasher), progress: None }
    }
}
