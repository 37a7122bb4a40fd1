//! One of several servers: a node, its files, and where it is in its life.

use std::collections::BTreeMap;

use vesta_cmd::host::Process;
use vesta_config::Config;
use vesta_node::{ConnId, Event as NodeEvent, ExitCause, Meter, Node, Peer, Setup, Standing};
use vesta_resp::Conversation;
use vesta_types::{DbIndex, Mono, Now, Rng, Unix};

use super::World;
use super::connection::Connection;
use super::plan::{MemberPlan, set};
use crate::checker::Check;
use crate::disk::{Crash, Disk, Manner};
use crate::wire;

/// A server.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) number: usize,
    pub(super) node: Node,
    pub(super) rng: Rng,
    pub(super) disk: Disk,
    pub(super) connections: BTreeMap<u32, Connection>,
    /// Places to be given away again; those of this turn only after it, as in the real loop.
    pub(super) free: Vec<u32>,
    pub(super) freed: Vec<u32>,
    pub(super) next_place: u32,
    /// The operator's own connection, and whether it waits.
    probe: Conversation,
    pub(super) probe_waits: bool,
    pub(super) life: Life,
    /// It stands still until then.
    pub(super) paused_until: Mono,
    /// How far its clock is from the right one, in microseconds.
    pub(super) clock_error_us: i64,
    pub(super) dial: Option<Dial>,
    /// Links whose other ends nobody has told that this one is gone.
    pub(super) ghosts: Vec<usize>,
    /// What the next node starts with.
    pub(super) config: Config,
    /// Whom the operator wants it to follow.
    pub(super) follows: Option<usize>,
    /// Whether the operator has still to say so.
    pub(super) is_to_be_told: bool,
    /// Whether it knows whether its primary may take all keys away.
    pub(super) is_accepting: bool,
    /// Whether it was asked to end.
    pub(super) is_stopping: Option<u64>,
}

/// Where a server is in its life.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Life {
    Loading,
    Serving,
    Away { until: Mono },
}

/// A connection that is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dial {
    pub(super) attempt: u64,
    /// Which server; none for one that there is not.
    pub(super) to: Option<usize>,
    pub(super) at: Mono,
    pub(super) give_up_at: Mono,
}

/// The place of the operator's own connection.
pub(super) const PROBE: ConnId = ConnId(0);
/// The port of every server.
const PORT: u16 = 6379;
/// The option that lets a primary take all keys away, and its value.
const ACCEPTING: (&str, &str) = ("replica-refuse-empty-primary", "no");
/// Databases that are compared.
const DATABASES: u64 = 16;

/// The data of a server: its databases.
pub(super) type Data = Vec<Vec<Entry>>;

/// A key, its value as text, and when it expires.
pub(super) type Entry = (Box<[u8]>, String, Option<u64>);

/// The address of a server.
pub(super) fn host(number: usize) -> String {
    format!("10.0.0.{number}")
}

/// The ends of a connection, as a node is told of them.
pub(super) fn peer(addr: String, host: String) -> Peer {
    Peer { addr, laddr: format!("{host}:{PORT}"), is_local: false, is_unix: false, fd: 8 }
}

/// The server at an address.
pub(super) fn number_at(host: &str, port: u16) -> Option<usize> {
    let number = host.strip_prefix("10.0.0.")?.parse().ok()?;
    (port == PORT).then_some(number)
}

impl Member {
    pub(super) fn new(number: usize, plan: &MemberPlan, now: Now, mut rng: Rng) -> Self {
        let manner = Manner { faults_per_1000: 0, ..Manner::gentle() };
        let config = plan.config();
        let disk = Disk::new(manner, rng.fork(), None);
        let mut member = Self {
            number,
            node: node(&config, number, now, rng.bits()),
            rng,
            disk,
            connections: BTreeMap::new(),
            free: Vec::new(),
            freed: Vec::new(),
            next_place: PROBE.0 + 1,
            probe: Conversation::default(),
            probe_waits: false,
            life: Life::Away { until: now.mono },
            paused_until: Mono(0),
            clock_error_us: 0,
            dial: None,
            ghosts: Vec::new(),
            config,
            follows: None,
            is_to_be_told: false,
            is_accepting: true,
            is_stopping: None,
        };
        member.set_primary(plan.follows);
        member
    }

    /// Whom it is to follow. The operator writes it into its file and tells the one that runs.
    pub(super) fn set_primary(&mut self, primary: Option<usize>) {
        self.follows = primary;
        self.is_to_be_told = true;
        let text = primary.map_or("no one".to_owned(), |to| format!("{} {PORT}", host(to)));
        set(&mut self.config, "replicaof", &text);
    }

    /// The operator allows it to be emptied by its primary: all keys there may have expired.
    pub(super) fn accept_anything(&mut self) {
        set(&mut self.config, ACCEPTING.0, ACCEPTING.1);
        self.is_accepting = false;
    }

    /// What the operator has still to say, in order.
    pub(super) fn orders(&self) -> Vec<Vec<String>> {
        let mut orders = Vec::new();
        if !self.is_accepting {
            let words = ["CONFIG", "SET", ACCEPTING.0, ACCEPTING.1];
            orders.push(words.map(str::to_owned).to_vec());
        }
        if self.is_to_be_told {
            let (host, port) = match self.follows {
                Some(number) => (host(number), PORT.to_string()),
                None => ("NO".to_owned(), "ONE".to_owned()),
            };
            orders.push(vec!["REPLICAOF".to_owned(), host, port]);
        }
        orders
    }

    pub(super) fn is_there(&self) -> bool {
        !matches!(self.life, Life::Away { .. })
    }

    pub(super) fn is_serving(&self) -> bool {
        self.life == Life::Serving
    }

    /// The time by its own clock.
    pub(super) fn now(&self, now: Now) -> Now {
        Now { unix: Unix(now.unix.0.saturating_add_signed(self.clock_error_us)), ..now }
    }

    /// A new node takes the place of the one that has ended.
    pub(super) fn start(&mut self, world: &mut World<'_>) -> Check {
        for link in std::mem::take(&mut self.ghosts) {
            if let Some(wire) = world.network.link(link) {
                wire.cut();
            }
        }
        let now = self.now(world.clock.now());
        world.note(self.number, || format!("starts with {}", self.disk.listing()));
        self.node = node(&self.config, self.number, now, self.rng.bits());
        self.life = Life::Loading;
        (self.is_to_be_told, self.is_accepting) = (false, true);
        self.node.load_at_start(now);
        self.connect_probe(now);
        self.carry_out(world)
    }

    fn connect_probe(&mut self, now: Now) {
        let peer = Peer {
            addr: "127.0.0.1:40000".to_owned(),
            laddr: format!("127.0.0.1:{PORT}"),
            is_local: true,
            is_unix: false,
            fd: 7,
        };
        // The first of many is served.
        let _ = self.node.connect(now, PROBE, peer);
        self.probe = Conversation::default();
        self.probe_waits = false;
    }

    /// Asks as its operator; nothing while it has to wait.
    pub(super) fn ask(&mut self, now: Now, words: &[&str]) -> Option<Vec<u8>> {
        if self.probe_waits || !self.is_there() {
            return None;
        }
        let words: Vec<Vec<u8>> = words.iter().map(|word| word.as_bytes().to_vec()).collect();
        let request = wire::encode(&words);
        let served = self.node.serve(self.now(now), PROBE, &mut self.probe, &request);
        self.probe_waits = served == vesta_node::Served::Waiting;
        let outbox = std::mem::take(&mut self.probe.outbox);
        if served == vesta_node::Served::Close {
            return None;
        }
        Some(outbox.into_bytes()).filter(|reply| !reply.is_empty())
    }

    /// What INFO says.
    pub(super) fn info(&mut self, now: Now, section: &str) -> BTreeMap<String, String> {
        let text = self.ask(now, &["INFO", section]).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        let fields = text.lines().filter_map(|line| line.split_once(':'));
        fields.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// Where its data stands, when all of it is there and the offset counts.
    pub(super) fn standing(&self) -> Option<Standing> {
        if !self.is_serving() {
            return None;
        }
        Some(self.node.standing()).filter(|standing| standing.is_kept && !standing.is_loading)
    }

    /// Everything that it holds, also what has expired and was not deleted.
    pub(super) fn data(&mut self) -> Data {
        // At the beginning of time nothing has expired.
        let then = Now::default();
        let all = (0..DATABASES).filter_map(|raw| DbIndex::new(raw, self.config.databases));
        all.map(|db| self.node.dump(then, db)).collect()
    }

    pub(super) fn keys(&self) -> usize {
        let all = (0..DATABASES).filter_map(|raw| DbIndex::new(raw, self.config.databases));
        all.map(|db| self.node.keys_held(db)).sum()
    }

    /// Asks the server to end; another one comes so many microseconds later.
    pub(super) fn stop(&mut self, world: &mut World<'_>, pause_us: u64) -> Check {
        if !self.is_serving() {
            return Ok(());
        }
        world.trace.reached.stops += 1;
        self.is_stopping = Some(pause_us);
        let now = self.now(world.clock.now());
        self.node.handle(now, NodeEvent::Terminate(vesta_node::Signal::Term));
        self.carry_out(world)
    }

    /// The node wants to end.
    pub(super) fn exit(&mut self, world: &mut World<'_>, cause: ExitCause) -> Check {
        let Some(pause_us) = self.is_stopping.filter(|_| cause == ExitCause::Signal) else {
            return Err(format!("server {} wants to end: {cause:?}", self.number));
        };
        self.disk.finish();
        self.send_all(world)?;
        self.end(world, Crash::Process, false, pause_us);
        Ok(())
    }

    /// Ends without notice.
    pub(super) fn end(
        &mut self,
        world: &mut World<'_>,
        crash: Crash,
        is_silent: bool,
        pause_us: u64,
    ) {
        let now = world.clock.now().mono;
        world.note(self.number, || format!("ends, {crash:?}"));
        for (_, connection) in std::mem::take(&mut self.connections) {
            if is_silent {
                world.network.vanish(connection.link, connection.end);
                self.ghosts.push(connection.link);
            } else {
                connection.let_go(world.network, now);
            }
        }
        self.disk.crash(crash);
        self.free.clear();
        self.freed.clear();
        self.next_place = PROBE.0 + 1;
        self.dial = None;
        self.is_stopping = None;
        self.paused_until = Mono(0);
        self.life = Life::Away { until: Mono(now.0 + 1 + pause_us) };
        world.records.ended(self.number);
    }

    /// Loses all files.
    pub(super) fn lose_files(&mut self) {
        let manner = Manner { faults_per_1000: 0, ..Manner::gentle() };
        self.disk = Disk::new(manner, self.rng.fork(), None);
    }
}

fn node(config: &Config, number: usize, now: Now, seed: u64) -> Node {
    let pid = u32::try_from(number).unwrap_or(0) + 1;
    let process = Process { pid, arch_bits: 64, ..Process::default() };
    Node::new(Setup { config: config.clone(), process, seed, now, meter: Meter::still() })
}
