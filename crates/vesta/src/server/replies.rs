//! The way out: replies wait for the log where they must, and leave with one write for each client.

use vesta_node::{ConnId, Event};
use vesta_rt::reactor::Token;
use vesta_types::Now;

use super::connections::{Sent, Tie};
use super::turn::{Turn, read_clock};

/// Bytes of replies that wait for the log and nothing else, and that the node need not know of.
const HELD_BYTES_UNTOLD: usize = 64 * 1024;
/// Empty reply buffers kept for the next turn, and the largest that is kept.
const SPARE_BUFFERS: usize = 256;
const SPARE_BYTES_MAX: usize = 64 * 1024;

impl Turn {
    /// Appends what a client is to be sent, which waits for a batch of the log unless that is 0.
    pub(super) fn append_reply(&mut self, conn: ConnId, bytes: &[u8], batch: u64) {
        let Some(connection) = self.connections.get_mut(conn) else { return };
        if connection.ending {
            return;
        }
        let outbox = &mut connection.conversation.outbox;
        let mark = outbox.mark();
        outbox.push_encoded(bytes);
        if batch > 0 {
            outbox.fence(mark, batch);
        }
        if outbox.has_fence() { self.hold_back(conn) } else { self.note_unsent(conn) }
    }

    /// Remembers a client with replies that wait for the log.
    pub(super) fn hold_back(&mut self, conn: ConnId) {
        let Some(connection) = self.connections.get_mut(conn) else { return };
        if !connection.fenced {
            connection.fenced = true;
            self.fenced.push(conn);
        }
        let outbox = &connection.conversation.outbox;
        if outbox.sendable_bytes() > 0 || outbox.pending_bytes() > HELD_BYTES_UNTOLD {
            self.note_unsent(conn);
        }
    }

    /// Has the replies leave that wait for no batch of the log behind this one.
    pub(super) fn release(&mut self, batch: u64) {
        let mut fenced = std::mem::take(&mut self.fenced);
        fenced.retain(|conn| {
            let Some(connection) = self.connections.get_mut(*conn) else { return false };
            let outbox = &mut connection.conversation.outbox;
            outbox.release(batch);
            let is_fenced = outbox.has_fence();
            connection.fenced = is_fenced;
            if outbox.sendable_bytes() > 0 {
                self.note_unsent(*conn);
            }
            is_fenced
        });
        self.fenced = fenced;
    }

    /// Marks a client as having replies to be sent.
    pub(super) fn note_unsent(&mut self, conn: ConnId) {
        let Some(connection) = self.connections.get_mut(conn) else { return };
        if !connection.unsent {
            connection.unsent = true;
            self.unsent.push(conn);
        }
    }

    /// Sends replies to everybody who has some, as far as the sockets take them.
    pub(super) fn send_all(&mut self, now: Now) {
        let mut unsent = std::mem::take(&mut self.unsent);
        for conn in unsent.drain(..) {
            self.fill(now, conn);
            self.send(conn);
        }
        // Whoever takes long comes again in the next turn.
        unsent.append(&mut self.unsent);
        self.unsent = unsent;
    }

    pub(super) fn send(&mut self, conn: ConnId) {
        let Some(connection) = self.connections.get_mut(conn) else { return };
        connection.unsent = false;
        let sent = connection.send();
        self.sent_bytes += sent.bytes;
        self.sent_writes += sent.writes;
        match sent.outcome {
            Sent::All => {
                let is_fed = connection.is_fed();
                match connection.conversation.outbox.take_buffer() {
                    Some(buffer) if is_fed => self.keep_for_feeding(buffer),
                    Some(buffer) => self.keep(buffer),
                    None => {}
                }
            }
            Sent::SocketFull => {}
            Sent::TurnOver => self.note_unsent(conn),
            Sent::Broken => return self.close(conn),
        }
        self.after_send(conn);
    }

    fn after_send(&mut self, conn: ConnId) {
        let Some(connection) = self.connections.get_mut(conn) else { return };
        let outbox = &connection.conversation.outbox;
        let pending = outbox.pending_bytes();
        if connection.ending && pending == 0 {
            return self.close(conn);
        }
        // Room is of no use to what waits for the log.
        let watch = outbox.sendable_bytes() > 0;
        if watch != connection.watches_room {
            connection.watches_room = watch;
            let token = Token(conn.index());
            let watched = self.booted.reactor.watch_writes(&mut connection.stream, token, watch);
            if watched.is_err() {
                return self.close(conn);
            }
        }
        let wants_more = connection.has_room_for_more();
        // How far a replica is behind the node knows without that.
        let counts = connection.tie == Tie::None;
        if counts && (watch || pending > HELD_BYTES_UNTOLD) || connection.reported_pending {
            connection.reported_pending = pending > 0;
            let now = read_clock(&self.booted);
            self.node.handle(now, Event::Pending { conn, bytes: pending });
        }
        if wants_more {
            self.note_unsent(conn);
        }
    }

    /// Keeps an empty buffer for the next turn.
    pub(super) fn keep(&mut self, buffer: Vec<u8>) {
        if self.spare.len() < SPARE_BUFFERS && buffer.capacity() <= SPARE_BYTES_MAX {
            self.spare.push(buffer);
        }
    }
}
