//! Sets: members without order.
//!
//! A set of integers is an [`Intset`], sorted and searched by halving; another small one is a
//! listpack of its members in the order of insertion; a large one is a table of [`Member`]s. An
//! intset that gets a member of another kind becomes a listpack if it is small enough for one. The
//! thresholds are those of [`Limits`], and a set never goes back by itself.
//!
//! [`Limits`]: super::Limits

mod algebra;
mod draw;

use super::{Kind, Object, Rules, all_differ};
use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;
use vesta_ds::{
    Digits, Element, Heap, Intset, IntsetIter, Iter as TableIter, Listpack, ListpackIter, Member,
    Table,
};

/// Bytes that an element of a listpack takes beyond its text, at most.
const OVERHEAD_MAX: usize = 10;

/// Members without order.
#[derive(Clone)]
pub struct Set(Form);

#[derive(Clone)]
enum Form {
    Intset(Intset),
    Listpack(Listpack),
    Table(Box<Members>),
}

/// The large form.
struct Members {
    table: Table<Member>,
    /// Bytes of the members' allocations.
    member_bytes: usize,
}

impl Set {
    /// A set of an intset's members.
    #[must_use]
    pub fn from_intset(intset: Intset) -> Self {
        Self(Form::Intset(intset))
    }

    /// A set of a listpack's elements. `None` when one is there twice, as in a payload from
    /// outside.
    #[must_use]
    pub fn from_listpack(listpack: Listpack) -> Option<Self> {
        all_differ(listpack.iter()).then_some(Self(Form::Listpack(listpack)))
    }

    /// The intset of a set of integers, for a snapshot.
    #[must_use]
    pub fn intset(&self) -> Option<&Intset> {
        match &self.0 {
            Form::Intset(intset) => Some(intset),
            Form::Listpack(_) | Form::Table(_) => None,
        }
    }

    /// The listpack of a small set, for a snapshot.
    #[must_use]
    pub fn listpack(&self) -> Option<&Listpack> {
        match &self.0 {
            Form::Listpack(listpack) => Some(listpack),
            Form::Intset(_) | Form::Table(_) => None,
        }
    }

    /// Buckets that the members of the large form lie in; 0 while the set is small.
    #[must_use]
    pub fn buckets(&self) -> usize {
        match &self.0 {
            Form::Table(members) => members.table.buckets(),
            Form::Intset(_) | Form::Listpack(_) => 0,
        }
    }

    /// Hands the members in these of the [`Set::buckets`] to `each`: all of them bit by bit, as
    /// long as the set is not changed.
    pub fn for_each_in(&self, buckets: Range<usize>, mut each: impl FnMut(&[u8])) {
        if let Form::Table(members) = &self.0 {
            members.table.iter_buckets(buckets).for_each(|member| each(member.bytes()));
        }
    }

    /// Number of members.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.0 {
            Form::Intset(intset) => intset.len(),
            Form::Listpack(listpack) => listpack.len(),
            Form::Table(members) => members.table.len(),
        }
    }

    /// Whether there is no member.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match &self.0 {
            Form::Intset(intset) => intset.is_empty(),
            Form::Listpack(listpack) => listpack.is_empty(),
            Form::Table(members) => members.table.is_empty(),
        }
    }

    /// The encoding by its name in OBJECT ENCODING.
    #[must_use]
    pub fn encoding_name(&self) -> &'static str {
        match &self.0 {
            Form::Intset(_) => "intset",
            Form::Listpack(_) => "listpack",
            Form::Table(_) => "hashtable",
        }
    }

    /// Whether `member` is in the set.
    #[must_use]
    pub fn contains<'v>(&self, member: impl Into<Element<'v>>) -> bool {
        let member = member.into();
        match &self.0 {
            Form::Intset(intset) => member.int().is_some_and(|number| intset.contains(number)),
            Form::Listpack(listpack) => {
                listpack.first().is_some_and(|first| listpack.find(first, member, 0).is_some())
            }
            Form::Table(members) => members.contains(member.text(&mut Digits::new())),
        }
    }

    /// Tells that about `count` members are going to be inserted, `first` first, so that the set
    /// takes the form it would end in. What SADD and the STORE commands do with their arguments.
    pub fn expect<'v>(&mut self, first: impl Into<Element<'v>>, count: usize, rules: &Rules) {
        let limits = &rules.limits;
        let (fits_intset, fits_listpack) =
            (count <= limits.set_intset_entries_max, count <= limits.set_listpack_entries_max);
        match &self.0 {
            Form::Intset(_) if fits_intset && first.into().int().is_some() => {}
            Form::Intset(intset) if fits_listpack && intset.is_empty() => {
                self.0 = Form::Listpack(Listpack::new());
            }
            Form::Intset(intset) if !fits_intset || intset.is_empty() => self.grow(rules),
            Form::Listpack(_) if !fits_listpack => self.grow(rules),
            Form::Intset(_) | Form::Listpack(_) | Form::Table(_) => {}
        }
    }

    /// Adds a member; whether it is new.
    pub fn insert<'v>(&mut self, member: impl Into<Element<'v>>, rules: &Rules) -> bool {
        let (member, limits) = (member.into(), &rules.limits);
        match &mut self.0 {
            Form::Intset(intset) => {
                match member.int() {
                    Some(number) if intset.contains(number) => return false,
                    Some(number) if intset.len() < intset_max(rules) => return intset.add(number),
                    Some(_) => self.grow(rules),
                    None => self.leave_intset(member, rules),
                }
                self.insert(member, rules)
            }
            Form::Listpack(listpack) => {
                let len = member.text_len();
                let fits = len <= limits.set_listpack_value_bytes_max
                    && listpack.len() < limits.set_listpack_entries_max
                    && listpack.has_room(len + OVERHEAD_MAX);
                if listpack.first().is_some_and(|at| listpack.find(at, member, 0).is_some()) {
                    return false;
                }
                if fits && listpack.push(member).is_ok() {
                    return true;
                }
                self.grow(rules);
                self.insert(member, rules)
            }
            Form::Table(members) => members.insert(member.text(&mut Digits::new())),
        }
    }

    /// Removes a member; whether it was there.
    pub fn remove<'v>(&mut self, member: impl Into<Element<'v>>) -> bool {
        let member = member.into();
        match &mut self.0 {
            Form::Intset(intset) => member.int().is_some_and(|number| intset.remove(number)),
            Form::Listpack(listpack) => {
                let place = listpack.first().and_then(|first| listpack.find(first, member, 0));
                place.is_some_and(|place| listpack.remove_run(place, 1) > 0)
            }
            Form::Table(members) => members.remove(member.text(&mut Digits::new())),
        }
    }

    /// All members: integers in order, those of a listpack in the order of insertion, else in no
    /// particular one.
    #[must_use]
    pub fn iter(&self) -> SetIter<'_> {
        SetIter(match &self.0 {
            Form::Intset(intset) => IterForm::Intset(intset.iter()),
            Form::Listpack(listpack) => IterForm::Listpack(listpack.iter()),
            Form::Table(members) => IterForm::Table(members.table.iter()),
        })
    }

    /// Visits some members and gives the next cursor; 0 starts and ends. A small set is visited
    /// whole. What is there from the first call to the last is visited at least once.
    pub fn scan(&self, cursor: u64, mut each: impl FnMut(Element<'_>)) -> u64 {
        match &self.0 {
            Form::Intset(_) | Form::Listpack(_) => {
                self.iter().for_each(each);
                0
            }
            Form::Table(members) => {
                members.table.scan(cursor, |member| each(Element::Bytes(member.bytes())))
            }
        }
    }

    /// Turns a set of integers back into an intset if that may be so large. What the commands that
    /// store the result of a set operation do at its end.
    pub fn settle(&mut self, rules: &Rules) {
        if matches!(self.0, Form::Intset(_)) || self.len() > intset_max(rules) {
            return;
        }
        let mut intset = Intset::new();
        for member in self.iter() {
            let Some(number) = member.int() else { return };
            intset.add(number);
        }
        self.0 = Form::Intset(intset);
    }

    pub(super) fn drop_cost(&self) -> usize {
        match &self.0 {
            Form::Intset(_) | Form::Listpack(_) => 1,
            Form::Table(members) => members.table.len(),
        }
    }

    pub(super) fn drain_some(&mut self, max: usize) {
        match &mut self.0 {
            Form::Intset(_) => self.0 = Form::Intset(Intset::new()),
            Form::Listpack(listpack) => listpack.clear(),
            Form::Table(members) => {
                let Members { table, member_bytes } = &mut **members;
                table.drain_some(max, |member| *member_bytes -= member.alloc_bytes());
            }
        }
    }

    /// Gives an intset the form in which it takes `member`, which is no integer.
    fn leave_intset(&mut self, member: Element<'_>, rules: &Rules) {
        let limits = &rules.limits;
        // In an intset the longest text is that of the least or the greatest member.
        let Form::Intset(intset) = &self.0 else { return };
        let ends = [intset.first(), intset.last()].into_iter().flatten();
        let longest = ends.map(|number| Element::Int(number).text_len()).max().unwrap_or(0);
        let longest = longest.max(member.text_len());
        if longest > limits.set_listpack_value_bytes_max
            || intset.len() >= limits.set_listpack_entries_max
        {
            return self.grow(rules);
        }
        let mut listpack = Listpack::new();
        if intset.iter().all(|number| listpack.push(number).is_ok()) {
            self.0 = Form::Listpack(listpack);
        } else {
            self.grow(rules);
        }
    }

    /// Gives the set its large form.
    fn grow(&mut self, rules: &Rules) {
        if !matches!(self.0, Form::Table(_)) {
            let mut members = Members::new(Table::new(rules.hasher.clone()));
            let mut digits = Digits::new();
            for member in self.iter() {
                members.insert_new(Member::new(member.text(&mut digits)));
            }
            self.0 = Form::Table(Box::new(members));
        }
    }
}

/// Most members of an intset.
fn intset_max(rules: &Rules) -> usize {
    rules.limits.set_intset_entries_max.min(Intset::LEN_MAX)
}

fn owned(member: Element<'_>) -> Vec<u8> {
    member.text(&mut Digits::new()).to_vec()
}

impl Members {
    fn new(table: Table<Member>) -> Self {
        Self { table, member_bytes: 0 }
    }

    fn contains(&self, member: &[u8]) -> bool {
        self.table.find(self.table.hasher().hash(member), member).is_some()
    }

    /// Adds a member that is not there.
    fn insert_new(&mut self, member: Member) {
        self.member_bytes += member.alloc_bytes();
        self.table.insert_new(self.table.hasher().hash(member.bytes()), member);
    }

    fn insert(&mut self, member: &[u8]) -> bool {
        let is_new = !self.contains(member);
        if is_new {
            self.insert_new(Member::new(member));
        }
        is_new
    }

    fn remove(&mut self, member: &[u8]) -> bool {
        let hash = self.table.hasher().hash(member);
        let Some(gone) = self.table.remove(hash, member) else { return false };
        self.member_bytes -= gone.alloc_bytes();
        true
    }
}

impl Clone for Members {
    fn clone(&self) -> Self {
        let mut copy = Self::new(Table::new(self.table.hasher().clone()));
        self.table.iter().cloned().for_each(|member| copy.insert_new(member));
        copy
    }
}

impl Heap for Set {
    fn heap_bytes(&self) -> usize {
        match &self.0 {
            Form::Intset(intset) => intset.heap_bytes(),
            Form::Listpack(listpack) => listpack.heap_bytes(),
            Form::Table(members) => {
                size_of::<Members>() + members.table.heap_bytes() + members.member_bytes
            }
        }
    }
}

impl Kind for Set {
    fn empty() -> Self {
        Self(Form::Intset(Intset::new()))
    }

    fn of(object: &Object) -> Option<&Self> {
        let Object::Set(set) = object else { return None };
        Some(set)
    }

    fn of_mut(object: &mut Object) -> Option<&mut Self> {
        let Object::Set(set) = object else { return None };
        Some(set)
    }

    fn into_object(self) -> Object {
        Object::Set(self)
    }
}

/// Members in the order of their bytes, the same for all encodings.
impl fmt::Debug for Set {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sorted: BTreeSet<_> = self.iter().map(owned).collect();
        out.debug_set().entries(sorted).finish()
    }
}

/// Members; see [`Set::iter`].
pub struct SetIter<'a>(IterForm<'a>);

enum IterForm<'a> {
    Intset(IntsetIter<'a>),
    Listpack(ListpackIter<'a>),
    Table(TableIter<'a, Member>),
}

impl<'a> Iterator for SetIter<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        match &mut self.0 {
            IterForm::Intset(numbers) => numbers.next().map(Element::Int),
            IterForm::Listpack(members) => members.next(),
            IterForm::Table(members) => members.next().map(|member| Element::Bytes(member.bytes())),
        }
    }
}
