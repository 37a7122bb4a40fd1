//! A node and its rim: carries out actions in the order and at the times of the real event loop.

use std::collections::{BTreeMap, VecDeque};

use vesta_cmd::host::Usage;
use vesta_node::{Action, ConnId, DiskNews, DiskWish, Event as NodeEvent, Node, Peer, Served};
use vesta_resp::{Conversation, Outbox};
use vesta_types::{Mono, Now, Rng};

use crate::Flaw;
use crate::checker::{Call, Check, Checker, Sends};
use crate::clock::Clock;
use crate::disk::Disk;
use crate::network::Network;
use crate::plan::{BASE_BYTES, Plan};
use crate::trace::{Event, Trace, shown};

/// A server.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) node: Node,
    rng: Rng,
    connections: BTreeMap<u32, Connection>,
    /// Places to be given away again; those of this turn only after it, as in the real loop.
    free: Vec<u32>,
    freed: Vec<u32>,
    next_place: u32,
    read_bytes_max: u64,
    /// Links of clients that have too many replies pending.
    must_go: Vec<usize>,
    /// Wishes of the node that are still to be carried out.
    actions: VecDeque<Action>,
    flaw: Option<Flaw>,
    disk: Disk,
}

/// A client's connection.
#[derive(Debug)]
struct Connection {
    link: usize,
    conversation: Conversation,
    /// The inbox may hold complete requests.
    more: bool,
    waiting: bool,
    /// It is closed when its replies have been sent.
    ending: bool,
    reported_pending: bool,
}

/// What a server needs from around it.
pub(crate) struct World<'a> {
    pub(crate) clock: &'a mut Clock,
    pub(crate) network: &'a mut Network,
    pub(crate) checker: &'a mut Checker,
    pub(crate) trace: &'a mut Trace,
}

impl Server {
    pub(crate) fn new(node: Node, plan: &Plan, rng: Rng, flaw: Option<Flaw>) -> Self {
        Self {
            node,
            rng,
            connections: BTreeMap::new(),
            free: Vec::new(),
            freed: Vec::new(),
            next_place: 0,
            read_bytes_max: plan.read_bytes_max,
            must_go: Vec::new(),
            actions: VecDeque::new(),
            flaw,
            disk: Disk::new(plan.follower_config()),
        }
    }

    /// From here on it reads all it can get.
    pub(crate) fn heal(&mut self) {
        self.read_bytes_max = self.read_bytes_max.max(64 * 1024);
    }

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
        let connection = Connection {
            link,
            conversation: Conversation::default(),
            more: false,
            waiting: false,
            ending: false,
            reported_pending: false,
        };
        self.connections.insert(place, connection);
        Ok(true)
    }

    /// When the server acts although nothing arrives.
    pub(crate) fn next_deadline(&self, network: &mut Network) -> Mono {
        let is_ready = self.connections.values().any(|connection| {
            let wire = network.link(connection.link);
            wire.is_some_and(|wire| {
                connection.is_ready(wire.up.readable_bytes() > 0, wire.up.is_over())
            })
        });
        if is_ready { Mono(0) } else { self.node.next_deadline() }
    }

    /// One turn of the event loop.
    pub(crate) fn turn(&mut self, world: &mut World<'_>) -> Check {
        let now = world.clock.now();
        if let Some(news) = self.disk.news() {
            self.node.handle(now, NodeEvent::Disk(news));
        }
        if now.mono >= self.node.next_deadline() {
            self.node.handle(now, NodeEvent::Tick);
            let stream = self.node.take_stream();
            let (sends, closed) = self.gather(world);
            self.picture_snapshot(now);
            self.check_closed(world, &closed)?;
            world.checker.ticked(now, &stream, sends, world.trace)?;
        }
        let mut order: Vec<u32> = self.connections.keys().copied().collect();
        let start = usize::try_from(self.rng.below(order.len() as u64)).unwrap_or(0);
        order.rotate_left(start);
        for place in order {
            self.serve(world, place)?;
        }
        self.carry_out(world)?;
        let places: Vec<u32> = self.connections.keys().copied().collect();
        for place in places {
            self.send(world, place)?;
        }
        self.carry_out(world)?;
        self.free.append(&mut self.freed);
        let must_go = std::mem::take(&mut self.must_go);
        let stays = |link: &usize| self.connections.values().any(|conn| conn.link == *link);
        match must_go.iter().find(|link| stays(link)) {
            None => Ok(()),
            Some(link) => Err(format!("link {link} may stay with too many replies pending")),
        }
    }

    /// Has the disk know what must be in a snapshot that begins now, if one does.
    fn picture_snapshot(&mut self, now: Now) {
        let opened = self.actions.iter().find_map(|action| match action {
            Action::Disk(DiskWish::SaveOpen { id, .. }) => Some(*id),
            Action::Log { .. }
            | Action::Close(_)
            | Action::Send { .. }
            | Action::Resume(_)
            | Action::Measure
            | Action::Apply { .. }
            | Action::RewriteConfig { .. }
            | Action::PurgeMemory
            | Action::Sleep { .. }
            | Action::Disk(_)
            | Action::Release { .. }
            | Action::Ready
            | Action::Exit(_) => None,
        });
        if let Some(id) = opened {
            self.disk.begin(id, &mut self.node, now);
        }
    }

    /// Reads from a client once and has it served.
    fn serve(&mut self, world: &mut World<'_>, place: u32) -> Check {
        let now = world.clock.now();
        let Some(connection) = self.connections.get_mut(&place) else { return Ok(()) };
        let Some(wire) = world.network.link(connection.link) else { return Ok(()) };
        if connection.waiting || connection.ending {
            if wire.up.has_ended() {
                self.close(world, place, false);
            }
            return Ok(());
        }
        if !connection.is_ready(wire.up.readable_bytes() > 0, wire.up.is_over()) {
            return Ok(());
        }
        if !connection.more && wire.up.is_over() {
            self.close(world, place, false);
            return Ok(());
        }
        let mut fed = Vec::new();
        let mut fresh = true;
        if !connection.more {
            let mut most = {
                let most = 1 + self.rng.below(self.read_bytes_max);
                // Of a lot, a large part.
                usize::try_from(most).unwrap_or(1).max(wire.up.readable_bytes() / 8)
            };
            let inbox = &mut connection.conversation.inbox;
            // Both ways to read a big argument.
            if inbox.wants_direct() && self.rng.below(4) > 0 {
                fresh = false;
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
            } else {
                fed = wire.up.take(most);
            }
        }
        let link = connection.link;
        world.trace.note(now, Event::Fed { link, bytes: fed.len() });
        world.trace.bytes(&fed);
        let conversation = &mut connection.conversation;
        let before = conversation.outbox.pending_bytes();
        let bytes = if fresh { fed.as_slice() } else { &[] };
        let served = self.node.serve(now, ConnId(place), conversation, bytes);
        let stream = self.node.take_stream();
        let answered = behind(&conversation.outbox, before)?;
        let held_bytes = conversation.inbox.held_bytes();
        let pending_bytes = conversation.outbox.pending_bytes();
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
        self.check_closed(world, &closed)
    }

    /// Takes over the wishes of the node: what clients are sent, and who is to be disconnected.
    fn gather(&mut self, world: &mut World<'_>) -> (Sends, Vec<u32>) {
        let (mut sends, mut closed) = (Sends::new(), Vec::new());
        while let Some(mut action) = self.node.poll_action() {
            note(&action, world);
            if let Action::Send { conn, .. } = &mut action
                && self.flaw == Some(Flaw::RepliesGoAstray)
                && let Some(other) = self.connections.keys().find(|other| **other != conn.0)
                && self.rng.below(20) == 0
            {
                *conn = ConnId(*other);
            }
            match &action {
                Action::Send { conn, bytes, .. } => {
                    if let Some(connection) = self.connections.get(&conn.0) {
                        sends.push_back((connection.link, bytes.clone()));
                    }
                }
                Action::Close(conn) => closed.push(conn.0),
                Action::Log { .. }
                | Action::Resume(_)
                | Action::Measure
                | Action::Apply { .. }
                | Action::RewriteConfig { .. }
                | Action::PurgeMemory
                | Action::Sleep { .. }
                | Action::Disk(_)
                | Action::Release { .. }
                | Action::Ready
                | Action::Exit(_) => {}
            }
            self.actions.push_back(action);
        }
        (sends, closed)
    }

    /// Whoever is disconnected must have given cause.
    fn check_closed(&mut self, world: &mut World<'_>, closed: &[u32]) -> Check {
        let now = world.clock.now();
        for place in closed {
            if let Some(connection) = self.connections.get(place) {
                let pending = connection.conversation.outbox.pending_bytes();
                world.checker.expelled(connection.link, now, pending, world.trace)?;
            }
        }
        Ok(())
    }

    /// Sends what a client's link has room for.
    fn send(&mut self, world: &mut World<'_>, place: u32) -> Check {
        let now = world.clock.now();
        let Some(connection) = self.connections.get_mut(&place) else { return Ok(()) };
        let Some(wire) = world.network.link(connection.link) else { return Ok(()) };
        let outbox = &mut connection.conversation.outbox;
        while !outbox.is_empty() {
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
        }
        let bytes = outbox.pending_bytes();
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
    fn close(&mut self, world: &mut World<'_>, place: u32, all_was_sent: bool) {
        let Some(connection) = self.connections.remove(&place) else { return };
        let now = world.clock.now();
        world.trace.note(now, Event::Closed { link: connection.link });
        self.node.disconnect(ConnId(place));
        world.checker.disconnected(connection.link);
        world.network.close(connection.link, now.mono, all_was_sent);
        self.freed.push(place);
    }

    fn carry_out(&mut self, world: &mut World<'_>) -> Check {
        loop {
            let (_, closed) = self.gather(world);
            self.check_closed(world, &closed)?;
            let Some(action) = self.actions.pop_front() else { return Ok(()) };
            let now = world.clock.now();
            match action {
                Action::Log { .. } | Action::PurgeMemory => {}
                Action::Close(conn) => {
                    if self.connections.contains_key(&conn.0) {
                        self.close(world, conn.0, false);
                    }
                }
                Action::Send { conn, bytes, .. } => {
                    if let Some(connection) = self.connections.get_mut(&conn.0) {
                        world.checker.sent(connection.link, &bytes)?;
                        connection.conversation.outbox.push_encoded(&bytes);
                    }
                }
                Action::Resume(conn) => {
                    if let Some(connection) = self.connections.get_mut(&conn.0) {
                        connection.waiting = false;
                        connection.more = true;
                    }
                }
                Action::Measure => {
                    let data = world.checker.model.data.weight_bytes();
                    let usage = Usage { allocated_bytes: BASE_BYTES + data, ..Usage::default() };
                    self.node.handle(now, NodeEvent::Measured(usage));
                }
                Action::Apply { conn, config, options } => {
                    let outcome = Ok(());
                    world.checker.model.applied();
                    let applied = NodeEvent::Applied { conn, config, options, outcome };
                    self.node.handle(now, applied);
                }
                Action::RewriteConfig { conn, .. } => {
                    let outcome = Ok(());
                    self.node.handle(now, NodeEvent::Rewritten { conn, outcome });
                }
                Action::Sleep { conn, us } => {
                    world.clock.pass_us(us);
                    self.node.handle(now, NodeEvent::Slept { conn });
                }
                Action::Disk(wish) => self.disk_wish(wish, world)?,
                Action::Release { .. } => {}
                Action::Ready => {}
                Action::Exit(cause) => return Err(format!("the node wants to end: {cause:?}")),
            }
        }
    }

    fn disk_wish(&mut self, wish: DiskWish, world: &mut World<'_>) -> Check {
        let now = world.clock.now();
        match wish {
            DiskWish::SaveOpen { id, .. } => self.disk.open(id),
            DiskWish::SaveWrite(bytes) => self.disk.write(&bytes),
            DiskWish::SaveFinish => {
                if self.flaw == Some(Flaw::SnapshotsComeLate) {
                    self.disk.expect_now(&mut self.node, now);
                }
                if self.disk.finish()? {
                    world.trace.reached.snapshots += 1;
                }
            }
            DiskWish::SaveAbort => self.disk.abort(),
            DiskWish::LoadOpen { .. } => {
                let outcome = Ok(self.disk.open_to_read());
                self.node.handle(now, NodeEvent::Disk(DiskNews::LoadOpened(outcome)));
            }
            DiskWish::LoadRead { bytes_max } => {
                let bytes = self.disk.read(bytes_max);
                self.node.handle(now, NodeEvent::Disk(DiskNews::LoadPiece(Ok(bytes))));
            }
            DiskWish::Files { .. }
            | DiskWish::LogOpen { .. }
            | DiskWish::LogAppend { .. }
            | DiskWish::LogRetry
            | DiskWish::LogSync
            | DiskWish::LogClose => {}
        }
        Ok(())
    }
}

impl Connection {
    /// Whether it is its turn.
    fn is_ready(&self, readable: bool, over: bool) -> bool {
        if self.waiting || self.ending { over } else { self.more || readable || over }
    }
}

/// Puts an action on record; settings are too long to be shown.
fn note(action: &Action, world: &mut World<'_>) {
    let text = match action {
        Action::Apply { conn, .. } => format!("Apply for {conn:?}"),
        Action::RewriteConfig { conn, .. } => format!("RewriteConfig for {conn:?}"),
        Action::Log { text, .. } => text.clone(),
        Action::Send { conn, bytes, .. } => format!("Send {} to {conn:?}", shown(bytes)),
        Action::Disk(DiskWish::SaveWrite(bytes)) => format!("SaveWrite {}", shown(bytes)),
        Action::Close(_)
        | Action::Resume(_)
        | Action::Measure
        | Action::PurgeMemory
        | Action::Sleep { .. }
        | Action::Disk(_)
        | Action::Release { .. }
        | Action::Ready
        | Action::Exit(_) => format!("{action:?}"),
    };
    world.trace.note(world.clock.now(), Event::Wished { action: text });
}

/// What stands in an outbox behind its first `skip` bytes.
fn behind(outbox: &Outbox, skip: usize) -> Result<Vec<u8>, String> {
    let total = outbox.pending_bytes();
    if total < skip {
        return Err("replies were taken back".to_owned());
    }
    let out = joined(&outbox.pieces::<32>(), skip);
    if out.len() == total - skip {
        return Ok(out);
    }
    let out = joined(&outbox.pieces::<4096>(), skip);
    if out.len() == total - skip { Ok(out) } else { Err("too many pieces are pending".to_owned()) }
}

fn joined(pieces: &[&[u8]], mut skip: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for piece in pieces {
        out.extend_from_slice(piece.get(skip.min(piece.len())..).unwrap_or_default());
        skip -= skip.min(piece.len());
    }
    out
}
