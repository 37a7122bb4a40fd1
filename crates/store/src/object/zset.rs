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

pub mod algebra;
mod draw;

use super::{End, Kind, Object, Rules, all_differ};
use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;
use core::ops::Range;
use vesta_ds::{
    Bulk, Digits, Element, Heap, LexBound, Listpack, ListpackIter, Members, Placed, ScoreBound,
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
    /// A set of these members, in the form they would have taken one by one. They come in order
    /// (as [`algebra::ranked`] gives them), each name once, with scores that are numbers.
    ///
    /// # Panics
    /// If they do not and are many.
    #[must_use]
    pub fn from_sorted(members: &[(Element<'_>, f64)], rules: &Rules) -> Self {
        let limits = &rules.limits;
        let is_small = members.len() <= limits.zset_listpack_entries_max
            && members
                .iter()
                .all(|(name, _)| name.text_len() <= limits.zset_listpack_value_bytes_max);
        let listpack = is_small.then(|| listpack_of(members)).flatten();
        Self(listpack.map_or_else(
            || Form::Tree(Box::new(Large::of(members.iter().copied(), members.len(), rules))),
            Form::Listpack,
        ))
    }

    /// A set of a listpack of members and scores. `None` when they are not in order, a score is
    /// missing or no number, or a member is there twice, as in a payload from outside.
    #[must_use]
    pub fn from_listpack(listpack: Listpack) -> Option<Self> {
        let (mut before, mut digits) = (None, Digits::new());
        for (name, score) in listpack.pairs() {
            let score = match score {
                Element::Int(number) => number as f64,
                Element::Bytes(text) => number::parse_f64(text)?,
            };
            let is_next = before.is_none_or(|(last_score, last_name): (f64, Element<'_>)| {
                last_score < score
                    || (last_score == score && last_name.cmp_text(name.text(&mut digits)).is_lt())
            });
            if !is_next {
                return None;
            }
            before = Some((score, name));
        }
        let is_whole = listpack.len().is_multiple_of(2);
        (is_whole && all_differ(listpack.pairs().map(|(name, _)| name)))
            .then_some(Self(Form::Listpack(listpack)))
    }

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

    /// Takes members out at an end, as long as there are any and `count` is not reached, and hands
    /// them to `taken` as they go; `Front` has the lowest score. Returns how many went.
    pub fn pop(
        &mut self,
        end: End,
        count: usize,
        mut taken: impl FnMut(Element<'_>, f64),
    ) -> usize {
        let count = count.min(self.len());
        match &mut self.0 {
            Form::Listpack(listpack) => {
                let start = match end {
                    End::Front => 0,
                    End::Back => listpack.len() / 2 - count,
                };
                let mut walk = self.walk(start..start + count);
                let mut next = || match end {
                    End::Front => walk.next(),
                    End::Back => walk.next_back(),
                };
                while let Some((name, score)) = next() {
                    taken(name, score);
                }
                self.remove_ranks(start..start + count);
            }
            Form::Tree(large) => {
                for _ in 0..count {
                    let member = match end {
                        End::Front => large.tree.pop_first(),
                        End::Back => large.tree.pop_last(),
                    };
                    let member = member.expect("no more are taken than there are");
                    taken(Element::Bytes(member.name()), member.score());
                }
            }
        }
        count
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
            self.0 = Form::Tree(Box::new(Large::of(self.iter(), self.len(), rules)));
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
    let place = listpack.insert(place, name).expect(ROOM);
    listpack.insert(listpack.after(place), element_of(score, &mut String::new())).expect(ROOM);
}

/// The small form of members in order, if one can be as large.
fn listpack_of(members: &[(Element<'_>, f64)]) -> Option<Listpack> {
    let mut listpack = Listpack::new();
    for (name, score) in members {
        listpack.push(*name).ok()?;
        listpack.push(element_of(*score, &mut String::new())).ok()?;
    }
    Some(listpack)
}

/// What stands for a score in the small form; `text` is room for it.
fn element_of(score: f64, text: &mut String) -> Element<'_> {
    if score.abs() <= INT_SCORE_MAX && (score as i64) as f64 == score {
        return Element::Int(score as i64);
    }
    *text = number::format_f64(score);
    Element::Bytes(text.as_bytes())
}

/// The score that an element of the small form stands for.
fn score_of(element: Element<'_>) -> f64 {
    match element {
        Element::Int(number) => number as f64,
        Element::Bytes(text) => number::parse_f64(text).unwrap_or(0.0),
    }
}

impl Large {
    /// `count` members in order.
    fn of<'a>(
        members: impl Iterator<Item = (Element<'a>, f64)>,
        count: usize,
        rules: &Rules,
    ) -> Self {
        let mut bulk = Bulk::new(rules.hasher.clone(), count);
        let mut digits = Digits::new();
        for (name, score) in members {
            bulk.push(name.text(&mut digits), score);
        }
        Self { tree: bulk.finish(), rules: rules.clone() }
    }
}

impl Clone for Form {
    fn clone(&self) -> Self {
        match self {
            Self::Listpack(listpack) => Self::Listpack(listpack.clone()),
            Self::Tree(large) => {
                let members = large.tree.iter().map(|(name, score)| (Element::Bytes(name), score));
                Self::Tree(Box::new(Large::of(members, large.tree.len(), &large.rules)))
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

    #[test]
    fn a_listpack_from_outside_is_checked() {
        let taken = |elements: &[&str]| {
            let mut listpack = Listpack::new();
            for element in elements {
                listpack.push(element.as_bytes()).unwrap();
            }
            Zset::from_listpack(listpack).map(|zset| zset.len())
        };
        assert_eq!(taken(&[]), Some(0));
        assert_eq!(taken(&["a", "-inf", "10", "1", "9", "1", "b", "1.5", "c", "inf"]), Some(5));
        assert_eq!(taken(&["a", "1", "b"]), None, "a score is missing");
        assert_eq!(taken(&["a", "x"]), None, "no number");
        assert_eq!(taken(&["a", "nan"]), None, "no number either");
        assert_eq!(taken(&["a", "2", "b", "1"]), None, "out of order");
        assert_eq!(taken(&["b", "1", "a", "1"]), None, "out of order by name");
        assert_eq!(taken(&["a", "1", "a", "2"]), None, "twice");
    }

    #[test]
    fn members_are_taken_from_both_ends() {
        for entries_max in [128, 0] {
            let limits = Limits { zset_listpack_entries_max: entries_max, ..Limits::default() };
            let rules = Rules { limits, hasher: KeyHasher::new(1) };
            let mut zset = Zset::empty();
            for (name, score) in [("a", 1.0), ("b", 2.5), ("c", 3.0), ("d", 4.0), ("e", 5.0)] {
                zset.insert(name.as_bytes(), score, &rules);
            }
            let mut taken = Vec::new();
            let mut take = |end, count| {
                zset.pop(end, count, |name, score| {
                    taken.push((name.text(&mut Digits::new()).to_vec(), score));
                })
            };
            assert_eq!(take(End::Front, 0), 0);
            assert_eq!(take(End::Front, 2), 2);
            assert_eq!(take(End::Back, 2), 2);
            assert_eq!(take(End::Back, usize::MAX), 1);
            assert_eq!(take(End::Front, 1), 0);
            let names: Vec<&[u8]> = taken.iter().map(|(name, _)| name.as_slice()).collect();
            assert_eq!(names, [b"a", b"b", b"e", b"d", b"c"]);
            assert!(zset.is_empty());
        }
    }

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
