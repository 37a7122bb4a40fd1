//! Entries in order, from either end.

use super::StreamId;
use super::node::{Fields, Head, Node};
use crate::Pos;
use alloc::collections::btree_map;

/// A valid entry.
#[derive(Clone, Debug)]
pub struct StreamEntry<'a> {
    /// Its id.
    pub id: StreamId,
    /// Its fields: names and values, in the order in which they were added.
    pub fields: Fields<'a>,
}

/// A node that is being walked.
struct Place<'a> {
    node: &'a Node,
    head: Head<'a>,
    /// Going on: where the next entry begins. Going back: where the entry in front of it ends.
    at: Pos,
}

/// Valid entries from lower to higher ids.
pub struct Range<'a> {
    nodes: Option<btree_map::Range<'a, StreamId, Node>>,
    place: Option<Place<'a>>,
    from: StreamId,
    to: StreamId,
}

impl<'a> Range<'a> {
    /// `nodes` begin with the one that may hold `from`.
    pub(super) fn new(
        nodes: Option<btree_map::Range<'a, StreamId, Node>>,
        from: StreamId,
        to: StreamId,
    ) -> Self {
        Self { nodes, place: None, from, to }
    }
}

impl<'a> Iterator for Range<'a> {
    type Item = StreamEntry<'a>;

    fn next(&mut self) -> Option<StreamEntry<'a>> {
        loop {
            let Some(place) = &mut self.place else {
                let (master, node) = self.nodes.as_mut()?.next()?;
                let head = node.head(*master);
                let at = head.first;
                self.place = Some(Place { node, head, at });
                continue;
            };
            let Some(slot) = place.node.slot(&place.head, place.at) else {
                self.place = None;
                continue;
            };
            if slot.id > self.to {
                *self = Self { nodes: None, place: None, ..*self };
                return None;
            }
            place.at = slot.end;
            if !slot.is_deleted && slot.id >= self.from {
                return Some(StreamEntry { id: slot.id, fields: slot.fields });
            }
        }
    }
}

/// Valid entries from higher to lower ids.
pub struct RevRange<'a> {
    nodes: Option<btree_map::Range<'a, StreamId, Node>>,
    place: Option<Place<'a>>,
    from: StreamId,
    to: StreamId,
}

impl<'a> RevRange<'a> {
    /// `nodes` end with the one that may hold `to`.
    pub(super) fn new(
        nodes: btree_map::Range<'a, StreamId, Node>,
        from: StreamId,
        to: StreamId,
    ) -> Self {
        Self { nodes: Some(nodes), place: None, from, to }
    }
}

impl<'a> Iterator for RevRange<'a> {
    type Item = StreamEntry<'a>;

    fn next(&mut self) -> Option<StreamEntry<'a>> {
        loop {
            let Some(place) = &mut self.place else {
                let (master, node) = self.nodes.as_mut()?.next_back()?;
                self.place = Some(Place { node, head: node.head(*master), at: node.end() });
                continue;
            };
            let start = place.node.before(&place.head, place.at);
            let Some(slot) = start.and_then(|at| place.node.slot(&place.head, at)) else {
                self.place = None;
                continue;
            };
            if slot.id < self.from {
                *self = Self { nodes: None, place: None, ..*self };
                return None;
            }
            place.at = slot.at;
            if !slot.is_deleted && slot.id <= self.to {
                return Some(StreamEntry { id: slot.id, fields: slot.fields });
            }
        }
    }
}
