//! Reading a list from any place in either direction.

use super::node::{Node, NodeRef};
use super::{Direction, Quicklist};
use crate::listpack::{Element, Iter, Listpack};
use core::ops::Range;

/// The node that is being read.
enum View<'a> {
    Lent(&'a Listpack),
    Decompressed(Listpack),
    /// A large element, until it was given.
    Plain(Option<&'a [u8]>),
}

impl<'a> View<'a> {
    fn of(node: &'a Node) -> Self {
        match (node.view(), node.unpacked()) {
            (_, Some(pack)) => Self::Decompressed(pack),
            (NodeRef::Pack(pack), None) => Self::Lent(pack),
            (NodeRef::Plain(text), None) => Self::Plain(Some(text)),
            (NodeRef::Compressed { .. }, None) => Self::Plain(None),
        }
    }

    fn pack(&self) -> Option<&Listpack> {
        match self {
            Self::Lent(pack) => Some(pack),
            Self::Decompressed(pack) => Some(pack),
            Self::Plain(_) => None,
        }
    }
}

/// Elements in order from one place on. An element is borrowed from the walk, because the node it
/// is in may have been decompressed for the walk only; hence `next` is not an iterator's.
pub struct Walk<'a> {
    list: &'a Quicklist,
    direction: Direction,
    /// The node being read; the next one is beside it.
    node: usize,
    view: View<'a>,
    /// What of the view is still to come, as places in its bytes.
    rest: (usize, usize),
}

impl<'a> Walk<'a> {
    /// A walk that begins with the element at `index`, if there is one.
    pub(super) fn new(list: &'a Quicklist, index: usize, direction: Direction) -> Self {
        let mut walk =
            Self { list, direction, node: usize::MAX, view: View::Plain(None), rest: (0, 0) };
        if let Some((node, offset)) = list.locate(index) {
            walk.enter(node);
            if let Some(pack) = walk.view.pack() {
                let pos = pack.seek(offset as i64).unwrap_or(pack.end());
                walk.rest = match direction {
                    Direction::Forward => pack.iter_from(pos).rest(),
                    Direction::Backward => pack.iter_until(pack.after(pos)).rest(),
                };
            }
        }
        walk
    }

    /// The next element in the walk's direction.
    #[expect(clippy::should_implement_trait, reason = "what it gives is borrowed from the walk")]
    #[inline]
    pub fn next(&mut self) -> Option<Element<'_>> {
        if self.spent() && !self.enter_next() {
            return None;
        }
        let pack = match &mut self.view {
            View::Lent(pack) => *pack,
            View::Decompressed(pack) => &*pack,
            View::Plain(text) => return text.take().map(Element::Bytes),
        };
        let mut iter = Iter::of_rest(pack, self.rest);
        let element = match self.direction {
            Direction::Forward => iter.next(),
            Direction::Backward => iter.next_back(),
        };
        self.rest = iter.rest();
        element
    }

    fn spent(&self) -> bool {
        match &self.view {
            View::Plain(text) => text.is_none(),
            View::Lent(_) | View::Decompressed(_) => self.rest.0 >= self.rest.1,
        }
    }

    fn enter_next(&mut self) -> bool {
        let next = match self.direction {
            Direction::Forward => self.node.checked_add(1),
            Direction::Backward => self.node.checked_sub(1),
        };
        next.is_some_and(|node| self.enter(node))
    }

    /// Goes to the end of `node` where the walk enters it.
    fn enter(&mut self, node: usize) -> bool {
        let Some(found) = self.list.nodes.get(node) else { return false };
        self.node = node;
        self.view = View::of(found);
        self.rest = self.view.pack().map_or((0, 0), |pack| pack.iter().rest());
        true
    }
}

impl Quicklist {
    /// The elements from `index` on (0 is the first) in this direction; none past the end.
    #[must_use]
    pub fn walk(&self, index: usize, direction: Direction) -> Walk<'_> {
        Walk::new(self, index, direction)
    }

    /// Hands the elements of a range to `each`, in order: a walk without its bookkeeping for each
    /// element. What of the range lies past the end is left out.
    pub fn for_each(&self, range: Range<usize>, mut each: impl FnMut(Element<'_>)) {
        let Some((first, mut offset)) = self.locate(range.start) else { return };
        let mut left = range.len();
        for node in self.nodes.range(first..) {
            if left == 0 {
                break;
            }
            match View::of(node) {
                View::Lent(pack) => hand(pack, offset, left, &mut each),
                View::Decompressed(pack) => hand(&pack, offset, left, &mut each),
                View::Plain(text) => text.map(Element::Bytes).into_iter().for_each(&mut each),
            }
            left = left.saturating_sub(node.count() - offset);
            offset = 0;
        }
    }

    /// Hands the elements of a node to `each`, in order; nothing past the last node.
    pub fn for_each_of_node(&self, node: usize, mut each: impl FnMut(Element<'_>)) {
        match self.nodes.get(node).map(View::of) {
            Some(View::Lent(pack)) => pack.iter().for_each(each),
            Some(View::Decompressed(pack)) => pack.iter().for_each(each),
            Some(View::Plain(text)) => text.map(Element::Bytes).into_iter().for_each(&mut each),
            None => {}
        }
    }

    /// What the nodes hold, in order: the form in which a list is saved.
    pub fn nodes(&self) -> impl DoubleEndedIterator<Item = NodeRef<'_>> + ExactSizeIterator {
        self.nodes.iter().map(Node::view)
    }

    /// As [`Quicklist::nodes`], from a node on; none past the end.
    pub fn nodes_from(&self, first: usize) -> impl Iterator<Item = NodeRef<'_>> {
        self.nodes.range(first.min(self.nodes.len())..).map(Node::view)
    }
}

/// Hands up to `count` elements from number `offset` on to `each`.
#[inline]
fn hand(pack: &Listpack, offset: usize, count: usize, each: &mut impl FnMut(Element<'_>)) {
    if let Some(pos) = pack.seek(offset as i64) {
        pack.iter_from(pos).take(count).for_each(each);
    }
}
