//! Consumer groups: how far a group has read, and which deliveries wait for their XACK, and whose.

use super::{Log, StreamId, behind, tree_bytes};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::{Bound, RangeInclusive};

/// Entries looked at by [`Group::auto_claim`] for each one asked for.
const AUTO_CLAIM_LOOKS: usize = 10;

/// A consumer of one group. Never used again, not even for a consumer of the same name.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct ConsumerId(u64);

/// A delivery that waits for its XACK.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Pending {
    /// Who holds it.
    pub consumer: ConsumerId,
    /// When it was delivered last, in unix milliseconds.
    pub delivered_ms: u64,
    /// How often it was delivered.
    pub deliveries: u64,
}

/// One consumer.
#[derive(Debug)]
pub struct Consumer {
    name: Arc<[u8]>,
    /// When it last asked for anything, in unix milliseconds.
    pub seen_ms: u64,
    /// When it last got anything; `None` for never.
    pub active_ms: Option<u64>,
    held: BTreeSet<StreamId>,
}

impl Consumer {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// Deliveries it holds.
    #[must_use]
    pub fn held_count(&self) -> usize {
        self.held.len()
    }

    /// The ids it holds, in order, within `ids`.
    pub fn held(
        &self,
        ids: RangeInclusive<StreamId>,
    ) -> impl DoubleEndedIterator<Item = StreamId> + '_ {
        let range = (ids.start() <= ids.end()).then(|| self.held.range(ids));
        range.into_iter().flatten().copied()
    }
}

/// How far a group has read.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Position {
    /// The last id delivered.
    pub last_id: StreamId,
    /// How many entries were ever added up to `last_id`; `None` when that is not known.
    pub entries_read: Option<u64>,
}

/// What [`Group::auto_claim`] is to do.
#[derive(Clone, Copy, Debug)]
pub struct AutoClaim {
    /// The first id to look at.
    pub from: StreamId,
    /// Only deliveries at least so long ago.
    pub idle_ms_min: u64,
    /// The most ids to claim or to find deleted.
    pub count: usize,
    /// Who gets them.
    pub consumer: ConsumerId,
    /// The time, in unix milliseconds.
    pub now_ms: u64,
    /// Whether the deliveries are counted (they are not with JUSTID).
    pub counts_delivery: bool,
}

/// What [`Group::auto_claim`] did.
#[derive(Debug, Default, Eq, PartialEq)]
pub struct AutoClaimed {
    /// Ids that changed hands, with their state afterwards.
    pub claimed: Vec<(StreamId, Pending)>,
    /// Ids whose entries are gone; they are not pending any more.
    pub deleted: Vec<StreamId>,
    /// Where to go on; `0-0` at the end.
    pub next: StreamId,
}

/// A consumer group.
#[derive(Default)]
pub struct Group {
    position: Position,
    pending: BTreeMap<StreamId, Pending>,
    ids: BTreeMap<Arc<[u8]>, ConsumerId>,
    consumers: BTreeMap<ConsumerId, Consumer>,
    /// The next consumer's id.
    next: u64,
    /// Bytes of the consumers' names.
    name_bytes: usize,
}

impl Group {
    /// A group that has read up to `position` and has no consumers.
    #[must_use]
    pub fn new(position: Position) -> Self {
        Self { position, ..Self::default() }
    }

    /// How far the group has read.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// Sets how far the group has read.
    pub fn set_position(&mut self, position: Position) {
        self.position = position;
    }

    /// Moves on to an entry that is being delivered, if it is above the last one; its count of
    /// entries read goes on while no deleted entry makes it a guess. Whether it moved.
    pub fn read_up_to(&mut self, log: &Log, id: StreamId) -> bool {
        if id <= self.position.last_id {
            return false;
        }
        let entries_read = match self.position.entries_read {
            Some(read) if !log.has_deleted_from(id) => read.checked_add(1),
            Some(_) | None if log.counters().entries_added > 0 => log.entries_up_to(id),
            read => read,
        };
        self.position = Position { last_id: id, entries_read };
        true
    }

    /// How many entries the group has yet to read; `None` when that cannot be known. Negative when
    /// a user has set the counters so.
    #[must_use]
    pub fn lag(&self, log: &Log) -> Option<i64> {
        let added = log.counters().entries_added;
        if added == 0 {
            return Some(0);
        }
        let known = self.position.entries_read;
        let read = known
            .filter(|_| !log.has_deleted_from(self.position.last_id))
            .or_else(|| log.entries_up_to(self.position.last_id))?;
        Some((added as i64).wrapping_sub(read as i64))
    }

    /// How many consumers there are.
    #[must_use]
    pub fn consumer_count(&self) -> usize {
        self.consumers.len()
    }

    /// The consumers in the order of their names.
    pub fn consumers(&self) -> impl Iterator<Item = (ConsumerId, &Consumer)> {
        self.ids.values().filter_map(|id| Some((*id, self.consumers.get(id)?)))
    }

    /// The consumers behind the one of this name, or all of them, in the order of their names.
    pub fn consumers_behind(&self, name: Option<&[u8]>) -> impl Iterator<Item = &Consumer> {
        let range = self.ids.range::<[u8], _>((behind(name), Bound::Unbounded));
        range.filter_map(|(_, id)| self.consumers.get(id))
    }

    /// The consumer of this name.
    #[must_use]
    pub fn consumer_id(&self, name: &[u8]) -> Option<ConsumerId> {
        self.ids.get(name).copied()
    }

    /// A consumer; `None` once it has been removed.
    #[must_use]
    pub fn consumer(&self, id: ConsumerId) -> Option<&Consumer> {
        self.consumers.get(&id)
    }

    /// A consumer whose times are to be changed.
    pub fn consumer_mut(&mut self, id: ConsumerId) -> Option<&mut Consumer> {
        self.consumers.get_mut(&id)
    }

    /// Adds a consumer, seen now and never active; `None` if there is one of this name.
    pub fn add_consumer(&mut self, name: &[u8], now_ms: u64) -> Option<ConsumerId> {
        if self.ids.contains_key(name) {
            return None;
        }
        let id = ConsumerId(self.next);
        self.next += 1;
        let name: Arc<[u8]> = name.into();
        self.name_bytes += shared_bytes(&name);
        self.ids.insert(Arc::clone(&name), id);
        let consumer = Consumer { name, seen_ms: now_ms, active_ms: None, held: BTreeSet::new() };
        self.consumers.insert(id, consumer);
        Some(id)
    }

    /// Removes a consumer with all it holds; how many deliveries that were.
    pub fn remove_consumer(&mut self, id: ConsumerId) -> usize {
        let Some(consumer) = self.consumers.remove(&id) else { return 0 };
        self.ids.remove(&consumer.name);
        self.name_bytes -= shared_bytes(&consumer.name);
        for held in &consumer.held {
            self.pending.remove(held);
        }
        consumer.held.len()
    }

    /// How many deliveries wait.
    #[must_use]
    pub fn pending_count(&self) -> usize {
        self.pending.len()
    }

    /// A delivery that waits.
    #[must_use]
    pub fn pending(&self, id: StreamId) -> Option<Pending> {
        self.pending.get(&id).copied()
    }

    /// The deliveries that wait, in order, within `ids`.
    pub fn pending_range(
        &self,
        ids: RangeInclusive<StreamId>,
    ) -> impl DoubleEndedIterator<Item = (StreamId, Pending)> + '_ {
        let range = (ids.start() <= ids.end()).then(|| self.pending.range(ids));
        range.into_iter().flatten().map(|(id, pending)| (*id, *pending))
    }

    /// Makes `id` wait for its XACK in the hands of `pending.consumer`, whoever held it before;
    /// `false`, and nothing done, if there is no such consumer.
    pub fn assign(&mut self, id: StreamId, pending: Pending) -> bool {
        if !self.consumers.contains_key(&pending.consumer) {
            return false;
        }
        let before = self.pending.insert(id, pending).map(|before| before.consumer);
        if before != Some(pending.consumer) {
            if let Some(holder) = before.and_then(|before| self.consumers.get_mut(&before)) {
                holder.held.remove(&id);
            }
            if let Some(holder) = self.consumers.get_mut(&pending.consumer) {
                holder.held.insert(id);
            }
        }
        true
    }

    /// Ends the wait of `id`; whether it was waiting.
    pub fn ack(&mut self, id: StreamId) -> bool {
        let Some(pending) = self.pending.remove(&id) else { return false };
        if let Some(holder) = self.consumers.get_mut(&pending.consumer) {
            holder.held.remove(&id);
        }
        true
    }

    /// Counts another delivery of a waiting id, to who holds it; whether it was waiting.
    pub fn redeliver(&mut self, id: StreamId, now_ms: u64) -> bool {
        let Some(pending) = self.pending.get_mut(&id) else { return false };
        pending.delivered_ms = now_ms;
        pending.deliveries = pending.deliveries.saturating_add(1);
        true
    }

    /// Gives a consumer what has waited too long with others, and forgets what has been deleted
    /// from the log. Looks at ten times `count` deliveries at most.
    pub fn auto_claim(&mut self, log: &Log, what: AutoClaim) -> AutoClaimed {
        let mut done = AutoClaimed::default();
        let mut from = Some(what.from);
        let mut looks = what.count.saturating_mul(AUTO_CLAIM_LOOKS);
        loop {
            let range = from.map(|from| self.pending.range(from..));
            let Some((id, pending)) = range.and_then(|mut range| range.next()) else { return done };
            let (id, pending) = (*id, *pending);
            if looks == 0 || done.claimed.len() + done.deleted.len() >= what.count {
                done.next = id;
                return done;
            }
            looks -= 1;
            from = id.next();
            if !log.contains(id) {
                self.ack(id);
                done.deleted.push(id);
            } else if what.now_ms.saturating_sub(pending.delivered_ms) >= what.idle_ms_min {
                let more = u64::from(what.counts_delivery);
                let pending = Pending {
                    consumer: what.consumer,
                    delivered_ms: what.now_ms,
                    deliveries: pending.deliveries.saturating_add(more),
                };
                if self.assign(id, pending) {
                    done.claimed.push((id, pending));
                }
            }
        }
    }

    /// Bytes of the group's allocations: names exactly, trees as an estimate. O(1).
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        let pending = size_of::<StreamId>() + size_of::<Pending>();
        let id = size_of::<Arc<[u8]>>() + size_of::<ConsumerId>();
        let consumer = size_of::<ConsumerId>() + size_of::<Consumer>();
        tree_bytes(self.pending.len(), pending)
            + tree_bytes(self.pending.len(), size_of::<StreamId>())
            + tree_bytes(self.consumers.len(), id)
            + tree_bytes(self.consumers.len(), consumer)
            + self.name_bytes
    }

    /// Drops up to `steps` waiting ids and consumers; how many it were. When it is fewer than
    /// `steps`, nothing is left.
    pub fn drain_some(&mut self, steps: usize) -> usize {
        let mut dropped = 0;
        while dropped < steps {
            if let Some((id, pending)) = self.pending.pop_last() {
                if let Some(holder) = self.consumers.get_mut(&pending.consumer) {
                    holder.held.remove(&id);
                }
            } else if let Some(id) = self.consumers.keys().next_back().copied() {
                self.remove_consumer(id);
            } else {
                break;
            }
            dropped += 1;
        }
        dropped
    }
}

impl Clone for Group {
    /// A copy that shares nothing, not even names.
    fn clone(&self) -> Self {
        let consumers: BTreeMap<_, _> = self
            .consumers
            .iter()
            .map(|(id, consumer)| {
                let (name, held) = (Arc::from(&*consumer.name), consumer.held.clone());
                (*id, Consumer { name, held, ..*consumer })
            })
            .collect();
        let ids = consumers.iter().map(|(id, consumer)| (Arc::clone(&consumer.name), *id));
        Self { ids: ids.collect(), pending: self.pending.clone(), consumers, ..*self }
    }
}

impl Log {
    /// Whether an entry at or above `id` was deleted out of the middle of the log, so that counting
    /// on from there is a guess. (Deleted ids below the first entry do not count, also when `id` is
    /// below them: so it is in Redis 7.2.4, although it makes the lag too large then.)
    fn has_deleted_from(&self, id: StreamId) -> bool {
        let deleted = self.counters().max_deleted_id;
        !self.is_empty() && deleted >= self.first_id() && id <= deleted
    }

    /// How many entries were ever added up to `id`, where that can be told: for the last id, for
    /// the first entry and ids below it as long as nothing behind them was deleted, and in a
    /// stream that has become empty.
    #[must_use]
    pub fn entries_up_to(&self, id: StreamId) -> Option<u64> {
        let counters = self.counters();
        let added = counters.entries_added;
        if added == 0 {
            return Some(0);
        }
        if (self.is_empty() && id <= counters.last_id) || id == counters.last_id {
            return Some(added);
        }
        if id > counters.last_id || counters.max_deleted_id >= self.first_id() {
            return None;
        }
        let before = added.saturating_sub(self.len());
        match id.cmp(&self.first_id()) {
            core::cmp::Ordering::Less => Some(before),
            core::cmp::Ordering::Equal => Some(before.saturating_add(1)),
            core::cmp::Ordering::Greater => None,
        }
    }
}

/// Bytes of the allocation behind a shared name: two counts and the name.
fn shared_bytes(name: &Arc<[u8]>) -> usize {
    (2 * size_of::<usize>() + name.len()).next_multiple_of(8)
}
