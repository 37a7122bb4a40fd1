//! A stream of the model: entries by id, and groups of consumers.

use std::collections::{BTreeMap, BTreeSet};

use super::data::{Bytes, sorted};

/// Milliseconds and sequence number.
pub(super) type Id = (u64, u64);

/// Names and values in the order in which they were given.
pub(super) type Fields = Vec<Bytes>;

/// A stream.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Stream {
    pub(super) entries: BTreeMap<Id, Fields>,
    pub(super) last: Id,
    /// Entries ever added.
    pub(super) added: u64,
    /// The highest id that was deleted out of the middle.
    pub(super) deleted: Id,
    pub(super) groups: BTreeMap<Bytes, Group>,
}

/// A group of consumers.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Group {
    /// The last id that was delivered.
    pub(super) last: Id,
    /// Entries read since the first one, when that is known.
    pub(super) read: Option<u64>,
    pub(super) consumers: BTreeSet<Bytes>,
    /// Who holds which entry.
    pub(super) pending: BTreeMap<Id, Bytes>,
}

pub(super) fn id_text((ms, seq): Id) -> String {
    format!("{ms}-{seq}")
}

impl Stream {
    fn first(&self) -> Id {
        self.entries.first_key_value().map_or((0, 0), |(id, _)| *id)
    }

    pub(super) fn append(&mut self, id: Id, fields: Fields) {
        self.entries.insert(id, fields);
        self.last = id;
        self.added += 1;
    }

    pub(super) fn delete(&mut self, id: Id) -> bool {
        let is_there = self.entries.remove(&id).is_some();
        if is_there {
            self.deleted = self.deleted.max(id);
        }
        is_there
    }

    /// Removes the oldest entries until there are `len`; how many went.
    pub(super) fn trim(&mut self, len: usize) -> usize {
        let mut gone = 0;
        while self.entries.len() > len {
            self.entries.pop_first();
            gone += 1;
        }
        gone
    }

    /// Entries above an id.
    pub(super) fn above(&self, id: Id) -> Vec<(Id, Fields)> {
        let above = self.entries.range(id..).filter(|(other, _)| **other > id);
        above.map(|(id, fields)| (*id, fields.clone())).collect()
    }

    /// How many entries were ever added up to `id`, when that can be told.
    fn added_up_to(&self, id: Id) -> Option<u64> {
        let is_gone = self.entries.is_empty() && id <= self.last;
        if self.added == 0 {
            return Some(0);
        }
        if is_gone || id == self.last {
            return Some(self.added);
        }
        if id > self.last || self.deleted >= self.first() {
            return None;
        }
        let before = self.added - self.entries.len() as u64;
        match id.cmp(&self.first()) {
            std::cmp::Ordering::Less => Some(before),
            std::cmp::Ordering::Equal => Some(before + 1),
            std::cmp::Ordering::Greater => None,
        }
    }

    /// What a group has read when it goes on to `id` from `read`.
    pub(super) fn read_after(&self, read: Option<u64>, id: Id) -> Option<u64> {
        let has_gap =
            !self.entries.is_empty() && self.deleted >= self.first() && id <= self.deleted;
        match read {
            Some(read) if !has_gap => Some(read + 1),
            _ => self.added_up_to(id),
        }
    }

    pub(super) fn weight_bytes(&self) -> usize {
        let entries = self.entries.values().flatten().map(|word| word.len() + 8);
        let groups = self.groups.values().map(|group| 100 + 50 * group.pending.len());
        entries.sum::<usize>() + groups.sum::<usize>()
    }

    /// As a node's dump shows it.
    pub(super) fn dumped(&self) -> String {
        let shown = |text: &Bytes| text.escape_ascii().to_string();
        let mut words = vec![format!("stream last={} added={}", id_text(self.last), self.added)];
        for (id, fields) in &self.entries {
            let pairs: Vec<String> = fields
                .chunks(2)
                .map(|pair| pair.iter().map(shown).collect::<Vec<_>>().join("="))
                .collect();
            words.push(format!("{}:{}", id_text(*id), pairs.join(",")));
        }
        words.extend(sorted(self.groups.iter().map(|(name, group)| {
            let read = group.read.map_or("?".to_owned(), |read| read.to_string());
            let head = format!("group {} last={} read={read}", shown(name), id_text(group.last));
            let consumers = group.consumers.iter().map(|consumer| {
                let held = group.pending.iter().filter(|(_, holder)| *holder == consumer);
                let held = held.map(|(id, _)| format!(" {}", id_text(*id)));
                format!("consumer {}{}", shown(consumer), held.collect::<String>())
            });
            std::iter::once(head).chain(sorted(consumers)).collect::<Vec<_>>().join(" ")
        })));
        words.join(" ")
    }
}
