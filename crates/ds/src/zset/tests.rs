//! The set against a sorted vector.

use super::member::weight_of;
use super::{LexBound, Placed, ScoreBound, Scored, Zset};
use crate::hash::KeyHasher;
use crate::heap::Heap;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::format;
use std::vec::Vec;

/// (weight, name) and the score as it was given.
type Row = ((u64, Vec<u8>), f64);

/// A set and the sorted rows that it should be like.
struct Pair {
    set: Zset,
    rows: Vec<Row>,
}

/// Name number `number`; some are long, one is empty.
fn name(number: u16) -> Vec<u8> {
    match number {
        0 => Vec::new(),
        _ if number.is_multiple_of(13) => format!("{number:>0300}").into_bytes(),
        _ => format!("member:{number}").into_bytes(),
    }
}

fn small_set() -> Zset {
    Zset::new(KeyHasher::new(3))
}

impl Pair {
    fn new() -> Self {
        Self { set: small_set(), rows: Vec::new() }
    }

    fn rank(&self, name: &[u8]) -> Option<usize> {
        self.rows.iter().position(|row| row.0.1 == name)
    }

    fn insert(&mut self, name: &[u8], score: f64) {
        let placed = match self.rank(name) {
            Some(rank) if self.rows[rank].1 == score => Placed::Unchanged,
            Some(rank) => Placed::Updated { old: self.rows.remove(rank).1 },
            None => Placed::Inserted,
        };
        if placed != Placed::Unchanged {
            let key = (weight_of(score), name.to_vec());
            let rank = self.rows.partition_point(|row| row.0 < key);
            self.rows.insert(rank, (key, score));
        }
        assert_eq!(self.set.insert(name, score), placed);
    }

    fn remove(&mut self, name: &[u8]) {
        let old = self.rank(name).map(|rank| self.rows.remove(rank).1);
        assert_eq!(self.set.remove(name), old);
    }

    fn pop(&mut self, last: bool) {
        let rank = if last { self.rows.len().saturating_sub(1) } else { 0 };
        let row = (rank < self.rows.len()).then(|| self.rows.remove(rank));
        let popped = if last { self.set.pop_last() } else { self.set.pop_first() };
        assert_eq!(popped.as_ref().map(Scored::name), row.as_ref().map(|row| &row.0.1[..]));
        assert_eq!(popped.as_ref().map(Scored::score), row.map(|row| row.1));
    }

    fn ranks_by_score(&self, min: ScoreBound, max: ScoreBound) -> core::ops::Range<usize> {
        let scores = || self.rows.iter().map(|row| row.1);
        let start = scores().take_while(|score| match min {
            ScoreBound::Inclusive(min) => *score < min,
            ScoreBound::Exclusive(min) => *score <= min,
        });
        let end = scores().take_while(|score| match max {
            ScoreBound::Inclusive(max) => *score <= max,
            ScoreBound::Exclusive(max) => *score < max,
        });
        let start = start.count();
        start..end.count().max(start)
    }

    /// Checks everything that can be asked by order or by name.
    fn check(&self) {
        self.set.tree.check();
        assert_eq!((self.set.len(), self.set.tree.len()), (self.rows.len(), self.rows.len()));
        let rows = || self.rows.iter().map(|row| (&row.0.1[..], row.1));
        assert!(self.set.iter().eq(rows()));
        assert!(self.set.iter().rev().eq(rows().rev()));
        let signs = |scores: &mut dyn Iterator<Item = f64>| {
            scores.map(f64::is_sign_negative).collect::<Vec<_>>()
        };
        let ours = signs(&mut self.set.iter().map(|member| member.1));
        assert_eq!(ours, signs(&mut rows().map(|row| row.1)));
        for (rank, row) in self.rows.iter().enumerate().step_by(7) {
            assert_eq!(self.set.score(&row.0.1), Some(row.1));
            assert_eq!(self.set.rank(&row.0.1), Some(rank));
            assert_eq!(self.set.by_rank(rank), Some((&row.0.1[..], row.1)));
        }
        let members: usize = self.set.table.iter().map(Scored::alloc_bytes).sum();
        assert_eq!(members, self.set.member_bytes);
    }

    /// Walks a range from both ends at once.
    fn walk(&self, ranks: core::ops::Range<usize>, turns: u64) {
        let mut walk = self.set.range_by_rank(ranks.clone());
        let rows = self.rows.get(ranks.start.min(self.rows.len())..).unwrap_or_default();
        let mut rows = rows.iter().take(ranks.len()).map(|row| (&row.0.1[..], row.1));
        for turn in 0.. {
            assert_eq!(walk.len(), rows.len());
            let (ours, theirs) = match turns >> (turn % 64) & 1 {
                0 => (walk.next(), rows.next()),
                _ => (walk.next_back(), rows.next_back()),
            };
            assert_eq!(ours, theirs);
            if ours.is_none() {
                break;
            }
        }
    }
}

#[derive(Clone, Debug)]
enum Op {
    Insert(u16, f64),
    Fill { from: u16, count: u16, score: f64, step: f64 },
    Remove(u16),
    Pop { last: bool, count: usize },
    RemoveRanks(usize, usize),
    RemoveScores(ScoreBound, ScoreBound),
    CountScores(ScoreBound, ScoreBound),
    Walk(usize, usize, u64),
    Drain(usize),
}

fn score() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => (-20..20i32).prop_map(f64::from),
        2 => (1_700_000_000..1_700_001_000u32).prop_map(f64::from),
        1 => prop_oneof![
            Just(0.0), Just(-0.0), Just(f64::INFINITY), Just(f64::NEG_INFINITY),
            Just(f64::MIN), Just(f64::MAX), Just(5e-324),
        ],
        2 => any::<f64>().prop_filter("not NaN", |score| !score.is_nan()),
    ]
}

fn score_bound() -> impl Strategy<Value = ScoreBound> {
    (score(), any::<bool>()).prop_map(|(score, exclusive)| match exclusive {
        true => ScoreBound::Exclusive(score),
        false => ScoreBound::Inclusive(score),
    })
}

fn op() -> impl Strategy<Value = Op> {
    let step = prop_oneof![Just(0.0), Just(1.0), Just(-1.0), Just(0.001), Just(1e300)];
    prop_oneof![
        4 => (0..600u16, score()).prop_map(|(number, score)| Op::Insert(number, score)),
        3 => (0..600u16, 0..300u16, score(), step)
            .prop_map(|(from, count, score, step)| Op::Fill { from, count, score, step }),
        2 => (0..600u16).prop_map(Op::Remove),
        1 => (any::<bool>(), 0..60usize).prop_map(|(last, count)| Op::Pop { last, count }),
        1 => (0..600usize, 0..150usize).prop_map(|(from, count)| Op::RemoveRanks(from, count)),
        1 => (score_bound(), score_bound()).prop_map(|(min, max)| Op::RemoveScores(min, max)),
        2 => (score_bound(), score_bound()).prop_map(|(min, max)| Op::CountScores(min, max)),
        2 => (0..600usize, 0..400usize, any::<u64>())
            .prop_map(|(from, count, turns)| Op::Walk(from, count, turns)),
        1 => (0..200usize).prop_map(Op::Drain),
    ]
}

proptest! {
    #[test]
    fn the_set_is_like_sorted_rows(ops in proptest::collection::vec(op(), 1..40)) {
        let mut pair = Pair::new();
        for op in ops {
            match op {
                Op::Insert(number, score) => pair.insert(&name(number), score),
                Op::Fill { from, count, score, step } => {
                    for index in 0..count {
                        let score = score + f64::from(index) * step;
                        let score = if score.is_nan() { 0.0 } else { score };
                        pair.insert(&name((from + index) % 600), score);
                    }
                }
                Op::Remove(number) => pair.remove(&name(number)),
                Op::Pop { last, count } => (0..count).for_each(|_| pair.pop(last)),
                Op::RemoveRanks(from, count) => {
                    let end = (from + count).min(pair.rows.len());
                    let rows: Vec<_> = pair.rows.drain(from.min(end)..end).collect();
                    let mut removed = Vec::new();
                    let count = pair.set.remove_range_by_rank(from..from + count, |member| {
                        removed.push((member.name().to_vec(), member.score()));
                    });
                    prop_assert_eq!(count, rows.len());
                    let rows: Vec<_> = rows.into_iter().map(|row| (row.0.1, row.1)).collect();
                    prop_assert_eq!(removed, rows);
                }
                Op::RemoveScores(min, max) => {
                    let gone = pair.rows.drain(pair.ranks_by_score(min, max)).count();
                    prop_assert_eq!(pair.set.remove_range_by_score(min, max, drop), gone);
                }
                Op::CountScores(min, max) => {
                    let ranks = pair.ranks_by_score(min, max);
                    prop_assert_eq!(pair.set.ranks_by_score(min, max), ranks.clone());
                    prop_assert_eq!(pair.set.count_in_score_range(min, max), ranks.len());
                    let rows = pair.rows[ranks].iter().map(|row| (&row.0.1[..], row.1));
                    prop_assert!(pair.set.range_by_score(min, max).eq(rows));
                }
                Op::Walk(from, count, turns) => pair.walk(from..from + count, turns),
                Op::Drain(count) => {
                    let gone = pair.set.drain_some(count);
                    prop_assert!(gone >= count.min(pair.rows.len()) && gone < count + 62);
                    pair.rows.truncate(pair.rows.len() - gone);
                }
            }
            pair.check();
        }
        while pair.set.drain_some(100) > 0 {}
        prop_assert_eq!((pair.set.len(), pair.set.heap_bytes()), (0, 0));
    }

    #[test]
    fn names_of_equal_scores_are_ranges(
        numbers in proptest::collection::btree_set(0..3000u16, 0..900),
        ends in proptest::collection::vec((0..3100u16, 0..3100u16, any::<(bool, bool)>()), 1..20),
    ) {
        let names: BTreeSet<Vec<u8>> = numbers.into_iter().map(name).collect();
        let mut set = small_set();
        names.iter().for_each(|name| assert_eq!(set.insert(name, 0.0), Placed::Inserted));
        for (min, max, (min_open, max_open)) in ends {
            let (min, max) = (name(min), name(max));
            let low = if min_open { LexBound::Exclusive(&min) } else { LexBound::Inclusive(&min) };
            let high = if max_open { LexBound::Exclusive(&max) } else { LexBound::Inclusive(&max) };
            let above = |name: &&Vec<u8>| if min_open { **name > min } else { **name >= min };
            let below = |name: &&Vec<u8>| if max_open { **name < max } else { **name <= max };
            let both = names.iter().filter(|name| above(name) && below(name));
            prop_assert!(set.range_by_lex(low, high).map(|member| member.0).eq(both.clone()));
            prop_assert_eq!(set.count_in_lex_range(low, high), both.clone().count());
            let up = names.iter().filter(above);
            prop_assert_eq!(set.count_in_lex_range(low, LexBound::Max), up.count());
            let down = names.iter().filter(below);
            prop_assert_eq!(set.count_in_lex_range(LexBound::Min, high), down.count());
            prop_assert_eq!(set.count_in_lex_range(LexBound::Max, LexBound::Min), 0);
        }
        let mut gone = Vec::new();
        set.remove_range_by_lex(LexBound::Min, LexBound::Max, |member| {
            gone.push(member.name().to_vec());
        });
        prop_assert!(gone.iter().eq(&names));
    }

    #[test]
    fn names_are_asked_for_among_unequal_scores_without_harm(
        rows in proptest::collection::vec((0..3000u16, score()), 0..500),
        min in 0..3000u16,
        max in 0..3000u16,
    ) {
        let mut set = small_set();
        for (number, score) in rows {
            set.insert(&name(number), score);
        }
        let (min, max) = (name(min), name(max));
        let (low, high) = (LexBound::Inclusive(&min[..]), LexBound::Exclusive(&max[..]));
        prop_assert!(set.ranks_by_lex(low, high).end <= set.len());
        let (before, gone) = (set.len(), set.remove_range_by_lex(low, high, drop));
        prop_assert_eq!(set.len(), before - gone);
        set.tree.check();
    }
}

#[test]
fn zeros_are_equal_and_keep_the_sign_they_came_with() {
    let mut set = small_set();
    set.insert(b"b", -0.0);
    set.insert(b"a", 0.0);
    assert_eq!(set.insert(b"b", 0.0), Placed::Unchanged);
    assert!(set.score(b"b").unwrap().is_sign_negative());
    let names: Vec<_> = set.iter().map(|member| member.0).collect();
    assert_eq!(names, [b"a", b"b"]);
    let zero = ScoreBound::Inclusive(-0.0);
    assert_eq!(set.count_in_score_range(zero, zero), 2);
}

#[test]
fn a_scan_delivers_what_stays_while_the_set_grows_and_shrinks() {
    let mut set = small_set();
    for number in 0..500u16 {
        set.insert(&name(number), f64::from(number));
    }
    let (mut seen, mut cursor, mut turn) = (BTreeSet::new(), 0, 0u16);
    loop {
        cursor = set.scan(cursor, |name, score| {
            seen.insert((name.to_vec(), score as u16));
        });
        if cursor == 0 {
            break;
        }
        turn += 1;
        for number in [1000, 1001] {
            if turn / 20 % 2 == 0 {
                set.insert(&name(number + turn * 2), 7.0);
            } else {
                set.remove(&name(number + (turn - 20) * 2));
            }
        }
    }
    assert!((0..500).all(|number| seen.contains(&(name(number), number))));
}

#[test]
fn draws_are_fair() {
    let mut set = small_set();
    assert!(set.random(&mut || 0).is_none());
    for number in 0..300u16 {
        set.insert(&name(number), f64::from(number % 7));
    }
    let (mut hits, mut state) = ([0u32; 300], 0u64);
    let mut rng = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        state
    };
    for _ in 0..30_000 {
        let (name, _) = set.random(&mut rng).unwrap();
        hits[set.rank(name).unwrap()] += 1;
    }
    assert!(hits.iter().all(|hits| (80..=120).contains(hits)), "{hits:?}");
}
