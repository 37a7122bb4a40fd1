//! Feeding replicas: what the node has for them is pulled as fast as their sockets take it.
//!
//! A replica has no queue here but what is on its way to the socket. As long as that is full it
//! costs nothing, however much is written meanwhile, and the node knows by what it gave out how far
//! each replica has got. One replica gets [`FILL_BYTES`] a turn, so that one that is quick, or far
//! behind, does not keep clients waiting. While clients keep the loop busy, what several turns have
//! for a replica is sent at once: sending is dearer than what is sent.

use vesta_node::ConnId;
use vesta_rt::log::Level;
use vesta_types::{Mono, Now};

use super::connections::{Connection, Tie};
use super::turn::Turn;

/// Bytes from which on an outbox is full enough: what one replica gets in one turn, about.
const FILL_BYTES: usize = 256 * 1024;
/// The largest buffer for feeding that is kept.
const BUFFER_BYTES_MAX: usize = 2 * FILL_BYTES;

impl Connection {
    /// Whether it is a replica.
    pub(super) fn is_fed(&self) -> bool {
        matches!(self.tie, Tie::Replica { .. })
    }

    /// Whether the node may have something for it, and there is room for that now.
    pub(super) fn has_room_for_more(&self) -> bool {
        self.tie == Tie::Replica { hungry: true }
            && !self.ending
            && !self.watches_room
            && self.conversation.outbox.pending_bytes() < FILL_BYTES
    }
}

impl Turn {
    /// The node may have something for a replica: it is fed soon.
    pub(super) fn note_unfed(&mut self, now: Mono, conn: ConnId) {
        let Some(connection) = self.connections.get_mut(conn) else { return };
        match connection.tie {
            // It comes to it anyway, be it when its socket has room.
            Tie::Replica { hungry: true } => return,
            Tie::Replica { hungry: false } => {}
            Tie::None | Tie::Primary => self.begin_to_feed(conn),
        }
        let Some(connection) = self.connections.get_mut(conn) else { return };
        connection.tie = Tie::Replica { hungry: true };
        if connection.has_room_for_more() {
            if self.unfed.is_empty() {
                self.unfed_since = now;
            }
            self.unfed.push(conn);
        }
    }

    /// Prepares the connection of a client that has become a replica.
    fn begin_to_feed(&mut self, conn: ConnId) {
        if !self.node.config().repl_disable_tcp_nodelay {
            return;
        }
        let Some(connection) = self.connections.get_mut(conn) else { return };
        if let Err(why) = connection.stream.delay_small_writes(true) {
            let why = vesta_rt::errno_text(&why);
            let line = format!("Error preparing the connection of a replica: {why}");
            self.booted.logger.log(Level::Warning, &line);
        }
    }

    /// Gives every replica what there is for it, as far as its socket takes it.
    pub(super) fn feed_all(&mut self, now: Now) {
        let mut unfed = std::mem::take(&mut self.unfed);
        for conn in unfed.drain(..) {
            self.fill(now, conn);
            self.send(conn);
        }
        self.unfed = unfed;
    }

    /// Fills the outbox of a replica, before it is sent.
    pub(super) fn fill(&mut self, now: Now, conn: ConnId) {
        let Some(connection) = self.connections.get_mut(conn) else { return };
        if connection.tie != (Tie::Replica { hungry: true }) || connection.ending {
            return;
        }
        let outbox = &mut connection.conversation.outbox;
        if !outbox.has_buffer() {
            outbox.lend_buffer(std::mem::take(&mut self.feeding_buffer));
        }
        loop {
            let before = outbox.pending_bytes();
            if before >= FILL_BYTES {
                break;
            }
            if !self.node.feed(now, conn, outbox) {
                connection.tie = Tie::Replica { hungry: false };
                break;
            }
            // What is ready and does not come has the next turn.
            if outbox.pending_bytes() == before {
                break;
            }
        }
    }

    /// Keeps an empty buffer for whoever is fed next: the largest one.
    pub(super) fn keep_for_feeding(&mut self, buffer: Vec<u8>) {
        if buffer.capacity() > BUFFER_BYTES_MAX {
            return;
        }
        let (best, other) = if buffer.capacity() > self.feeding_buffer.capacity() {
            (buffer, std::mem::take(&mut self.feeding_buffer))
        } else {
            (std::mem::take(&mut self.feeding_buffer), buffer)
        };
        self.feeding_buffer = best;
        if other.capacity() > 0 {
            self.keep(other);
        }
    }
}
