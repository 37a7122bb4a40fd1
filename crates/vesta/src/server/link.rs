//! The connection to our primary: from the wish for it to a connection like a client's.

use vesta_node::{ConnId, Event, Peer};
use vesta_rt::reactor::Token;
use vesta_rt::resolver::Question;
use vesta_types::Now;

use super::connections::{Connection, Tie};
use super::dial::{Dialled, Dialler, Ground, Outcome};
use super::turn::{Turn, is_local};

impl Turn {
    /// Begins to connect to a server.
    pub(super) fn dial(&mut self, now: Now, attempt: u64, host: String, port: u16) {
        let source = self.node.config().bind_source_addr.clone();
        let question = Question { id: attempt, host, port, source };
        self.ask_dialler(now, |dialler, ground| dialler.dial(ground, question));
    }

    /// Hears whether the name of a server was found.
    pub(super) fn hear_of_names(&mut self, now: Now) {
        self.ask_dialler(now, Dialler::hear);
    }

    /// Looks how the connection is coming along that was begun.
    pub(super) fn look_at_dialler(&mut self, now: Now) {
        self.ask_dialler(now, Dialler::look);
    }

    fn ask_dialler(
        &mut self,
        now: Now,
        ask: impl FnOnce(&mut Dialler, &Ground<'_>) -> Option<Outcome>,
    ) {
        let Self { booted, dialler, .. } = self;
        let ground = Ground { now: now.mono, reactor: &booted.reactor, waker: &booted.waker };
        let Some(Outcome { attempt, dialled }) = ask(dialler, &ground) else { return };
        let outcome = dialled.and_then(|dialled| self.take_in(dialled));
        self.node.handle(now, Event::Linked { attempt, outcome });
    }

    /// Gives a connection its place among all others.
    fn take_in(&mut self, dialled: Dialled) -> Result<(ConnId, Peer), String> {
        let Dialled { mut stream, peer, local } = dialled;
        let conn = self.connections.next_free();
        let facts = Peer {
            addr: peer.to_string(),
            laddr: local.to_string(),
            is_local: is_local(&peer),
            is_unix: false,
            fd: stream.fd(),
        };
        self.prepare(&stream)
            .and_then(|()| self.booted.reactor.connected(&mut stream, Token(conn.index())))
            .map_err(|why| vesta_rt::errno_text(&why))?;
        let mut connection = Connection::new(stream);
        connection.tie = Tie::Primary;
        self.connections.insert(conn, connection);
        Ok((conn, facts))
    }
}
