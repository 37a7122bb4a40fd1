//! Streams as values. The structure itself is [`vesta_ds::stream`].
//!
//! Unlike all other values a stream may be empty and stay: its last id and its groups are worth
//! keeping. It is boxed, as it is several times as large as any other value's head.

use super::{Kind, Object, Rules};
use alloc::boxed::Box;
use core::fmt;
use vesta_ds::Heap;
use vesta_ds::stream::{NodeLimits, Stream as Structure};

/// A stream.
#[derive(Clone, Default)]
pub struct Stream(Box<Structure>);

impl Stream {
    /// The value that a structure is.
    #[must_use]
    pub fn of(structure: Structure) -> Self {
        Self(Box::new(structure))
    }

    /// The name that OBJECT ENCODING gives.
    #[must_use]
    pub fn encoding_name(&self) -> &'static str {
        "stream"
    }

    /// How many allocations dropping it frees, about.
    #[must_use]
    pub fn drop_cost(&self) -> usize {
        let groups = self.groups().map(|(_, group)| {
            group.pending_count().saturating_mul(2) + group.consumer_count().saturating_mul(2) + 2
        });
        1 + self.log().node_count() + groups.sum::<usize>()
    }

    /// Frees about `max` nodes, waiting deliveries, consumers and groups.
    pub fn drain_some(&mut self, max: usize) {
        self.0.drain_some(max);
    }
}

impl core::ops::Deref for Stream {
    type Target = Structure;

    fn deref(&self) -> &Structure {
        &self.0
    }
}

impl core::ops::DerefMut for Stream {
    fn deref_mut(&mut self) -> &mut Structure {
        &mut self.0
    }
}

impl Heap for Stream {
    fn heap_bytes(&self) -> usize {
        size_of::<Structure>() + self.0.heap_bytes()
    }
}

impl Rules {
    /// When a node of a stream is full.
    #[must_use]
    pub fn stream_node(&self) -> NodeLimits {
        NodeLimits {
            bytes: self.limits.stream_node_bytes_max,
            entries: self.limits.stream_node_entries_max,
        }
    }
}

impl Kind for Stream {
    fn empty() -> Self {
        Self::default()
    }

    fn of(object: &Object) -> Option<&Self> {
        let Object::Stream(stream) = object else { return None };
        Some(stream)
    }

    fn of_mut(object: &mut Object) -> Option<&mut Self> {
        let Object::Stream(stream) = object else { return None };
        Some(stream)
    }

    fn into_object(self) -> Object {
        Object::Stream(self)
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let log = self.log();
        out.debug_struct("Stream")
            .field("length", &log.len())
            .field("counters", &log.counters())
            .field("groups", &self.group_count())
            .finish()
    }
}
