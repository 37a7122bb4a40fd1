//! Members drawn at random, each with the same chance.

use super::{Form, Set};
use crate::object::{Kind, Rules};
use alloc::collections::BTreeSet;
use core::mem;
use vesta_ds::{Element, Listpack, Pos};
use vesta_types::Rng;

/// A large set is drawn from one by one up to one in so many of its members, and gone through for
/// more: draws that hit a member a second time would become frequent.
const DRAWN_PER_MEMBERS: usize = 3;
/// Members are taken out one by one while at least one in so many stays; when fewer stay, it is
/// they that are taken out, and the rest is handed over as a whole. Source: the encoding that SPOP
/// of redis-server 7.0.15 was seen to leave.
const STAYING_PER_TAKEN: usize = 5;

impl Set {
    /// A member drawn fairly.
    #[must_use]
    pub fn random(&self, rng: &mut Rng) -> Option<Element<'_>> {
        match &self.0 {
            Form::Intset(intset) => intset.get(index_below(intset.len(), rng)).map(Element::Int),
            Form::Listpack(listpack) => listpack.get(random_place(listpack, rng)?),
            Form::Table(members) => {
                let member = members.table.random(&mut || rng.bits())?;
                Some(Element::Bytes(member.bytes()))
            }
        }
    }

    /// Shows `each` so many different members, or all when there are no more. Every choice of
    /// members is as likely as every other; their order is not.
    pub fn sample<'s>(&'s self, count: usize, rng: &mut Rng, mut each: impl FnMut(Element<'s>)) {
        let len = self.len();
        if let Form::Table(members) = &self.0
            && count.saturating_mul(DRAWN_PER_MEMBERS) <= len
        {
            let mut drawn = BTreeSet::new();
            while drawn.len() < count {
                let Some(member) = members.table.random(&mut || rng.bits()) else { return };
                if drawn.insert(member.bytes()) {
                    each(Element::Bytes(member.bytes()));
                }
            }
            return;
        }
        // Each member is taken with the chance that as many as needed are taken of those left.
        let mut needed = count.min(len);
        for (left, member) in (1..=len).rev().zip(self.iter()) {
            if needed == 0 {
                return;
            }
            if index_below(left, rng) < needed {
                needed -= 1;
                each(member);
            }
        }
    }

    /// Takes out a member drawn fairly and hands it to `taken`; `None` when there is none.
    pub fn pop<R>(&mut self, rng: &mut Rng, taken: impl FnOnce(Element<'_>) -> R) -> Option<R> {
        match &mut self.0 {
            Form::Intset(intset) => {
                let number = intset.get(index_below(intset.len(), rng))?;
                intset.remove(number);
                Some(taken(Element::Int(number)))
            }
            Form::Listpack(listpack) => {
                let place = random_place(listpack, rng)?;
                let outcome = taken(listpack.get(place)?);
                listpack.remove(place);
                Some(outcome)
            }
            Form::Table(members) => {
                let member = members.table.take_random(&mut || rng.bits())?;
                members.member_bytes -= member.alloc_bytes();
                Some(taken(Element::Bytes(member.bytes())))
            }
        }
    }

    /// Takes out so many members drawn fairly, or all, and hands them to `taken`. When few stay,
    /// those get the encoding in which they would have been added.
    pub fn pop_many(
        &mut self,
        count: usize,
        rng: &mut Rng,
        rules: &Rules,
        mut taken: impl FnMut(Element<'_>),
    ) {
        let count = count.min(self.len());
        let staying = self.len() - count;
        if staying.saturating_mul(STAYING_PER_TAKEN) > count {
            for _ in 0..count {
                self.pop(rng, &mut taken);
            }
            return;
        }
        let mut stay = Self::empty();
        for _ in 0..staying {
            self.pop(rng, |member| stay.insert(member, rules));
        }
        mem::replace(self, stay).iter().for_each(taken);
    }
}

fn random_place(listpack: &Listpack, rng: &mut Rng) -> Option<Pos> {
    listpack.seek(i64::try_from(index_below(listpack.len(), rng)).ok()?)
}

fn index_below(len: usize, rng: &mut Rng) -> usize {
    usize::try_from(rng.below(len as u64)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;
    use alloc::vec::Vec;
    use vesta_ds::KeyHasher;

    /// Sets of ten integers in all three forms, and the rules they were made by.
    fn forms() -> Vec<(Set, Rules)> {
        [(512, 128), (0, 128), (0, 0)]
            .into_iter()
            .map(|(intset, listpack)| {
                let limits = Limits {
                    set_intset_entries_max: intset,
                    set_listpack_entries_max: listpack,
                    ..Limits::default()
                };
                let rules = Rules { limits, hasher: KeyHasher::new(1) };
                let mut set = Set::empty();
                set.expect(0, 10, &rules);
                (0..10_i64).for_each(|number| assert!(set.insert(number, &rules)));
                (set, rules)
            })
            .collect()
    }

    fn number(member: Element<'_>) -> usize {
        usize::try_from(member.int().unwrap()).unwrap()
    }

    /// Each of ten members was chosen in about the same share of 1000 draws of `chosen`.
    fn assert_fair(counts: [usize; 10], chosen: usize) {
        let expected = 100 * chosen;
        for count in counts {
            assert!(count.abs_diff(expected) < 60, "{counts:?}");
        }
    }

    #[test]
    fn draws_are_fair_in_every_encoding() {
        for (set, rules) in forms() {
            for chosen in [1, 3, 9] {
                let (mut sampled, mut popped) = ([0; 10], [0; 10]);
                let mut rng = Rng::new(5);
                for _ in 0..1000 {
                    set.sample(chosen, &mut rng, |member| sampled[number(member)] += 1);
                    let mut copy = set.clone();
                    copy.pop_many(chosen, &mut rng, &rules, |member| popped[number(member)] += 1);
                    assert_eq!(copy.len(), 10 - chosen);
                }
                assert_fair(sampled, chosen);
                assert_fair(popped, chosen);
            }
        }
    }

    #[test]
    fn a_sample_has_no_member_twice_and_a_pop_leaves_the_rest() {
        for (set, rules) in forms() {
            let mut rng = Rng::new(9);
            for count in [0, 1, 2, 3, 5, 8, 9, 10, 11, usize::MAX] {
                let mut sample = BTreeSet::new();
                set.sample(count, &mut rng, |member| assert!(sample.insert(number(member))));
                assert_eq!(sample.len(), count.min(10));
                let (mut copy, mut gone) = (set.clone(), BTreeSet::new());
                copy.pop_many(count, &mut rng, &rules, |member| {
                    assert!(gone.insert(number(member)));
                });
                gone.extend(copy.iter().map(number));
                assert_eq!(gone.len(), 10);
                assert_eq!(copy.len(), 10 - count.min(10));
            }
        }
    }
}
