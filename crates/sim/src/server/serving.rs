//! Clients: who is served, and what is sent to whom and when.

use std::collections::VecDeque;

use vesta_node::{ConnId, Event as NodeEvent, Peer, Served};
use vesta_resp::Conversation;
use vesta_types::Now;

use super::{Server, World};
use crate::Flaw;
use crate::checker::{Call, Check};
use crate::chronicle::{Chronicle, LogFacts};
use crate::trace::Event;

/// A client's connection.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) link: usize,
    pub(super) conversation: Conversation,
    /// The inbox may hold complete requests.
    pub(super) more: bool,
    pub(super) waiting: bool,
    /// It is closed when its replies have been sent.
    ending: bool,
    reported_pending: bool,
    /// Bytes of replies that were given to it and sent.
    given: u64,
    sent: u64,
    /// Replies that may not leave yet: where they begin, and the offset that they show.
    held: VecDeque<(u64, u64)>,
}

impl Connection {
    fn new(link: usize) -> Self {
        Self {
            link,
            conversation: Conversation::default(),
            more: false,
            waiting: false,
            ending: false,
            reported_pending: false,
            given: 0,
            sent: 0,
            held: VecDeque::new(),
        }
    }

    /// Whether it is its turn.
    pub(super) fn is_ready(&self, readable: bool, over: bool) -> bool {
        if self.waiting || self.ending {
            over && !self.is_owed()
        } else {
            self.more || readable || over
        }
    }

    /// Whether it only stays for what waits for the log.
    fn is_owed(&self) -> bool {
        self.ending && self.conversation.outbox.has_fence()
    }

    /// Was given so many bytes of replies, which show this offset.
    fn note_given(&mut self, bytes: usize, offset: u64) {
        if bytes > 0 {
            self.held.push_back((self.given, offset));
            self.given += bytes as u64;
        }
    }
}

impl Server {
    /// A client comes over `link`; whether it is served.
    pub(crate) fn accept(
        &mut self,
        world: &mut World<'_>,
        link: usize,
        addr: &str,
    ) -> Result<bool, String> {
        let place = self.free.last().copied().unwrap_or(self.next_place);
        let peer = Peer {
            addr: addr.to_owned(),
            laddr: "10.0.0.1:6379".to_owned(),
            is_local: false,
            is_unix: false,
            fd: 8,
        };
        let now = world.clock.now();
        let accepted = self.node.connect(now, ConnId(place), peer);
        let refusal = accepted.err().map(|refused| refused.reply);
        world.checker.connected(link, addr, refusal.as_deref())?;
        if let Some(reply) = refusal {
            world.trace.note(now, Event::Refused { link });
            if let Some(wire) = world.network.link(link) {
                wire.send_down(now.mono, &reply);
            }
            world.network.close(link, now.mono, false);
            return Ok(false);
        }
        world.trace.note(now, Event::Connected { link, conn: place });
        if self.free.pop().is_none() {
            self.next_place += 1;
        }
        self.connections.insert(place, Connection::new(link));
        Ok(true)
    }

    /// Reads from a client once and has it served.
    pub(super) fn serve(&mut self, world: &mut World<'_>, place: u32) -> Check {
        let now = world.clock.now();
        let Some(connection) = self.connections.get_mut(&place) else { return Ok(()) };
        let Some(wire) = world.network.link(connection.link) else { return Ok(()) };
        if connection.waiting || connection.ending {
            if wire.up.has_ended() && !connection.is_owed() {
                self.close(world, place, false);
            }
            return Ok(());
        }
        if !connection.is_ready(wire.up.readable_bytes() > 0, wire.up.is_over()) {
            return Ok(());
        }
        if !connection.more && wire.up.is_over() {
            // It may still listen to what waits for the log.
            connection.ending = connection.conversation.outbox.has_fence();
            if !connection.ending {
                self.close(world, place, false);
            }
            return Ok(());
        }
        let (fed, fresh) = self.read(world, place)?;
        let Some(connection) = self.connections.get_mut(&place) else { return Ok(()) };
        let link = connection.link;
        world.trace.note(now, Event::Fed { link, bytes: fed.len() });
        world.trace.bytes(&fed);
        let conversation = &mut connection.conversation;
        let before = conversation.outbox.pending_bytes();
        let from = world.checker.chronicle.as_ref().map_or(0, Chronicle::end);
        let bytes = if fresh { fed.as_slice() } else { &[] };
        let served = self.node.serve(now, ConnId(place), conversation, bytes);
        let stream = self.node.take_stream();
        let held_bytes = conversation.inbox.held_bytes();
        let pending_bytes = conversation.outbox.pending_bytes();
        if pending_bytes < before {
            return Err("replies were taken back".to_owned());
        }
        let answered = conversation.outbox.copied_from(before);
        connection.more = served == Served::More;
        connection.waiting = served == Served::Waiting;
        connection.ending = served == Served::Close;
        world.trace.note(now, Event::Served { link, outcome: served });
        let (sends, closed) = self.gather(world);
        world.checker.served(
            &Call {
                link,
                now,
                fed: &fed,
                held_bytes,
                answered: &answered,
                pending_bytes,
                served,
                stream: &stream,
                sends,
            },
            world.trace,
        )?;
        self.check_closed(world, &closed)?;
        self.follow_settings(world);
        let shows = world.checker.chronicle.as_ref().map_or(0, Chronicle::end);
        if let Some(connection) = self.connections.get_mut(&place) {
            connection.note_given(answered.len(), shows);
            if self.flaw == Some(Flaw::RepliesLeaveEarly) && self.rng.below(10) == 0 {
                connection.conversation.outbox.release(u64::MAX);
            }
        }
        self.date_wishes(world, from)?;
        self.note_released(world, place, self.log_facts())
    }

    /// Reads from a client; what, and whether it is still to be handed to the node.
    fn read(&mut self, world: &mut World<'_>, place: u32) -> Result<(Vec<u8>, bool), String> {
        let nothing = Ok((Vec::new(), true));
        let Some(connection) = self.connections.get_mut(&place) else { return nothing };
        let Some(wire) = world.network.link(connection.link) else { return nothing };
        if connection.more {
            return nothing;
        }
        let mut most = {
            let most = 1 + self.rng.below(self.read_bytes_max);
            // Of a lot, a large part.
            usize::try_from(most).unwrap_or(1).max(wire.up.readable_bytes() / 8)
        };
        let inbox = &mut connection.conversation.inbox;
        // Both ways to read a big argument.
        if !(inbox.wants_direct() && self.rng.below(4) > 0) {
            return Ok((wire.up.take(most), true));
        }
        let mut fed = Vec::new();
        let read = inbox.direct(|room| {
            most = most.min(room.len());
            fed = wire.up.take(most);
            room.iter_mut().zip(&fed).for_each(|(to, from)| *to = *from);
            Ok::<usize, ()>(fed.len())
        });
        world.trace.reached.read_directly += 1;
        if read != Ok(fed.len()) {
            return Err("a big argument did not take its bytes".to_owned());
        }
        Ok((fed, false))
    }

    /// Appends what a client is to be sent behind a batch of the log; it shows this offset.
    pub(super) fn append_reply(
        &mut self,
        world: &mut World<'_>,
        place: u32,
        bytes: &[u8],
        (batch, offset): (u64, u64),
    ) -> Check {
        let Some(connection) = self.connections.get_mut(&place) else { return Ok(()) };
        world.checker.sent(connection.link, bytes)?;
        let outbox = &mut connection.conversation.outbox;
        let mark = outbox.mark();
        outbox.push_encoded(bytes);
        if batch > 0 {
            outbox.fence(mark, batch);
        }
        connection.note_given(bytes.len(), offset);
        self.note_released(world, place, self.log_facts())
    }

    /// The log has got so far: what waits for this batch may leave.
    pub(super) fn release(&mut self, world: &mut World<'_>, batch: u64, facts: LogFacts) -> Check {
        let places: Vec<u32> = self.connections.keys().copied().collect();
        for place in places {
            if let Some(connection) = self.connections.get_mut(&place) {
                connection.conversation.outbox.release(batch);
            }
            self.note_released(world, place, facts)?;
        }
        Ok(())
    }

    /// What may leave from now on shows what it shows.
    fn note_released(&mut self, world: &mut World<'_>, place: u32, facts: LogFacts) -> Check {
        let Some(connection) = self.connections.get_mut(&place) else { return Ok(()) };
        let outbox = &connection.conversation.outbox;
        world.trace.reached.held_by_the_log += u64::from(outbox.has_fence());
        let free = connection.sent + outbox.sendable_bytes() as u64;
        let (link, is_loading) = (connection.link, world.checker.model.is_loading);
        while let Some((_, offset)) = connection.held.pop_front_if(|(from, _)| *from < free) {
            // Whoever is told that there is no data yet has seen none of it.
            if let Some(chronicle) = world.checker.chronicle.as_mut().filter(|_| !is_loading) {
                let now = world.clock.now().mono;
                let released = chronicle.release(now, offset, facts);
                released.map_err(|why| format!("link {link}: {why}"))?;
            }
        }
        Ok(())
    }

    /// Sends what a client's link has room for.
    pub(super) fn send(&mut self, world: &mut World<'_>, place: u32) -> Check {
        let now = world.clock.now();
        let Some(connection) = self.connections.get_mut(&place) else { return Ok(()) };
        let Some(wire) = world.network.link(connection.link) else { return Ok(()) };
        let outbox = &mut connection.conversation.outbox;
        while outbox.sendable_bytes() > 0 {
            let mut sent = 0;
            for piece in outbox.pieces::<4>() {
                let count = wire.send_down(now.mono, piece);
                sent += count;
                if count < piece.len() {
                    break;
                }
            }
            if sent == 0 {
                break;
            }
            outbox.advance(sent);
            connection.sent += sent as u64;
        }
        self.after_send(world, now, place)
    }

    fn after_send(&mut self, world: &mut World<'_>, now: Now, place: u32) -> Check {
        let Some(connection) = self.connections.get_mut(&place) else { return Ok(()) };
        let bytes = connection.conversation.outbox.pending_bytes();
        if connection.ending && bytes == 0 {
            self.close(world, place, true);
            return Ok(());
        }
        if bytes > 0 || connection.reported_pending {
            connection.reported_pending = bytes > 0;
            let link = connection.link;
            if world.checker.note_pending(link, now, bytes)? && !connection.ending {
                self.must_go.push(link);
            }
            self.node.handle(now, NodeEvent::Pending { conn: ConnId(place), bytes });
        }
        Ok(())
    }

    /// Lets go of a client; `all_was_sent`: it will see every reply.
    pub(super) fn close(&mut self, world: &mut World<'_>, place: u32, all_was_sent: bool) {
        let Some(connection) = self.connections.remove(&place) else { return };
        let now = world.clock.now();
        world.trace.note(now, Event::Closed { link: connection.link });
        self.node.disconnect(ConnId(place));
        world.checker.disconnected(connection.link);
        world.network.close(connection.link, now.mono, all_was_sent);
        self.freed.push(place);
    }
}
