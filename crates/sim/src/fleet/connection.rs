//! One end of a link, held by a server: bytes in, replies and streams out.

use vesta_node::Served;
use vesta_resp::Conversation;
use vesta_types::{Mono, ReplId};

use super::wiretap::Asked;
use crate::network::{End, Link, Network, Pipe};

/// A connection of a server, to a client or to another server.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) link: usize,
    pub(super) end: End,
    pub(super) conversation: Conversation,
    /// The inbox may hold complete requests.
    pub(super) more: bool,
    pub(super) waiting: bool,
    /// It is closed when its replies have been sent.
    pub(super) ending: bool,
    pub(super) reported_pending: bool,
    /// There may be something for a replica.
    pub(super) feeds: bool,
    /// What came since the last reply, as long as it may be of interest.
    pub(super) heard: Vec<u8>,
    /// What was sent since something was asked that is of interest.
    pub(super) said: Vec<u8>,
    /// The synchronization that a replica has asked for and was not told the outcome of.
    pub(super) asked: Option<Asked>,
    /// Where the stream was after the last write.
    pub(super) wrote: Option<(ReplId, u64)>,
    /// What the client waits for being elsewhere.
    pub(super) awaited: Option<(ReplId, u64)>,
}

impl Connection {
    pub(super) fn new(link: usize, end: End) -> Self {
        Self {
            link,
            end,
            conversation: Conversation::default(),
            more: false,
            waiting: false,
            ending: false,
            reported_pending: false,
            feeds: false,
            heard: Vec::new(),
            said: Vec::new(),
            asked: None,
            wrote: None,
            awaited: None,
        }
    }

    /// What comes to it.
    pub(super) fn incoming<'n>(&self, link: &'n mut Link) -> &'n mut Pipe {
        match self.end {
            End::Server => &mut link.up,
            End::Client => &mut link.down,
        }
    }

    /// Whether there is something to be done with what has come.
    pub(super) fn is_ready(&self, link: &mut Link) -> bool {
        let pipe = self.incoming(link);
        if self.waiting || self.ending {
            return pipe.has_ended();
        }
        self.more || pipe.readable_bytes() > 0 || pipe.is_over()
    }

    /// Sends as much as there is room for; how much.
    pub(super) fn send(&self, now: Mono, link: &mut Link, bytes: &[u8]) -> usize {
        match self.end {
            End::Server => link.send_down(now, bytes),
            End::Client => link.send_up(now, bytes),
        }
    }

    /// Lets go of the link.
    pub(super) fn let_go(&self, network: &mut Network, now: Mono) {
        match self.end {
            End::Server => network.close(self.link, now, false),
            End::Client => network.leave(self.link, now),
        }
    }

    pub(super) fn note_served(&mut self, served: Served) {
        self.more = served == Served::More;
        self.waiting = served == Served::Waiting;
        self.ending = served == Served::Close;
    }
}
