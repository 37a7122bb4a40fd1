//! Replication: what this server is to its replicas, and what its primary is to it.
//!
//! The machines are in `vesta-repl`; here they meet commands, clients and data. Both sides are
//! there at any time: a replica has replicas of its own.

mod apply;
mod failover;
mod feed;
mod filing;
mod follow;
mod full_sync;
mod parting;
pub(crate) mod primary;
pub(crate) mod replica;
mod transfer;
mod unwritable;

use crate::Node;
use vesta_repl::History;
use vesta_types::{DbIndex, ReplId, Rng};

/// Everything about replication.
#[derive(Debug)]
pub(crate) struct Replication {
    /// The history of the data set.
    pub(crate) history: History,
    /// What follows us.
    pub(crate) primary: primary::Side,
    /// Whom we follow.
    pub(crate) replica: replica::Side,
    /// Where the data was when a primary loaded it.
    resumed: Option<Resumed>,
}

/// A point of the history that loaded data was of.
#[derive(Clone, Copy, Debug)]
struct Resumed {
    id: ReplId,
    offset: u64,
    /// What the stream had selected.
    db: DbIndex,
}

impl Replication {
    pub(crate) fn new(rng: &mut Rng) -> Self {
        Self {
            history: History::new(rng),
            primary: primary::Side::default(),
            replica: replica::Side::default(),
            resumed: None,
        }
    }
}

impl Node {
    /// The data is that of the history `id`, of which it has `offset` bytes: goes on from there,
    /// under a new name, as the old one may have gone on before a crash. A replica is as far in
    /// the history of its primary as its data is, and `stream_db` is selected there.
    pub(crate) fn resume_history(&mut self, id: ReplId, offset: u64, stream_db: Option<u64>) {
        let db = stream_db.and_then(|raw| DbIndex::new(raw, self.store.databases()));
        if self.server.is_replica() {
            self.take_history(History::named(id), offset);
            return self.begin_stream(db.unwrap_or(DbIndex::ZERO));
        }
        self.server.replication.resumed = db.map(|db| Resumed { id, offset, db });
        let fresh = ReplId::random(&mut self.server.rng);
        self.take_history(History::named(id).shifted(fresh, offset), offset);
    }

    /// A primary that turns to another before anything has happened since it loaded its data, and
    /// before anybody has followed it, is where it was in the history that the data was of: that
    /// one the other may know, as when it was promoted meanwhile, and the new name nobody does.
    fn return_to_resumed(&mut self) {
        let Some(Resumed { id, offset, db }) = self.server.replication.resumed.take() else {
            return;
        };
        let point = self.propagation.point();
        let tally = &self.server.replication.primary.tally;
        let has_served = tally.partial > 0 || tally.full() > 0;
        if point.is_kept && point.offset == offset && !has_served {
            self.take_history(History::named(id), offset);
            self.begin_stream(db);
        }
    }

    /// A stream that nobody kept for a while begins again: what it was before is worth nothing.
    pub(crate) fn begin_history(&mut self) {
        self.server.replication.resumed = None;
        self.server.replication.history = History::new(&mut self.server.rng);
        self.propagation.set_history(self.server.replication.history.id());
    }

    /// The data is at `offset` of this history.
    pub(crate) fn take_history(&mut self, history: History, offset: u64) {
        self.move_stream();
        self.server.replication.history = history;
        self.propagation.set_offset(offset);
        self.propagation.set_history(history.id());
        self.rebase_backlog();
    }
}
