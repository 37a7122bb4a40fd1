//! Sorted sets: members in the order of their scores, and of their names where scores are equal.
//!
//! Small, a sorted set is a listpack of member, score, member, score, .. in order, whose whole
//! scores are integers and whose others are their shortest texts; large, it is a table and a
//! counted tree ([`Tree`]). It becomes large when it gets more members, or a longer one, than
//! [`Limits`] has it, and never goes back.
//!
//! Whatever is asked about order is answered as a range of ranks; see [`Zset::walk`] and
//! [`Zset::remove_ranks`].
//!
//! [`Limits`]: super::Limits

use super::{Kind, Object, Rules};
use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;
use core::ops::Range;
use vesta_ds::{
    Digits, Element, Heap, LexBound, Listpack, ListpackIter, Members, Placed, ScoreBound,
    Zset as Tree,
};
use vesta_types::number;

/// Bytes that a member and its score take in a listpack beyond the member's text, at most.
const PAIR_OVERHEAD_MAX: usize = 64;
/// Scores beyond this are not kept as integers. Source: what DUMP of redis-server 7.0.15 carries.
const INT_SCORE_MAX: f64 = 4_611_686_018_427_387_904.0;
const ROOM: &str = "there is room for the pair, as was checked";

/// Members with scores.
#[derive(Clone)]
pub struct Zset(Form);

enum Form {
    Listpack(Listpack),
    Tree(Box<Large>),
}

/// The large form, with what is needed to make another.
struct Large {
    tree: Tree,
    rules: Rules,
}

impl Zset {
    /// The small form, for a snapshot.
    #[must_use]
    pub fn listpack(&self) -> Option<&Listpack> {
        match &self.0 {
            Form::Listpack(listpack) => Some(listpack),
            Form::Tree(_) => None,
        }
    }

    /// Number of members.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.0 {
            Form::Listpack(listpack) => listpack.len() / 2,
            Form::Tree(large) => large.tree.len(),
        }
    }

    /// Whether there is no member.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match &self.0 {
            Form::Listpack(listpack) => listpack.is_empty(),
            Form::Tree(large) => large.tree.is_empty(),
        }
    }

    /// The encoding by its name in OBJECT ENCODING.
    #[must_use]
    pub fn encoding_name(&self) -> &'static str {
        match &self.0 {
            Form::Listpack(_) => "listpack",
            Form::Tree(_) => "skiplist",
        }
    }

    /// The score of a member.
    #[must_use]
    pub fn score(&self, name: &[u8]) -> Option<f64> {
        match &self.0 {
            Form::Listpack(listpack) => {
                let place = listpack.find_pair(name)?;
                listpack.get(listpack.after(place)).map(score_of)
            }
            Form::Tree(large) => large.tree.score(name),
        }
    }

    /// How many members come before this one.
    #[must_use]
    pub fn rank(&self, name: &[u8]) -> Option<usize> {
        match &self.0 {
            Form::Listpack(listpack) => listpack.pairs().position(|(member, _)| member.is(name)),
            Form::Tree(large) => large.tree.rank(name),
        }
    }

    /// Tells that about `count` members are going to be added, the first of this length, so that
    /// an empty set takes the form it would end in.
    pub fn expect(&mut self, count: usize, name_bytes: usize, rules: &Rules) {
        let limits = &rules.limits;
        if count > limits.zset_listpack_entries_max
            || (self.is_empty() && name_bytes > limits.zset_listpack_value_bytes_max)
        {
            self.grown(rules);
        }
    }

    /// Gives a member this score, which is not NaN, and adds it if it is not there.
    pub fn insert(&mut self, name: &[u8], score: f64, rules: &Rules) -> Placed {
        let Form::Listpack(listpack) = &mut self.0 else {
            return self.grown(rules).insert(name, score);
        };
        if let Some(place) = listpack.find_pair(name) {
            let old = listpack.get(listpack.after(place)).map_or(0.0, score_of);
            if old == score {
                return Placed::Unchanged;
            }
            listpack.remove_run(place, 2);
            insert_pair(listpack, name, score);
            return Placed::Updated { old };
        }
        let limits = &rules.limits;
        if listpack.len() / 2 < limits.zset_listpack_entries_max
            && name.len() <= limits.zset_listpack_value_bytes_max
            && listpack.has_room(name.len().saturating_add(PAIR_OVERHEAD_MAX))
        {
            insert_pair(listpack, name, score);
            return Placed::Inserted;
        }
        self.grown(rules).insert(name, score)
    }

    /// Removes a member; whether it was there.
    pub fn remove(&mut self, name: &[u8]) -> bool {
        match &mut self.0 {
            Form::Listpack(listpack) => {
                let place = listpack.find_pair(name);
                place.is_some_and(|place| listpack.remove_run(place, 2) > 0)
            }
            Form::Tree(large) => large.tree.remove(name).is_some(),
        }
    }

    /// The ranks of the members between two scores.
    #[must_use]
    pub fn ranks_by_score(&self, min: ScoreBound, max: ScoreBound) -> Range<usize> {
        match &self.0 {
            Form::Listpack(_) => {
                let before = |score: f64| match min {
                    ScoreBound::Inclusive(bound) => score < bound,
                    ScoreBound::Exclusive(bound) => score <= bound,
                };
                let within = |score: f64| match max {
                    ScoreBound::Inclusive(bound) => score <= bound,
                    ScoreBound::Exclusive(bound) => score < bound,
                };
                let start = self.iter().take_while(|(_, score)| before(*score)).count();
                let end = self.iter().take_while(|(_, score)| within(*score)).count();
                start..end.max(start)
            }
            Form::Tree(large) => large.tree.ranks_by_score(min, max),
        }
    }

    /// The ranks of the members between two names, for sets whose scores are all equal.
    #[must_use]
    pub fn ranks_by_lex(&self, min: LexBound<'_>, max: LexBound<'_>) -> Range<usize> {
        match &self.0 {
            Form::Listpack(_) => {
                let before = |name: Element<'_>| match min {
                    LexBound::Min => false,
                    LexBound::Max => true,
                    LexBound::Inclusive(bound) => name.cmp_text(bound).is_lt(),
                    LexBound::Exclusive(bound) => name.cmp_text(bound).is_le(),
                };
                let within = |name: Element<'_>| match max {
                    LexBound::Min => false,
                    LexBound::Max => true,
                    LexBound::Inclusive(bound) => name.cmp_text(bound).is_le(),
                    LexBound::Exclusive(bound) => name.cmp_text(bound).is_lt(),
                };
                let start = self.iter().take_while(|(name, _)| before(*name)).count();
                let end = self.iter().take_while(|(name, _)| within(*name)).count();
                start..end.max(start)
            }
            Form::Tree(large) => large.tree.ranks_by_lex(min, max),
        }
    }

    /// All members with their scores, in order.
    #[must_use]
    pub fn iter(&self) -> ZsetWalk<'_> {
        self.walk(0..self.len())
    }

    /// The members with these ranks and their scores, from both ends; ranks beyond the last are
    /// left out.
    #[must_use]
    pub fn walk(&self, ranks: Range<usize>) -> ZsetWalk<'_> {
        let end = ranks.end.min(self.len());
        let start = ranks.start.min(end);
        ZsetWalk(match &self.0 {
            Form::Listpack(listpack) => {
                let place = |rank: usize| {
                    let index = i64::try_from(rank.saturating_mul(2)).ok();
                    index.and_then(|index| listpack.seek(index)).unwrap_or(listpack.end())
                };
                WalkForm::Listpack {
                    front: listpack.iter_from(place(start)),
                    back: listpack.iter_until(place(end)),
                    left: end - start,
                }
            }
            Form::Tree(large) => WalkForm::Tree(large.tree.range_by_rank(start..end)),
        })
    }

    /// Removes the members with these ranks and returns how many they were.
    pub fn remove_ranks(&mut self, ranks: Range<usize>) -> usize {
        let end = ranks.end.min(self.len());
        let start = ranks.start.min(end);
        match &mut self.0 {
            Form::Listpack(listpack) => {
                let index = i64::try_from(start * 2).unwrap_or(i64::MAX);
                listpack.remove_range(index, (end - start) * 2) / 2
            }
            Form::Tree(large) => large.tree.remove_range_by_rank(start..end, |_| {}),
        }
    }

    /// Visits some members and gives the next cursor; 0 starts and ends. A small set is visited
    /// whole. What is there from the first call to the last is visited at least once.
    pub fn scan(&self, cursor: u64, mut each: impl FnMut(Element<'_>, f64)) -> u64 {
        match &self.0 {
            Form::Listpack(_) => {
                self.iter().for_each(|(name, score)| each(name, score));
                0
            }
            Form::Tree(large) => {
                large.tree.scan(cursor, |name, score| each(Element::Bytes(name), score))
            }
        }
    }

    pub(super) fn drop_cost(&self) -> usize {
        match &self.0 {
            Form::Listpack(_) => 1,
            Form::Tree(large) => large.tree.len(),
        }
    }

    pub(super) fn drain_some(&mut self, max: usize) {
        match &mut self.0 {
            Form::Listpack(listpack) => listpack.clear(),
            Form::Tree(large) => {
                large.tree.drain_some(max);
            }
        }
    }

    /// The large form, which the set takes now if it had the small one.
    fn grown(&mut self, rules: &Rules) -> &mut Tree {
        if let Form::Listpack(_) = &self.0 {
            self.0 = Form::Tree(Box::new(Large::of(self.iter(), rules)));
        }
        match &mut self.0 {
            Form::Tree(large) => &mut large.tree,
            Form::Listpack(_) => unreachable!("the set was given its large form"),
        }
    }
}

/// Puts a member that is not there in its place in the small form, which has room for it.
fn insert_pair(listpack: &mut Listpack, name: &[u8], score: f64) {
    let mut pairs = listpack.pairs();
    let place = loop {
        let place = pairs.pos();
        let Some((member, other)) = pairs.next() else { break place };
        let other = score_of(other);
        if other > score || (other == score && member.cmp_text(name).is_gt()) {
            break place;
        }
    };
    let text: String;
    let score = if score.abs() <= INT_SCORE_MAX && (score as i64) as f64 == score {
        Element::Int(score as i64)
    } else {
        text = number::format_f64(score);
        Element::Bytes(text.as_bytes())
    };
    let place = listpack.insert(place, name).expect(ROOM);
    listpack.insert(listpack.after(place), score).expect(ROOM);
}

/// The score that an element of the small form stands for.
fn score_of(element: Element<'_>) -> f64 {
    match element {
        Element::Int(number) => number as f64,
        Element::Bytes(text) => number::parse_f64(text).unwrap_or(0.0),
    }
}

impl Large {
    fn of<'a>(members: impl Iterator<Item = (Element<'a>, f64)>, rules: &Rules) -> Self {
        let mut tree = Tree::new(rules.hasher.clone());
        let mut digits = Digits::new();
        for (name, score) in members {
            tree.insert(name.text(&mut digits), score);
        }
        Self { tree, rules: rules.clone() }
    }
}

impl Clone for Form {
    fn clone(&self) -> Self {
        match self {
            Self::Listpack(listpack) => Self::Listpack(listpack.clone()),
            Self::Tree(large) => {
                let members = large.tree.iter().map(|(name, score)| (Element::Bytes(name), score));
                Self::Tree(Box::new(Large::of(members, &large.rules)))
            }
        }
    }
}

impl Heap for Zset {
    fn heap_bytes(&self) -> usize {
        match &self.0 {
            Form::Listpack(listpack) => listpack.heap_bytes(),
            Form::Tree(large) => size_of::<Large>() + large.tree.heap_bytes(),
        }
    }
}

impl Kind for Zset {
    fn empty() -> Self {
        Self(Form::Listpack(Listpack::new()))
    }

    fn of(object: &Object) -> Option<&Self> {
        let Object::Zset(zset) = object else { return None };
        Some(zset)
    }

    fn of_mut(object: &mut Object) -> Option<&mut Self> {
        let Object::Zset(zset) = object else { return None };
        Some(zset)
    }

    fn into_object(self) -> Object {
        Object::Zset(self)
    }
}

/// Members with their scores in order, the same for both encodings.
impl fmt::Debug for Zset {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |name: Element<'_>| name.text(&mut Digits::new()).to_vec();
        out.debug_map().entries(self.iter().map(|(name, score)| (text(name), score))).finish()
    }
}

/// Members with their scores; see [`Zset::walk`].
pub struct ZsetWalk<'a>(WalkForm<'a>);

enum WalkForm<'a> {
    /// What comes from the front, what comes from the back, and how many there are between.
    Listpack {
        front: ListpackIter<'a>,
        back: ListpackIter<'a>,
        left: usize,
    },
    Tree(Members<'a>),
}

impl<'a> Iterator for ZsetWalk<'a> {
    type Item = (Element<'a>, f64);

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            WalkForm::Listpack { front, left, .. } => {
                *left = left.checked_sub(1)?;
                Some((front.next()?, score_of(front.next()?)))
            }
            WalkForm::Tree(members) => {
                members.next().map(|(name, score)| (Element::Bytes(name), score))
            }
        }
    }
}

impl DoubleEndedIterator for ZsetWalk<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            WalkForm::Listpack { back, left, .. } => {
                *left = left.checked_sub(1)?;
                let score = score_of(back.next_back()?);
                Some((back.next_back()?, score))
            }
            WalkForm::Tree(members) => {
                members.next_back().map(|(name, score)| (Element::Bytes(name), score))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;
    use alloc::vec::Vec;
    use proptest::prelude::*;
    use vesta_ds::KeyHasher;

    proptest! {
        #[test]
        fn both_forms_agree_with_a_sorted_model(
            changes in prop::collection::vec((0..30_i64, -4..4_i32, any::<bool>()), 0..80),
            entries_max in prop::sample::select([0_usize, 8, 128].as_slice()),
        ) {
            let limits = Limits { zset_listpack_entries_max: entries_max, ..Limits::default() };
            let rules = Rules { limits, hasher: KeyHasher::new(1) };
            let (mut set, mut model) = (Zset::empty(), Vec::<(f64, Vec<u8>)>::new());
            for (name, score, removes) in changes {
                let (name, score) =
                    (alloc::format!("{name}").into_bytes(), f64::from(score) / 2.0);
                let before = model.len();
                model.retain(|(_, other)| *other != name);
                if removes {
                    prop_assert_eq!(set.remove(&name), model.len() < before);
                } else {
                    set.insert(&name, score, &rules);
                    prop_assert_eq!(set.score(&name), Some(score));
                    model.push((score, name));
                }
                model.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
            }
            let flat = |(name, score): (Element<'_>, f64)| {
                (score, name.text(&mut Digits::new()).to_vec())
            };
            prop_assert_eq!(&set.iter().map(flat).collect::<Vec<_>>(), &model);
            let mut backwards: Vec<_> = set.clone().iter().rev().map(flat).collect();
            backwards.reverse();
            prop_assert_eq!(&backwards, &model);
            for (rank, (_, name)) in model.iter().enumerate() {
                prop_assert_eq!(set.rank(name), Some(rank));
            }
            let ranks = set.ranks_by_score(ScoreBound::Inclusive(-1.0), ScoreBound::Exclusive(1.0));
            let found: Vec<_> = set.walk(ranks.clone()).map(flat).collect();
            let expected: Vec<_> =
                model.iter().filter(|(score, _)| (-1.0..1.0).contains(score)).cloned().collect();
            prop_assert_eq!(&found, &expected);
            prop_assert_eq!(set.remove_ranks(ranks), expected.len());
            prop_assert_eq!(set.len(), model.len() - expected.len());
        }
    }
}
