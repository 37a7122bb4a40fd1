//! Which history the data belongs to.
//!
//! A history is a name and a stream of effects; every byte of the stream has an offset in it. Two
//! servers at the same offset of the same history have the same data. A server that starts from
//! what it has on disk goes on where that ends, under a new name: what it did before may not all
//! have got to the disk. It remembers the old name, so that whoever knows the old history, and no
//! more of it than was kept, can follow without copying everything.

use crate::Node;
use vesta_types::{ReplId, Rng};

/// The names of a server's history.
#[derive(Clone, Copy, Debug)]
pub(crate) struct History {
    /// The present name (`master_replid`). The stream knows the offset.
    id: ReplId,
    former: Option<Former>,
}

/// The name that the beginning of a history had before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Former {
    /// It (`master_replid2`).
    pub(crate) id: ReplId,
    /// The first offset that is not of that history (`second_repl_offset`): who has got all before
    /// it asks for this one.
    pub(crate) end: u64,
}

impl History {
    /// One that begins.
    pub(crate) fn new(rng: &mut Rng) -> Self {
        Self { id: ReplId::random(rng), former: None }
    }

    pub(crate) fn id(&self) -> ReplId {
        self.id
    }

    pub(crate) fn former(&self) -> Option<Former> {
        self.former
    }
}

impl Node {
    /// The data is that of the history `id`, of which it has `offset` bytes: goes on from there.
    pub(crate) fn resume_history(&mut self, id: ReplId, offset: u64) {
        let former = Former { id, end: offset.saturating_add(1) };
        let history = History { former: Some(former), ..History::new(&mut self.server.rng) };
        self.server.history = history;
        self.propagation.set_offset(offset);
        self.propagation.set_history(history.id);
    }

    /// A stream that nobody kept for a while begins again: what it was before is worth nothing.
    pub(crate) fn begin_history(&mut self) {
        self.server.history = History::new(&mut self.server.rng);
        self.propagation.set_history(self.server.history.id);
    }
}
