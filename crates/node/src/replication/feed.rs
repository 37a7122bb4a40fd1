//! What replicas are sent, and when.
//!
//! At the end of a turn the stream moves to the backlog, and whoever lacks something of it, and is
//! not being fed already, is fed from then on ([`Action::Feed`]): it is given pieces as long as its
//! socket takes them, until it lacks nothing.
//!
//! With a log nothing is sent that the log does not hold as safely as replies need it: a primary
//! that starts again from its log would be behind its replicas otherwise.

use super::primary::{conn_of, link_of};
use crate::action::Action;
use crate::server::Server;
use crate::{ConnId, Node};
use alloc::vec::Vec;
use vesta_cmd::Propagation;
use vesta_repl::{Backlog, LinkId, Marks, Stage};
use vesta_resp::Outbox;
use vesta_types::Now;

/// How much of the stream a replica is given at a time, in bytes.
const PIECE_BYTES: usize = 64 * 1024;

impl Node {
    /// Appends what a replica is to get next to its outbox, some 64 KiB at a time; whether more is
    /// ready.
    pub fn feed(&mut self, now: Now, conn: ConnId, outbox: &mut Outbox) -> bool {
        let link = link_of(conn);
        self.server.replication.primary.seen = now;
        self.move_stream();
        let limit = self.feeding_limit();
        let before = outbox.pending_bytes();
        let side = &mut self.server.replication.primary;
        if let Some(lead) = side.leads.remove(&link) {
            outbox.push_encoded(&lead);
        }
        match side.replicas.get(link).map(|replica| replica.stage) {
            Some(Stage::Copying { position, .. }) if position <= limit => {
                self.server.feed_copy(now, link, outbox);
            }
            Some(Stage::Streaming { position }) => {
                let room = usize::try_from(limit.saturating_sub(position)).unwrap_or(usize::MAX);
                let piece = side.backlog.as_ref();
                let piece = piece.and_then(|backlog| backlog.read(position, room.min(PIECE_BYTES)));
                let piece = piece.unwrap_or_default();
                outbox.push_encoded(piece);
                let position = position.saturating_add(piece.len() as u64);
                if let Some(replica) = side.replicas.get_mut(link) {
                    replica.stage = Stage::Streaming { position };
                }
            }
            Some(Stage::Copying { .. } | Stage::Waiting { .. } | Stage::Loading { .. }) | None => {}
        }
        let fed = outbox.pending_bytes().saturating_sub(before);
        let side = &mut self.server.replication.primary;
        side.tally.output_bytes = side.tally.output_bytes.saturating_add(fed as u64);
        let has_more = self.has_for(link, limit);
        if !has_more {
            self.server.replication.primary.awake.remove(&link);
        }
        has_more
    }

    /// Whether there is something to be sent to a replica.
    fn has_for(&self, link: LinkId, limit: u64) -> bool {
        let side = &self.server.replication.primary;
        if side.leads.contains_key(&link) {
            return true;
        }
        match side.replicas.get(link).map(|replica| replica.stage) {
            Some(Stage::Copying { snapshot, position, .. }) => {
                position <= limit && side.copies.has_for(snapshot, link)
            }
            Some(Stage::Streaming { position }) => position < limit,
            Some(Stage::Waiting { .. } | Stage::Loading { .. }) | None => false,
        }
    }

    /// Moves what has come of the stream to the backlog.
    pub(crate) fn move_stream(&mut self) {
        self.server.move_stream(&mut self.propagation);
    }

    /// The stream goes on where the data is: from now on it is kept, and what was kept is, too, if
    /// the stream goes on behind it.
    pub(super) fn rebase_backlog(&mut self) {
        let offset = self.propagation.offset();
        let side = &mut self.server.replication.primary;
        if let Some(backlog) = &mut side.backlog
            && backlog.end() != offset
        {
            backlog.begin_anew(offset);
            side.marks = Marks::default();
        }
        self.server.keep_backlog(&mut self.store, &mut self.propagation);
        self.server.begin_batches(offset);
    }

    /// What lies in front of the stream was found in the log.
    pub(crate) fn refill_backlog(&mut self, found: Option<Backlog>) {
        let side = &mut self.server.replication.primary;
        if let (Some(found), Some(backlog)) = (found, &mut side.backlog)
            && found.end() == backlog.end()
        {
            *backlog = found;
        }
    }

    /// Up to where the stream may be sent.
    fn feeding_limit(&mut self) -> u64 {
        let end = self.propagation.offset();
        let log = &self.server.persistence.log;
        let side = &mut self.server.replication.primary;
        if !log.is_on() {
            side.batches.clear();
            return end;
        }
        while let Some((batch, offset)) = side.batches.front().copied()
            && log.is_open_for(batch)
        {
            side.safe = offset;
            side.batches.pop_front();
        }
        if side.batches.is_empty() && !self.propagation.has_log() {
            end
        } else {
            side.safe.min(end)
        }
    }

    /// A batch was handed out to the log.
    pub(crate) fn note_batch(&mut self, batch: u64) {
        let offset = self.propagation.offset();
        if self.server.is_replica() {
            self.server.replication.replica.note_batch(batch, offset);
        }
        let side = &mut self.server.replication.primary;
        if side.is_active() {
            side.batches.push_back((batch, offset));
        }
    }

    /// Does what belongs into the stream at the end of a turn.
    pub(crate) fn end_stream_turn(&mut self) {
        let is_replica = self.server.is_replica();
        let side = &mut self.server.replication.primary;
        // A replica's stream is its primary's, and has nothing in it that is its own.
        if core::mem::take(&mut side.asks) && !side.replicas.is_empty() && !is_replica {
            let words = [&b"REPLCONF"[..], b"GETACK", b"*"];
            self.propagation.append_question(words.into_iter());
        }
        let now = side.seen;
        self.answer_deferred(now);
        self.drive_failover(now);
        self.drive_parting(now);
        self.start_copies();
    }

    /// Has everybody fed that lacks something.
    pub(crate) fn wake_replicas(&mut self) {
        self.move_stream();
        // Batches that are safe are to be forgotten even if nobody follows.
        let limit = self.feeding_limit();
        let side = &self.server.replication.primary;
        if side.replicas.is_empty() {
            return;
        }
        let all = side.replicas.iter().map(|(link, _)| link);
        let asleep: Vec<LinkId> = all.filter(|link| !side.awake.contains(link)).collect();
        for link in asleep {
            if self.has_for(link, limit) {
                self.server.replication.primary.awake.insert(link);
                self.server.actions.push_back(Action::Feed(conn_of(link)));
            }
        }
    }

    /// Keeps a copy of the stream for [`Node::take_stream`].
    pub(crate) fn tap_stream(&mut self) {
        self.server.replication.primary.tap.get_or_insert_default();
    }

    /// What came to the stream since the last call.
    pub(crate) fn take_tapped(&mut self) -> Vec<u8> {
        if !self.server.replication.primary.is_active() {
            return self.propagation.take_stream();
        }
        self.move_stream();
        self.server.replication.primary.tap.as_mut().map(core::mem::take).unwrap_or_default()
    }
}

impl Server {
    /// Replicas must not get ahead of what was handed out to the log so far, with which the stream
    /// has got to this offset.
    pub(super) fn begin_batches(&mut self, offset: u64) {
        let last = self.persistence.log.batch().saturating_sub(1);
        let side = &mut self.replication.primary;
        side.safe = 0;
        side.batches.clear();
        side.batches.push_back((last, offset));
    }

    /// Moves what has come of the stream to the backlog.
    pub(super) fn move_stream(&mut self, propagation: &mut Propagation) {
        let side = &mut self.replication.primary;
        let Some(backlog) = &mut side.backlog else { return };
        let stream = propagation.stream_mut();
        if stream.is_empty() {
            return;
        }
        if let Some(tap) = &mut side.tap {
            tap.extend_from_slice(stream);
        }
        backlog.append(stream);
        assert_eq!(backlog.end(), propagation.offset(), "the backlog lacks a part of the stream");
        if !side.replicas.is_empty() {
            side.marks.note(backlog.end(), side.seen.mono);
        }
        self.mind_backlog();
    }
}
