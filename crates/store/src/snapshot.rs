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
//! An entry that is large, as the keeper sees it, is given in pieces, a step at a time, and the
//! walk waits for it. It must not change meanwhile, and it does not: whoever is about to change it
//! has the rest of it given at once. Who deletes it, or sets another value, hands it over to the
//! snapshot, which gives it in pieces all the same and frees it then ([`large`]).
//!
//! A database that is flushed is taken apart by the snapshot instead, and freed on the way. One
//! that is exchanged with another keeps its walk and its number of the beginning. A snapshot that
//! is aborted leaves marks behind: its walks go on without a keeper until they are gone.
//!
//! An entry is given with the access clock that it has by then: reading is no change.
//!
//! # A known limit
//!
//! A command that changes *a part of* a large value that the walk has not passed, or gives it
//! another name, waits until all of it has been given. For an RDB file, which is not compressed
//! then, that took at the least, for a million elements of some 15 bytes each:
//!
//! ```text
//! hash 33 ms    set 22 ms    sorted set 14 ms    stream 4 ms    list 2 ms    string of 10 MB 1 ms
//! ```
//!
//! It happens once for each value and snapshot. With the same values, and one client that sends
//! requests one by one, no step of the walk kept the server for longer than 0.6 ms.

mod large;

use crate::{Db, Entry, Store};
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use large::{Given, Queue};
use vesta_ds::{KeyHasher, TableWalk, Value};
use vesta_types::DbIndex;

/// Whoever writes a snapshot down.
pub trait Keeper: fmt::Debug {
    /// Writes down an entry that `db` had when the snapshot began. It may have expired then; what
    /// that means is the keeper's affair. Each key comes once, databases and keys in any order.
    fn keep(&mut self, db: DbIndex, entry: &Entry);

    /// Whether an entry takes long to be written down, so that it is to be given in pieces: with
    /// [`Keeper::keep_some`] then, unless somebody waits who is about to change it.
    fn is_large(&self, entry: &Entry) -> bool {
        let _ = entry;
        false
    }

    /// Writes down a part of a large entry: begins with it, or goes on with it; whether it is
    /// complete. `budget` bounds the part: it is worth about so many short strings, or all that is
    /// left when there is no bound (`usize::MAX`). The entry is the same each time, and no other is
    /// given in parts before it is complete; but others may be given whole.
    fn keep_some(&mut self, db: DbIndex, entry: &Entry, budget: usize) -> bool {
        let _ = budget;
        self.keep(db, entry);
        true
    }

    /// Takes what has been written down and was not taken, or the first part of it; nothing when
    /// there is nothing.
    fn drain(&mut self) -> Vec<u8>;

    /// Writes down what marks the end, if there is such: every entry has been given.
    fn finish(&mut self) {}

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
    /// Entries that are given in pieces.
    large: Queue,
}

/// Where an entry of a table stands in the snapshot.
enum Standing {
    /// The walk has passed it, and it was given if it had to be.
    Passed,
    /// The walk has passed it, and it is being given in pieces, or going to be.
    InPieces,
    /// The walk comes to it.
    Ahead,
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
        match self.standing(progress, entry) {
            Standing::Passed => return,
            Standing::InPieces => {
                if let Some(keeper) = &mut self.keeper {
                    self.large.give_all(progress.db, entry, &mut **keeper);
                }
                return;
            }
            Standing::Ahead => {}
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

    fn standing(&self, progress: &Progress, entry: &Entry) -> Standing {
        if !progress.walk.has_passed(progress.hasher.hash(entry.key())) {
            Standing::Ahead
        } else if !self.large.is_empty() && self.large.has(progress.db, entry.key()) {
            Standing::InPieces
        } else {
            Standing::Passed
        }
    }

    /// As [`Snapshot::note`] for an entry that has left its table for good. It comes back unless it
    /// is to be given in pieces; then it stays here until it is, and on the accounts.
    #[inline(always)]
    pub(crate) fn let_go(&mut self, progress: Option<&Progress>, gone: Entry) -> Option<Entry> {
        match progress {
            Some(progress) => self.save_gone(progress, gone),
            None => Some(gone),
        }
    }

    #[cold]
    fn save_gone(&mut self, progress: &Progress, mut gone: Entry) -> Option<Entry> {
        if !self.gives_in_pieces(progress, &gone) {
            self.save(progress, &mut gone, Change::Leaves);
            return Some(gone);
        }
        self.large.take_over(progress.db, gone);
        None
    }

    /// Whether the snapshot needs an entry as it is, and in pieces.
    fn gives_in_pieces(&self, progress: &Progress, entry: &Entry) -> bool {
        let is_needed = match self.standing(progress, entry) {
            Standing::Passed => false,
            Standing::InPieces => true,
            Standing::Ahead => !entry.is_marked(),
        };
        is_needed && self.keeper.as_ref().is_some_and(|keeper| keeper.is_large(entry))
    }

    /// As [`Snapshot::note`] for an entry whose value is about to be replaced as a whole. Returns
    /// the bytes of what stays here, to be put on the accounts.
    #[cold]
    pub(crate) fn save_replaced(&mut self, progress: &Progress, entry: &mut Entry) -> usize {
        if !self.gives_in_pieces(progress, entry) {
            self.save(progress, entry, Change::Stays);
            return 0;
        }
        let (expiry, clock) = (entry.expiry(), entry.clock());
        let mut gone = match (entry.take_object(), entry.value()) {
            (Some(object), _) => Entry::with_object(entry.key(), object, expiry, clock),
            (None, Value::String(text)) => Entry::new(entry.key(), text.to_new(), expiry, clock),
            (None, Value::Packed(packed)) => Entry::with_packed(entry.key(), packed, expiry, clock),
            (None, Value::Object(_)) => unreachable!("the object was taken"),
        };
        gone.set_raw(entry.is_raw());
        let is_ahead = matches!(self.standing(progress, entry), Standing::Ahead);
        entry.set_marked(is_ahead);
        let bytes = gone.alloc_bytes();
        self.large.take_over(progress.db, gone);
        bytes
    }

    /// The walk over a database passes an entry.
    fn pass(&mut self, db: DbIndex, entry: &mut Entry) {
        if entry.is_marked() {
            entry.set_marked(false);
        } else if let Some(keeper) = &mut self.keeper {
            if keeper.is_large(entry) {
                self.large.push_kept(db, entry.key());
            } else {
                keeper.keep(db, entry);
            }
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

    /// Whether anything that is in no database any more waits to be given, and then freed.
    pub(crate) fn has_gone(&self) -> bool {
        !self.flushed.is_empty() || self.large.has_gone()
    }

    /// Bytes of the tables that were flushed, without their entries, and of lists.
    pub(crate) fn overhead_bytes(&self) -> usize {
        let tables: usize = self.flushed.iter().map(Db::heap_bytes).sum();
        tables + self.flushed.capacity() * size_of::<Db>() + self.large.heap_bytes()
    }

    fn is_walked(&self) -> bool {
        self.walks == 0 && self.flushed.is_empty() && self.large.is_empty()
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
        if !self.give_some(buckets) {
            let left = self.take_apart(buckets);
            self.walk_on(left);
        }
        self.ledger.snapshot.is_walked()
    }

    /// Whether the walk waits for a large entry to be given.
    #[must_use]
    pub fn gives_large(&self) -> bool {
        !self.ledger.snapshot.large.is_empty()
    }

    /// Gives what was deleted and is needed by a snapshot under way, bit by bit, and frees it.
    pub(crate) fn give_gone(&mut self, buckets: usize) {
        if !self.give_some(buckets) {
            self.take_apart(buckets);
        }
    }

    /// Gives a part of a large entry, worth `buckets` buckets; whether there was one.
    fn give_some(&mut self, buckets: usize) -> bool {
        let Self { dbs, ledger, trash, rules, .. } = self;
        let Snapshot { keeper: Some(keeper), large, flushed, .. } = &mut ledger.snapshot else {
            return false;
        };
        let find = |db: DbIndex, key: &[u8]| {
            let is_it = |other: &&Db| other.progress.as_ref().is_some_and(|it| it.db == db);
            let home = dbs.iter().chain(&*flushed).find(is_it)?;
            home.table.find(rules.hasher.hash(key), key)
        };
        match large.give_some(&mut **keeper, buckets, find) {
            None => return false,
            Some(Given::Part | Given::All) => {}
            Some(Given::Freed(entry)) => {
                ledger.entry_bytes -= entry.alloc_bytes();
                trash.throw(entry, ledger);
            }
        }
        true
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
        let mut large = core::mem::take(&mut ledger.snapshot.large);
        large.clear(|entry| {
            ledger.entry_bytes -= entry.alloc_bytes();
            trash.throw(entry, ledger);
        });
        for db in core::mem::take(&mut ledger.snapshot.flushed) {
            trash.throw_db(db, ledger);
        }
    }

    /// Takes what was flushed apart, up to about `buckets` buckets: gives what the keeper has not
    /// got and frees it. Returns how many of the buckets are left.
    fn take_apart(&mut self, mut buckets: usize) -> usize {
        let Self { ledger, trash, .. } = self;
        while buckets > 0
            && ledger.snapshot.large.is_empty()
            && let Some(mut db) = ledger.snapshot.flushed.pop()
        {
            while buckets > 0 && ledger.snapshot.large.is_empty() && !db.table.is_empty() {
                buckets -= 1;
                db.table.drain_some(1, |entry| {
                    ledger.let_go(db.progress.as_ref(), entry, trash);
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

    /// Walks on by up to `buckets` buckets, in the databases that have a walk, or up to something
    /// that is to be given in pieces.
    fn walk_on(&mut self, mut buckets: usize) {
        let Self { dbs, ledger, .. } = self;
        let snapshot = &mut ledger.snapshot;
        for db in dbs {
            while let Some(Progress { db: index, walk, .. }) = &mut db.progress {
                if buckets == 0 || !snapshot.large.is_empty() {
                    return;
                }
                buckets -= 1;
                db.table.walk(walk, |entry| snapshot.pass(*index, entry));
                // What is given in pieces is found by the walk that has passed it.
                if walk.is_over() && snapshot.large.is_empty() {
                    db.progress = None;
                    snapshot.walks -= 1;
                }
            }
        }
    }
}
