//! The large form of a sorted set: a table of members, and a counted tree of pointers to them.
//!
//! # Why this shape
//!
//! A sorted set is asked by name (ZSCORE, every ZADD) and by order (ranks, ranges). So there are
//! two structures over the same members: a hash [`Table`] that owns them, and a counted B+tree
//! that holds a copy of each pointer in the order of (score, name).
//!
//! ```text
//! table:  name -> pointer --------+      +-------+-----+------+
//!                                 +----> | score | len | name |   one allocation per member
//! tree:   rank -> hint, pointer --+      +-------+-----+------+
//! ```
//!
//! Every question about order is answered as a *rank* first: a range of scores or names is two
//! descents and then a range of ranks, which is counted by a subtraction and walked leaf by leaf.
//! There is one way to walk and one way to remove, whatever the question was.
//!
//! Scores are compared as integers of the same order; a minus zero keeps its sign and is equal to
//! zero; equal scores are ordered by name, byte by byte. NaN is refused by the caller.
//!
//! # Costs
//!
//! A member with a name of 14 bytes takes 24 for itself, 14 to 15 in the table and 13 to 15 in the
//! tree: 52 to 54 in all, measured in `benches/zset.rs`. Every operation on one member is O(log n)
//! with five nodes on its way at ten million, and allocates or frees a bounded number of
//! blocks of at most 4096 bytes, the table's directory excepted (see [`Table`]).
//!
//! # Memory safety
//!
//! The tree's pointers have no lifetime. The rule that keeps them good is in [`member`]: a view is
//! in the tree only while its member is in the table. Members enter the table before the tree
//! and leave it after the tree, and no operation ends in between.

mod bulk;
mod member;
mod range;
#[cfg(test)]
mod tests;

pub use bulk::Bulk;
pub use member::Scored;
pub use range::{LexBound, Members, ScoreBound};

use crate::btree::{Ordered, Probe, Seat, Tree};
use crate::hash::KeyHasher;
use crate::heap::Heap;
use crate::table::Table;
use core::fmt;
use core::ops::Range;
use member::{View, weight_of};

/// Members ordered by score and, among equal scores, by name.
///
/// Ranks count from 0, the member with the lowest score.
pub struct Zset {
    /// Never follows its pointers when it is dropped, so the order of the fields does not matter.
    tree: Tree<View>,
    table: Table<Scored>,
    /// Sum of the members' allocations.
    member_bytes: usize,
}

// SAFETY: the set owns its members and nodes, and shares them with nobody.
unsafe impl Send for Zset {}
// SAFETY: `&Zset` only reads.
unsafe impl Sync for Zset {}

/// What [`Zset::insert`] did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Placed {
    /// The member is new.
    Inserted,
    /// The member had another score.
    Updated {
        /// The score it had.
        old: f64,
    },
    /// The member had this score already (or the other zero), and keeps it.
    Unchanged,
}

impl Zset {
    /// An empty set. Allocates nothing.
    #[must_use]
    pub const fn new(hasher: KeyHasher) -> Self {
        Self { tree: Tree::new(), table: Table::new(hasher), member_bytes: 0 }
    }

    /// Number of members.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether there is no member.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// The score of a member.
    #[inline]
    #[must_use]
    pub fn score(&self, name: &[u8]) -> Option<f64> {
        Some(self.find(name)?.score())
    }

    /// How many members come before this one.
    #[must_use]
    pub fn rank(&self, name: &[u8]) -> Option<usize> {
        let seat = self.seat_of(self.find(name)?);
        Some(self.tree.rank_of(&seat))
    }

    /// The member with this rank, and its score.
    #[must_use]
    pub fn by_rank(&self, rank: usize) -> Option<(&[u8], f64)> {
        self.range_by_rank(rank..rank.saturating_add(1)).next()
    }

    /// Gives a member this score, and adds it if it is not there.
    ///
    /// # Panics
    /// If the score is NaN, which has no place in an order.
    pub fn insert(&mut self, name: &[u8], score: f64) -> Placed {
        assert!(!score.is_nan(), "a score is a number, as the caller has checked");
        let hash = self.table.hasher().hash(name);
        let Some(member) = self.table.find(hash, name) else {
            self.insert_new(hash, name, score);
            return Placed::Inserted;
        };
        let old = member.score();
        if old == score {
            return Placed::Unchanged;
        }
        // SAFETY: the member stays in the table, so the view is good in the tree.
        let view = unsafe { member.view() };
        let seat = self.seat_of(view);
        if self.tree.reweigh(&seat, weight_of(score)) {
            // SAFETY: `&mut self`, and the tree has been told.
            unsafe { view.set_score(score) };
        } else {
            self.take_seat(&seat, view);
            // SAFETY: `&mut self`, and the member is not in the tree.
            unsafe { view.set_score(score) };
            self.seat(view);
        }
        Placed::Updated { old }
    }

    /// Takes a member out and returns its score.
    pub fn remove(&mut self, name: &[u8]) -> Option<f64> {
        let hash = self.table.hasher().hash(name);
        let member = self.table.find(hash, name)?;
        // SAFETY: the view leaves the tree before the member leaves the table.
        let view = unsafe { member.view() };
        self.take_seat(&self.seat_of(view), view);
        Some(self.take_from_table(hash, name).score())
    }

    /// Takes the member with the lowest score out.
    pub fn pop_first(&mut self) -> Option<Scored> {
        self.pop(0)
    }

    /// Takes the member with the highest score out.
    pub fn pop_last(&mut self) -> Option<Scored> {
        self.pop(self.len().checked_sub(1)?)
    }

    /// All members, in order.
    #[must_use]
    pub fn iter(&self) -> Members<'_> {
        self.range_by_rank(0..self.len())
    }

    /// The members with these ranks; ranks beyond the last one are left out.
    #[must_use]
    pub fn range_by_rank(&self, ranks: Range<usize>) -> Members<'_> {
        let end = ranks.end.min(self.len());
        // SAFETY: the members in the tree are in the table, which is borrowed with the set.
        unsafe { Members::new(&self.tree, ranks.start.min(end)..end) }
    }

    /// The members between two scores.
    #[must_use]
    pub fn range_by_score(&self, min: ScoreBound, max: ScoreBound) -> Members<'_> {
        self.range_by_rank(self.ranks_by_score(min, max))
    }

    /// The members between two names, for sets whose scores are all equal; otherwise it is
    /// unspecified which members these are.
    #[must_use]
    pub fn range_by_lex(&self, min: LexBound<'_>, max: LexBound<'_>) -> Members<'_> {
        self.range_by_rank(self.ranks_by_lex(min, max))
    }

    /// The ranks of the members between two scores; their count is the range's length. O(log n).
    #[must_use]
    pub fn ranks_by_score(&self, min: ScoreBound, max: ScoreBound) -> Range<usize> {
        range::ranks_by_score(&self.tree, min, max)
    }

    /// The ranks of the members between two names; see [`Zset::range_by_lex`]. O(log n).
    #[must_use]
    pub fn ranks_by_lex(&self, min: LexBound<'_>, max: LexBound<'_>) -> Range<usize> {
        range::ranks_by_lex(&self.tree, min, max)
    }

    /// Number of members between two scores. O(log n).
    #[must_use]
    pub fn count_in_score_range(&self, min: ScoreBound, max: ScoreBound) -> usize {
        self.ranks_by_score(min, max).len()
    }

    /// Number of members between two names; see [`Zset::range_by_lex`]. O(log n).
    #[must_use]
    pub fn count_in_lex_range(&self, min: LexBound<'_>, max: LexBound<'_>) -> usize {
        self.ranks_by_lex(min, max).len()
    }

    /// Takes the members with these ranks out, one by one in order, and hands each to `each`.
    /// Returns how many they were. O(log n) for each.
    pub fn remove_range_by_rank(
        &mut self,
        ranks: Range<usize>,
        mut each: impl FnMut(Scored),
    ) -> usize {
        let end = ranks.end.min(self.len());
        let start = ranks.start.min(end);
        for _ in start..end {
            each(self.take(&self.tree.seat_at(start)));
        }
        end - start
    }

    /// Takes the members between two scores out; see [`Zset::remove_range_by_rank`].
    pub fn remove_range_by_score(
        &mut self,
        min: ScoreBound,
        max: ScoreBound,
        each: impl FnMut(Scored),
    ) -> usize {
        self.remove_range_by_rank(self.ranks_by_score(min, max), each)
    }

    /// Takes the members between two names out; see [`Zset::remove_range_by_rank`] and
    /// [`Zset::range_by_lex`].
    pub fn remove_range_by_lex(
        &mut self,
        min: LexBound<'_>,
        max: LexBound<'_>,
        each: impl FnMut(Scored),
    ) -> usize {
        self.remove_range_by_rank(self.ranks_by_lex(min, max), each)
    }

    /// Visits some members for ZSCAN and returns the next cursor; 0 starts a scan and ends it.
    /// Gives the guarantees of [`Table::scan`].
    pub fn scan(&self, cursor: u64, mut each: impl FnMut(&[u8], f64)) -> u64 {
        self.table.scan(cursor, |member| each(member.name(), member.score()))
    }

    /// A member drawn fairly: each has the same chance. `rng` gives uniform 64-bit numbers.
    pub fn random(&self, rng: &mut impl FnMut() -> u64) -> Option<(&[u8], f64)> {
        let rank = (u128::from(rng()) * self.len() as u128) >> u64::BITS;
        self.by_rank(rank as usize)
    }

    /// Drops at least `max_members` members from the end (and at most one leaf more, some 60), or
    /// all. Returns how many went. With this a set of millions is freed in slices; the rest of
    /// it remains usable.
    pub fn drain_some(&mut self, max_members: usize) -> usize {
        let before = self.len();
        while before - self.len() < max_members {
            let (table, bytes) = (&mut self.table, &mut self.member_bytes);
            let popped = self.tree.pop_leaf(|views| {
                views.iter().for_each(|view| view.prefetch());
                for view in views {
                    // SAFETY: the member is in the table, and its name is used until the table
                    // gives the member back, not longer.
                    let name = unsafe { view.name() };
                    let member = table.remove(table.hasher().hash(name), name);
                    *bytes -= member.map_or(0, |member| member.alloc_bytes());
                }
            });
            if popped == 0 {
                break;
            }
        }
        before - self.len()
    }

    fn find(&self, name: &[u8]) -> Option<View> {
        let member = self.table.find(self.table.hasher().hash(name), name)?;
        // SAFETY: callers use the view while the member is in the table.
        Some(unsafe { member.view() })
    }

    /// Where a member is in the tree, in which it must be.
    #[inline]
    fn seat_of(&self, view: View) -> Seat {
        // SAFETY: the view's member lives, and so do those of the views in the tree; the names
        // are not kept.
        let up_to = |other: View| unsafe { other == view || other.name() < view.name() };
        let seat = self.tree.seek_last(&Probe { weight: Some(view.weight()), before: up_to });
        seat.expect("a member in the table is in the tree")
    }

    /// Puts a member that is in the table into the tree.
    fn seat(&mut self, view: View) {
        // SAFETY: as above.
        let before = |other: View| unsafe { other.name() < view.name() };
        let seat = self.tree.seek(&Probe { weight: Some(view.weight()), before });
        self.tree.insert(&seat, view);
    }

    fn insert_new(&mut self, hash: u64, name: &[u8], score: f64) {
        let member = Scored::new(name, score);
        self.member_bytes += member.alloc_bytes();
        // SAFETY: the member goes into the table now, and leaves it after the tree.
        let view = unsafe { member.view() };
        self.table.insert_new(hash, member);
        self.seat(view);
    }

    fn pop(&mut self, rank: usize) -> Option<Scored> {
        (rank < self.len()).then(|| self.take(&self.tree.seat_at(rank)))
    }

    /// Takes the member at a seat out of the tree, then out of the table.
    fn take(&mut self, seat: &Seat) -> Scored {
        let view = self.tree.remove(seat);
        // SAFETY: the member is still in the table, and its name is used until it leaves.
        let name = unsafe { view.name() };
        self.take_from_table(self.table.hasher().hash(name), name)
    }

    /// Takes the view that is known to be at a seat out of the tree.
    fn take_seat(&mut self, seat: &Seat, view: View) {
        let taken = self.tree.remove(seat);
        assert!(taken == view, "a member in the table is in the tree, where its order says");
    }

    /// Takes a member out of the table that has left the tree.
    fn take_from_table(&mut self, hash: u64, name: &[u8]) -> Scored {
        let member = self.table.remove(hash, name);
        let member = member.expect("a member that was in the tree is in the table");
        self.member_bytes -= member.alloc_bytes();
        member
    }
}

impl Heap for Zset {
    /// Members, table and tree.
    fn heap_bytes(&self) -> usize {
        self.member_bytes + self.table.heap_bytes() + self.tree.heap_bytes()
    }
}

impl<'a> IntoIterator for &'a Zset {
    type Item = (&'a [u8], f64);
    type IntoIter = Members<'a>;

    fn into_iter(self) -> Members<'a> {
        self.iter()
    }
}

impl fmt::Debug for Zset {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Zset")
            .field("len", &self.len())
            .field("heap_bytes", &self.heap_bytes())
            .finish_non_exhaustive()
    }
}
