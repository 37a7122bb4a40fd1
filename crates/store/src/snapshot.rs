//! Snapshots: all keys as they were at one moment, given away while they go on changing.
//!
//! There is no second copy and no pause. When a snapshot begins, every database that has keys gets
//! a walk over its table ([`TableWalk`]). Step by step the walks pass the entries and give them to
//! a [`Keeper`], which writes them down. Whoever changes or removes an entry before the walk has
//! passed it gives it to the keeper first, as it still is. An entry that stays, or comes, where
//! the walk has not been gets a mark: not of this snapshot, or given already. The walk takes the
//! marks off and gives what has none.
//!
//! ```text
//!  hashes, read backwards:   0 ............... point ............... 2^64
//!  entries                   given             without mark: to be given, unchanged so far
//!                            (no marks)        marked: given before it changed, or new
//! ```
//!
//! So every key of the moment is given once, in no order, and when all walks are over no mark is
//! left. This rests on all changes passing [`Snapshot::note`], which they do because they pass the
//! ledger for the sake of the accounts.
//!
//! A database that is flushed is taken apart by the snapshot instead, and freed on the way. One
//! that is exchanged with another keeps its walk and its number of the beginning. A snapshot that
//! is aborted leaves marks behind: its walks go on without a keeper until they are gone.
//!
//! An entry is given with the access clock that it has by then: reading is no change.

use crate::{Db, Entry, Store};
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use vesta_ds::{KeyHasher, TableWalk};
use vesta_types::DbIndex;

/// Whoever writes a snapshot down.
pub trait Keeper: fmt::Debug {
    /// Writes down an entry that `db` had when the snapshot began. It may have expired then; what
    /// that means is the keeper's affair. Each key comes once, databases and keys in any order.
    fn keep(&mut self, db: DbIndex, entry: &Entry);

    /// Takes what has been written down since the last call.
    fn drain(&mut self) -> Vec<u8>;

    /// Takes the rest when every entry has been given, with what marks the end, if there is such.
    fn finish(&mut self) -> Vec<u8> {
        self.drain()
    }

    /// How many entries it was given; 0 from a keeper that does not count.
    fn kept(&self) -> u64 {
        0
    }
}

/// Where the store is in a snapshot.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SnapshotPhase {
    /// None is under way; one may begin.
    Idle,
    /// There is a keeper, until the snapshot is ended or aborted.
    Running,
    /// The marks of an aborted snapshot are being removed, by [`Store::snapshot_step`].
    Clearing,
}

/// How far the walk over one database has come.
#[derive(Debug)]
pub(crate) struct Progress {
    /// The number of the database when the snapshot began.
    db: DbIndex,
    walk: TableWalk,
    hasher: KeyHasher,
}

/// What happens to an entry.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Change {
    /// It is new in its table, or about to be.
    Comes,
    /// It is about to be changed in place.
    Stays,
    /// It has left its table, unchanged.
    Leaves,
}

/// The snapshot under way, apart from the walks, which belong to their databases.
#[derive(Debug, Default)]
pub(crate) struct Snapshot {
    keeper: Option<Box<dyn Keeper + Send>>,
    /// Databases that are still walked.
    walks: usize,
    /// Databases that were flushed before their walk was over, to be taken apart.
    flushed: Vec<Db>,
}

impl Snapshot {
    /// Everything that happens to an entry of a database passes here; `progress` is the database's.
    #[inline(always)]
    pub(crate) fn note(&mut self, progress: Option<&Progress>, entry: &mut Entry, change: Change) {
        if let Some(progress) = progress {
            self.save(progress, entry, change);
        }
    }

    #[cold]
    fn save(&mut self, progress: &Progress, entry: &mut Entry, change: Change) {
        if progress.walk.has_passed(progress.hasher.hash(entry.key())) {
            return;
        }
        if let Some(keeper) = &mut self.keeper {
            if change != Change::Comes && !entry.is_marked() {
                keeper.keep(progress.db, entry);
            }
            entry.set_marked(true);
        }
        if change == Change::Leaves {
            entry.set_marked(false);
        }
    }

    /// The walk over a database passes an entry.
    fn pass(&mut self, db: DbIndex, entry: &mut Entry) {
        if entry.is_marked() {
            entry.set_marked(false);
        } else if let Some(keeper) = &mut self.keeper {
            keeper.keep(db, entry);
        }
    }

    /// Takes a database that is flushed, if the snapshot still needs it.
    pub(crate) fn take_flushed(&mut self, mut db: Db) -> Option<Db> {
        if db.progress.is_none() {
            return Some(db);
        }
        self.walks -= 1;
        if self.keeper.is_none() {
            db.progress = None;
            return Some(db);
        }
        self.flushed.push(db);
        None
    }

    /// Whether databases that were flushed wait to be taken apart.
    pub(crate) fn has_flushed(&self) -> bool {
        !self.flushed.is_empty()
    }

    /// Bytes of the tables that were flushed, without their entries, and of the list of them.
    pub(crate) fn overhead_bytes(&self) -> usize {
        let tables: usize = self.flushed.iter().map(Db::heap_bytes).sum();
        tables + self.flushed.capacity() * size_of::<Db>()
    }

    fn is_walked(&self) -> bool {
        self.walks == 0 && self.flushed.is_empty()
    }
}

impl Store {
    /// Begins a snapshot of all databases as they are now. Costs next to nothing by itself; the
    /// work is done by [`Store::snapshot_step`] and by whoever changes what it has not got to.
    ///
    /// # Panics
    /// Unless [`Store::snapshot_phase`] is [`SnapshotPhase::Idle`].
    pub fn begin_snapshot(&mut self, keeper: Box<dyn Keeper + Send>) {
        assert!(self.snapshot_phase() == SnapshotPhase::Idle, "one snapshot at a time");
        let snapshot = &mut self.ledger.snapshot;
        snapshot.keeper = Some(keeper);
        let count = u32::try_from(self.dbs.len()).unwrap_or(u32::MAX);
        for (raw, db) in self.dbs.iter_mut().enumerate() {
            if let Some(index) = DbIndex::new(raw as u64, count)
                && !db.table.is_empty()
            {
                let hasher = self.rules.hasher.clone();
                db.progress = Some(Progress { db: index, walk: TableWalk::new(), hasher });
                snapshot.walks += 1;
            }
        }
    }

    /// Visits about `buckets` buckets (of some five entries each) for the snapshot under way, or
    /// to remove the marks of one that was aborted. Whether nothing is left to visit: then the
    /// keeper has got everything, and the snapshot is to be ended.
    pub fn snapshot_step(&mut self, buckets: usize) -> bool {
        let left = self.take_apart(buckets);
        self.walk_on(left);
        self.ledger.snapshot.is_walked()
    }

    /// Where the store is in a snapshot.
    #[must_use]
    pub fn snapshot_phase(&self) -> SnapshotPhase {
        match &self.ledger.snapshot {
            Snapshot { keeper: Some(_), .. } => SnapshotPhase::Running,
            Snapshot { keeper: None, walks: 0, .. } => SnapshotPhase::Idle,
            Snapshot { keeper: None, .. } => SnapshotPhase::Clearing,
        }
    }

    /// The keeper of the snapshot under way.
    pub fn keeper(&mut self) -> Option<&mut (dyn Keeper + Send + 'static)> {
        self.ledger.snapshot.keeper.as_deref_mut()
    }

    /// Ends a snapshot of which [`Store::snapshot_step`] has said that nothing is left, and drops
    /// the keeper.
    ///
    /// # Panics
    /// When something is left.
    pub fn end_snapshot(&mut self) {
        assert!(self.ledger.snapshot.is_walked(), "a snapshot ends when all has been given");
        self.abort_snapshot();
    }

    /// Drops the keeper, whatever it has not got. Unless the phase is [`SnapshotPhase::Idle`] now,
    /// steps go on until it is.
    pub fn abort_snapshot(&mut self) {
        let Self { ledger, trash, .. } = self;
        ledger.snapshot.keeper = None;
        for db in core::mem::take(&mut ledger.snapshot.flushed) {
            trash.throw_db(db, ledger);
        }
    }

    /// Takes what was flushed apart, up to about `buckets` buckets: gives what the keeper has not
    /// got and frees it. Returns how many of the buckets are left.
    pub(crate) fn take_apart(&mut self, mut buckets: usize) -> usize {
        let Self { ledger, trash, .. } = self;
        while buckets > 0
            && let Some(mut db) = ledger.snapshot.flushed.pop()
        {
            while buckets > 0 && !db.table.is_empty() {
                buckets -= 1;
                db.table.drain_some(1, |mut entry| {
                    ledger.snapshot.note(db.progress.as_ref(), &mut entry, Change::Leaves);
                    ledger.entry_bytes -= entry.alloc_bytes();
                    trash.throw(entry, ledger);
                });
            }
            if db.table.is_empty() {
                trash.throw_db(db, ledger);
            } else {
                ledger.snapshot.flushed.push(db);
            }
        }
        buckets
    }

    /// Walks on by up to `buckets` buckets, in the databases that have a walk.
    fn walk_on(&mut self, mut buckets: usize) {
        let Self { dbs, ledger, .. } = self;
        let snapshot = &mut ledger.snapshot;
        for db in dbs {
            if buckets == 0 || snapshot.walks == 0 {
                return;
            }
            while buckets > 0
                && let Some(Progress { db: index, walk, .. }) = &mut db.progress
            {
                buckets -= 1;
                db.table.walk(walk, |entry| snapshot.pass(*index, entry));
                if walk.is_over() {
                    db.progress = None;
                    snapshot.walks -= 1;
                }
            }
        }
    }
}
