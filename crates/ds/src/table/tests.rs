//! The table against models: contents, shape, SCAN, fairness, expiry.

use super::bucket::tag_of;
use super::storage::SEGMENT;
use super::{Item, Lookup, Table, TableWalk};
use crate::hash::KeyHasher;
use proptest::prelude::*;
use std::boxed::Box;
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::format;
use std::rc::Rc;
use std::string::String;
use std::vec::Vec;

/// An item that owns memory and counts the living.
struct Probe(Box<ProbeBody>);

struct ProbeBody {
    key: Vec<u8>,
    due: u64,
    alive: Rc<Cell<usize>>,
}

impl Probe {
    fn new(key: &[u8], due: u64, alive: &Rc<Cell<usize>>) -> Self {
        alive.set(alive.get() + 1);
        Self(Box::new(ProbeBody { key: key.to_vec(), due, alive: Rc::clone(alive) }))
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.0.alive.set(self.0.alive.get() - 1);
    }
}

impl Item for Probe {
    fn key(&self) -> &[u8] {
        &self.0.key
    }
    fn due(&self) -> u64 {
        self.0.due
    }
    fn address(&self) -> *const u8 {
        (&raw const *self.0).cast()
    }
}

/// An item that is its own key.
struct Word([u8; 8]);

impl Item for Word {
    fn key(&self) -> &[u8] {
        &self.0
    }
    fn address(&self) -> *const u8 {
        self.0.as_ptr()
    }
}

fn word_table() -> Table<Word> {
    Table::new(KeyHasher::new(7))
}

fn insert_word(table: &mut Table<Word>, number: u64) {
    let hash = table.hasher().hash(&number.to_le_bytes());
    table.insert_new(hash, Word(number.to_le_bytes()));
}

fn remove_word(table: &mut Table<Word>, number: u64) -> bool {
    let hash = table.hasher().hash(&number.to_le_bytes());
    table.remove(hash, &number.to_le_bytes()).is_some()
}

/// A small generator for tests (xorshift*).
fn generator(mut state: u64) -> impl FnMut() -> u64 {
    move || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
}

impl<T: Item> Table<T> {
    /// Checks every invariant that the module docs state.
    fn check(&self) {
        let (mut items, mut children) = (0, 0);
        for index in 0..self.buckets.count() {
            let tag_for = |item: &T| {
                let hash = self.hasher.hash(item.key());
                assert_eq!(self.buckets.index_of(hash), index, "an item lies in its bucket");
                assert!(self.find(hash, item.key()).is_some(), "an item is found");
                if item.due() != u64::MAX {
                    let hints = self.hints.as_ref().expect("a due item has a bound");
                    assert!(self.visited_by_walk(index) || hints.bound(index) <= item.due());
                }
                tag_of(hash)
            };
            // SAFETY: the index is below the count, and `&self` keeps the chain.
            let (chain_items, chain_children) = unsafe { self.chain(index).check(tag_for) };
            assert!(chain_items <= self.longest, "longest chain");
            items += chain_items;
            children += chain_children;
        }
        assert_eq!((items, children), (self.len, self.children));
        assert_eq!(self.iter().count(), items);
        if self.buckets.count() == 0 {
            assert_eq!(self.heap_bytes(), 0, "an empty array owns nothing");
        }
    }

    /// While a walk is under way, its `lowest` stands for the buckets behind it.
    fn visited_by_walk(&self, index: usize) -> bool {
        self.hints.as_ref().is_some_and(|hints| hints.walk_has_passed(index))
    }
}

#[derive(Clone, Debug)]
enum Op {
    Put(u16, u64),
    PutMany(u16, u16, u64),
    SetDue(u16, u64),
    Remove(u16),
    RemoveMany(u16, u16),
    Find(u16),
    FindLive(u16, u64),
    TakeDue(u64, usize),
    Drain(usize),
}

fn due() -> impl Strategy<Value = u64> {
    prop_oneof![3 => Just(u64::MAX), 2 => 0..1000u64]
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => (0..1500u16, due()).prop_map(|(key, due)| Op::Put(key, due)),
        2 => (0..1500u16, 0..700u16, due()).prop_map(|(at, n, due)| Op::PutMany(at, n, due)),
        2 => (0..1500u16, due()).prop_map(|(key, due)| Op::SetDue(key, due)),
        4 => (0..1500u16).prop_map(Op::Remove),
        2 => (0..1500u16, 0..900u16).prop_map(|(at, n)| Op::RemoveMany(at, n)),
        2 => (0..1500u16).prop_map(Op::Find),
        2 => (0..1500u16, 0..1000u64).prop_map(|(key, now)| Op::FindLive(key, now)),
        3 => (0..1000u64, 1..200usize).prop_map(|(now, budget)| Op::TakeDue(now, budget)),
        1 => (0..60usize).prop_map(Op::Drain),
    ]
}

fn name(number: u16) -> Vec<u8> {
    // Lengths from 1 to beyond 32, so that every arm of the key comparison is used.
    let mut name = String::from("k").repeat(usize::from(number % 37)).into_bytes();
    name.extend_from_slice(format!("{number}").as_bytes());
    name
}

#[test]
fn a_table_left_sparse_by_drains_gives_all_its_memory_back() {
    let mut pair = Pair::new();
    for op in [
        Op::PutMany(84, 142, u64::MAX),
        Op::Drain(43),
        Op::RemoveMany(172, 51),
        Op::PutMany(262, 292, u64::MAX),
        Op::Drain(32),
        Op::RemoveMany(0, 1000),
    ] {
        pair.apply(op);
        pair.check();
    }
    assert_eq!((pair.table.len(), pair.table.heap_bytes()), (0, 0));
}

#[test]
fn draining_just_the_last_item_leaves_no_empty_buckets_behind() {
    let never = u64::MAX;
    let mut pair = Pair::new();
    for op in [
        Op::Put(0, never),
        Op::PutMany(1, 141, 0),
        Op::SetDue(1, never),
        Op::PutMany(768, 32, never),
        Op::TakeDue(0, 175),
        Op::Put(2, never),
        Op::Put(3, never),
        Op::Drain(33),
    ] {
        pair.apply(op);
    }
    assert_eq!((pair.table.len(), pair.table.heap_bytes()), (0, 0));
}

/// A table and what it should hold.
struct Pair {
    table: Table<Probe>,
    model: BTreeMap<Vec<u8>, u64>,
    alive: Rc<Cell<usize>>,
    /// `drain_some` takes buckets as they come, so the rest may be crowded or sparse for a while.
    drained: bool,
}

impl Pair {
    fn new() -> Self {
        let table = Table::new(KeyHasher::new(42));
        Self { table, model: BTreeMap::new(), alive: Rc::default(), drained: false }
    }

    fn put(&mut self, key: &[u8], due: u64) {
        let hash = self.table.hasher().hash(key);
        if let Some(item) = self.table.find_mut(hash, key) {
            *item = Probe::new(key, due, &self.alive);
            self.table.note_due(hash, due);
        } else {
            self.table.insert_new(hash, Probe::new(key, due, &self.alive));
        }
        self.model.insert(key.to_vec(), due);
    }

    fn remove(&mut self, key: &[u8]) {
        let hash = self.table.hasher().hash(key);
        let removed = self.table.remove(hash, key).map(|item| item.due());
        assert_eq!(removed, self.model.remove(key));
    }

    fn apply(&mut self, op: Op) {
        match op {
            Op::Put(key, due) => self.put(&name(key), due),
            Op::PutMany(at, n, due) => (at..at + n).for_each(|key| self.put(&name(key), due)),
            Op::SetDue(key, due) => {
                let hash = self.table.hasher().hash(&name(key));
                if let Some(item) = self.table.find_mut(hash, &name(key)) {
                    item.0.due = due;
                    self.table.note_due(hash, due);
                    self.model.insert(name(key), due);
                }
            }
            Op::Remove(key) => self.remove(&name(key)),
            Op::RemoveMany(at, n) => (at..at + n).for_each(|key| self.remove(&name(key))),
            Op::Find(key) => {
                let hash = self.table.hasher().hash(&name(key));
                self.table.prefetch_bucket(hash);
                self.table.prefetch_item(hash);
                let found = self.table.find(hash, &name(key)).map(Item::due);
                assert_eq!(found, self.model.get(&name(key)).copied());
            }
            Op::FindLive(key, now) => {
                let key = name(key);
                let hash = self.table.hasher().hash(&key);
                match self.table.find_live(hash, &key, now) {
                    Lookup::Absent => assert!(!self.model.contains_key(&key)),
                    Lookup::Live(item) => {
                        assert!(item.due() > now);
                        assert_eq!(self.model.get(&key), Some(&item.due()));
                    }
                    Lookup::Expired(item) => {
                        assert!(item.due() <= now);
                        assert_eq!(self.model.remove(&key), Some(item.due()));
                    }
                }
            }
            Op::TakeDue(now, budget) => {
                let mut taken = 0;
                let scan = self.table.take_due(now, budget, |item| {
                    assert!(item.due() <= now, "only due items are taken");
                    assert_eq!(self.model.remove(item.key()), Some(item.due()));
                    taken += 1;
                });
                assert_eq!(scan.taken, taken);
                let left = self.model.values().any(|due| *due <= now);
                assert!(!(scan.done && left), "done means that nothing due is left");
            }
            Op::Drain(max) => {
                self.drained = true;
                let before = self.model.len();
                let gone = self.table.drain_some(max, |item| {
                    assert!(self.model.remove(item.key()).is_some());
                });
                assert_eq!(gone, before - self.model.len());
                assert!(gone >= max.min(before));
            }
        }
    }

    fn check(&self) {
        self.table.check();
        let (items, buckets) = (self.table.len(), self.table.buckets());
        assert_eq!(items, self.model.len());
        assert!(self.drained || items <= 7 || items * 4 <= buckets * 21, "not crowded");
        assert!(self.drained || buckets * 2 <= items + 2, "not sparse");
        assert_eq!(self.alive.get(), self.model.len(), "each item is dropped once");
        let keys: BTreeSet<&[u8]> = self.table.iter().map(Item::key).collect();
        assert!(keys.into_iter().eq(self.model.keys().map(Vec::as_slice)));
    }
}

proptest! {
    #[test]
    fn a_table_is_a_map(ops in prop::collection::vec(op(), 1..80)) {
        let mut pair = Pair::new();
        for op in ops {
            pair.apply(op);
            pair.check();
        }
        while let Some(key) = pair.model.keys().next().cloned() {
            pair.remove(&key);
        }
        pair.check();
        assert_eq!(pair.table.heap_bytes(), 0);
        assert_eq!(pair.table.stats().buckets, 0);
    }

    #[test]
    fn dropping_a_table_drops_its_items(count in 0..600u16) {
        let mut pair = Pair::new();
        pair.apply(Op::PutMany(0, count, 5));
        drop(pair.table);
        assert_eq!(pair.alive.get(), 0);
    }

    /// Items that are there throughout are delivered, whatever happens between the calls.
    #[test]
    fn a_scan_misses_nothing_that_stays(
        seed in 1..u64::MAX,
        steady in 0..300u64,
        swing in 1..3000u64,
        ops_per_call in 0..400u64,
    ) {
        let mut next = generator(seed);
        let mut table = word_table();
        let mut volatile = BTreeSet::new();
        (0..steady).for_each(|number| insert_word(&mut table, number));
        let mut seen = BTreeSet::new();
        let (mut cursor, mut calls, mut grow) = (0, 0, next().is_multiple_of(2));
        loop {
            cursor = table.scan(cursor, |item| {
                seen.insert(u64::from_le_bytes(item.0));
            });
            calls += 1;
            if cursor == 0 {
                break;
            }
            if next().is_multiple_of(16) {
                grow = !grow;
            }
            for _ in 0..ops_per_call {
                let number = 1_000_000 + next() % swing;
                if grow && volatile.insert(number) {
                    insert_word(&mut table, number);
                } else if !grow && let Some(number) = volatile.pop_first() {
                    assert!(remove_word(&mut table, number));
                }
            }
        }
        assert!((0..steady).all(|number| seen.contains(&number)));
        assert!(calls <= 4096, "{calls} calls");
    }

    /// Whatever happens between the calls, a call gives just those items that the walk passes by
    /// it: each once, and none that came where the walk had been.
    #[test]
    fn a_walk_gives_each_item_once_as_it_passes_it(
        seed in 1..u64::MAX,
        steady in 0..300u64,
        swing in 1..3000u64,
        ops_per_call in 0..400u64,
    ) {
        let mut next = generator(seed);
        let mut table = word_table();
        let hasher = table.hasher().clone();
        let hash = |number: u64| hasher.hash(&number.to_le_bytes());
        (0..steady).for_each(|number| insert_word(&mut table, number));
        let mut pending: BTreeSet<u64> = (0..steady).collect();
        let mut volatile = BTreeSet::new();
        let (mut walk, mut calls, mut grow) = (TableWalk::new(), 0, next().is_multiple_of(2));
        while !walk.is_over() {
            let mut given = Vec::new();
            table.walk(&mut walk, |item| given.push(u64::from_le_bytes(item.0)));
            let passed = pending.extract_if(.., |number| walk.has_passed(hash(*number)));
            given.sort_unstable();
            prop_assert_eq!(given, passed.collect::<Vec<_>>());
            calls += 1;
            if next().is_multiple_of(16) {
                grow = !grow;
            }
            for _ in 0..ops_per_call {
                let number = 1_000_000 + next() % swing;
                if grow && volatile.insert(number) {
                    insert_word(&mut table, number);
                    if !walk.has_passed(hash(number)) {
                        pending.insert(number);
                    }
                } else if !grow && let Some(number) = volatile.pop_first() {
                    assert!(remove_word(&mut table, number));
                    let was_pending = pending.remove(&number);
                    assert_eq!(was_pending, !walk.has_passed(hash(number)));
                }
            }
        }
        prop_assert!(pending.is_empty());
        prop_assert!(calls <= 4096, "{} calls", calls);
    }

    #[test]
    fn any_number_is_a_cursor(cursor: u64, count in 0..500u64) {
        let mut table = word_table();
        (0..count).for_each(|number| insert_word(&mut table, number));
        let (mut cursor, mut calls) = (cursor, 0);
        while calls == 0 || cursor != 0 {
            cursor = table.scan(cursor, |_| ());
            calls += 1;
        }
        assert!(calls <= table.buckets().max(1));
    }
}

#[test]
fn a_quiet_scan_delivers_each_item_once() {
    let mut table = word_table();
    for number in 0..5000 {
        insert_word(&mut table, number);
        if number % 617 != 0 {
            continue;
        }
        let (mut cursor, mut seen, mut calls) = (0, Vec::new(), 0);
        loop {
            cursor = table.scan(cursor, |item| seen.push(item.0));
            calls += 1;
            if cursor == 0 {
                break;
            }
            assert!(cursor < 2 * table.buckets() as u64, "cursors are as small as the table");
        }
        assert_eq!(calls, table.buckets());
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), table.len());
    }
}

#[test]
fn a_quiet_walk_visits_each_bucket_once() {
    let mut table = word_table();
    for number in 0..3000 {
        insert_word(&mut table, number);
        if number % 311 != 0 {
            continue;
        }
        let (mut walk, mut seen, mut calls) = (TableWalk::new(), BTreeSet::new(), 0);
        while !walk.is_over() {
            table.walk(&mut walk, |item| assert!(seen.insert(item.0), "given twice"));
            calls += 1;
        }
        assert_eq!((calls, seen.len()), (table.buckets(), table.len()));
    }
}

#[test]
fn a_walk_over_an_emptied_table_is_over() {
    let mut table = word_table();
    (0..100).for_each(|number| insert_word(&mut table, number));
    let mut walk = TableWalk::new();
    table.walk(&mut walk, |_| ());
    table.clear();
    assert!(!walk.is_over());
    table.walk(&mut walk, |_| unreachable!("nothing is left"));
    assert!(walk.is_over() && walk.has_passed(0) && walk.has_passed(u64::MAX));
    insert_word(&mut table, 1);
    table.walk(&mut walk, |_| unreachable!("the walk has passed it"));
}

#[test]
fn keys_that_fall_into_one_bucket_make_one_long_chain() {
    let mut pair = Pair::new();
    let hasher = pair.table.hasher().clone();
    let together: Vec<Vec<u8>> = (0..40_000u32)
        .map(|number| format!("key:{number}").into_bytes())
        .filter(|key| hasher.hash(key) & 0x1ff == 0)
        .collect();
    assert!(together.len() > 40);
    together.iter().for_each(|key| pair.put(key, 100));
    pair.check();
    assert_eq!(pair.table.stats().longest_chain, together.len());
    let taken = pair.table.take_due(100, 1, |item| {
        pair.model.remove(item.key());
    });
    assert_eq!((taken.visited >= 1, pair.model.len()), (true, together.len() - taken.taken));
    pair.check();
    together.iter().for_each(|key| pair.remove(key));
    pair.check();
}

#[test]
fn random_is_fair_in_a_table_between_two_doublings() {
    let mut table = word_table();
    let (items, draws_per_item) = (2900u64, 60u64);
    (0..items).for_each(|number| insert_word(&mut table, number));
    assert!(table.stats().children > 0 && !table.buckets().is_power_of_two());
    let mut drawn = std::vec![0u64; items as usize];
    let mut next = generator(99);
    for _ in 0..items * draws_per_item {
        let item = table.random(&mut next).expect("the table has items");
        drawn[u64::from_le_bytes(item.0) as usize] += 1;
    }
    let expected = draws_per_item as f64;
    let chi: f64 = drawn.iter().map(|n| (*n as f64 - expected).powi(2) / expected).sum();
    // Chi-square with 2899 degrees of freedom: mean 2899, deviation 76.
    assert!((2899.0 - 4.0 * 76.0..2899.0 + 4.0 * 76.0).contains(&chi), "chi-square {chi}");
}

#[test]
fn items_taken_at_random_are_gone_and_leave_the_rest() {
    let mut table = word_table();
    (0..1000).for_each(|number| insert_word(&mut table, number));
    let mut left: BTreeSet<[u8; 8]> = (0..1000u64).map(u64::to_le_bytes).collect();
    let mut next = generator(7);
    while let Some(word) = table.take_random(&mut next) {
        assert!(left.remove(&word.0), "taken twice");
        assert_eq!(table.len(), left.len());
        assert!(table.iter().all(|word| left.contains(&word.0)));
    }
    assert!(left.is_empty());
    assert_eq!(table.heap_bytes(), 0);
}

#[test]
fn random_survives_a_generator_that_is_stuck() {
    let mut table = word_table();
    (0..100).for_each(|number| insert_word(&mut table, number));
    assert!(table.random(&mut || u64::MAX).is_some());
    assert!(table.random(&mut || 0).is_some());
    assert!(word_table().random(&mut || 0).is_none());
}

#[test]
fn a_sample_has_distinct_items_and_as_many_as_asked() {
    let mut table = word_table();
    let mut next = generator(5);
    for count in 0..200u64 {
        for want in [0usize, 1, 5, 16, 300] {
            let mut items = BTreeSet::new();
            let given = table.sample(want, &mut next, |item| {
                items.insert(item.0);
            });
            assert_eq!(given, want.min(count as usize));
            assert_eq!(items.len(), given);
        }
        insert_word(&mut table, count);
    }
}

#[test]
fn the_few_items_with_an_expiry_are_sampled_without_a_walk_of_the_table() {
    let mut pair = Pair::new();
    let mut next = generator(11);
    pair.apply(Op::PutMany(0, 20_000, u64::MAX));
    assert_eq!(pair.table.sample_due(5, 1000, &mut next, |_| ()), 0);
    (0..30).for_each(|number| pair.put(&name(number * 600), 77));
    let mut seen = BTreeSet::new();
    for _ in 0..500 {
        let given = pair.table.sample_due(5, 5000, &mut next, |item| {
            assert_eq!(item.due(), 77);
            seen.insert(item.key().to_vec());
        });
        assert_eq!(given, 5);
        assert!(pair.table.sample_due(5, 10, &mut next, |_| ()) <= 5);
    }
    assert_eq!(seen.len(), 30);
}

#[test]
fn due_items_come_in_time_and_the_bounds_become_exact() {
    let mut pair = Pair::new();
    let mut next = generator(3);
    for number in 0..20_000u16 {
        pair.put(&name(number), if number % 3 == 0 { next() % 10_000 } else { u64::MAX });
    }
    for now in (0..=10_000).step_by(500) {
        let mut calls = 0;
        loop {
            let scan = pair.table.take_due(now, 50, |item| {
                assert_eq!(pair.model.remove(item.key()), Some(item.due()));
            });
            assert!(scan.visited <= 50 + pair.table.longest.max(pair.table.buckets() / 64));
            calls += 1;
            if scan.done {
                break;
            }
        }
        assert!(calls < 1000);
        assert!(pair.model.values().all(|due| *due > now));
    }
    pair.check();
    // Nothing is due any more and every bound says so: the next call visits bounds only.
    let scan = pair.table.take_due(u64::MAX - 1, 1000, drop);
    assert_eq!((scan.taken, scan.done), (0, true));
    assert!(scan.visited <= 1 + pair.table.buckets() / SEGMENT / 64);
}

#[test]
fn an_expiry_put_off_costs_one_walk() {
    let mut pair = Pair::new();
    pair.apply(Op::PutMany(0, 1000, 10));
    pair.apply(Op::PutMany(0, 1000, 5000));
    let first = pair.table.take_due(20, 100_000, drop);
    assert_eq!((first.taken, first.done), (0, true));
    assert!(first.visited >= 1000);
    let second = pair.table.take_due(20, 100_000, drop);
    assert_eq!((second.taken, second.done), (0, true));
    assert!(second.visited < 10, "the bounds were made exact");
    pair.check();
}

#[test]
fn tables_without_expiry_keep_no_bounds() {
    let mut table = word_table();
    (0..1000).for_each(|number| insert_word(&mut table, number));
    assert!(table.hints.is_none());
    assert!(table.take_due(u64::MAX, 100, drop).done);
}

#[test]
fn bytes_per_item_are_flat_from_ten_thousand_to_a_million() {
    let mut table = word_table();
    let mut worst = 0.0f64;
    for number in 0..1_000_000u64 {
        insert_word(&mut table, number);
        if number >= 10_000 && (number % 499 == 0 || number == 999_999) {
            worst = worst.max(table.heap_bytes() as f64 / table.len() as f64);
        }
    }
    assert!(worst <= 15.5, "{worst} bytes per item");
    for number in 0..990_000 {
        remove_word(&mut table, number);
    }
    let sparse = table.heap_bytes() as f64 / table.len() as f64;
    assert!(sparse <= 34.0, "{sparse} bytes per item after most were removed");
    assert_eq!(table.len(), 10_000);
}
