//! Streams: a log of entries under 128-bit ids, and the consumer groups that read it.
//!
//! # Why this shape
//!
//! Entries arrive in the order of their ids, leave mostly at the old end, and are read in ranges.
//! So the log is cut into nodes of up to some hundred entries (`stream-node-max-bytes`,
//! `stream-node-max-entries`), each one [`Listpack`](crate::Listpack): no pointer per entry, the
//! field names written once, ids as small differences. The nodes stand in a B-tree under the id
//! of their first entry; a range begins with one descent and then runs over adjacent bytes.
//!
//! Redis keeps the same nodes in a radix tree. With 16-byte keys that share a long prefix a radix
//! tree needs several allocations for each node and a pointer chase for each of its branches; a
//! B-tree of 11 pairs a leaf takes 64 bytes a node even when filled in order (a node is some 2,000
//! to 4,000 bytes), compares 16-byte ids in registers, and frees step by step. Nothing outside sees
//! the difference: DUMP, RDB and replication carry the nodes one after the other.
//!
//! # The bytes of a node
//!
//! ```text
//! listpack: | valid | deleted | n | name 1 .. name n | 0 |  entry | entry | ..
//! entry, same names as the first:  | flags | ms | seq | value 1 .. value n              | back |
//! entry with names of its own:     | flags | ms | seq | m | name 1 | value 1 | ..       | back |
//! ```
//!
//! `ms` and `seq` are differences to the node's id (64 bits, wrapping); flags are 1 for deleted, 2
//! for the same names; `back` is the number of elements in front of it that belong to the entry,
//! so that a node can be walked from its end. A deleted entry keeps its bytes until the last
//! valid one of its node goes, and the node with it. (Redis can be left with a node of deleted
//! entries only after an exact trim by id; here such a node goes at once, also when loaded.)
//!
//! # Groups
//!
//! ```text
//! group:    last id delivered, entries read (may be unknown)
//!   pending    id -> who holds it, when it was delivered last, how often      (B-tree)
//!   consumers  name -> seen, active, the ids it holds                         (B-tree of B-trees)
//! ```
//!
//! An id is pending for the group if and only if exactly one consumer holds it. Every change goes
//! through [`Group`]'s `assign` and `ack`, which keep both indexes: O(log n) each.
//!
//! # Costs
//!
//! Append: O(log nodes), one descent to the last leaf. Start of a range, lookup, deletion:
//! O(log nodes) and a walk within one node. Trimming drops whole nodes first. `heap_bytes` is
//! exact for the listpacks and names; the trees, whose size the standard B-tree does not tell, are
//! counted at the fill that appending in order leaves: within 2 % of the truth for a stream that
//! was appended to and read, too much by a tenth after every other delivery was acknowledged. A
//! waiting delivery costs 112 bytes in both indexes together.

mod group;
mod log;
mod node;
mod range;
#[cfg(test)]
mod tests;

pub use group::{AutoClaim, AutoClaimed, Consumer, ConsumerId, Group, Pending, Position};
pub use log::{AppendError, Counters, Log, NodeLimits, Trim};
pub use node::{Fields, fuzz_stream_node};
pub use range::{Range, RevRange, StreamEntry};

use crate::Heap;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use core::ops::Bound;

/// The id of a stream entry: milliseconds and a sequence number within them.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct StreamId {
    /// Unix milliseconds, by convention; any number in fact.
    pub ms: u64,
    /// Tells entries of one millisecond apart.
    pub seq: u64,
}

impl StreamId {
    /// `0-0`, which no entry has.
    pub const MIN: Self = Self { ms: 0, seq: 0 };
    /// The greatest id.
    pub const MAX: Self = Self { ms: u64::MAX, seq: u64::MAX };

    /// The id `ms-seq`.
    #[must_use]
    pub const fn new(ms: u64, seq: u64) -> Self {
        Self { ms, seq }
    }

    /// The id right above; `None` above [`StreamId::MAX`].
    #[must_use]
    pub fn next(self) -> Option<Self> {
        match self.seq.checked_add(1) {
            Some(seq) => Some(Self { ms: self.ms, seq }),
            None => Some(Self { ms: self.ms.checked_add(1)?, seq: 0 }),
        }
    }

    /// The id right below; `None` below [`StreamId::MIN`].
    #[must_use]
    pub fn prev(self) -> Option<Self> {
        match self.seq.checked_sub(1) {
            Some(seq) => Some(Self { ms: self.ms, seq }),
            None => Some(Self { ms: self.ms.checked_sub(1)?, seq: u64::MAX }),
        }
    }
}

/// A stream: its log and the groups that read it. O(n) to copy.
#[derive(Clone, Default)]
pub struct Stream {
    log: Log,
    groups: BTreeMap<Box<[u8]>, Group>,
    /// What [`Stream::group_bytes`] says of all groups together.
    groups_bytes: usize,
}

impl Stream {
    /// A stream without entries and groups.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A stream with this log and no groups.
    #[must_use]
    pub fn with_log(log: Log) -> Self {
        Self { log, ..Self::default() }
    }

    /// The entries.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// The entries, to be changed.
    pub fn log_mut(&mut self) -> &mut Log {
        &mut self.log
    }

    /// How many groups there are.
    #[must_use]
    pub fn group_count(&self) -> usize {
        self.groups.len()
    }

    /// The groups in the order of their names.
    pub fn groups(&self) -> impl Iterator<Item = (&[u8], &Group)> {
        self.groups.iter().map(|(name, group)| (&**name, group))
    }

    /// The groups behind the one of this name, or all of them, in the order of their names.
    pub fn groups_behind(&self, name: Option<&[u8]>) -> impl Iterator<Item = (&[u8], &Group)> {
        let range = self.groups.range::<[u8], _>((behind(name), Bound::Unbounded));
        range.map(|(name, group)| (&**name, group))
    }

    /// A group by name.
    #[must_use]
    pub fn group(&self, name: &[u8]) -> Option<&Group> {
        self.groups.get(name)
    }

    /// Adds a group; `false`, and nothing done, if there is one of this name.
    pub fn add_group(&mut self, name: &[u8], group: Group) -> bool {
        if self.groups.contains_key(name) {
            return false;
        }
        self.groups_bytes += Self::group_bytes(name, &group);
        self.groups.insert(name.into(), group);
        true
    }

    /// Removes a group and gives it to the caller, who may free it at leisure.
    pub fn remove_group(&mut self, name: &[u8]) -> Option<Group> {
        let group = self.groups.remove(name)?;
        self.groups_bytes -= Self::group_bytes(name, &group);
        Some(group)
    }

    /// Changes a group, with the log at hand. `None` if there is no such group.
    pub fn edit_group<R>(
        &mut self,
        name: &[u8],
        change: impl FnOnce(&Log, &mut Group) -> R,
    ) -> Option<R> {
        let group = self.groups.get_mut(name)?;
        let before = group.heap_bytes();
        let result = change(&self.log, group);
        self.groups_bytes = self.groups_bytes - before + group.heap_bytes();
        Some(result)
    }

    /// Drops up to `steps` nodes, waiting ids, consumers and groups, and returns how many; 0 when
    /// nothing is left. With this a large stream is freed in slices.
    pub fn drain_some(&mut self, steps: usize) -> usize {
        let mut left = steps - self.log.drain_some(steps);
        while left > 0 {
            let Some(mut last) = self.groups.last_entry() else { break };
            let before = last.get().heap_bytes();
            left -= last.get_mut().drain_some(left);
            self.groups_bytes = self.groups_bytes - before + last.get().heap_bytes();
            if left > 0 {
                let (name, group) = last.remove_entry();
                self.groups_bytes -= Self::group_bytes(&name, &group);
                left -= 1;
            }
        }
        steps - left
    }

    /// What a group costs.
    fn group_bytes(name: &[u8], group: &Group) -> usize {
        let pair = size_of::<Box<[u8]>>() + size_of::<Group>();
        tree_bytes(1, pair) + name.len().next_multiple_of(8) + group.heap_bytes()
    }
}

impl Heap for Stream {
    /// Exact for nodes and names, estimated for the trees that hold them.
    fn heap_bytes(&self) -> usize {
        self.log.heap_bytes() + self.groups_bytes
    }
}

/// Estimated bytes of a standard B-tree of `len` pairs of `pair` bytes each that was filled in
/// order. A leaf has eleven places and 16 more bytes, an inner node twelve links besides; either is
/// left with six pairs when it splits, and the seventh goes up.
const fn tree_bytes(len: usize, pair: usize) -> usize {
    let leaf = 11 * pair + 16;
    let inner = leaf + 12 * size_of::<usize>();
    len * leaf / 7 + len * inner / 42
}

/// The beginning of what lies behind a name, or of everything.
fn behind(name: Option<&[u8]>) -> Bound<&[u8]> {
    name.map_or(Bound::Unbounded, Bound::Excluded)
}
