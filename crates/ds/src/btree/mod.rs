//! A counted B+tree: items in order, found by place, by weight or by any monotone question.
//!
//! # Why this shape
//!
//! A sorted set is asked for ranks, for ranges and for single places, and changes between any two
//! questions. A skiplist answers all of it in O(log n), but each of its steps is a cache miss and
//! each item carries its own links. Here some forty to sixty items share a node, the way down is
//! four or five nodes for a million items, and an inner node knows how many items lie below each
//! of its branches, which makes a place a number and a range two numbers.
//!
//! The tree orders *copies of 8-byte handles* of things that another structure owns. A handle has
//! a weight (64 bits, of which the order is known without a look at other handles) and, among
//! equal weights, an order that the caller's question knows. Reading a weight means following the
//! handle, a cache miss; so the tree keeps the weight of each subtree's first item in the branch,
//! and 32 bits of it, the *hint*, beside each handle in a leaf.
//!
//! # The bytes
//!
//! ```text
//! leaf:  +----------+-----+-------+-------+--------------------+----------------------------+
//!        | base u64 | len | class | shift | hints, cap x 4 B   | items, cap x 8 B           |
//!        +----------+-----+-------+-------+--------------------+----------------------------+
//!          16 bytes with padding            cap = 4, 8, 12, ... 36, 40, 52, 62
//!
//! inner: up to 32 branches in a Vec       +-------------+------------+-------------+--------+
//!        (2, 4, 8, 13, ... allocated):    | weight 8 B  | low 8 B    | count 8 B   | node   |
//!                                         +-------------+------------+-------------+--------+
//!                                           first item of the subtree                24 B
//! ```
//!
//! A node is as large as its content asks for, in steps of the allocator, and at most 768 bytes
//! (leaf) or 1536: that is what makes B-trees of random content small, which otherwise are a
//! third empty. A branch holds its node's `Vec` itself, so that a level is one pointer hop.
//!
//! # How it stays in shape
//!
//! * All leaves are equally deep. A full node is split in the middle; at the tree's two ends,
//!   where input in order arrives, it is split so that the full part stays full.
//! * A node that a removal leaves small (below 20 items or 10 branches) is merged with a
//!   neighbour, or both are evened out. Only the nodes along the two edges may be smaller.
//! * A branch's `low` is exactly the first item of its subtree, never a stale separator: a
//!   handle in the tree always belongs to a living thing.
//!
//! # Costs
//!
//! 13 bytes per item that came in order, 14 to 15 in disorder, of which 12 are hint and handle.
//! One change touches one node per level, and a neighbour where it splits or merges: no change
//! ever takes longer than a few microseconds, whatever the size.

mod leaf;
mod node;
#[cfg(test)]
mod tests;

use alloc::vec::Vec;
use core::mem;
use leaf::{Leaf, MAX_ITEMS};
use node::{Branch, Descent, Node};

/// Inner levels that a tree can have. Inner nodes have ten branches or more (but for the edges),
/// so that memory ends long before.
const MAX_HEIGHT: usize = 20;

/// What a [`Tree`] holds: an 8-byte handle of something that is owned elsewhere.
pub(crate) trait Ordered: Copy + PartialEq {
    /// The first part of the order. It must not change while the item is in a tree, but through
    /// [`Tree::reweigh`].
    fn weight(self) -> u64;

    /// Asks for the memory that [`Ordered::weight`] will read.
    fn prefetch(self);
}

/// A question to the order: which items come before some point.
pub(crate) struct Probe<F> {
    /// Lighter items come before the point, heavier ones do not; `None` if only `before` knows.
    pub(crate) weight: Option<u64>,
    /// Whether an item of that very weight comes before the point.
    pub(crate) before: F,
}

impl<F> Probe<F> {
    #[inline(always)]
    fn passes<T: Ordered>(&self, item: T, weight: impl FnOnce() -> u64) -> bool
    where
        F: Fn(T) -> bool,
    {
        match self.weight {
            Some(point) => {
                let weight = weight();
                weight < point || (weight == point && (self.before)(item))
            }
            None => (self.before)(item),
        }
    }

    #[inline(always)]
    fn passes_item<T: Ordered>(&self, item: T) -> bool
    where
        F: Fn(T) -> bool,
    {
        self.passes(item, || item.weight())
    }
}

/// The way from the root to a place in a leaf. Valid until the tree is changed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seat {
    steps: [u8; MAX_HEIGHT],
    pos: u8,
}

impl Seat {
    fn step(&self, depth: usize) -> usize {
        usize::from(*self.steps.get(depth).expect("no tree is that high"))
    }

    fn set_step(&mut self, depth: usize, step: usize) {
        *self.steps.get_mut(depth).expect("no tree is that high") = step as u8;
    }

    fn pos(&self) -> usize {
        usize::from(self.pos)
    }

    /// Whether the way leads, from `depth` on, to the very first place. Steps beyond the leaf
    /// are zero.
    fn is_first_from(&self, depth: usize) -> bool {
        self.pos == 0 && self.steps.iter().skip(depth).all(|step| *step == 0)
    }
}

/// An ordered list of handles with places. It never follows a handle after its removal, and never
/// drops what a handle stands for.
pub(crate) struct Tree<T> {
    root: Node<T>,
    len: usize,
    /// Own allocations.
    bytes: usize,
}

impl<T: Ordered> Tree<T> {
    /// An empty tree. Allocates nothing.
    pub(crate) const fn new() -> Self {
        Self { root: Node::Inner(Vec::new()), len: 0, bytes: 0 }
    }

    /// A tree of items that are in order. O(n), and as full as if they had come one by one.
    pub(crate) fn from_sorted(items: &[T]) -> Self {
        let leaves = items.chunks(MAX_ITEMS).map(|items| Node::Leaf(Leaf::of(items)));
        let mut level: Vec<Node<T>> = leaves.collect();
        let mut tree = Self { len: items.len(), ..Self::new() };
        loop {
            tree.bytes += level.iter().map(Node::own_bytes).sum::<usize>();
            if level.len() <= 1 {
                break;
            }
            level = node::level_above(level);
        }
        if let Some(root) = level.pop() {
            tree.root = root;
        }
        tree
    }

    /// Number of items.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Bytes of the tree's own allocations. O(1).
    pub(crate) fn heap_bytes(&self) -> usize {
        self.bytes
    }

    /// The place behind the last item that `probe` passes, in that item's leaf: where a new item
    /// belongs whose order the probe describes. The item that follows may be in the next leaf.
    #[inline]
    pub(crate) fn seek(&self, probe: &Probe<impl Fn(T) -> bool>) -> Seat {
        let (mut seat, mut node) = (Seat::default(), &self.root);
        for depth in 0.. {
            match node {
                Node::Leaf(leaf) => {
                    seat.pos = leaf.partition(probe) as u8;
                    break;
                }
                Node::Inner(branches) => {
                    let passed = branches
                        .partition_point(|branch| probe.passes(branch.low, || branch.weight));
                    let step = passed.saturating_sub(1);
                    let Some(branch) = branches.get(step) else { break };
                    if let Node::Leaf(leaf) = &branch.node {
                        leaf.prefetch();
                    }
                    seat.set_step(depth, step);
                    node = &branch.node;
                }
            }
        }
        seat
    }

    /// The place of the last item that `probe` passes, if it passes any.
    #[inline]
    pub(crate) fn seek_last(&self, probe: &Probe<impl Fn(T) -> bool>) -> Option<Seat> {
        // The search goes to the last leaf whose first item passes, so the item is there, too.
        let seat = self.seek(probe);
        Some(Seat { pos: seat.pos.checked_sub(1)?, ..seat })
    }

    /// The place of item number `rank`, which must be below `len()`.
    pub(crate) fn seat_at(&self, rank: usize) -> Seat {
        let (mut seat, mut node) = (Seat::default(), &self.root);
        let (mut rest, mut total) = (rank, self.len);
        for depth in 0.. {
            match node {
                Node::Leaf(_) => {
                    seat.pos = rest as u8;
                    break;
                }
                Node::Inner(branches) => {
                    let (step, before) = branch_of(branches, rest, total);
                    let Some(branch) = branches.get(step) else { break };
                    seat.set_step(depth, step);
                    (rest, total, node) = (rest - before, branch.count, &branch.node);
                }
            }
        }
        seat
    }

    /// How many items come before a place.
    pub(crate) fn rank_of(&self, seat: &Seat) -> usize {
        let (mut rank, mut total, mut node, mut depth) = (0, self.len, &self.root, 0);
        while let Node::Inner(branches) = node {
            let step = seat.step(depth);
            let Some(branch) = branches.get(step) else { break };
            rank += items_before(branches, step, total);
            (total, node, depth) = (branch.count, &branch.node, depth + 1);
        }
        rank + seat.pos()
    }

    /// The items that share a leaf with item number `rank`, and its place among them. Empty when
    /// there is no such item.
    pub(crate) fn leaf_at(&self, rank: usize) -> (&[T], usize) {
        if rank >= self.len {
            return (&[], 0);
        }
        let (mut node, mut rest, mut total) = (&self.root, rank, self.len);
        loop {
            match node {
                Node::Leaf(leaf) => return (leaf.items(), rest),
                Node::Inner(branches) => {
                    let (step, before) = branch_of(branches, rest, total);
                    let Some(branch) = branches.get(step) else { return (&[], 0) };
                    (rest, total, node) = (rest - before, branch.count, &branch.node);
                }
            }
        }
    }

    /// Inserts an item at the place where it belongs.
    pub(crate) fn insert(&mut self, seat: &Seat, item: T) {
        self.len += 1;
        if self.len == 1 {
            let leaf = Leaf::of(&[item]);
            self.bytes += leaf.bytes();
            self.root = Node::Leaf(leaf);
            return;
        }
        if let Some(right) = self.root.insert(Descent::new(seat), item, &mut self.bytes) {
            let left = mem::replace(&mut self.root, Node::Inner(Vec::new()));
            self.root = Node::Inner(Vec::from([Branch::of(left), Branch::of(right)]));
            self.bytes += self.root.own_bytes();
        }
    }

    /// Takes out the item at a place, where there must be one.
    pub(crate) fn remove(&mut self, seat: &Seat) -> T {
        let item = self.root.remove(seat, 0, &mut self.bytes);
        self.len -= 1;
        self.lower();
        item
    }

    /// Says that the item at a place will weigh `weight`. Returns false if the item might then
    /// belong elsewhere; it must be removed and inserted again.
    pub(crate) fn reweigh(&mut self, seat: &Seat, weight: u64) -> bool {
        let (mut node, mut depth) = (&mut self.root, 0);
        loop {
            match node {
                Node::Leaf(leaf) => return leaf.reweigh(seat.pos(), weight),
                Node::Inner(branches) => match branches.get_mut(seat.step(depth)) {
                    Some(branch) => node = &mut branch.node,
                    None => return false,
                },
            }
            depth += 1;
        }
    }

    /// Takes a leaf's worth of items from the end and hands them to `each`, in order. Returns how
    /// many; 0 when the tree is empty.
    pub(crate) fn pop_leaf(&mut self, each: impl FnOnce(&[T])) -> usize {
        let Some(leaf) = self.root.pop_leaf(&mut self.bytes) else { return 0 };
        self.len -= leaf.len();
        self.lower();
        each(leaf.items());
        leaf.len()
    }

    /// Drops levels that decide nothing.
    fn lower(&mut self) {
        while let Node::Inner(branches) = &mut self.root
            && branches.len() <= 1
        {
            let only = branches.pop();
            self.bytes -= self.root.own_bytes();
            let Some(only) = only else {
                self.root = Node::Inner(Vec::new());
                return;
            };
            self.root = only.node;
        }
        if self.len == 0 {
            self.bytes -= self.root.own_bytes();
            self.root = Node::Inner(Vec::new());
        }
    }
}

/// Items before branch `step` of a node with `total` items, counted from the nearer end.
fn items_before<T>(branches: &[Branch<T>], step: usize, total: usize) -> usize {
    let sum = |part: &[Branch<T>]| part.iter().map(|branch| branch.count).sum::<usize>();
    let Some((before, behind)) = branches.split_at_checked(step) else { return total };
    if before.len() <= behind.len() { sum(before) } else { total - sum(behind) }
}

/// The branch that holds item number `rank` of a node with `total` items, and the items before
/// that branch.
fn branch_of<T>(branches: &[Branch<T>], rank: usize, total: usize) -> (usize, usize) {
    if rank < total / 2 {
        let mut before = 0;
        for (step, branch) in branches.iter().enumerate() {
            if rank - before < branch.count {
                return (step, before);
            }
            before += branch.count;
        }
    } else {
        let mut before = total;
        for (step, branch) in branches.iter().enumerate().rev() {
            before -= branch.count;
            if before <= rank {
                return if rank < total { (step, before) } else { (branches.len(), total) };
            }
        }
    }
    (branches.len(), total)
}
