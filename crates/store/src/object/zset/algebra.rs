//! What sorted sets have in common, together, or not; plain sets take part with scores of 1.
//!
//! Each operation gives its members in order, as references into the sources: what is only shown
//! is never copied, and what is kept is made in one go ([`Zset::from_sorted`]).
//!
//! An intersection looks the members of the smallest source up in all others. A union looks nothing
//! up: the members of all sources go into one list with their hashes, which is sorted by them, and
//! equal names then lie side by side, in the order of their sources. That reads memory in order,
//! where a lookup per member waits for it, and costs the same whether there are two sources or a
//! thousand. A difference does the one or the other, whichever is cheaper.
//!
//! # Sums
//!
//! Floats do not add up the same in every order, so sources are taken from the smallest to the
//! largest, and among equals as they were given. A product or sum that is no number counts as 0:
//! infinity times 0, infinity minus infinity. Only the products of an intersection's later sources
//! are left as they are, and then make their sum 0 and are ignored by minimum and maximum. Source:
//! all of it observed on redis-server 7.0.15.

use super::Zset;
use crate::object::{Kind, Object, Rules, Set};
use alloc::vec::Vec;
use core::cmp::Ordering;
use vesta_ds::{Digits, Element};

/// Lookups that take as long as carrying a member through [`by_name`], about.
const LOOKUPS_PER_MEMBER: usize = 4;

/// A member with its score.
pub type Ranked<'s> = (Element<'s>, f64);

/// What takes part in an operation.
#[derive(Clone, Copy)]
pub enum Source<'s> {
    /// Members with scores of 1.
    Set(&'s Set),
    /// Members with scores.
    Zset(&'s Zset),
}

/// A source, and what its scores are multiplied by.
#[derive(Clone, Copy)]
pub struct Weighted<'s> {
    /// The source.
    pub source: Source<'s>,
    /// The factor.
    pub weight: f64,
}

/// What becomes of the scores that a member has in several sources.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Aggregate {
    /// They are added.
    Sum,
    /// The lowest is taken.
    Min,
    /// The highest is taken.
    Max,
}

impl Aggregate {
    fn combine(self, one: f64, other: f64) -> f64 {
        match self {
            Self::Sum => number_or_zero(one + other),
            Self::Min => {
                if other < one {
                    other
                } else {
                    one
                }
            }
            Self::Max => {
                if other > one {
                    other
                } else {
                    one
                }
            }
        }
    }
}

impl<'s> Source<'s> {
    /// The value as a source; `None` if it is neither a set nor a sorted set.
    #[must_use]
    pub fn of(object: &'s Object) -> Option<Self> {
        Set::of(object).map(Self::Set).or_else(|| Zset::of(object).map(Self::Zset))
    }

    /// Number of members.
    #[must_use]
    pub fn len(self) -> usize {
        match self {
            Self::Set(set) => set.len(),
            Self::Zset(zset) => zset.len(),
        }
    }

    /// Whether there is no member.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    fn score(self, name: Element<'_>) -> Option<f64> {
        match self {
            Self::Set(set) => set.contains(name).then_some(1.0),
            Self::Zset(zset) => zset.score(name.text(&mut Digits::new())),
        }
    }

    /// Shows `each` the members, until it breaks off with `false`.
    fn each(self, mut each: impl FnMut(Ranked<'s>) -> bool) {
        match self {
            Self::Set(set) => {
                set.iter().all(|name| each((name, 1.0)));
            }
            Self::Zset(zset) => {
                zset.iter().all(each);
            }
        }
    }
}

impl Weighted<'_> {
    fn weighed(&self, score: f64) -> f64 {
        number_or_zero(self.weight * score)
    }
}

/// The members that any of `sources` has.
#[must_use]
pub fn union<'s>(
    sources: &mut [Weighted<'s>],
    aggregate: Aggregate,
    rules: &Rules,
) -> Vec<Ranked<'s>> {
    sources.sort_by_key(|source| source.source.len());
    let mut all = Vec::with_capacity(total(sources.iter().map(|source| source.source)));
    for source in &*sources {
        source.source.each(|(name, score)| {
            all.push(Named::new(name, source.weighed(score), rules));
            true
        });
    }
    let groups = by_name(&mut all);
    let score = |group: &[Named<'s, f64>]| {
        let scores = group.iter().map(|named| named.value);
        Some((group.first()?.name, scores.reduce(|one, other| aggregate.combine(one, other))?))
    };
    ranked(groups.filter_map(score).collect())
}

/// The members that all of `sources` have.
#[must_use]
pub fn intersection<'s>(sources: &mut [Weighted<'s>], aggregate: Aggregate) -> Vec<Ranked<'s>> {
    sources.sort_by_key(|source| source.source.len());
    let Some((smallest, others)) = sources.split_first() else { return Vec::new() };
    let mut common = Vec::new();
    smallest.source.each(|(name, score)| {
        let score = others.iter().try_fold(smallest.weighed(score), |sum, other| {
            Some(aggregate.combine(sum, other.weight * other.source.score(name)?))
        });
        common.extend(score.map(|score| (name, score)));
        true
    });
    ranked(common)
}

/// How many members all of `sources` have, but not more than `limit`.
#[must_use]
pub fn count_common(sources: &mut [Source<'_>], limit: usize) -> usize {
    sources.sort_by_key(|source| source.len());
    let Some((smallest, others)) = sources.split_first() else { return 0 };
    let mut count = 0;
    smallest.each(|(name, _)| {
        count += usize::from(others.iter().all(|other| other.score(name).is_some()));
        count < limit
    });
    count
}

/// The members of `first` that none of `others` has, with their scores.
#[must_use]
pub fn difference<'s>(first: Source<'s>, others: &[Source<'s>], rules: &Rules) -> Vec<Ranked<'s>> {
    let members = first.len() + total(others.iter().copied());
    if first.len().saturating_mul(others.len()) <= members.saturating_mul(LOOKUPS_PER_MEMBER) {
        let mut left = Vec::new();
        first.each(|(name, score)| {
            if others.iter().all(|other| other.score(name).is_none()) {
                left.push((name, score));
            }
            true
        });
        return ranked(left);
    }
    let mut all = Vec::with_capacity(members);
    first.each(|(name, score)| {
        all.push(Named::new(name, Some(score), rules));
        true
    });
    for other in others {
        other.each(|(name, _)| {
            all.push(Named::new(name, None, rules));
            true
        });
    }
    let left = by_name(&mut all).filter_map(|group| match group {
        [Named { name, value: Some(score), .. }] => Some((*name, *score)),
        _ => None,
    });
    ranked(left.collect())
}

/// Members in the order of their scores, and of their names where those are equal.
#[must_use]
pub fn ranked(mut members: Vec<Ranked<'_>>) -> Vec<Ranked<'_>> {
    members.sort_unstable_by(|(name, score), (other_name, other_score)| {
        let by_score = score.partial_cmp(other_score).unwrap_or(Ordering::Equal);
        by_score.then_with(|| cmp_names(*name, *other_name))
    });
    members
}

/// A member of one of the sources.
struct Named<'s, V> {
    hash: u64,
    name: Element<'s>,
    value: V,
}

impl<'s, V> Named<'s, V> {
    fn new(name: Element<'s>, value: V, rules: &Rules) -> Self {
        Self { hash: rules.hasher.hash(name.text(&mut Digits::new())), name, value }
    }
}

/// Groups of the same name, each in the order in which its members came.
fn by_name<'a, 's, V>(
    all: &'a mut [Named<'s, V>],
) -> impl Iterator<Item = &'a [Named<'s, V>]> + use<'a, 's, V> {
    all.sort_by(|a, b| a.hash.cmp(&b.hash).then_with(|| cmp_names(a.name, b.name)));
    all.chunk_by(|a, b| a.hash == b.hash && a.name == b.name)
}

fn cmp_names(one: Element<'_>, other: Element<'_>) -> Ordering {
    match other {
        Element::Bytes(text) => one.cmp_text(text),
        Element::Int(_) => one.cmp_text(other.text(&mut Digits::new())),
    }
}

fn number_or_zero(score: f64) -> f64 {
    if score.is_nan() { 0.0 } else { score }
}

fn total<'s>(sources: impl Iterator<Item = Source<'s>>) -> usize {
    sources.map(Source::len).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;
    use alloc::collections::BTreeMap;
    use alloc::string::ToString;
    use proptest::prelude::*;
    use vesta_ds::KeyHasher;

    type Model = BTreeMap<Vec<u8>, f64>;

    /// A source in the model: whether it is a plain set, and its members.
    fn source() -> impl Strategy<Value = (bool, Model)> {
        let len = prop_oneof![1 => Just(0..1_usize), 4 => Just(0..8), 2 => Just(30..60)];
        let score = prop::sample::select([0.0, -0.0, 1.0, 2.5, -3.0, f64::INFINITY].as_slice());
        let name = (0..90_u8).prop_map(|number| match number {
            0..=60 => number.to_string().into_bytes(),
            _ => alloc::format!("{number:04}").into_bytes(),
        });
        let members = len.prop_flat_map(move |len| {
            prop::collection::btree_map(name.clone(), score.clone(), len)
        });
        (any::<bool>(), members)
    }

    fn object_of(is_set: bool, model: &Model, rules: &Rules) -> Object {
        if is_set {
            let mut set = Set::empty();
            for name in model.keys() {
                set.insert(name.as_slice(), rules);
            }
            return set.into_object();
        }
        let mut zset = Zset::empty();
        for (name, score) in model {
            zset.insert(name, *score, rules);
        }
        zset.into_object()
    }

    /// Checks the order, and gives up the members.
    fn checked(members: Vec<Ranked<'_>>) -> Model {
        let texts: Vec<(f64, Vec<u8>)> = members
            .iter()
            .map(|(name, score)| (*score, name.text(&mut Digits::new()).to_vec()))
            .collect();
        assert!(texts.is_sorted_by(|a, b| a < b), "in order, and each once");
        texts.into_iter().map(|(score, name)| (name, score)).collect()
    }

    proptest! {
        #[test]
        fn sources_are_combined_as_in_the_model(
            given in prop::collection::vec(source(), 1..9),
            entries_max in prop::sample::select([0_usize, 10, 128].as_slice()),
            aggregate in prop::sample::select(
                [Aggregate::Sum, Aggregate::Min, Aggregate::Max].as_slice()),
        ) {
            let limits = Limits {
                set_intset_entries_max: entries_max,
                set_listpack_entries_max: entries_max,
                zset_listpack_entries_max: entries_max,
                ..Limits::default()
            };
            let rules = Rules { limits, hasher: KeyHasher::new(1) };
            let objects: Vec<Object> =
                given.iter().map(|(is_set, model)| object_of(*is_set, model, &rules)).collect();
            let sources: Vec<Source<'_>> = objects.iter().filter_map(Source::of).collect();
            let mut weighted: Vec<Weighted<'_>> =
                sources.iter().map(|source| Weighted { source: *source, weight: 2.0 }).collect();

            let mut together = Model::new();
            let mut seen: BTreeMap<&[u8], usize> = BTreeMap::new();
            for (is_set, model) in &given {
                for (name, score) in model {
                    let score = 2.0 * if *is_set { 1.0 } else { *score };
                    let sum = together.get(name).map(|sum| aggregate.combine(*sum, score));
                    together.insert(name.clone(), sum.unwrap_or(score));
                    *seen.entry(name).or_default() += 1;
                }
            }
            prop_assert_eq!(&checked(union(&mut weighted, aggregate, &rules)), &together);
            let mut common = together.clone();
            common.retain(|name, _| seen.get(name.as_slice()) == Some(&given.len()));
            prop_assert_eq!(&checked(intersection(&mut weighted, aggregate)), &common);
            prop_assert_eq!(count_common(&mut sources.clone(), usize::MAX), common.len());
            prop_assert_eq!(count_common(&mut sources.clone(), 3), common.len().min(3));

            let (first, others) = sources.split_first().unwrap();
            let (is_set, mut left) = given.first().unwrap().clone();
            left.retain(|name, _| seen.get(name.as_slice()) == Some(&1));
            left.values_mut().filter(|_| is_set).for_each(|score| *score = 1.0);
            let members = difference(*first, others, &rules);
            let kept = Zset::from_sorted(&members, &rules);
            prop_assert_eq!(&checked(kept.iter().collect()), &left);
            prop_assert_eq!(&checked(members), &left);
        }
    }

    #[test]
    fn what_is_no_number_is_zero() {
        let rules = Rules { limits: Limits::default(), hasher: KeyHasher::new(1) };
        let (mut one, mut other) = (Zset::empty(), Zset::empty());
        one.insert(b"z", f64::INFINITY, &rules);
        other.insert(b"z", f64::NEG_INFINITY, &rules);
        let pair = |weights: [f64; 2]| {
            let [first, second] = weights;
            [
                Weighted { source: Source::Zset(&one), weight: first },
                Weighted { source: Source::Zset(&other), weight: second },
            ]
        };
        let score = |members: Vec<Ranked<'_>>| members.first().map(|(_, score)| *score);
        let union = |pair: &mut [Weighted<'_>]| score(union(pair, Aggregate::Sum, &rules));
        assert_eq!(union(&mut pair([1.0, 1.0])), Some(0.0));
        assert_eq!(union(&mut pair([1.0, 0.0])), Some(f64::INFINITY));
        let common = |mut pair: [Weighted<'_>; 2], how| score(intersection(&mut pair, how));
        assert_eq!(common(pair([1.0, 0.0]), Aggregate::Sum), Some(0.0));
        assert_eq!(common(pair([1.0, 0.0]), Aggregate::Min), Some(f64::INFINITY));
        assert_eq!(common(pair([0.0, 1.0]), Aggregate::Sum), Some(f64::NEG_INFINITY));
        assert_eq!(common(pair([0.0, 1.0]), Aggregate::Max), Some(0.0));
    }
}
