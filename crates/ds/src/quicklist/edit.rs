//! Edits in the middle: insertion, replacement, removal of ranges, rotation.

use super::{Direction, Quicklist};
use crate::listpack::{Element, Encoded, Listpack};
use alloc::vec::Vec;

impl Quicklist {
    /// Puts an element in front of the one at `index`; at the end with the list's length or more.
    pub fn insert<'v>(&mut self, index: usize, value: impl Into<Element<'v>>) {
        let value = value.into();
        self.join_short_front();
        match self.locate(index) {
            None => self.push(value, Direction::Forward),
            Some((0, 0)) => self.push(value, Direction::Backward),
            Some((at, offset)) => self.insert_between(at, offset, value),
        }
    }

    /// Puts another element in the place of the one at `index`, and says whether there is one.
    pub fn replace<'v>(&mut self, index: usize, value: impl Into<Element<'v>>) -> bool {
        let value = value.into();
        self.join_short_front();
        let Some((at, offset)) = self.locate(index) else { return false };
        let entry = Encoded::new(value);
        if self.takes_instead(at, offset, &entry) {
            self.edit_node(at, |node| node.replace(offset, &entry));
            self.settle_node(at);
        } else {
            self.remove_range(index, 1);
            self.insert(index, value);
        }
        true
    }

    /// Removes the element at `index`, and says whether there was one.
    pub fn remove(&mut self, index: usize) -> bool {
        self.remove_range(index, 1) == 1
    }

    /// Removes up to `count` elements from `index` on, and returns how many there were.
    pub fn remove_range(&mut self, index: usize, count: usize) -> usize {
        let count = count.min(self.len.saturating_sub(index));
        self.join_short_front();
        let Some((at, offset)) = self.locate(index).filter(|_| count > 0) else { return 0 };
        let mut left = count;
        // The end of the first node, nodes as a whole, the beginning of the last one.
        let mut whole = at;
        if offset > 0 {
            left -= self.cut(at, offset, left);
            whole += 1;
        }
        let end = self.whole_nodes_from(whole, left);
        for node in self.nodes.drain(whole..end) {
            left -= node.count();
            self.len -= node.count();
            self.node_bytes -= node.heap_bytes();
        }
        self.shrink_ring();
        if left > 0 {
            self.cut(whole, 0, left);
        }
        self.settle();
        for near in [whole, at] {
            self.settle_node(near);
            self.join_if_sparse(near);
        }
        count
    }

    /// Moves the last element to the front.
    pub fn rotate(&mut self) {
        if self.len < 2 {
            return;
        }
        self.join_short_front();
        if let Some(node) = self.nodes.pop_back_if(|node| node.pack_bytes().is_none()) {
            self.nodes.push_front(node);
            self.settle();
            return;
        }
        let mut digits = crate::Digits::new();
        let text: Option<Vec<u8>> = self.back().map(|last| last.text(&mut digits).into());
        if let Some(text) = text {
            self.pop_back();
            self.push_front(text.as_slice());
        }
    }

    fn insert_between(&mut self, at: usize, offset: usize, value: Element<'_>) {
        let entry = Encoded::new(value);
        if self.takes(at, &entry) {
            self.edit_node(at, |node| node.insert(offset, &entry));
            self.settle_node(at);
        } else if offset == 0 && self.takes(at - 1, &entry) {
            self.edit_node(at - 1, |node| node.insert(node.count(), &entry));
            self.settle_node(at - 1);
        } else if offset == 0 {
            let node = self.new_node(value, &entry);
            self.insert_node(at, node);
            self.settle();
            self.settle_node(at);
        } else {
            self.insert_by_splitting(at, offset, value, &entry);
        }
    }

    /// Cuts the node at `at` in front of `offset`, and puts the element at the cut.
    fn insert_by_splitting(
        &mut self,
        at: usize,
        offset: usize,
        value: Element<'_>,
        entry: &Encoded<'_>,
    ) {
        if let Some(tail) = self.edit_node(at, |node| node.split_off(offset)) {
            self.insert_node(at + 1, tail);
        }
        let mut tail_at = at + 1;
        if self.takes(at + 1, entry) {
            self.edit_node(at + 1, |node| node.insert(0, entry));
        } else if self.takes(at, entry) {
            self.edit_node(at, |node| node.insert(node.count(), entry));
        } else {
            let node = self.new_node(value, entry);
            self.insert_node(at + 1, node);
            tail_at = at + 2;
        }
        self.join(tail_at);
        if at > 0 {
            self.join(at - 1);
        }
        self.settle();
        for near in at.saturating_sub(1)..=tail_at {
            self.settle_node(near);
        }
    }

    /// Whether the node at `at` has room for the entry in the place of the one at `offset`.
    fn takes_instead(&mut self, at: usize, offset: usize, entry: &Encoded<'_>) -> bool {
        let Some(bytes) = self.nodes.get(at).and_then(|node| node.pack_bytes()) else {
            return false;
        };
        let old = self.edit_node(at, |node| node.entry_bytes(offset)).unwrap_or_default();
        let (after, count) = (bytes - old + entry.whole(), self.count_at(at));
        !self.fill.exceeded_by(after, count) || (count == 1 && !self.is_large(entry))
    }

    /// Removes up to `count` elements from `offset` on in one node, not all of it, and returns how
    /// many.
    fn cut(&mut self, at: usize, offset: usize, count: usize) -> usize {
        let count = count.min(self.count_at(at).saturating_sub(offset));
        self.edit_node(at, |node| node.remove_range(offset, count));
        count
    }

    /// The end of the nodes from `from` on that `count` elements cover as a whole.
    fn whole_nodes_from(&self, from: usize, mut count: usize) -> usize {
        let mut end = from;
        for node in self.nodes.range(from..) {
            match count.checked_sub(node.count()) {
                Some(rest) => count = rest,
                None => break,
            }
            end += 1;
        }
        end
    }

    /// Joins the node at `at` with a neighbour when it is less than a quarter full.
    pub(super) fn join_if_sparse(&mut self, at: usize) {
        let Some(node) = self.nodes.get(at) else { return };
        let sparse = node.pack_bytes().is_some_and(|bytes| {
            !self.fill.exceeded_by(bytes.saturating_mul(4), node.count().saturating_mul(4))
        });
        if sparse && !self.join(at) && at > 0 {
            self.join(at - 1);
        }
    }

    /// Joins the node at `at` with the one behind it, if one node may hold both.
    pub(super) fn join(&mut self, at: usize) -> bool {
        let (Some(node), Some(behind)) = (self.nodes.get(at), self.nodes.get(at + 1)) else {
            return false;
        };
        let (Some(bytes), Some(more)) = (node.pack_bytes(), behind.pack_bytes()) else {
            return false;
        };
        let bytes = bytes + more - Listpack::EMPTY_BYTES;
        if self.fill.exceeded_by(bytes, node.count() + behind.count()) {
            return false;
        }
        if let Some(behind) = self.remove_node(at + 1) {
            self.edit_node(at, |node| node.append(behind));
        }
        self.settle();
        self.settle_node(at);
        true
    }

    pub(super) fn count_at(&self, at: usize) -> usize {
        self.nodes.get(at).map_or(0, |node| node.count())
    }
}
