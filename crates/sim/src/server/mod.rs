//! A node and its rim: carries out actions in the order and at the times of the real event loop.

mod life;
mod serving;
mod wishes;

use std::collections::{BTreeMap, VecDeque};

use vesta_config::{AppendFsync, Config};
use vesta_node::{Action, Event as NodeEvent, Node};
use vesta_types::{Mono, Rng};

use crate::Flaw;
use crate::checker::{Check, Checker};
use crate::clock::Clock;
use crate::disk::{Disk, Manner};
use crate::network::Network;
use crate::picture::Pictures;
use crate::plan::Plan;
use crate::trace::Trace;

pub(crate) use wishes::wish_text;

use life::Life;
use serving::Connection;

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
    wishes: Wishes,
    flaw: Option<Flaw>,
    disk: Disk,
    pictures: Pictures,
    life: Life,
    /// What its nodes start from.
    config: Config,
    /// From how many bytes on they save a value in pieces.
    large_bytes: usize,
    /// `appendfsync` at the moment.
    fsync: AppendFsync,
    /// The log was switched on, and is not there yet.
    wants_log: bool,
    /// What the node was told of the disk.
    heard: Heard,
}

/// Wishes of the node that are still to be carried out.
#[derive(Debug, Default)]
struct Wishes {
    queue: VecDeque<Wish>,
    /// So many of them know their offsets.
    dated: usize,
}

/// A wish, made while the stream of effects went from one offset to the other.
#[derive(Debug)]
struct Wish {
    action: Action,
    from: u64,
    offset: u64,
    /// Whether the node knew then that the log fails.
    is_failing: bool,
}

/// What the node knows of the disk.
#[derive(Debug, Default)]
struct Heard {
    /// The log could not be written, and not all of it has been since.
    write_failed: bool,
    /// The last batch that is to be written.
    appended: u64,
    /// The log could not be synced, and there is no new one yet.
    sync_failed: bool,
    /// A log is being made that no list of files names yet.
    building: Option<Building>,
    /// A base that is there and that no list of files names: its name and number; and the job that
    /// is to have it named.
    base: Option<(String, u64)>,
    naming: Option<u64>,
    /// Anything has failed in this life.
    has_failed: bool,
}

/// A log that no list of files names yet.
#[derive(Debug)]
struct Building {
    /// The job that it begins with.
    job: u64,
    /// The last batch that does not go there for certain.
    behind: u64,
}

/// What a server needs from around it.
pub(crate) struct World<'a> {
    pub(crate) clock: &'a mut Clock,
    pub(crate) network: &'a mut Network,
    pub(crate) checker: &'a mut Checker,
    pub(crate) trace: &'a mut Trace,
}

impl Server {
    pub(crate) fn new(mut node: Node, plan: &Plan, mut rng: Rng, flaw: Option<Flaw>) -> Self {
        node.save_in_pieces_from(plan.large_bytes());
        let durability = plan.durability.as_ref();
        // Without a chance of its own whether anything is saved would change everything else.
        let disk_rng = if durability.is_some() { rng.fork() } else { Rng::new(1) };
        let manner = durability.map_or_else(Manner::gentle, |durability| durability.disk.clone());
        Self {
            config: node.config().clone(),
            large_bytes: plan.large_bytes(),
            node,
            rng,
            connections: BTreeMap::new(),
            free: Vec::new(),
            freed: Vec::new(),
            next_place: 0,
            read_bytes_max: plan.read_bytes_max,
            must_go: Vec::new(),
            wishes: Wishes::default(),
            flaw,
            disk: Disk::new(manner, disk_rng, flaw),
            pictures: Pictures::new(plan.follower_config()),
            life: Life::Serving,
            fsync: AppendFsync::No,
            wants_log: false,
            heard: Heard::default(),
        }
    }

    /// From here on it reads all it can get.
    pub(crate) fn heal(&mut self) {
        self.read_bytes_max = self.read_bytes_max.max(64 * 1024);
        self.disk.heal();
    }

    /// When the server acts although nothing arrives.
    pub(crate) fn next_deadline(&self, network: &mut Network) -> Mono {
        if let Life::Away { until } = self.life {
            return until;
        }
        let is_ready = self.connections.values().any(|connection| {
            let wire = network.link(connection.link);
            wire.is_some_and(|wire| {
                connection.is_ready(wire.up.readable_bytes() > 0, wire.up.is_over())
            })
        });
        if is_ready {
            return Mono(0);
        }
        let disk = self.disk.next_at().unwrap_or(Mono::NEVER);
        self.node.next_deadline().min(disk)
    }

    /// One turn of the event loop.
    pub(crate) fn turn(&mut self, world: &mut World<'_>) -> Check {
        let now = world.clock.now();
        self.disk.pass_to(now.mono);
        if let Life::Away { until } = self.life {
            return if until <= now.mono { self.start(world) } else { Ok(()) };
        }
        self.hear_of_files(world)?;
        if now.mono >= self.node.next_deadline() {
            self.tick(world)?;
        }
        // What this brings about comes first: replies that may leave now are not those that are
        // about to be given.
        self.carry_out(world)?;
        if self.is_there() {
            let mut order: Vec<u32> = self.connections.keys().copied().collect();
            let start = usize::try_from(self.rng.below(order.len() as u64)).unwrap_or(0);
            order.rotate_left(start);
            for place in order {
                self.serve(world, place)?;
            }
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

    /// Lets the node do what is due.
    fn tick(&mut self, world: &mut World<'_>) -> Check {
        let now = world.clock.now();
        self.node.handle(now, NodeEvent::Tick);
        let stream = self.node.take_stream();
        let (sends, closed) = self.gather(world);
        self.picture_snapshot(now);
        self.check_closed(world, &closed)?;
        world.checker.ticked(now, &stream, sends, world.trace)?;
        self.date_wishes(world, u64::MAX)
    }
}
