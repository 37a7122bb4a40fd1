//! The log: nodes in order, the counters of the stream, appending, deleting and trimming.

use super::node::Node;
use super::{Range, RevRange, StreamEntry, StreamId, tree_bytes};
use crate::{CorruptError, Pos};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::ops::RangeInclusive;

/// The most bytes of names and values of one entry, and of a node.
const NODE_BYTES_MAX: usize = 1 << 30;

/// When a node is full. Zero means no limit, as in the directives of these names.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NodeLimits {
    /// `stream-node-max-bytes`: length of the listpack.
    pub bytes: usize,
    /// `stream-node-max-entries`: entries, deleted ones included.
    pub entries: u64,
}

/// Why an entry was not appended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AppendError {
    /// The id is not above the stream's last one.
    NotAbove,
    /// Names and values together are longer than 1 GiB.
    TooLarge,
}

/// What to trim away, from the old end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Trim {
    /// All entries but so many.
    MaxLen(u64),
    /// All entries below this id.
    MinId(StreamId),
}

/// What a stream remembers besides its entries.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counters {
    /// The id that new entries must exceed.
    pub last_id: StreamId,
    /// The greatest id ever deleted on its own; `0-0` for none.
    pub max_deleted_id: StreamId,
    /// Entries ever added.
    pub entries_added: u64,
}

/// The entries of a stream.
#[derive(Default)]
pub struct Log {
    nodes: BTreeMap<StreamId, Node>,
    length: u64,
    /// The first valid entry; `0-0` when there is none.
    first_id: StreamId,
    counters: Counters,
    /// Bytes of all nodes' listpacks.
    node_bytes: usize,
}

impl Log {
    /// Valid entries.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.length
    }

    /// Whether there are no valid entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The id of the first valid entry; `0-0` when there is none.
    #[must_use]
    pub fn first_id(&self) -> StreamId {
        self.first_id
    }

    /// The counters.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Sets the counters, as XSETID does and a replica that loads. The caller has seen to it that
    /// `last_id` is not below the last entry and `entries_added` not below the length.
    pub fn set_counters(&mut self, counters: Counters) {
        self.counters = counters;
    }

    /// Notes an id as deleted, as far as it is the greatest.
    pub fn note_deleted(&mut self, id: StreamId) {
        self.counters.max_deleted_id = self.counters.max_deleted_id.max(id);
    }

    /// The id for an entry that arrives at `ms` without one; `None` when the last id is the
    /// greatest there is.
    #[must_use]
    pub fn next_id(&self, ms: u64) -> Option<StreamId> {
        let last = self.counters.last_id;
        if ms > last.ms { Some(StreamId::new(ms, 0)) } else { last.next() }
    }

    /// Adds an entry at the end.
    ///
    /// # Errors
    /// As [`AppendError`] says; nothing has changed then.
    pub fn append<'f>(
        &mut self,
        id: StreamId,
        fields: impl Iterator<Item = (&'f [u8], &'f [u8])> + Clone,
        limits: NodeLimits,
    ) -> Result<(), AppendError> {
        if id <= self.counters.last_id {
            return Err(AppendError::NotAbove);
        }
        let bytes = fields.clone().try_fold(0usize, |sum, (name, value)| {
            sum.checked_add(name.len())?.checked_add(value.len())
        });
        let bytes = bytes.filter(|sum| *sum <= NODE_BYTES_MAX).ok_or(AppendError::TooLarge)?;
        if !self.append_to_last(id, bytes, fields.clone(), limits) {
            let mut node = Node::new(fields.clone().map(|(name, _)| name))
                .map_err(|_| AppendError::TooLarge)?;
            node.push(id, id, fields).map_err(|_| AppendError::TooLarge)?;
            self.node_bytes += node.pack().heap_bytes();
            self.nodes.insert(id, node);
        }
        self.length += 1;
        self.counters.entries_added = self.counters.entries_added.saturating_add(1);
        self.counters.last_id = id;
        if self.length == 1 {
            self.first_id = id;
        }
        Ok(())
    }

    /// Deletes an entry and notes it in the counters; whether it was there.
    pub fn delete(&mut self, id: StreamId) -> bool {
        let Some((master, node)) = self.nodes.range_mut(..=id).next_back() else { return false };
        let master = *master;
        let Some(at) = find(node, master, id) else { return false };
        let before = node.pack().heap_bytes();
        if node.counts().0 <= 1 {
            self.node_bytes -= before;
            self.nodes.remove(&master);
        } else {
            node.delete(at);
            self.node_bytes = self.node_bytes - before + node.pack().heap_bytes();
        }
        self.length -= 1;
        self.note_deleted(id);
        if id == self.first_id {
            self.find_first();
        }
        true
    }

    /// Removes old entries and returns how many.
    ///
    /// Approximate trimming takes whole nodes only, and no more than `limit` entries unless it is
    /// 0; exact trimming goes on to the very entry.
    pub fn trim(&mut self, trim: Trim, is_approximate: bool, limit: u64) -> u64 {
        let mut removed = 0u64;
        while let Some((master, node)) = self.nodes.first_key_value() {
            let (valid, _) = node.counts();
            let is_enough = matches!(trim, Trim::MaxLen(len) if self.length <= len);
            if is_enough || (limit > 0 && removed.saturating_add(valid) > limit) {
                break;
            }
            let is_all = match trim {
                Trim::MaxLen(len) => self.length.saturating_sub(valid) >= len,
                Trim::MinId(id) => node.last_id(*master).is_none_or(|last| last < id),
            };
            if !is_all {
                if !is_approximate {
                    removed += self.trim_first_node(trim);
                }
                break;
            }
            self.node_bytes -= node.pack().heap_bytes();
            self.nodes.pop_first();
            self.length -= valid;
            removed += valid;
        }
        if removed > 0 {
            self.find_first();
        }
        removed
    }

    /// The valid entries with these ids, from the first on.
    #[must_use]
    pub fn range(&self, ids: RangeInclusive<StreamId>) -> Range<'_> {
        let (from, to) = ids.into_inner();
        let start = self.nodes.range(..=from).next_back().map_or(from, |(master, _)| *master);
        let nodes = (start <= to).then(|| self.nodes.range(start..=to));
        Range::new(nodes, from, to)
    }

    /// The valid entries with these ids, from the last back.
    #[must_use]
    pub fn range_back(&self, ids: RangeInclusive<StreamId>) -> RevRange<'_> {
        let (from, to) = ids.into_inner();
        RevRange::new(self.nodes.range(..=to), from, to)
    }

    /// The first valid entry.
    #[must_use]
    pub fn first(&self) -> Option<StreamEntry<'_>> {
        self.range(StreamId::MIN..=StreamId::MAX).next()
    }

    /// The last valid entry.
    #[must_use]
    pub fn last(&self) -> Option<StreamEntry<'_>> {
        self.range_back(StreamId::MIN..=StreamId::MAX).next()
    }

    /// Whether there is a valid entry with this id.
    #[must_use]
    pub fn contains(&self, id: StreamId) -> bool {
        let node = self.nodes.range(..=id).next_back();
        node.is_some_and(|(master, node)| find(node, *master, id).is_some())
    }

    /// Nodes of the log.
    #[must_use]
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// The nodes as DUMP and RDB carry them: the id of the first entry and a listpack.
    pub fn nodes(&self) -> impl Iterator<Item = (StreamId, &[u8])> {
        self.nodes_from(StreamId::MIN)
    }

    /// As [`Log::nodes`], without those that begin before an id.
    pub fn nodes_from(&self, first: StreamId) -> impl Iterator<Item = (StreamId, &[u8])> {
        self.nodes.range(first..).map(|(master, node)| (*master, node.pack().bytes()))
    }

    /// Takes a node from outside, which must be above all others; for loading. A node without
    /// valid entries is checked and left out. The counters are set when all nodes are there, with
    /// [`Log::finish_load`].
    ///
    /// # Errors
    /// The first place in `bytes` that cannot be.
    pub fn push_node(&mut self, master: StreamId, bytes: &[u8]) -> Result<(), CorruptError> {
        let node = Node::validate(master, bytes)?;
        let Some(last) = node.last_id(master) else {
            return Err(CorruptError::new(bytes.len(), "an entry"));
        };
        if master <= self.counters.last_id {
            return Err(CorruptError::new(0, "a node above the one before"));
        }
        self.counters.last_id = last;
        let (valid, _) = node.counts();
        if valid > 0 {
            self.length += valid;
            self.node_bytes += node.pack().heap_bytes();
            self.nodes.insert(master, node);
        }
        Ok(())
    }

    /// Ends loading with the counters that came along.
    ///
    /// # Errors
    /// When they cannot belong to these nodes: another length, a last id below the last entry,
    /// fewer entries added than there are, an id deleted that never was.
    pub fn finish_load(&mut self, length: u64, counters: Counters) -> Result<(), CorruptError> {
        let expected = if length != self.length {
            "the stream's length"
        } else if counters.last_id < self.counters.last_id {
            "a last id not below the last entry"
        } else if counters.entries_added < length {
            "a count of added entries not below the length"
        } else if counters.max_deleted_id > counters.last_id {
            "a deleted id not above the last id"
        } else {
            self.counters = counters;
            self.find_first();
            return Ok(());
        };
        Err(CorruptError::new(0, expected))
    }

    /// Bytes of the log's allocations: listpacks exactly, the tree as an estimate. O(1).
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        let pair = size_of::<StreamId>() + size_of::<Node>();
        self.node_bytes + tree_bytes(self.nodes.len(), pair)
    }

    /// Drops up to `steps` nodes and returns how many.
    pub(super) fn drain_some(&mut self, steps: usize) -> usize {
        let mut dropped = 0;
        while dropped < steps {
            let Some((_, node)) = self.nodes.pop_first() else { break };
            let (valid, _) = node.counts();
            self.node_bytes -= node.pack().heap_bytes();
            self.length -= valid;
            dropped += 1;
        }
        if dropped > 0 {
            self.find_first();
        }
        dropped
    }

    /// Adds an entry to the last node, unless there is none or it is full; whether it was added.
    fn append_to_last<'f>(
        &mut self,
        id: StreamId,
        bytes: usize,
        fields: impl Iterator<Item = (&'f [u8], &'f [u8])> + Clone,
        limits: NodeLimits,
    ) -> bool {
        let Some(mut last) = self.nodes.last_entry() else { return false };
        let master = *last.key();
        let node = last.get_mut();
        let before = node.pack().heap_bytes();
        let bytes_max = match limits.bytes {
            0 => NODE_BYTES_MAX,
            limit => limit.min(NODE_BYTES_MAX),
        };
        let (valid, deleted) = node.counts();
        let is_full = node.pack().total_bytes().saturating_add(bytes) >= bytes_max
            || (limits.entries > 0 && valid.saturating_add(deleted) >= limits.entries);
        let is_added = !is_full && node.push(master, id, fields).is_ok();
        if !is_added {
            node.close();
        }
        self.node_bytes = self.node_bytes - before + node.pack().heap_bytes();
        is_added
    }

    /// Deletes entries of the first node, of which some stay; how many it were.
    fn trim_first_node(&mut self, trim: Trim) -> u64 {
        let Some(mut first) = self.nodes.first_entry() else { return 0 };
        let master = *first.key();
        let node = first.get_mut();
        let before = node.pack().heap_bytes();
        let (valid, _) = node.counts();
        let gone = going(node, master, self.length, trim);
        let removed = gone.len() as u64;
        gone.into_iter().for_each(|at| node.mark(at));
        node.settle(removed);
        let after = node.pack().heap_bytes();
        self.node_bytes -= before;
        if removed == valid {
            first.remove();
        } else {
            self.node_bytes += after;
        }
        self.length -= removed;
        removed
    }

    /// Finds the first valid entry again: it is in the first node.
    fn find_first(&mut self) {
        self.first_id = self.first().map_or(StreamId::MIN, |entry| entry.id);
    }
}

impl Clone for Log {
    /// A copy without unused bytes.
    fn clone(&self) -> Self {
        let nodes = self.nodes.clone();
        let node_bytes = nodes.values().map(|node| node.pack().heap_bytes()).sum();
        Self { nodes, node_bytes, ..*self }
    }
}

/// Where the entries begin that a trim takes from the first node of a log of `length` entries.
fn going(node: &Node, master: StreamId, length: u64, trim: Trim) -> Vec<Pos> {
    let head = node.head(master);
    let mut at = head.first;
    let mut gone = Vec::new();
    while let Some(slot) = node.slot(&head, at) {
        let is_enough = match trim {
            Trim::MaxLen(len) => length - gone.len() as u64 <= len,
            Trim::MinId(id) => slot.id >= id,
        };
        if is_enough {
            break;
        }
        if !slot.is_deleted {
            gone.push(slot.at);
        }
        at = slot.end;
    }
    gone
}

/// Where a valid entry begins in its node.
fn find(node: &Node, master: StreamId, id: StreamId) -> Option<Pos> {
    let head = node.head(master);
    let mut at = head.first;
    while let Some(slot) = node.slot(&head, at) {
        if slot.id >= id {
            return (slot.id == id && !slot.is_deleted).then_some(slot.at);
        }
        at = slot.end;
    }
    None
}
