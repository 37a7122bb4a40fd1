//! Inner nodes, and what changes the tree: inserts that split, removals that merge.

use super::leaf::{Leaf, MAX_ITEMS};
use super::{Ordered, Seat};
use alloc::vec::Vec;

/// Branches of a full inner node.
pub(super) const MAX_BRANCHES: usize = 32;
/// Branches that inner nodes have room for.
const ROOMS: [usize; 8] = [2, 4, 8, 13, 16, 21, 26, MAX_BRANCHES];
/// A node below this is merged or evened out with a neighbour.
pub(super) const SMALL_LEAF: usize = 20;
pub(super) const SMALL_INNER: usize = 10;
/// Neighbours with no more than this together become one.
const ONE_LEAF: usize = 52;
const ONE_INNER: usize = 26;

/// A subtree. An inner node without branches is the empty tree.
pub(super) enum Node<T> {
    Leaf(Leaf<T>),
    Inner(Vec<Branch<T>>),
}

/// A child of an inner node, with what its parent wants to know without going there.
pub(super) struct Branch<T> {
    /// Weight of `low`.
    pub(super) weight: u64,
    /// The first item of the subtree.
    pub(super) low: T,
    /// Items of the subtree.
    pub(super) count: usize,
    pub(super) node: Node<T>,
}

/// A way from the root down, on which an insert goes on.
#[derive(Clone, Copy)]
pub(super) struct Descent<'a> {
    seat: &'a Seat,
    depth: usize,
    /// No item of the tree is left of this subtree.
    first: bool,
    /// No item of the tree is right of this subtree.
    last: bool,
}

impl<'a> Descent<'a> {
    pub(super) fn new(seat: &'a Seat) -> Self {
        Self { seat, depth: 0, first: true, last: true }
    }

    fn below(self, branches: usize) -> Self {
        let step = self.seat.step(self.depth);
        Self {
            seat: self.seat,
            depth: self.depth + 1,
            first: self.first && step == 0,
            last: self.last && step + 1 == branches,
        }
    }

    /// Where a full node of `len` is split that grows at `pos`: at the tree's ends, where input
    /// in order arrives, the full part stays full.
    fn split_at(self, len: usize, pos: usize) -> usize {
        if self.last && pos == len {
            len
        } else if self.first && pos <= 1 {
            1
        } else {
            len / 2
        }
    }
}

impl<T: Ordered> Branch<T> {
    /// The branch for `node`, which is not empty.
    pub(super) fn of(node: Node<T>) -> Self {
        let (low, count) = (node.low(), node.count());
        Self { weight: low.weight(), low, count, node }
    }

    fn set_low(&mut self, low: T) {
        (self.low, self.weight) = (low, low.weight());
    }

    /// Reads low and count again, after the node was refilled.
    fn refresh(&mut self) {
        self.set_low(self.node.low());
        self.count = self.node.count();
    }
}

impl<T: Ordered> Node<T> {
    /// The first item; the node is not empty.
    fn low(&self) -> T {
        let low = match self {
            Self::Leaf(leaf) => leaf.items().first().copied(),
            Self::Inner(branches) => branches.first().map(|branch| branch.low),
        };
        low.expect("only the root is ever empty")
    }

    /// Items in the subtree. O(branches).
    fn count(&self) -> usize {
        match self {
            Self::Leaf(leaf) => leaf.len(),
            Self::Inner(branches) => branches.iter().map(|branch| branch.count).sum(),
        }
    }

    /// Bytes of this node's own allocation.
    pub(super) fn own_bytes(&self) -> usize {
        match self {
            Self::Leaf(leaf) => leaf.bytes(),
            Self::Inner(branches) => branches.capacity() * size_of::<Branch<T>>(),
        }
    }

    fn is_small(&self) -> bool {
        match self {
            Self::Leaf(leaf) => leaf.len() < SMALL_LEAF,
            Self::Inner(branches) => branches.len() < SMALL_INNER,
        }
    }

    /// Inserts `item` where the descent leads. Returns the right half if the node was split;
    /// keeps `bytes`, the tree's memory, up to date.
    pub(super) fn insert(&mut self, way: Descent<'_>, item: T, bytes: &mut usize) -> Option<Self> {
        let before = self.own_bytes();
        let right = match self {
            Self::Leaf(leaf) => insert_in_leaf(leaf, way, item).map(Self::Leaf),
            Self::Inner(branches) => insert_in_inner(branches, way, item, bytes).map(Self::Inner),
        };
        *bytes += self.own_bytes() + right.as_ref().map_or(0, Self::own_bytes);
        *bytes -= before;
        right
    }

    /// Takes out the item at the seat, of which the first `depth` steps lead here.
    pub(super) fn remove(&mut self, seat: &Seat, depth: usize, bytes: &mut usize) -> T {
        let before = self.own_bytes();
        let item = match self {
            Self::Leaf(leaf) => leaf.remove(seat.pos()),
            Self::Inner(branches) => remove_from_inner(branches, seat, depth, bytes),
        };
        *bytes += self.own_bytes();
        *bytes -= before;
        item
    }

    /// Takes the last leaf out, whole. The node is left empty if it was the only one.
    pub(super) fn pop_leaf(&mut self, bytes: &mut usize) -> Option<Leaf<T>> {
        if let Self::Inner(branches) = self {
            let branch = branches.last_mut()?;
            let leaf = branch.node.pop_leaf(bytes)?;
            branch.count -= leaf.len();
            if branch.count == 0 {
                *bytes -= branch.node.own_bytes();
                branches.pop();
            }
            return Some(leaf);
        }
        match core::mem::replace(self, Self::Inner(Vec::new())) {
            Self::Leaf(leaf) => {
                *bytes -= leaf.bytes();
                Some(leaf)
            }
            Self::Inner(_) => None,
        }
    }
}

/// The nodes above `nodes`, all full but for the last.
pub(super) fn level_above<T: Ordered>(nodes: Vec<Node<T>>) -> Vec<Node<T>> {
    let mut above = Vec::with_capacity(nodes.len().div_ceil(MAX_BRANCHES));
    let mut nodes = nodes.into_iter();
    while nodes.len() > 0 {
        let mut branches = Vec::with_capacity(room_for(nodes.len().min(MAX_BRANCHES)));
        branches.extend(nodes.by_ref().take(MAX_BRANCHES).map(Branch::of));
        above.push(Node::Inner(branches));
    }
    above
}

fn insert_in_leaf<T: Ordered>(leaf: &mut Leaf<T>, way: Descent<'_>, item: T) -> Option<Leaf<T>> {
    let pos = way.seat.pos();
    if leaf.len() < MAX_ITEMS {
        leaf.insert(pos, item);
        return None;
    }
    let at = way.split_at(MAX_ITEMS, pos);
    let mut right = leaf.split_off(at);
    if pos < at {
        leaf.insert(pos, item);
    } else {
        right.insert(pos - at, item);
    }
    Some(right)
}

fn insert_in_inner<T: Ordered>(
    branches: &mut Vec<Branch<T>>,
    way: Descent<'_>,
    item: T,
    bytes: &mut usize,
) -> Option<Vec<Branch<T>>> {
    let below = way.below(branches.len());
    let step = way.seat.step(way.depth);
    let branch = branches.get_mut(step).expect("a seat leads to a branch");
    let right = branch.node.insert(below, item, bytes).map(Branch::of);
    branch.count += 1;
    branch.count -= right.as_ref().map_or(0, |right| right.count);
    if way.seat.is_first_from(below.depth) {
        branch.set_low(item);
    }
    let (right, pos) = (right?, step + 1);
    if branches.len() < MAX_BRANCHES {
        insert_branch(branches, pos, right);
        return None;
    }
    let at = way.split_at(MAX_BRANCHES, pos);
    let mut rest = branches.split_off(at);
    branches.shrink_to(room_for(at));
    if pos < at {
        insert_branch(branches, pos, right);
    } else {
        insert_branch(&mut rest, pos - at, right);
    }
    Some(rest)
}

fn insert_branch<T>(branches: &mut Vec<Branch<T>>, pos: usize, branch: Branch<T>) {
    if branches.len() == branches.capacity() {
        branches.reserve_exact(room_for(branches.len() + 1) - branches.len());
    }
    branches.insert(pos, branch);
}

/// Branches to allocate for `len`, so that a size class of the allocator is filled.
fn room_for(len: usize) -> usize {
    ROOMS.into_iter().find(|room| *room >= len).unwrap_or(len)
}

fn remove_from_inner<T: Ordered>(
    branches: &mut Vec<Branch<T>>,
    seat: &Seat,
    depth: usize,
    bytes: &mut usize,
) -> T {
    let step = seat.step(depth);
    let branch = branches.get_mut(step).expect("a seat leads to a branch");
    let item = branch.node.remove(seat, depth + 1, bytes);
    branch.count -= 1;
    if branch.count == 0 {
        *bytes -= branches.remove(step).node.own_bytes();
    } else {
        if seat.is_first_from(depth + 1) {
            branch.set_low(branch.node.low());
        }
        if branch.node.is_small() {
            mend(branches, step, bytes);
        }
    }
    if branches.len() * 4 <= branches.capacity() {
        branches.shrink_to(room_for(branches.len()));
    }
    item
}

/// Merges the small child at `step` with a neighbour, or evens both out. An only child stays.
fn mend<T: Ordered>(branches: &mut Vec<Branch<T>>, step: usize, bytes: &mut usize) {
    let at = step.saturating_sub(1);
    let Some([left, right, ..]) = branches.get_mut(at..) else { return };
    *bytes -= left.node.own_bytes() + right.node.own_bytes();
    let two = match (&mut left.node, &mut right.node) {
        (Node::Leaf(left), Node::Leaf(right)) => mend_leaves(left, right),
        (Node::Inner(left), Node::Inner(right)) => mend_inners(left, right),
        (Node::Leaf(_), Node::Inner(_)) | (Node::Inner(_), Node::Leaf(_)) => {
            unreachable!("all leaves are equally deep")
        }
    };
    left.refresh();
    *bytes += left.node.own_bytes();
    if two {
        right.refresh();
        *bytes += right.node.own_bytes();
    } else {
        branches.remove(at + 1);
    }
}

/// Returns whether there are still two leaves.
fn mend_leaves<T: Ordered>(left: &mut Leaf<T>, right: &mut Leaf<T>) -> bool {
    let all = [left.items(), right.items()].concat();
    let two = all.len() > ONE_LEAF;
    let (low, high) = all.split_at(if two { all.len() / 2 } else { all.len() });
    *left = Leaf::of(low);
    if two {
        *right = Leaf::of(high);
    }
    two
}

/// Returns whether there are still two inner nodes.
fn mend_inners<T>(left: &mut Vec<Branch<T>>, right: &mut Vec<Branch<T>>) -> bool {
    left.reserve_exact(right.len());
    left.append(right);
    let two = left.len() > ONE_INNER;
    if two {
        *right = left.split_off(left.len() / 2);
    }
    left.shrink_to(room_for(left.len()));
    two
}
