//! The tree against a sorted vector, and the shape that the module doc promises.

use super::leaf::MAX_ITEMS;
use super::node::{Branch, MAX_BRANCHES, Node, SMALL_INNER, SMALL_LEAF};
use super::{Ordered, Probe, Tree};
use proptest::prelude::*;
use std::vec::Vec;

/// A number as an item: its lowest byte is no part of the weight.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Number(u64);

impl Ordered for Number {
    fn weight(self) -> u64 {
        self.0 & !0xff
    }
    fn prefetch(self) {}
}

/// The point before `number`, or behind it.
fn point(number: u64, behind: bool) -> Probe<impl Fn(Number) -> bool> {
    let before = move |item: Number| item.0 < number || (behind && item.0 == number);
    Probe { weight: Some(Number(number).weight()), before }
}

/// Where a node lies: are there nodes to its left, to its right.
#[derive(Clone, Copy)]
struct Edge {
    first: bool,
    last: bool,
}

impl<T: Ordered> Tree<T> {
    /// Checks every invariant that the module doc states.
    pub(crate) fn check(&self) {
        let mut bytes = 0;
        let (count, _) = check_node(&self.root, Edge { first: true, last: true }, &mut bytes);
        assert_eq!((count, bytes), (self.len, self.bytes), "items and bytes");
        if let Node::Inner(branches) = &self.root {
            assert!(branches.len() != 1, "the root decides something");
            assert!(!branches.is_empty() || bytes == 0, "an empty tree owns nothing");
        }
    }
}

/// Returns items and height.
fn check_node<T>(node: &Node<T>, edge: Edge, bytes: &mut usize) -> (usize, usize)
where
    T: Ordered,
{
    *bytes += node.own_bytes();
    let inside = !edge.first && !edge.last;
    match node {
        Node::Leaf(leaf) => {
            leaf.check();
            assert!(!inside || leaf.len() >= SMALL_LEAF, "a leaf of {}", leaf.len());
            (leaf.len(), 0)
        }
        Node::Inner(branches) => {
            assert!(!inside || branches.len() >= SMALL_INNER, "{} branches", branches.len());
            assert!(branches.len() <= MAX_BRANCHES && branches.capacity() <= MAX_BRANCHES);
            let check = |(step, branch): (usize, &Branch<T>)| {
                let first = edge.first && step == 0;
                let last = edge.last && step + 1 == branches.len();
                let (count, height) = check_node(&branch.node, Edge { first, last }, bytes);
                assert_eq!((branch.count, branch.weight), (count, branch.low.weight()));
                assert!(branch.low == first_of(&branch.node), "low is the first item");
                (count, height + 1)
            };
            let children: Vec<_> = branches.iter().enumerate().map(check).collect();
            let height = children.first().map_or(0, |child| child.1);
            assert!(children.iter().all(|child| child.1 == height), "leaves are equally deep");
            (children.iter().map(|child| child.0).sum(), height)
        }
    }
}

fn first_of<T: Ordered>(node: &Node<T>) -> T {
    match node {
        Node::Leaf(leaf) => leaf.items()[0],
        Node::Inner(branches) => first_of(&branches[0].node),
    }
}

/// A tree and the vector that it should be like.
struct Pair {
    tree: Tree<Number>,
    model: Vec<u64>,
}

impl Pair {
    fn new() -> Self {
        Self { tree: Tree::new(), model: Vec::new() }
    }

    fn insert(&mut self, number: u64) {
        let Err(rank) = self.model.binary_search(&number) else { return };
        self.model.insert(rank, number);
        let seat = self.tree.seek(&point(number, false));
        assert_eq!(self.tree.rank_of(&seat), rank);
        self.tree.insert(&seat, Number(number));
    }

    /// Removes by rank, or by a search for the number that has the rank.
    fn remove(&mut self, rank: usize, search: bool) {
        if rank >= self.model.len() {
            return;
        }
        let number = self.model.remove(rank);
        let seat = match search {
            true => self.tree.seek_last(&point(number, true)).unwrap(),
            false => self.tree.seat_at(rank),
        };
        assert_eq!(self.tree.rank_of(&seat), rank);
        assert_eq!(self.tree.remove(&seat), Number(number));
    }

    fn check(&self) {
        self.tree.check();
        let mut rank = 0;
        while rank < self.model.len() {
            let (items, at) = self.tree.leaf_at(rank);
            assert_eq!(at, 0, "leaves are walked whole");
            assert!(items.iter().map(|item| item.0).eq(self.model[rank..][..items.len()].to_vec()));
            rank += items.len();
        }
        assert!(self.tree.leaf_at(rank).0.is_empty());
    }

    /// Asks for places around a number, with and without the help of weights.
    fn ask(&self, number: u64) {
        for behind in [false, true] {
            let rank = self.model.partition_point(|n| *n < number || (behind && *n == number));
            let weighty = point(number, behind);
            assert_eq!(self.tree.rank_of(&self.tree.seek(&weighty)), rank);
            let by_question = Probe { weight: None, before: weighty.before };
            assert_eq!(self.tree.rank_of(&self.tree.seek(&by_question)), rank);
        }
    }
}

#[derive(Clone, Debug)]
enum Op {
    Insert(u64),
    Run { from: u64, step: i64, count: usize },
    Remove(usize, bool),
    RemoveRun { at: usize, count: usize, search: bool },
    PopLeaf,
    Ask(u64),
}

/// Numbers that are dense, far apart, or at the ends of the range.
fn number() -> impl Strategy<Value = u64> {
    prop_oneof![
        3 => 0..4000u64,
        2 => (0..4000u64).prop_map(|n| n << 40),
        2 => any::<u64>(),
        1 => (0..300u64).prop_map(|n| u64::MAX - n),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    let step = prop_oneof![Just(1i64), Just(-1), Just(1 << 30), Just(-(1 << 30)), any::<i64>()];
    prop_oneof![
        3 => number().prop_map(Op::Insert),
        4 => (number(), step, 0..900usize)
            .prop_map(|(from, step, count)| Op::Run { from, step, count }),
        2 => (0..3000usize, any::<bool>()).prop_map(|(rank, search)| Op::Remove(rank, search)),
        3 => (0..3000usize, 0..700usize, any::<bool>())
            .prop_map(|(at, count, search)| Op::RemoveRun { at, count, search }),
        1 => Just(Op::PopLeaf),
        3 => number().prop_map(Op::Ask),
    ]
}

proptest! {
    #[test]
    fn the_tree_is_like_a_sorted_vector(ops in proptest::collection::vec(op(), 1..40)) {
        let mut pair = Pair::new();
        for op in ops {
            match op {
                Op::Insert(number) => pair.insert(number),
                Op::Run { from, step, count } => {
                    let mut number = from;
                    for _ in 0..count {
                        pair.insert(number);
                        number = number.wrapping_add_signed(step);
                    }
                }
                Op::Remove(rank, search) => pair.remove(rank, search),
                Op::RemoveRun { at, count, search } => {
                    let at = at.min(pair.model.len());
                    (0..count).for_each(|_| pair.remove(at, search));
                }
                Op::PopLeaf => {
                    let popped = pair.tree.pop_leaf(|items| {
                        let rest = pair.model.split_off(pair.model.len() - items.len());
                        assert!(items.iter().map(|item| item.0).eq(rest));
                    });
                    prop_assert!(popped > 0 || pair.model.is_empty());
                }
                Op::Ask(number) => pair.ask(number),
            }
            pair.check();
        }
        for rank in (0..pair.model.len()).step_by(17) {
            pair.ask(pair.model[rank]);
        }
        while !pair.model.is_empty() {
            pair.remove(pair.model.len() / 2, false);
        }
        pair.check();
    }
}

/// Bytes per item after inserting `count` numbers in the order that `number` gives.
fn bytes_per_item(count: u64, number: impl Fn(u64) -> u64) -> f64 {
    let mut tree = Tree::new();
    for index in 0..count {
        let number = number(index);
        let seat = tree.seek(&point(number, false));
        tree.insert(&seat, Number(number));
    }
    tree.check();
    tree.heap_bytes() as f64 / tree.len() as f64
}

#[test]
fn items_in_order_fill_the_leaves_and_items_in_disorder_nearly() {
    for count in [200, 1000, 30_000] {
        let ascending = bytes_per_item(count, |n| n << 20);
        let descending = bytes_per_item(count, |n| (count - n) << 20);
        let random = bytes_per_item(count, |n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let by_tie = bytes_per_item(256, |n| n * 77 % 256);
        for bytes in [ascending, descending] {
            assert!(bytes < 14.0, "{count}: {ascending} {descending}");
        }
        assert!(random < 15.5 && by_tie < 15.5, "{count}: {random} {by_tie}");
    }
}

#[test]
fn a_new_weight_is_taken_only_where_the_order_certainly_stays() {
    let mut pair = Pair::new();
    (0..1000u64).for_each(|n| pair.insert(n << 20));
    let seat = pair.tree.seat_at(500);
    assert!(!pair.tree.reweigh(&seat, 501 << 20), "equal to the next");
    assert!(!pair.tree.reweigh(&seat, 502 << 20), "beyond the next");
    assert!(!pair.tree.reweigh(&seat, 0), "before all");
    assert!(pair.tree.reweigh(&seat, (500 << 20) + 0x100), "still between both");
}

#[test]
fn a_queue_stays_low_and_small() {
    let mut pair = Pair::new();
    for number in 0..20_000u64 {
        pair.insert(number << 8);
        if number >= 100 {
            pair.remove(0, number % 2 == 0);
        }
        assert!(pair.tree.heap_bytes() <= 5 * (16 + 12 * MAX_ITEMS), "{number}");
    }
    pair.check();
}
