//! Removing elements while reading.

use super::node::{Node, NodeRef};
use super::{Direction, Quicklist};
use crate::listpack::{Element, Listpack};

/// What is to happen to the element just read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// It stays; go on.
    Keep,
    /// It goes; go on.
    Remove,
    /// It goes, and nothing behind it is read.
    RemoveAndStop,
    /// It stays, and nothing behind it is read.
    Stop,
}

/// From so many changed nodes on, one pass over all nodes is cheaper than joining each.
const PASS_NODES_MIN: usize = 4;

/// What became of one node.
struct Read {
    removed: usize,
    stopped: bool,
}

impl Quicklist {
    /// Reads the elements in this direction and removes those that `judge` says; returns how many.
    /// `LREM` is this with the count in `judge`.
    pub fn retain(
        &mut self,
        direction: Direction,
        mut judge: impl FnMut(Element<'_>) -> Verdict,
    ) -> usize {
        self.join_short_front();
        let before = self.len;
        let (mut changed, mut emptied, mut last_changed) = (0, 0, 0);
        for step in 0..self.nodes.len() {
            let at = match direction {
                Direction::Forward => step,
                Direction::Backward => self.nodes.len() - 1 - step,
            };
            let read = self.edit_node(at, |node| read_node(node, direction, &mut judge));
            let Some(read) = read else { break };
            if read.removed > 0 {
                changed += 1;
                emptied += usize::from(self.count_at(at) == 0);
                last_changed = at;
                self.settle_node(at);
            }
            if read.stopped {
                break;
            }
        }
        if changed >= PASS_NODES_MIN {
            self.pack_tightly();
        } else if emptied > 0 {
            self.drop_empty();
        } else if changed > 0 {
            self.join_if_sparse(last_changed);
        }
        before - self.len
    }

    /// Nodes that have lost all their elements are removed.
    fn drop_empty(&mut self) {
        let bytes = &mut self.node_bytes;
        self.nodes.retain(|node| {
            let empty = node.count() == 0;
            *bytes -= if empty { node.heap_bytes() } else { 0 };
            !empty
        });
        self.shrink_ring();
        self.settle();
    }

    /// One pass over all nodes that joins those which fit into one.
    fn pack_tightly(&mut self) {
        let nodes = core::mem::take(&mut self.nodes);
        (self.len, self.node_bytes) = (0, 0);
        for node in nodes {
            if node.count() == 0 {
                continue;
            }
            let at = self.nodes.len();
            self.insert_node(at, node);
            if at > 0 {
                self.join(at - 1);
            }
        }
        for at in 0..self.nodes.len() {
            self.settle_node(at);
        }
        self.settle();
    }
}

impl Listpack {
    /// Reads the elements in this direction and removes those that `judge` says; returns how many.
    pub fn retain(
        &mut self,
        direction: Direction,
        mut judge: impl FnMut(Element<'_>) -> Verdict,
    ) -> usize {
        read_pack(self, direction, &mut judge).removed
    }
}

/// Reads one node. It may be empty afterwards: the caller removes it.
fn read_node(
    node: &mut Node,
    direction: Direction,
    judge: &mut impl FnMut(Element<'_>) -> Verdict,
) -> Read {
    if let NodeRef::Plain(text) = node.view() {
        let verdict = judge(Element::Bytes(text));
        let gone = matches!(verdict, Verdict::Remove | Verdict::RemoveAndStop);
        if gone {
            *node = Node::of_pack(Listpack::new());
        }
        let stopped = matches!(verdict, Verdict::RemoveAndStop | Verdict::Stop);
        return Read { removed: usize::from(gone), stopped };
    }
    // A compressed node is replaced only if something is removed from it.
    match node.unpacked() {
        Some(mut pack) => {
            let read = read_pack(&mut pack, direction, judge);
            if read.removed > 0 {
                *node = Node::of_pack(pack);
            }
            read
        }
        None => node.edit(|pack| read_pack(pack, direction, judge)),
    }
}

fn read_pack(
    pack: &mut Listpack,
    direction: Direction,
    judge: &mut impl FnMut(Element<'_>) -> Verdict,
) -> Read {
    let mut removed = 0;
    let mut next = match direction {
        Direction::Forward => pack.first(),
        Direction::Backward => pack.last(),
    };
    while let Some(pos) = next {
        let verdict = pack.get(pos).map_or(Verdict::Stop, &mut *judge);
        next = match (verdict, direction) {
            (Verdict::Keep, Direction::Forward) => pack.next(pos),
            (_, Direction::Backward) => pack.prev(pos),
            (Verdict::Remove | Verdict::RemoveAndStop | Verdict::Stop, _) => None,
        };
        if matches!(verdict, Verdict::Remove | Verdict::RemoveAndStop) {
            let behind = pack.remove(pos);
            removed += 1;
            if direction == Direction::Forward {
                next = behind;
            }
        }
        if matches!(verdict, Verdict::RemoveAndStop | Verdict::Stop) {
            return Read { removed, stopped: true };
        }
    }
    Read { removed, stopped: false }
}
