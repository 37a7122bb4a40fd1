//! Entries that are too large to be given in one go.
//!
//! One at a time is *open*: the keeper has a part of it. Others wait for their turn: those that the
//! walk has passed meanwhile, at most a bucket of them, and those that have left their table before
//! the walk got to them, which belong to the snapshot then.

use super::Keeper;
use crate::Entry;
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use vesta_types::DbIndex;

/// Strings that one call may give for each bucket that it may visit: so many are in a bucket.
const STRINGS_PER_BUCKET: usize = 10;

/// A large entry.
#[derive(Debug)]
enum Large {
    Kept(Kept),
    Gone(Gone),
}

/// One that is in its table and has not changed since the walk passed it. The database has the
/// number that it had when the snapshot began.
#[derive(Debug)]
struct Kept {
    db: DbIndex,
    key: Box<[u8]>,
}

/// One that is in no table any more. It is on the accounts.
#[derive(Debug)]
struct Gone {
    db: DbIndex,
    entry: Entry,
}

/// The large entries that are to be given.
#[derive(Debug, Default)]
pub(super) struct Queue {
    open: Option<Large>,
    kept: Vec<Kept>,
    gone: VecDeque<Gone>,
}

/// What came of giving a part of the open entry.
pub(super) enum Given {
    /// It is not complete.
    Part,
    /// It is complete and stays in its table.
    All,
    /// It is complete and can be freed.
    Freed(Entry),
}

impl Kept {
    fn is(&self, db: DbIndex, key: &[u8]) -> bool {
        self.db == db && *self.key == *key
    }
}

impl Queue {
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_none() && self.kept.is_empty() && self.gone.is_empty()
    }

    /// Whether any of the entries is in no table.
    pub(super) fn has_gone(&self) -> bool {
        !self.gone.is_empty() || matches!(self.open, Some(Large::Gone(_)))
    }

    /// Bytes of the lists, without the entries.
    pub(super) fn heap_bytes(&self) -> usize {
        self.kept.capacity() * size_of::<Kept>() + self.gone.capacity() * size_of::<Gone>()
    }

    /// The walk has passed an entry that is to be given in pieces.
    pub(super) fn push_kept(&mut self, db: DbIndex, key: &[u8]) {
        self.kept.push(Kept { db, key: key.into() });
    }

    /// An entry that is to be given in pieces has left its table.
    pub(super) fn push_gone(&mut self, db: DbIndex, entry: Entry) {
        self.gone.push_back(Gone { db, entry });
    }

    /// Whether an entry that is in its table is to be given.
    pub(super) fn has(&self, db: DbIndex, key: &[u8]) -> bool {
        self.is_open(db, key) || self.kept.iter().any(|kept| kept.is(db, key))
    }

    fn is_open(&self, db: DbIndex, key: &[u8]) -> bool {
        matches!(&self.open, Some(Large::Kept(open)) if open.is(db, key))
    }

    /// Gives all that is left of an entry that is here, because it is about to change.
    pub(super) fn give_all(&mut self, db: DbIndex, entry: &Entry, keeper: &mut dyn Keeper) {
        if self.is_open(db, entry.key()) {
            let is_done = keeper.keep_some(db, entry, usize::MAX);
            assert!(is_done, "a keeper with no bound keeps all");
            self.open = None;
        } else {
            keeper.keep(db, entry);
            self.kept.retain(|kept| !kept.is(db, entry.key()));
        }
    }

    /// Takes over an entry that is here and has left its table, or its old value has: what was
    /// given of it holds.
    pub(super) fn take_over(&mut self, db: DbIndex, entry: Entry) {
        if self.is_open(db, entry.key()) {
            self.open = Some(Large::Gone(Gone { db, entry }));
        } else {
            self.kept.retain(|kept| !kept.is(db, entry.key()));
            self.push_gone(db, entry);
        }
    }

    /// Gives a part of the next entry, worth `buckets` buckets, if there is one. `find` finds one
    /// that is in its table.
    pub(super) fn give_some<'e>(
        &mut self,
        keeper: &mut dyn Keeper,
        buckets: usize,
        find: impl Fn(DbIndex, &[u8]) -> Option<&'e Entry>,
    ) -> Option<Given> {
        let budget = buckets.saturating_mul(STRINGS_PER_BUCKET);
        let next = || {
            let kept = self.kept.pop().map(Large::Kept);
            kept.or_else(|| self.gone.pop_front().map(Large::Gone))
        };
        let next = self.open.take().or_else(next)?;
        let is_done = match &next {
            Large::Kept(Kept { db, key }) => {
                let entry = find(*db, key).expect("what is given in pieces stays where it is");
                keeper.keep_some(*db, entry, budget)
            }
            Large::Gone(Gone { db, entry }) => keeper.keep_some(*db, entry, budget),
        };
        Some(match next {
            _ if !is_done => {
                self.open = Some(next);
                Given::Part
            }
            Large::Kept(_) => Given::All,
            Large::Gone(gone) => Given::Freed(gone.entry),
        })
    }

    /// Forgets all entries and hands those that are in no table to `free`.
    pub(super) fn clear(&mut self, mut free: impl FnMut(Entry)) {
        let Self { open, kept: _, gone } = core::mem::take(self);
        if let Some(Large::Gone(open)) = open {
            free(open.entry);
        }
        gone.into_iter().for_each(|gone| free(gone.entry));
    }
}
