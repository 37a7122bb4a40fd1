//! What several sets have in common, together, or not.
//!
//! All three operations are one loop, [`sift`]: it goes over the members of one set and keeps
//! those that are in all, or in none, of the others. An intersection sifts the smallest set; a
//! union gives each set sifted by those before it; a difference sifts the first. Nothing is
//! copied, and no result is built where it is only shown.
//!
//! Large sets do not fit the processor's caches, so that each lookup would wait for memory twice,
//! for a bucket and for an item. Members are therefore taken in batches: their hashes, which serve
//! all sets alike, then all buckets are asked for, then all items, and only then they are compared.
//!
//! Looking up in a listpack takes as long as it is, and a union of a thousand sets would ask each
//! member of the last for in 999 others. Where asking costs more than copying, the members are
//! copied to a table first ([`pays_to_pool`]).

use super::{Form, Members, Set, Table};
use crate::object::{Kind, Rules};
use alloc::vec::Vec;
use core::cmp::Reverse;
use core::ops::ControlFlow;
use vesta_ds::{Digits, Element, Intset, Listpack};

/// Members that are looked up together.
const BATCH: usize = 32;
/// Elements of a listpack that are compared in the time of one lookup in a table.
const COMPARED_PER_LOOKUP: usize = 8;
/// How many lookups copying a member to a table takes as long as.
const LOOKUPS_PER_COPY: usize = 3;

/// Which members a sieve lets pass.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Kept {
    InAll,
    InNone,
}

/// A member with its hash, if there is a table that it is looked up in.
struct Probe<'s> {
    member: Element<'s>,
    hash: u64,
}

impl Set {
    /// Shows `each` the members that all of `sets` have, until it breaks.
    pub fn intersect<'s>(
        sets: &mut [&'s Self],
        each: impl FnMut(Element<'s>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        sets.sort_by_key(|set| set.len());
        match sets.split_first() {
            Some((smallest, others)) => sift(smallest, others, Kept::InAll, each),
            None => ControlFlow::Continue(()),
        }
    }

    /// Shows `each` the members that any of `sets` has.
    pub fn unite<'s>(sets: &mut [&'s Self], rules: &Rules, mut each: impl FnMut(Element<'s>)) {
        // The largest first: it is not asked about, and answers the others most quickly.
        sets.sort_by_key(|set| Reverse(set.len()));
        if pays_to_pool(unite_cost(sets), sets) {
            let mut pool = Members::new(Table::new(rules.hasher.clone()));
            for member in sets.iter().flat_map(|set| set.iter()) {
                if pool.insert(member.text(&mut Digits::new())) {
                    each(member);
                }
            }
            return;
        }
        for (index, set) in sets.iter().enumerate() {
            let before = sets.get(..index).unwrap_or_default();
            let _ = sift(set, before, Kept::InNone, |member| {
                each(member);
                ControlFlow::Continue(())
            });
        }
    }

    /// Shows `each` the members of `first` that none of `others` has.
    pub fn subtract<'s>(
        first: &'s Self,
        others: &[&Self],
        rules: &Rules,
        mut each: impl FnMut(Element<'s>),
    ) {
        let mut go_on = |member| {
            each(member);
            ControlFlow::Continue(())
        };
        let cost = first.len().saturating_mul(others.iter().map(|set| set.lookup_cost()).sum());
        let _ = if pays_to_pool(cost, others) {
            let mut pool = Members::new(Table::new(rules.hasher.clone()));
            for member in others.iter().flat_map(|set| set.iter()) {
                pool.insert(member.text(&mut Digits::new()));
            }
            sift(first, &[&Self(Form::Table(pool.into()))], Kept::InNone, &mut go_on)
        } else {
            sift(first, others, Kept::InNone, &mut go_on)
        };
    }

    /// The members that all of `sets` have, in the encoding that SINTERSTORE gives them: that of
    /// the smallest set, but an intset if they are all integers.
    #[must_use]
    pub fn intersection(sets: &mut [&Self], rules: &Rules) -> Self {
        let smallest = sets.iter().min_by_key(|set| set.len());
        let mut result = Self(match smallest.map(|set| &set.0) {
            None | Some(Form::Intset(_)) => Form::Intset(Intset::new()),
            Some(Form::Listpack(_)) => Form::Listpack(Listpack::new()),
            Some(Form::Table(_)) => {
                Form::Table(Members::new(Table::new(rules.hasher.clone())).into())
            }
        });
        let _ = Self::intersect(sets, |member| {
            result.insert(member, rules);
            ControlFlow::Continue(())
        });
        result.settle(rules);
        result
    }

    /// The members that any of `sets` has, in the encoding in which they would have been added.
    #[must_use]
    pub fn union(sets: &[&Self], rules: &Rules) -> Self {
        let mut result = Self::empty();
        for set in sets {
            set.iter().for_each(|member| {
                result.insert(member, rules);
            });
        }
        result
    }

    /// The members of `first` that none of `others` has.
    ///
    /// Where the others are small, all members are added and theirs removed, which is seen in the
    /// encoding. Source: which way SDIFFSTORE of redis-server 7.0.15 was seen to go.
    #[must_use]
    pub fn difference(first: &Self, others: &[&Self], rules: &Rules) -> Self {
        let removals: usize = others.iter().map(|set| set.len()).sum();
        if first.len().saturating_mul(others.len() + 1) / 2 > first.len() + removals {
            let mut result = Self::union(&[first], rules);
            for member in others.iter().flat_map(|set| set.iter()) {
                result.remove(member);
            }
            return result;
        }
        let mut result = Self::empty();
        Self::subtract(first, others, rules, |member| {
            result.insert(member, rules);
        });
        result
    }

    /// How long looking a member up takes, in lookups in a table.
    fn lookup_cost(&self) -> usize {
        match &self.0 {
            Form::Intset(_) | Form::Table(_) => 1,
            Form::Listpack(listpack) => listpack.len() / COMPARED_PER_LOOKUP + 1,
        }
    }
}

/// Lookups that a union of `sets` in this order takes.
fn unite_cost(sets: &[&Set]) -> usize {
    let (mut cost, mut before) = (0_usize, 0);
    for set in sets {
        cost = cost.saturating_add(set.len().saturating_mul(before));
        before += set.lookup_cost();
    }
    cost
}

/// Whether copying the members of `sets` is cheaper than so many lookups.
fn pays_to_pool(lookups: usize, sets: &[&Set]) -> bool {
    let members: usize = sets.iter().map(|set| set.len()).sum();
    lookups > members.saturating_mul(LOOKUPS_PER_COPY)
}

/// Shows `each` the members of `from` that are in all or none of `others`, until it breaks.
fn sift<'s>(
    from: &'s Set,
    others: &[&Set],
    kept: Kept,
    mut each: impl FnMut(Element<'s>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    if others.is_empty() {
        return from.iter().try_for_each(each);
    }
    let hasher = others.iter().find_map(|set| match &set.0 {
        Form::Table(members) => Some(members.table.hasher()),
        Form::Intset(_) | Form::Listpack(_) => None,
    });
    let mut members = from.iter();
    let mut batch = Vec::with_capacity(BATCH.min(from.len()));
    loop {
        batch.extend(members.by_ref().take(BATCH).map(|member| {
            let hash = hasher.map_or(0, |hasher| hasher.hash(member.text(&mut Digits::new())));
            Probe { member, hash }
        }));
        if batch.is_empty() {
            return ControlFlow::Continue(());
        }
        for set in others {
            keep(&mut batch, set, kept);
        }
        batch.drain(..).try_for_each(|probe| each(probe.member))?;
    }
}

/// Keeps the probes of members that `set` has, or those of others.
fn keep(batch: &mut Vec<Probe<'_>>, set: &Set, kept: Kept) {
    let wanted = kept == Kept::InAll;
    let Form::Table(members) = &set.0 else {
        batch.retain(|probe| set.contains(probe.member) == wanted);
        return;
    };
    let table = &members.table;
    batch.iter().for_each(|probe| table.prefetch_bucket(probe.hash));
    batch.iter().for_each(|probe| table.prefetch_item(probe.hash));
    batch.retain(|probe| {
        let found = table.find(probe.hash, probe.member.text(&mut Digits::new()));
        found.is_some() == wanted
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;
    use alloc::collections::BTreeSet;
    use alloc::string::ToString;
    use proptest::prelude::*;
    use vesta_ds::KeyHasher;

    type Model = BTreeSet<Vec<u8>>;

    fn members() -> impl Strategy<Value = Model> {
        // Numbers and texts of numbers that are none, so that all forms meet all others.
        let member = prop_oneof![
            4 => (0..60_u8).prop_map(|number| number.to_string().into_bytes()),
            1 => (0..60_u8).prop_map(|number| alloc::format!("{number:04}").into_bytes()),
        ];
        let len = prop_oneof![1 => Just(0..1_usize), 4 => Just(0..8), 2 => Just(30..60)];
        len.prop_flat_map(move |len| prop::collection::btree_set(member.clone(), len))
    }

    fn rules(limits: (usize, usize)) -> Rules {
        let limits = Limits {
            set_intset_entries_max: limits.0,
            set_listpack_entries_max: limits.1,
            ..Limits::default()
        };
        Rules { limits, hasher: KeyHasher::new(1) }
    }

    fn set_of(model: &Model, rules: &Rules) -> Set {
        let mut set = Set::empty();
        for member in model {
            set.insert(member.as_slice(), rules);
        }
        set
    }

    /// The members shown, each of them once.
    fn shown(show: impl FnOnce(&mut dyn FnMut(Element<'_>))) -> Model {
        let mut all = Model::new();
        show(&mut |member| {
            assert!(all.insert(member.text(&mut Digits::new()).to_vec()), "shown twice");
        });
        all
    }

    proptest! {
        #[test]
        fn sets_are_combined_as_in_the_model(
            models in prop::collection::vec(members(), 1..12),
            limits in prop::sample::select([(512, 128), (20, 10), (0, 0), (0, 128)].as_slice()),
        ) {
            let rules = rules(limits);
            let sets: Vec<Set> = models.iter().map(|model| set_of(model, &rules)).collect();
            let (first, others) = models.split_first().unwrap();
            let common = others.iter().fold(first.clone(), |all, model| &all & model);
            let together = others.iter().fold(first.clone(), |all, model| &all | model);
            let left = others.iter().fold(first.clone(), |all, model| &all - model);

            let mut refs: Vec<&Set> = sets.iter().collect();
            prop_assert_eq!(&shown(|each| {
                let _ = Set::intersect(&mut refs, |member| {
                    each(member);
                    ControlFlow::Continue(())
                });
            }), &common);
            prop_assert_eq!(&shown(|each| Set::unite(&mut refs, &rules, each)), &together);
            let refs: Vec<&Set> = sets.iter().collect();
            let (one, rest) = refs.split_first().unwrap();
            prop_assert_eq!(&shown(|each| Set::subtract(one, rest, &rules, each)), &left);

            let text = |model: &Model| alloc::format!("{:?}", set_of(model, &rules));
            let kept = Set::intersection(&mut refs.clone(), &rules);
            prop_assert_eq!(alloc::format!("{kept:?}"), text(&common));
            let kept = Set::union(&refs, &rules);
            prop_assert_eq!(alloc::format!("{kept:?}"), text(&together));
            let kept = Set::difference(one, rest, &rules);
            prop_assert_eq!(alloc::format!("{kept:?}"), text(&left));
        }
    }

    #[test]
    fn an_intersection_stops_when_told() {
        let rules = rules((0, 0));
        let all: Model = (0..100).map(|number: i32| number.to_string().into_bytes()).collect();
        let set = set_of(&all, &rules);
        let mut seen = 0;
        let flow = Set::intersect(&mut [&set, &set], |_| {
            seen += 1;
            if seen == 7 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert_eq!((seen, flow), (7, ControlFlow::Break(())));
    }
}
