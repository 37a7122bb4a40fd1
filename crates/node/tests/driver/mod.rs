//! Drives a whole node in process: virtual time, no sockets.
#![allow(dead_code, unreachable_pub, reason = "each test uses its part of the driver")]

pub mod aof;
mod disk;
pub mod link;
pub mod logged;
pub mod replicas;

pub use disk::Disk;

use std::collections::{BTreeMap, VecDeque};
use vesta_cmd::host::{Process, Usage};
use vesta_config::{Config, Peer as ConfigPeer};
use vesta_node::{Action, ConnId, Event, Meter, Node, Peer, Served, Setup};
use vesta_resp::Conversation;
use vesta_testkit::client::encode;
use vesta_testkit::runner::{Command, Driver, Setup as Section, Unable};
use vesta_testkit::transcript::{Directive, Notification};
use vesta_testkit::value::Value;
use vesta_types::{Mono, Now, Unix};

/// Milliseconds since 1970 when a node of the driver starts.
const START_MS: u64 = 1_700_000_000_000;

/// A node and what is around it.
pub struct World {
    pub node: Node,
    pub now: Now,
    pub log: Vec<String>,
    pub ended: bool,
    pub disk: Disk,
    pub dials: link::Dials,
    /// Whether the server has said last that it is a replica.
    pub is_replica: bool,
    conns: BTreeMap<u32, Wire>,
    next_conn: u32,
}

/// A client's side of its connection.
#[derive(Default)]
struct Wire {
    conversation: Conversation,
    received: Vec<u8>,
    closed: bool,
    waiting: bool,
    /// It is closed when its replies have left.
    ending: bool,
    /// Whether the client takes what it is sent.
    deaf: bool,
    /// Whether the node was told that not all could be sent.
    reported_pending: bool,
    /// It is a replica that is fed: there may be more for it.
    hungry: bool,
    /// What it sent while it waited.
    unread: VecDeque<Vec<u8>>,
}

impl World {
    pub fn new(config: Config) -> Self {
        let now = Now { mono: Mono(1_000_000), unix: Unix(START_MS * 1000) };
        let process = Process {
            pid: 1,
            os: "Linux 6.1.0 x86_64".to_owned(),
            arch_bits: 64,
            multiplexing: "epoll".to_owned(),
            executable: "/usr/bin/vesta".to_owned(),
            allocator: "mimalloc-3".to_owned(),
            system_memory_bytes: 1 << 34,
            ..Process::default()
        };
        let node = Node::new(Setup { config, process, seed: 1, now, meter: Meter::still() });
        let mut world = Self {
            node,
            now,
            log: Vec::new(),
            ended: false,
            disk: Disk::default(),
            dials: link::Dials::default(),
            is_replica: false,
            conns: BTreeMap::new(),
            next_conn: 0,
        };
        // The first tick comes before the first client, as in production.
        world.node.handle(now, Event::Tick);
        world.carry_out();
        world
    }

    /// Connects a client on this machine; `Err` holds the refusal.
    pub fn connect(&mut self) -> Result<ConnId, Vec<u8>> {
        let port = 40_000 + self.next_conn;
        self.connect_from(&format!("127.0.0.1:{port}"), true)
    }

    pub fn connect_from(&mut self, addr: &str, is_local: bool) -> Result<ConnId, Vec<u8>> {
        let conn = ConnId(self.next_conn);
        let peer = Peer {
            addr: addr.to_owned(),
            laddr: "127.0.0.1:6379".to_owned(),
            is_local,
            is_unix: false,
            fd: 8,
        };
        self.node.connect(self.now, conn, peer).map_err(|refused| refused.reply)?;
        self.next_conn += 1;
        self.conns.insert(conn.0, Wire::default());
        self.carry_out();
        Ok(conn)
    }

    pub fn send(&mut self, conn: ConnId, bytes: &[u8]) {
        let Some(wire) = self.conns.get_mut(&conn.0).filter(|wire| !wire.closed) else { return };
        wire.unread.push_back(bytes.to_vec());
        self.read(conn);
    }

    /// Has several clients served in one turn: what the node wishes meanwhile is carried out behind
    /// all of them.
    pub fn send_at_once(&mut self, sent: &[(ConnId, Vec<u8>)]) {
        for (conn, bytes) in sent {
            let wire = self.conns.get_mut(&conn.0).expect("it is connected");
            let served = self.node.serve(self.now, *conn, &mut wire.conversation, bytes);
            assert_eq!(served, Served::Idle);
        }
        self.carry_out();
        sent.iter().for_each(|(conn, _)| self.deliver(*conn));
    }

    /// Has a client go away.
    pub fn leave(&mut self, conn: ConnId) {
        self.close(conn);
        self.carry_out();
    }

    /// Stops or resumes taking replies for a client.
    pub fn set_deaf(&mut self, conn: ConnId, deaf: bool) {
        if let Some(wire) = self.conns.get_mut(&conn.0) {
            wire.deaf = deaf;
        }
        self.deliver(conn);
        self.feed_on(conn);
        self.carry_out();
    }

    pub fn take_received(&mut self, conn: ConnId) -> Vec<u8> {
        self.conns
            .get_mut(&conn.0)
            .map(|wire| std::mem::take(&mut wire.received))
            .unwrap_or_default()
    }

    pub fn is_closed(&self, conn: ConnId) -> bool {
        self.conns.get(&conn.0).is_none_or(|wire| wire.closed)
    }

    /// Sends a command and takes what has come back.
    pub fn ask(&mut self, conn: ConnId, words: &[&str]) -> String {
        self.send(conn, &encode(words));
        String::from_utf8_lossy(&self.take_received(conn)).into_owned()
    }

    pub fn advance(&mut self, ms: u64) {
        let end = self.now.mono.plus_ms(ms);
        loop {
            let next = self.node.next_deadline().max(self.now.mono);
            if next > end {
                break;
            }
            // Every tick moves on, or a deadline in the past would hold the loop.
            let at = Mono(next.0 + 1);
            self.now.unix.0 += at.0 - self.now.mono.0;
            self.now.mono = at;
            self.node.handle(self.now, Event::Tick);
            self.carry_out();
        }
        self.now.unix.0 += end.0.saturating_sub(self.now.mono.0);
        self.now.mono = self.now.mono.max(end);
    }

    fn read(&mut self, conn: ConnId) {
        loop {
            let Some(wire) = self.conns.get_mut(&conn.0) else { return };
            if wire.closed || wire.waiting || wire.ending || self.ended {
                return;
            }
            let Some(fresh) = wire.unread.pop_front() else { return };
            self.serve(conn, &fresh);
        }
    }

    fn serve(&mut self, conn: ConnId, fresh: &[u8]) {
        let mut fresh = fresh;
        loop {
            let Some(wire) = self.conns.get_mut(&conn.0) else { return };
            let served = self.node.serve(self.now, conn, &mut wire.conversation, fresh);
            fresh = &[];
            match served {
                Served::Idle => {}
                Served::More => continue,
                Served::Waiting => wire.waiting = true,
                Served::Close => wire.ending = true,
            }
            self.deliver(conn);
            self.carry_out();
            return;
        }
    }

    fn deliver(&mut self, conn: ConnId) {
        let Some(wire) = self.conns.get_mut(&conn.0) else { return };
        let outbox = &mut wire.conversation.outbox;
        while outbox.sendable_bytes() > 0 && !wire.deaf && !wire.closed {
            let pieces = outbox.pieces::<8>().concat();
            outbox.advance(pieces.len());
            wire.received.extend(pieces);
        }
        if wire.ending && !outbox.has_fence() {
            return self.close(conn);
        }
        let bytes = outbox.pending_bytes();
        if bytes > 0 || wire.reported_pending {
            wire.reported_pending = bytes > 0;
            self.node.handle(self.now, Event::Pending { conn, bytes });
        }
    }

    fn close(&mut self, conn: ConnId) {
        if let Some(wire) = self.conns.get_mut(&conn.0).filter(|wire| !wire.closed) {
            wire.closed = true;
            self.node.disconnect(conn);
        }
    }

    fn carry_out(&mut self) {
        while let Some(action) = self.node.poll_action() {
            match action {
                Action::Log { text, .. } => self.log.push(text),
                Action::Close(conn) => self.close(conn),
                Action::Send { conn, bytes, batch } => {
                    if let Some(wire) = self.conns.get_mut(&conn.0).filter(|wire| !wire.ending) {
                        let outbox = &mut wire.conversation.outbox;
                        let mark = outbox.mark();
                        outbox.push_encoded(&bytes);
                        if batch > 0 {
                            outbox.fence(mark, batch);
                        }
                    }
                    self.deliver(conn);
                }
                Action::Resume(conn) => {
                    if let Some(wire) = self.conns.get_mut(&conn.0) {
                        wire.waiting = false;
                    }
                    self.serve(conn, &[]);
                    self.read(conn);
                }
                Action::Measure => {
                    let usage = Usage { allocated_bytes: 1 << 20, ..Usage::default() };
                    self.node.handle(self.now, Event::Measured(usage));
                }
                Action::Apply { conn, config, options } => {
                    let outcome = Ok(());
                    let applied = Event::Applied { conn, config, options, outcome };
                    self.node.handle(self.now, applied);
                }
                Action::RewriteConfig { conn, .. } => {
                    self.node.handle(self.now, Event::Rewritten { conn, outcome: Ok(()) });
                }
                Action::PurgeMemory => {}
                Action::Sleep { conn, us } => {
                    self.now.mono.0 += us;
                    self.now.unix.0 += us;
                    self.node.handle(self.now, Event::Slept { conn });
                }
                Action::Disk(wish) => self.disk_wish(wish),
                Action::Release { batch } => {
                    let all = self.conns.iter_mut();
                    let fenced = all.filter(|(_, wire)| wire.conversation.outbox.has_fence());
                    let fenced = fenced.map(|(place, wire)| {
                        wire.conversation.outbox.release(batch);
                        ConnId(*place)
                    });
                    let fenced: Vec<ConnId> = fenced.collect();
                    fenced.into_iter().for_each(|conn| self.deliver(conn));
                }
                Action::Ready => {}
                Action::Feed(conn) => self.feed(conn),
                Action::Role { is_replica } => self.is_replica = is_replica,
                Action::GiveUpConnect { attempt } => self.dials.give_up(attempt),
                Action::Connect { attempt, host, port } => self.dial(attempt, host, port),
                Action::Exit(_) => {
                    self.ended = true;
                    let all: Vec<u32> = self.conns.keys().copied().collect();
                    all.into_iter().for_each(|conn| self.close(ConnId(conn)));
                }
            }
        }
    }
}

/// Runs transcripts on a node in process.
#[derive(Default)]
pub struct NodeDriver {
    start: Config,
    world: Option<World>,
    /// Gets the keyspace events.
    listener: Option<ConnId>,
}

impl NodeDriver {
    fn world(&mut self) -> Result<&mut World, Unable> {
        self.world.as_mut().ok_or_else(|| Unable::Broken("no section is open".to_owned()))
    }
}

impl Driver for NodeDriver {
    type Conn = ConnId;

    fn open_file(&mut self, start: &[Directive]) -> Result<(), Unable> {
        let mut config = Config::default();
        let mut quiet = Vec::new();
        for (name, value) in [("bind", "127.0.0.1"), ("save", ""), ("enable-debug-command", "yes")]
        {
            quiet.push(Directive { name: name.into(), value: value.into() });
        }
        for directive in quiet.iter().chain(start) {
            let option = vesta_config::options::find(directive.name.as_bytes())
                .ok_or_else(|| Unable::Broken(format!("no option {}", directive.name)))?;
            let words: Vec<&[u8]> =
                directive.value.as_bytes().split(|byte| *byte == b' ').collect();
            option.apply(&mut config, &words).map_err(|why| Unable::Broken(why.to_string()))?;
        }
        self.start = config;
        Ok(())
    }

    fn open_section(&mut self, setup: Section<'_>) -> Result<(), Unable> {
        let pairs: Vec<(&[u8], &[u8])> =
            setup.config.iter().map(|d| (d.name.as_bytes(), d.value.as_bytes())).collect();
        let changed = vesta_config::set(&self.start, &pairs, ConfigPeer::Local)
            .map_err(|why| Unable::Broken(why.to_string()))?;
        let mut world = World::new(changed.config);
        if setup.propagation {
            world.node.keep_stream();
        }
        // Drivers of real servers have a connection for housekeeping, which counts as a client.
        let admin =
            world.connect().map_err(|_| Unable::Broken("no client is let in".to_owned()))?;
        // What expires goes when it is asked for; a section that is about more than that says so.
        world.ask(admin, &["DEBUG", "SET-ACTIVE-EXPIRE", "0"]);
        self.listener = None;
        if setup.notifications {
            let listener =
                world.connect().map_err(|_| Unable::Broken("no client is let in".to_owned()))?;
            world.ask(listener, &["PSUBSCRIBE", "__keyevent@*__:*"]);
            self.listener = Some(listener);
        }
        self.world = Some(world);
        Ok(())
    }

    fn connect(&mut self) -> Result<ConnId, Unable> {
        let world = self.world()?;
        Ok(match world.connect() {
            Ok(conn) => conn,
            Err(received) => {
                // A client that is refused still reads what it is told.
                let conn = ConnId(world.next_conn);
                world.next_conn += 1;
                world.conns.insert(conn.0, Wire { received, closed: true, ..Wire::default() });
                conn
            }
        })
    }

    fn send(&mut self, conn: &mut ConnId, args: &[Vec<u8>]) -> Result<(), Unable> {
        let bytes = encode(args);
        self.world()?.send(*conn, &bytes);
        Ok(())
    }

    fn send_raw(&mut self, conn: &mut ConnId, bytes: &[u8]) -> Result<(), Unable> {
        self.world()?.send(*conn, bytes);
        Ok(())
    }

    fn reply(&mut self, conn: &mut ConnId) -> Result<Option<Value>, Unable> {
        let world = self.world()?;
        // What is not there yet may come with time: a pause that ends, an idle client's end.
        for _ in 0..100 {
            let received = world.take_received(*conn);
            let decoded =
                Value::decode(&received).map_err(|why| Unable::Broken(why.to_string()))?;
            match decoded {
                Some((value, taken)) => {
                    if let Some(wire) = world.conns.get_mut(&conn.0) {
                        wire.received = received.get(taken..).unwrap_or_default().to_vec();
                    }
                    return Ok(Some(value));
                }
                None if world.is_closed(*conn) && received.is_empty() => return Ok(None),
                None => {
                    if let Some(wire) = world.conns.get_mut(&conn.0) {
                        wire.received = received;
                    }
                    world.advance(100);
                }
            }
        }
        Err(Unable::Broken("no reply within ten seconds of virtual time".to_owned()))
    }

    fn is_silent(&mut self, conn: &mut ConnId) -> Result<bool, Unable> {
        let world = self.world()?;
        Ok(world.conns.get(&conn.0).is_none_or(|wire| wire.received.is_empty()))
    }

    fn close(&mut self, conn: ConnId) -> Result<(), Unable> {
        self.world()?.leave(conn);
        Ok(())
    }

    fn addresses(&mut self, conn: &mut ConnId) -> Result<(String, String), Unable> {
        Ok((format!("127.0.0.1:{}", 40_000 + conn.0), "127.0.0.1:6379".to_owned()))
    }

    fn advance(&mut self, ms: u64) -> Result<bool, Unable> {
        self.world()?.advance(ms);
        Ok(true)
    }

    fn unix_ms(&mut self) -> Result<i64, Unable> {
        Ok(i64::try_from(self.world()?.now.unix.ms()).unwrap_or(i64::MAX))
    }

    fn notified(&mut self) -> Result<Option<Vec<Notification>>, Unable> {
        let Some(listener) = self.listener else { return Ok(None) };
        let received = self.world()?.take_received(listener);
        let mut rest = &received[..];
        let mut events = Vec::new();
        while let Some((value, taken)) =
            Value::decode(rest).map_err(|why| Unable::Broken(why.to_string()))?
        {
            let words: Vec<&[u8]> =
                value.items().unwrap_or_default().iter().filter_map(Value::text).collect();
            if let [_, _, channel, key] = words.as_slice() {
                events.extend(Notification::of_message(channel, key));
            }
            rest = rest.get(taken..).unwrap_or_default();
        }
        Ok(Some(events))
    }

    fn propagated(&mut self) -> Result<Option<Vec<Command>>, Unable> {
        let stream = self.world()?.node.take_stream();
        let mut rest = &stream[..];
        let mut commands = Vec::new();
        while let Some((value, taken)) =
            Value::decode(rest).map_err(|why| Unable::Broken(why.to_string()))?
        {
            let words = value.items().unwrap_or_default();
            commands
                .push(words.iter().filter_map(|word| word.text().map(<[u8]>::to_vec)).collect());
            rest = rest.get(taken..).unwrap_or_default();
        }
        Ok(Some(commands))
    }
}
