//! Open connections, in places that clients are known by.

use std::io::IoSlice;

use vesta_node::ConnId;
use vesta_resp::Conversation;
use vesta_rt::socket::{Stream, WriteOutcome};

use super::rest::Window;

/// Bytes sent to one client in one turn, about.
const SEND_BYTES: u64 = 1024 * 1024;
/// Pieces of one write.
const PIECES: usize = 16;

/// One client's connection.
pub(super) struct Connection {
    pub(super) stream: Stream,
    pub(super) conversation: Conversation,
    /// The socket may hold bytes that will not be reported again.
    pub(super) undrained: bool,
    /// The peer has closed its side; that will not be reported again.
    pub(super) hangup: bool,
    /// The inbox holds complete requests.
    pub(super) more: bool,
    /// It stands in line for the next turn.
    pub(super) queued: bool,
    /// The node wants nothing read from it for now.
    pub(super) waiting: bool,
    /// It is closed when its replies have been sent.
    pub(super) ending: bool,
    /// It is among those with replies to be sent.
    pub(super) unsent: bool,
    /// It is among those with replies that wait for the log.
    pub(super) fenced: bool,
    /// Room to write is reported.
    pub(super) watches_room: bool,
    /// The node was told that not all could be sent.
    pub(super) reported_pending: bool,
    /// When it was last counted as active.
    pub(super) counted: Window,
    /// What it is to us beside a client.
    pub(super) tie: Tie,
}

/// What a connection is beside a client's.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Tie {
    /// Nothing.
    None,
    /// The way to our primary.
    Primary,
    /// A replica; `hungry`: the node may have something for it.
    Replica { hungry: bool },
}

/// How a sending ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Sent {
    /// Nothing is left, or only what waits for the log.
    All,
    /// The socket takes no more; it will report room.
    SocketFull,
    /// The client's share of the turn is used up.
    TurnOver,
    /// The connection is broken.
    Broken,
}

/// What a sending did.
pub(super) struct Sending {
    pub(super) outcome: Sent,
    pub(super) bytes: u64,
    pub(super) writes: u64,
}

impl Connection {
    pub(super) fn new(stream: Stream) -> Self {
        Self {
            stream,
            conversation: Conversation::default(),
            undrained: false,
            hangup: false,
            more: false,
            queued: false,
            waiting: false,
            ending: false,
            unsent: false,
            fenced: false,
            watches_room: false,
            reported_pending: false,
            counted: Window::default(),
            tie: Tie::None,
        }
    }

    /// Whether there are replies for it.
    pub(super) fn is_owed(&self) -> bool {
        !self.conversation.outbox.is_empty()
    }

    /// Sends pending replies until there are none but those that wait for the log, the socket is
    /// full, or others should have their turn.
    pub(super) fn send(&mut self) -> Sending {
        let mut sending = Sending { outcome: Sent::All, bytes: 0, writes: 0 };
        let outbox = &mut self.conversation.outbox;
        while outbox.sendable_bytes() > 0 {
            if sending.bytes >= SEND_BYTES {
                sending.outcome = Sent::TurnOver;
                break;
            }
            let pieces = outbox.pieces::<PIECES>();
            let offered: usize = pieces.iter().map(|piece| piece.len()).sum();
            let outcome = match pieces {
                [only, rest @ ..] if rest.iter().all(|piece| piece.is_empty()) => {
                    self.stream.write(only)
                }
                _ => self.stream.write_vectored(&pieces.map(IoSlice::new)),
            };
            sending.writes += 1;
            match outcome {
                WriteOutcome::Bytes(len) => {
                    outbox.advance(len);
                    sending.bytes += len as u64;
                    if len < offered {
                        sending.outcome = Sent::SocketFull;
                        break;
                    }
                }
                WriteOutcome::WouldBlock => {
                    sending.outcome = Sent::SocketFull;
                    break;
                }
                WriteOutcome::Error(_) => {
                    sending.outcome = Sent::Broken;
                    break;
                }
            }
        }
        sending
    }
}

/// All connections. A place that became free is given away again only after the turn, because
/// events for it may still be under way.
#[derive(Default)]
pub(super) struct Connections {
    places: Vec<Option<Box<Connection>>>,
    free: Vec<ConnId>,
    freed: Vec<ConnId>,
}

impl Connections {
    /// A place nobody has. It stays free until [`Connections::insert`].
    pub(super) fn next_free(&self) -> ConnId {
        let new = u32::try_from(self.places.len()).unwrap_or(u32::MAX);
        self.free.last().copied().unwrap_or(ConnId(new))
    }

    pub(super) fn insert(&mut self, conn: ConnId, connection: Connection) {
        self.free.pop_if(|free| *free == conn);
        if conn.index() >= self.places.len() {
            self.places.resize_with(conn.index() + 1, || None);
        }
        if let Some(place) = self.places.get_mut(conn.index()) {
            *place = Some(Box::new(connection));
        }
    }

    pub(super) fn get_mut(&mut self, conn: ConnId) -> Option<&mut Connection> {
        self.places.get_mut(conn.index())?.as_deref_mut()
    }

    /// Closes a connection; whether there was one.
    pub(super) fn remove(&mut self, conn: ConnId) -> bool {
        let found = self.places.get_mut(conn.index()).and_then(Option::take).is_some();
        if found {
            self.freed.push(conn);
        }
        found
    }

    /// Ends a turn.
    pub(super) fn recycle(&mut self) {
        self.free.append(&mut self.freed);
    }
}
