//! Ends of ranges, and the walk over a range.

use super::member::View;
use crate::btree::{Ordered, Probe, Tree};
use core::iter::FusedIterator;
use core::ops::Range;

/// Members that are asked for ahead of the one that is handed out.
const AHEAD: usize = 8;

/// One end of a range of scores. Infinities are ordinary scores; NaN is the caller's to refuse.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ScoreBound {
    /// This score and beyond, inwards.
    Inclusive(f64),
    /// Only what lies beyond this score, inwards.
    Exclusive(f64),
}

/// One end of a range of names, for sets whose scores are all equal.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LexBound<'a> {
    /// Before every name (`-`).
    Min,
    /// Behind every name (`+`).
    Max,
    /// This name and beyond, inwards (`[name`).
    Inclusive(&'a [u8]),
    /// Only what lies beyond this name, inwards (`(name`).
    Exclusive(&'a [u8]),
}

/// Members in order with their scores, from both ends. Knows its length.
#[derive(Clone)]
pub struct Members<'a> {
    tree: &'a Tree<View>,
    /// Ranks that are left.
    ranks: Range<usize>,
    /// What is left, at least, of the leaf that holds the first rank.
    front: &'a [View],
    /// The same for the last rank.
    back: &'a [View],
}

impl<'a> Members<'a> {
    /// The members with these ranks, which exist.
    ///
    /// # Safety
    /// The members in the tree live for `'a`.
    pub(super) unsafe fn new(tree: &'a Tree<View>, ranks: Range<usize>) -> Self {
        Self { tree, ranks, front: &[], back: &[] }
    }

    /// What a view stands for.
    #[inline(always)]
    fn open(view: View) -> (&'a [u8], f64) {
        // SAFETY: views come from the tree, whose members live for 'a, as `new` was promised.
        (unsafe { view.name() }, view.score())
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = (&'a [u8], f64);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.ranks.is_empty() {
            return None;
        }
        if self.front.is_empty() {
            let (items, at) = self.tree.leaf_at(self.ranks.start);
            self.front = items.get(at..).unwrap_or_default();
            self.front.iter().take(AHEAD).for_each(|view| view.prefetch());
        }
        let (view, rest) = self.front.split_first()?;
        self.front = rest;
        self.ranks.start += 1;
        if let Some(view) = rest.get(AHEAD - 1) {
            view.prefetch();
        }
        Some(Self::open(*view))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.ranks.len(), Some(self.ranks.len()))
    }
}

impl DoubleEndedIterator for Members<'_> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        if self.ranks.is_empty() {
            return None;
        }
        if self.back.is_empty() {
            let (items, at) = self.tree.leaf_at(self.ranks.end - 1);
            self.back = items.get(..=at).unwrap_or_default();
            self.back.iter().rev().take(AHEAD).for_each(|view| view.prefetch());
        }
        let (view, rest) = self.back.split_last()?;
        self.back = rest;
        self.ranks.end -= 1;
        if let Some(view) = rest.len().checked_sub(AHEAD).and_then(|at| rest.get(at)) {
            view.prefetch();
        }
        Some(Self::open(*view))
    }
}

impl ExactSizeIterator for Members<'_> {}
impl FusedIterator for Members<'_> {}

/// The ranks between two ends; empty if the ends are the wrong way round.
pub(super) fn ranks_by_score(tree: &Tree<View>, min: ScoreBound, max: ScoreBound) -> Range<usize> {
    // The point lies before the members of that very score, or behind them.
    let rank = |score: f64, behind: bool| {
        let weight = Some(super::member::weight_of(score));
        tree.rank_of(&tree.seek(&Probe { weight, before: |_| behind }))
    };
    let start = match min {
        ScoreBound::Inclusive(score) => rank(score, false),
        ScoreBound::Exclusive(score) => rank(score, true),
    };
    let end = match max {
        ScoreBound::Inclusive(score) => rank(score, true),
        ScoreBound::Exclusive(score) => rank(score, false),
    };
    start..end.max(start)
}

/// The ranks between two ends; empty if the ends are the wrong way round, and unspecified (but
/// within the set) if scores differ.
pub(super) fn ranks_by_lex(
    tree: &Tree<View>,
    min: LexBound<'_>,
    max: LexBound<'_>,
) -> Range<usize> {
    let before = |point: &[u8]| rank_by_name(tree, |name| name < point);
    let behind = |point: &[u8]| rank_by_name(tree, |name| name <= point);
    let start = match min {
        LexBound::Min => 0,
        LexBound::Max => tree.len(),
        LexBound::Inclusive(name) => before(name),
        LexBound::Exclusive(name) => behind(name),
    };
    let end = match max {
        LexBound::Min => 0,
        LexBound::Max => tree.len(),
        LexBound::Inclusive(name) => behind(name),
        LexBound::Exclusive(name) => before(name),
    };
    start..end.max(start)
}

fn rank_by_name(tree: &Tree<View>, passes: impl Fn(&[u8]) -> bool) -> usize {
    // SAFETY: a view in the tree belongs to a living member, and the name is not kept.
    let before = |view: View| passes(unsafe { view.name() });
    tree.rank_of(&tree.seek(&Probe { weight: None, before }))
}
