//! The rim of a server: a turn of its event loop, and carrying out what its node wishes.

use vesta_cmd::host::Usage;
use vesta_node::{Action, ConnId, Event as NodeEvent};
use vesta_types::Mono;

use super::World;
use super::connection::Connection;
use super::member::{Dial, Life, Member, PROBE, number_at};
use super::wiretap;
use crate::Flaw;
use crate::checker::Check;
use crate::network::{End, Network};

/// What a replica's outbox holds at most before more of the stream is put there, in bytes.
const OUTBOX_BYTES_MAX: usize = 256 * 1024;
/// Bytes that a process takes, as it says itself.
const USED_BYTES: u64 = 1 << 20;
/// How long the system tries to reach a server, in microseconds.
const DIAL_US_MAX: u64 = 127_000_000;

impl Member {
    /// When the server acts although nothing arrives.
    pub(super) fn next_deadline(&self, network: &mut Network, now: Mono) -> Mono {
        if let Life::Away { until } = self.life {
            return until;
        }
        if self.paused_until > now {
            return self.paused_until;
        }
        let is_ready = self.connections.values().any(|connection| {
            network.link(connection.link).is_some_and(|wire| connection.is_ready(wire))
        });
        if is_ready {
            return Mono(0);
        }
        let dial = self.dial.map_or(Mono::NEVER, |dial| dial.at);
        let disk = self.disk.next_at().unwrap_or(Mono::NEVER);
        self.node.next_deadline().min(disk).min(dial)
    }

    /// One turn of the event loop.
    pub(super) fn turn(&mut self, world: &mut World<'_>) -> Check {
        let now = world.clock.now();
        self.disk.pass_to(now.mono);
        if let Life::Away { until } = self.life {
            return if until <= now.mono { self.start(world) } else { Ok(()) };
        }
        if self.paused_until > now.mono {
            return Ok(());
        }
        while let Some(news) = self.disk.news() {
            self.node.handle(self.now(now), NodeEvent::Disk(news));
        }
        if now.mono >= self.node.next_deadline() {
            self.node.handle(self.now(now), NodeEvent::Tick);
        }
        self.carry_out(world)?;
        let mut order: Vec<u32> = self.connections.keys().copied().collect();
        let start = usize::try_from(self.rng.below(order.len() as u64)).unwrap_or(0);
        order.rotate_left(start);
        for place in order {
            self.serve(world, place)?;
        }
        self.carry_out(world)?;
        self.send_all(world)?;
        self.carry_out(world)?;
        self.free.append(&mut self.freed);
        if world.flaw == Some(Flaw::ReplicasForget) && self.rng.below(300) == 0 {
            self.forget_keys(world);
        }
        world.records.look(self, world.trace)
    }

    /// A fault on purpose: a replica loses keys.
    fn forget_keys(&mut self, world: &mut World<'_>) {
        let now = world.clock.now();
        if self.follows.is_some() && self.is_serving() {
            self.ask(now, &["CONFIG", "SET", "replica-read-only", "no"]);
            self.ask(now, &["DEL", "k0", "k1", "k2", "l0", "s0", "z0"]);
            self.ask(now, &["CONFIG", "SET", "replica-read-only", "yes"]);
        }
    }

    /// A place for a connection.
    pub(super) fn place(&mut self) -> ConnId {
        let place = self.free.pop().unwrap_or_else(|| {
            let fresh = self.next_place;
            self.next_place += 1;
            fresh
        });
        ConnId(place)
    }

    /// Reads from a connection once and has it served.
    fn serve(&mut self, world: &mut World<'_>, place: u32) -> Check {
        let now = self.now(world.clock.now());
        let Some(connection) = self.connections.get_mut(&place) else { return Ok(()) };
        let Some(wire) = world.network.link(connection.link) else { return Ok(()) };
        if !connection.is_ready(wire) {
            return Ok(());
        }
        let pipe = connection.incoming(wire);
        if connection.waiting || connection.ending || !connection.more && pipe.is_over() {
            self.close(world, place);
            return Ok(());
        }
        let most = usize::try_from(1 + self.rng.below(world.read_bytes_max)).unwrap_or(1);
        let most = most.max(pipe.readable_bytes() / 8);
        let fed = if connection.more { Vec::new() } else { pipe.take(most) };
        world.trace.bytes(&fed);
        self.listen(world, place, &fed);
        let Some(connection) = self.connections.get_mut(&place) else { return Ok(()) };
        let before = self.node.standing();
        let conversation = &mut connection.conversation;
        let pending = conversation.outbox.pending_bytes();
        let served = self.node.serve(now, ConnId(place), conversation, &fed);
        let answered = conversation.outbox.copied_from(pending);
        connection.note_served(served);
        let after = self.node.standing();
        if connection.end == End::Server && (before.id, before.offset) != (after.id, after.offset) {
            connection.wrote = Some((after.id, after.offset));
            if self.node.config().replicaof.is_some() && before.offset != after.offset {
                return Err(format!("server {} is a replica and has taken a write", self.number));
            }
        }
        self.note_given(world, place, &answered)
    }

    /// Takes notice of what a connection asks, before the node does.
    fn listen(&mut self, world: &mut World<'_>, place: u32, fed: &[u8]) {
        let Some(connection) = self.connections.get_mut(&place) else { return };
        if connection.end == End::Client {
            return;
        }
        connection.hear(fed);
        let link = connection.link;
        if let Some(asked) = wiretap::synchronization(&connection.heard) {
            connection.heard.clear();
            // What the replica has said, whatever has become of it.
            let asked = world.lines.get(&link).and_then(|line| line.asked).unwrap_or(asked);
            let info = self.info(world.clock.now(), "replication");
            let may_go_on = wiretap::may_go_on(&info, asked);
            if let Some(connection) = self.connections.get_mut(&place) {
                connection.asked = Some(wiretap::Asked { what: asked, may_go_on });
                connection.said.clear();
            }
        } else if wiretap::waits(&connection.heard) {
            connection.awaited = connection.wrote;
        }
    }

    /// A connection was given replies.
    fn note_given(&mut self, world: &mut World<'_>, place: u32, bytes: &[u8]) -> Check {
        let Some(connection) = self.connections.get_mut(&place) else { return Ok(()) };
        if bytes.is_empty() || connection.end == End::Client {
            return Ok(());
        }
        connection.heard.clear();
        let Some(wrote) = connection.awaited.take() else { return Ok(()) };
        let count = wiretap::number(bytes).unwrap_or(0);
        world.trace.reached.waited_for += u64::from(count > 0);
        world.records.check_wait(self.number, wrote, count)
    }

    pub(super) fn carry_out(&mut self, world: &mut World<'_>) -> Check {
        while let Some(action) = self.node.poll_action() {
            let now = self.now(world.clock.now());
            world.wished(self.number, &action);
            match action {
                Action::Log { .. } | Action::PurgeMemory | Action::Role { .. } => {}
                Action::Close(conn) => self.close(world, conn.0),
                Action::Send { conn, bytes, batch } => {
                    if let Some(connection) = self.connections.get_mut(&conn.0) {
                        let outbox = &mut connection.conversation.outbox;
                        let mark = outbox.mark();
                        outbox.push_encoded(&bytes);
                        if batch > 0 {
                            outbox.fence(mark, batch);
                        }
                    }
                    self.note_given(world, conn.0, &bytes)?;
                }
                Action::Resume(conn) => {
                    self.probe_waits &= conn != PROBE;
                    if let Some(connection) = self.connections.get_mut(&conn.0) {
                        connection.waiting = false;
                        connection.more = true;
                    }
                }
                Action::Measure => {
                    let usage = Usage { allocated_bytes: USED_BYTES, ..Usage::default() };
                    self.node.handle(now, NodeEvent::Measured(usage));
                }
                Action::Apply { conn, config, options } => {
                    let outcome = Ok(());
                    let applied = NodeEvent::Applied { conn, config, options, outcome };
                    self.node.handle(now, applied);
                }
                Action::RewriteConfig { conn, .. } => {
                    self.node.handle(now, NodeEvent::Rewritten { conn, outcome: Ok(()) });
                }
                Action::Sleep { conn, .. } => self.node.handle(now, NodeEvent::Slept { conn }),
                Action::Disk(wish) => self.disk.take(now.mono, wish),
                Action::Release { batch } => {
                    for connection in self.connections.values_mut() {
                        connection.conversation.outbox.release(batch);
                    }
                }
                Action::Connect { attempt, host, port } => {
                    let at = Mono(now.mono.0 + self.rng.below(1000));
                    let give_up_at = Mono(now.mono.0 + DIAL_US_MAX);
                    let to = number_at(&host, port);
                    self.dial = Some(Dial { attempt, to, at, give_up_at });
                }
                Action::GiveUpConnect { attempt } => {
                    self.dial.take_if(|dial| dial.attempt == attempt);
                }
                Action::Feed(conn) => {
                    if let Some(connection) = self.connections.get_mut(&conn.0) {
                        connection.feeds = true;
                    }
                }
                Action::Ready => self.life = Life::Serving,
                Action::Exit(cause) => return self.exit(world, cause),
            }
        }
        Ok(())
    }

    /// Sends what links have room for.
    pub(super) fn send_all(&mut self, world: &mut World<'_>) -> Check {
        let places: Vec<u32> = self.connections.keys().copied().collect();
        places.into_iter().try_for_each(|place| self.send(world, place))
    }

    fn send(&mut self, world: &mut World<'_>, place: u32) -> Check {
        let now = self.now(world.clock.now());
        let Some(connection) = self.connections.get_mut(&place) else { return Ok(()) };
        let conn = ConnId(place);
        loop {
            let outbox = &mut connection.conversation.outbox;
            while connection.feeds && outbox.pending_bytes() < OUTBOX_BYTES_MAX {
                connection.feeds = self.node.feed(now, conn, outbox);
            }
            if outbox.sendable_bytes() == 0 || !world.transmit(&mut self.rng, connection)? {
                break;
            }
        }
        let outbox = &connection.conversation.outbox;
        let bytes = outbox.pending_bytes();
        if connection.ending && bytes == 0 {
            self.close(world, place);
            return Ok(());
        }
        if bytes > 0 || connection.reported_pending {
            connection.reported_pending = bytes > 0;
            self.node.handle(now, NodeEvent::Pending { conn, bytes });
        }
        Ok(())
    }

    /// Lets go of a connection.
    pub(super) fn close(&mut self, world: &mut World<'_>, place: u32) {
        let Some(connection) = self.connections.remove(&place) else { return };
        self.node.disconnect(ConnId(place));
        connection.let_go(world.network, world.clock.now().mono);
        self.freed.push(place);
    }

    /// Takes a connection in, if the node serves it.
    pub(super) fn accept(&mut self, world: &mut World<'_>, link: usize, addr: String) {
        let now = self.now(world.clock.now());
        let conn = self.place();
        let peer = super::member::peer(addr, super::member::host(self.number));
        match self.node.connect(now, conn, peer) {
            Ok(()) => {
                self.connections.insert(conn.0, Connection::new(link, End::Server));
            }
            Err(_) => {
                self.freed.push(conn.0);
                world.network.close(link, now.mono, false);
            }
        }
    }

    /// A connection that it has asked for is there.
    pub(super) fn linked(
        &mut self,
        world: &mut World<'_>,
        attempt: u64,
        outcome: Result<(usize, usize), String>,
    ) -> Check {
        let now = self.now(world.clock.now());
        let outcome = outcome.map(|(link, to)| {
            let conn = self.place();
            self.connections.insert(conn.0, Connection::new(link, End::Client));
            let addr = format!("{}:6379", super::member::host(to));
            (conn, super::member::peer(addr, super::member::host(self.number)))
        });
        self.node.handle(now, NodeEvent::Linked { attempt, outcome });
        self.carry_out(world)
    }
}

impl Connection {
    /// Keeps what has come, as long as it may be of interest.
    fn hear(&mut self, fed: &[u8]) {
        const HEARD_BYTES_MAX: usize = 4096;
        if self.heard.len() + fed.len() > HEARD_BYTES_MAX {
            self.heard.clear();
        } else {
            self.heard.extend_from_slice(fed);
        }
    }
}
