//! Quicklist: a long list as a sequence of listpacks.
//!
//! # Why this shape
//!
//! One listpack is the smallest form of a list, but an insertion moves all bytes behind it. So a
//! long list is cut into listpacks of some KB ([`Fill`]): an edit moves no more than one of them,
//! and an element costs one or two bytes more than its text. Redis links its nodes; here they lie
//! beside each other in a ring ([`VecDeque`]), 32 bytes each:
//!
//! ```text
//! ring of nodes:  [count | body] [count | body] [count | body] ...
//! body:           a listpack                    several elements
//!                 LZF of a listpack, its bytes  the same, compressed
//!                 text                          one element too large for a listpack of the limit
//! ```
//!
//! A ring has no links to follow: an index is found by adding up counts that lie next to each
//! other, from the nearer end. What it pays for that is that a node in the middle is inserted by
//! moving 32 bytes for each node on the shorter side; ten million short elements are 15,000 nodes.
//!
//! # Compression
//!
//! With a depth of n (`list-compress-depth`) the n nodes at each end are plain listpacks and those
//! between are compressed, if that saves 8 bytes and more. Reading decompresses a copy, an edit the
//! node itself for as long as the edit takes. The ends are never compressed, so that queues pay
//! nothing.
//!
//! # A short node at the front
//!
//! An insertion at the front of a node moves all its bytes. So once the first node has some KB, a
//! *short* one is begun in front of it, which is joined with it whenever it has a KB: elements that
//! are pushed at the front move half a KB on average instead of half a node. The two together never
//! exceed the limit of one node and count as one where that matters, as for the return to a
//! listpack; any other edit than a push or pop joins them first. Not with compression, which counts
//! nodes from the ends.
//!
//! # Keeping nodes full
//!
//! An insertion into a full node cuts it at that place, and the halves are joined with their
//! neighbours where they fit. A removal that leaves a node less than a quarter full joins it, too.
//!
//! # Costs
//!
//! Both ends: O(1), and a move of up to one node's bytes at the front. By index: O(nodes) plus a
//! walk in one node. Ten-byte elements take 12 bytes in a listpack and 32 / 680 for the node.

mod edit;
mod fill;
mod node;
mod retain;
#[cfg(test)]
mod tests;
mod walk;

pub use fill::Fill;
pub use node::NodeRef;
pub use retain::Verdict;
pub use walk::Walk;

use crate::Heap;
use crate::listpack::{Element, Encoded, Listpack};
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use core::fmt;
use node::Node;

/// Bytes that a short node at the front has at most.
const SHORT_BYTES: usize = 1024;

/// Which way a list is read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Direction {
    /// From the first element to the last.
    Forward,
    /// From the last element to the first.
    Backward,
}

/// A long list. See the notes above.
pub struct Quicklist {
    nodes: VecDeque<Node>,
    /// Number of elements.
    len: usize,
    /// Bytes of the nodes' allocations.
    node_bytes: usize,
    fill: Fill,
    depth: u16,
    /// The first node is a short one that belongs to the second.
    front_is_short: bool,
}

impl Quicklist {
    /// A list without elements, whose nodes hold as much as `fill` says and of which `depth` nodes
    /// at each end are not compressed; 0 compresses none.
    #[must_use]
    pub fn new(fill: Fill, depth: u16) -> Self {
        let nodes = VecDeque::new();
        Self { nodes, len: 0, node_bytes: 0, fill, depth, front_is_short: false }
    }

    /// A list whose only node is `pack`: what a list in one listpack becomes when it grows.
    #[must_use]
    pub fn from_listpack(pack: Listpack, fill: Fill, depth: u16) -> Self {
        let mut list = Self::new(fill, depth);
        list.push_pack_node(pack);
        list
    }

    /// The listpack of a list that has no more than one node, and that not of one large element.
    ///
    /// # Errors
    /// The list itself, unchanged.
    pub fn into_listpack(mut self) -> Result<Listpack, Self> {
        self.join_short_front();
        if self.nodes.len() > 1 {
            return Err(self);
        }
        let Some(node) = self.nodes.pop_front() else { return Ok(Listpack::new()) };
        node.into_pack().map_err(|node| {
            self.nodes.push_front(node);
            self
        })
    }

    /// The bytes of the listpack that [`Quicklist::into_listpack`] would give; `None` if none.
    #[must_use]
    pub fn listpack_bytes(&self) -> Option<usize> {
        match (self.nodes.len(), self.nodes.front()) {
            (1, Some(node)) => node.pack_bytes(),
            (2, _) if self.front_is_short => self.joined_front().map(|(bytes, _)| bytes),
            (0, _) => Some(Listpack::EMPTY_BYTES),
            _ => None,
        }
    }

    /// Adds a listpack as a node at the end, as large as it is: how a saved list is loaded. An
    /// empty one is left out.
    pub fn push_pack_node(&mut self, pack: Listpack) {
        if !pack.is_empty() {
            self.insert_node(self.nodes.len(), Node::of_pack(pack));
            self.settle();
        }
    }

    /// Adds a node of one large element at the end: how a saved list is loaded.
    pub fn push_plain_node(&mut self, text: Box<[u8]>) {
        self.insert_node(self.nodes.len(), Node::of_plain(text));
        self.settle();
    }

    /// Number of elements.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no element.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The limit of the nodes that this list makes.
    #[must_use]
    pub fn fill(&self) -> Fill {
        self.fill
    }

    /// How many nodes at each end are not compressed; 0: none is compressed.
    #[must_use]
    pub fn depth(&self) -> u16 {
        self.depth
    }

    /// Another limit for the nodes that are made from now on.
    pub fn set_fill(&mut self, fill: Fill) {
        self.join_short_front();
        self.fill = fill;
    }

    /// Bytes of all allocations behind this value, as requested, each rounded up to 8. O(1).
    #[must_use]
    #[inline]
    pub fn heap_bytes(&self) -> usize {
        self.node_bytes + self.nodes.capacity() * size_of::<Node>()
    }

    /// The first element.
    #[must_use]
    #[inline]
    pub fn front(&self) -> Option<Element<'_>> {
        self.nodes.front()?.first()
    }

    /// The last element.
    #[must_use]
    #[inline]
    pub fn back(&self) -> Option<Element<'_>> {
        self.nodes.back()?.last()
    }

    /// Adds an element at the front.
    #[inline]
    pub fn push_front<'v>(&mut self, value: impl Into<Element<'v>>) {
        self.push(value.into(), Direction::Backward);
    }

    /// Adds an element at the end.
    #[inline]
    pub fn push_back<'v>(&mut self, value: impl Into<Element<'v>>) {
        self.push(value.into(), Direction::Forward);
    }

    /// Removes the first element, and says whether there was one: read it with
    /// [`Quicklist::front`] before.
    pub fn pop_front(&mut self) -> bool {
        self.pop(0, Direction::Forward)
    }

    /// Removes the last element, and says whether there was one: read it with
    /// [`Quicklist::back`] before.
    pub fn pop_back(&mut self) -> bool {
        self.pop(self.nodes.len().saturating_sub(1), Direction::Backward)
    }

    /// Frees up to `count` nodes at the end, and says whether the list is empty: a very large list
    /// is dropped bit by bit.
    pub fn drop_nodes(&mut self, count: usize) -> bool {
        for _ in 0..count {
            if self.remove_node(self.nodes.len().wrapping_sub(1)).is_none() {
                break;
            }
        }
        self.settle();
        self.is_empty()
    }

    fn push(&mut self, value: Element<'_>, end: Direction) {
        let entry = Encoded::new(value);
        let (beside, node_at) = match end {
            Direction::Forward => {
                if self.nodes.len() == 2 {
                    self.join_short_front();
                }
                (self.nodes.len().wrapping_sub(1), self.nodes.len())
            }
            Direction::Backward => {
                if self.wants_short_front(&entry) {
                    self.insert_node(0, Node::of_entry(&entry));
                    self.front_is_short = true;
                    return;
                }
                (0, 0)
            }
        };
        if self.takes(beside, &entry) {
            self.edit_node(beside, |node| {
                let offset = if end == Direction::Forward { node.count() } else { 0 };
                node.insert(offset, &entry);
            });
        } else {
            let node = self.new_node(value, &entry);
            self.insert_node(node_at, node);
            self.settle();
        }
    }

    /// Removes the element of the node at `at` that comes first in this direction.
    #[inline]
    fn pop(&mut self, at: usize, from: Direction) -> bool {
        let Some(count) = self.nodes.get(at).map(Node::count) else { return false };
        if count > 1 {
            let offset = if from == Direction::Forward { 0 } else { count - 1 };
            self.edit_node(at, |node| node.remove_range(offset, 1));
        } else {
            self.remove_node(at);
            self.settle();
        }
        true
    }

    /// Whether the node at `at` has room for one more entry.
    #[inline]
    fn takes(&self, at: usize, entry: &Encoded<'_>) -> bool {
        let Some(node) = self.nodes.get(at) else { return false };
        node.pack_bytes()
            .is_some_and(|bytes| !self.fill.exceeded_by(bytes + entry.whole(), node.count() + 1))
    }

    /// Whether `entry` is to begin a short node at the front. Joins the one that is there when it
    /// is long enough, or when the two have no room for the entry.
    #[inline]
    fn wants_short_front(&mut self, entry: &Encoded<'_>) -> bool {
        if self.front_is_short {
            let is_short = self.nodes.front().and_then(Node::pack_bytes) < Some(SHORT_BYTES);
            let has_room = self.joined_front().is_some_and(|(bytes, count)| {
                !self.fill.exceeded_by(bytes + entry.whole(), count + 1)
            });
            if is_short && has_room {
                return false;
            }
            self.join_short_front();
        }
        let bytes = self.nodes.front().and_then(Node::pack_bytes);
        self.depth == 0 && bytes >= Some(2 * SHORT_BYTES) && self.takes(0, entry)
    }

    /// Bytes and elements that the first two nodes have as one.
    fn joined_front(&self) -> Option<(usize, usize)> {
        let (short, node) = (self.nodes.front()?, self.nodes.get(1)?);
        let bytes = short.pack_bytes()? + node.pack_bytes()? - Listpack::EMPTY_BYTES;
        Some((bytes, short.count() + node.count()))
    }

    /// Ends the short node at the front, if there is one.
    fn join_short_front(&mut self) {
        if self.front_is_short {
            let joined = self.join(0);
            debug_assert!(joined, "a short node fits the one behind it");
        }
    }

    /// A node of one element; the text itself if it does not fit a listpack of the limit.
    fn new_node(&self, value: Element<'_>, entry: &Encoded<'_>) -> Node {
        match value {
            Element::Bytes(text) if self.is_large(entry) => Node::of_plain(text.into()),
            Element::Bytes(_) | Element::Int(_) => Node::of_entry(entry),
        }
    }

    fn is_large(&self, entry: &Encoded<'_>) -> bool {
        Listpack::EMPTY_BYTES + entry.whole() > self.fill.bytes_max()
    }

    /// The node with the element at `index`, and its place among the node's.
    fn locate(&self, index: usize) -> Option<(usize, usize)> {
        let behind = self.len.checked_sub(index.checked_add(1)?)?;
        let counts = || self.nodes.iter().map(Node::count);
        if index <= behind {
            find_count(counts(), index)
        } else {
            let (nodes_behind, behind) = find_count(counts().rev(), behind)?;
            let node = self.nodes.len() - 1 - nodes_behind;
            Some((node, self.nodes.get(node)?.count() - 1 - behind))
        }
    }

    fn insert_node(&mut self, at: usize, node: Node) {
        self.len += node.count();
        self.node_bytes += node.heap_bytes();
        self.nodes.insert(at, node);
    }

    fn remove_node(&mut self, at: usize) -> Option<Node> {
        let node = self.nodes.remove(at)?;
        self.front_is_short &= at > 1;
        self.len -= node.count();
        self.node_bytes -= node.heap_bytes();
        self.shrink_ring();
        Some(node)
    }

    /// Gives the ring's memory back when less than an eighth is used: a list that swings does not
    /// copy it often.
    fn shrink_ring(&mut self) {
        if self.nodes.capacity() > 16 && self.nodes.len() < self.nodes.capacity() / 8 {
            self.nodes.shrink_to(self.nodes.len() * 2);
        }
    }

    /// Changes one node; elements and bytes are counted again.
    #[inline]
    fn edit_node<R>(&mut self, at: usize, change: impl FnOnce(&mut Node) -> R) -> Option<R> {
        let node = self.nodes.get_mut(at)?;
        let (count, bytes) = (node.count(), node.heap_bytes());
        let result = change(node);
        self.len = self.len - count + node.count();
        self.node_bytes = self.node_bytes - bytes + node.heap_bytes();
        Some(result)
    }

    /// After up to two nodes were added, or any number removed: the nodes at the ends lie plain,
    /// those that came between are compressed.
    fn settle(&mut self) {
        let depth = usize::from(self.depth);
        if depth == 0 {
            return;
        }
        let count = self.nodes.len();
        for at in 0..depth.min(count) {
            self.edit_node(at, Node::decompress);
            self.edit_node(count - 1 - at, Node::decompress);
        }
        for at in [depth, depth + 1] {
            self.settle_node(at);
            self.settle_node(count.wrapping_sub(1 + at));
        }
    }

    /// After the node at `at` was changed: compressed if it lies between.
    fn settle_node(&mut self, at: usize) {
        let depth = usize::from(self.depth);
        if depth > 0 && at >= depth && at.saturating_add(depth) < self.nodes.len() {
            self.edit_node(at, Node::compress);
        }
    }
}

/// The place of the count that `index` falls into, and how far.
fn find_count(counts: impl Iterator<Item = usize>, mut index: usize) -> Option<(usize, usize)> {
    for (place, count) in counts.enumerate() {
        match index.checked_sub(count) {
            Some(rest) => index = rest,
            None => return Some((place, index)),
        }
    }
    None
}

impl Clone for Quicklist {
    /// A copy without unused bytes.
    fn clone(&self) -> Self {
        let nodes = self.nodes.clone();
        let node_bytes = nodes.iter().map(Node::heap_bytes).sum();
        Self { nodes, node_bytes, ..*self }
    }
}

impl Heap for Quicklist {
    fn heap_bytes(&self) -> usize {
        Quicklist::heap_bytes(self)
    }
}

impl fmt::Debug for Quicklist {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "list of {} elements in {} nodes", self.len, self.nodes.len())
    }
}
