//! The whole server minus sockets, files, clock and threads.
//!
//! A [`Node`] is driven from outside, in production and in the simulator alike:
//!
//! * The data plane is a direct call: [`Node::serve`] executes every complete request that a
//!   client has sent and appends the replies to the client's outbox.
//! * The control plane is events and actions: [`Node::handle`] takes an [`Event`],
//!   [`Node::poll_action`] gives what the node wishes, [`Node::next_deadline`] says when it wants
//!   [`Event::Tick`].
//!
//! Two nodes in one process never notice each other. The same seed, events and bytes give the
//! same replies and actions.
#![no_std]
#![forbid(unsafe_code)]
extern crate alloc;

mod action;
mod blocking;
mod client;
mod client_memory;
mod clients;
mod cron;
mod desk;
mod disk;
mod dump;
mod execute;
mod gates;
mod info;
mod latency;
mod memory;
mod persistence;
mod pubsub;
mod replication;
mod serve;
mod server;
mod spare;
mod statistics;
mod tracking;
mod transaction;

pub use action::{Action, Event, ExitCause, Level, Refused, Signal};
pub use client::{ConnId, Peer};
pub use disk::{DiskNews, DiskWish, FileFault, FileStep, LogStep, SaveFault, SaveStep};
pub use dump::Standing;
pub use serve::Served;
pub use vesta_cmd::REDIS_VERSION;

use crate::memory::Eviction;
use crate::serve::Scratch;
use crate::server::Server;
use alloc::vec::Vec;
use vesta_cmd::blocking::Block;
use vesta_cmd::host::Process;
use vesta_cmd::{Commands, Propagation};
use vesta_config::{Config, MaxmemoryPolicy};
use vesta_store::{Access, AccessPolicy, Store};
use vesta_types::{Mono, Now, Rng};

/// What a node starts from.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The settings.
    pub config: Config,
    /// What does not change about the process.
    pub process: Process,
    /// Decides everything that is left to chance. Must be unguessable in production.
    pub seed: u64,
    /// The time of the start.
    pub now: Now,
    /// How the time of single commands is measured.
    pub meter: Meter,
}

/// A counter of elapsed time that is much cheaper to read than a clock.
#[derive(Clone, Copy, Debug)]
pub struct Meter {
    /// Reads the counter.
    pub ticks: fn() -> u64,
    /// How far it goes in a microsecond; at least 1.
    pub ticks_per_us: u64,
}

impl Meter {
    /// A meter that stands still, for tests and for the simulator.
    #[must_use]
    pub fn still() -> Self {
        Self { ticks: || 0, ticks_per_us: 1 }
    }

    /// Whole microseconds in `ticks`.
    #[must_use]
    pub(crate) fn us(&self, ticks: u64) -> u64 {
        ticks / self.ticks_per_us.max(1)
    }

    /// Microseconds in `ticks`.
    #[must_use]
    pub(crate) fn fractional_us(&self, ticks: u64) -> f64 {
        ticks as f64 / self.ticks_per_us.max(1) as f64
    }
}

/// One server.
#[derive(Debug)]
pub struct Node {
    store: Store,
    server: Server,
    commands: Commands,
    propagation: Propagation,
    eviction: Eviction,
    scratch: Scratch,
    /// What the command that has just ended with [`vesta_cmd::Flow::Block`] waits for.
    waits_for: Option<Block>,
}

impl Node {
    /// A server that has just started.
    ///
    /// # Panics
    /// When commands are renamed as [`Commands::new`] refuses: ask that first, for the error.
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        let Setup { config, process, seed, now, meter } = setup;
        let mut rng = Rng::new(seed);
        let commands = Commands::new(&config.rename_commands)
            .expect("whoever starts a node has tried the renaming of commands");
        let mut store = Store::new(config.databases, access_of(&config), rng.bits());
        store.set_limits(vesta_cmd::limits_of(&config));
        store.record_events(pubsub::wanted_events(config.notify_keyspace_events));
        let names = commands.leaf_names().collect();
        let mut server = Server::new(config, process, meter, rng, now, names);
        let mut propagation = Propagation::default();
        propagation.set_history(server.replication.history.id());
        if server.is_replica() {
            propagation.set_follows(true);
            server.actions.push_back(Action::Role { is_replica: true });
        }
        Self {
            store,
            server,
            commands,
            propagation,
            eviction: Eviction::default(),
            scratch: Scratch::default(),
            waits_for: None,
        }
    }

    /// The settings in force.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.server.config
    }

    /// The commands by their present names.
    #[must_use]
    pub fn commands(&self) -> &Commands {
        &self.commands
    }

    /// The next wish of the node, if it has any.
    pub fn poll_action(&mut self) -> Option<Action> {
        let mut action = self.server.actions.pop_front();
        if action.is_none() {
            if self.server.has_broadcasts() {
                self.server.broadcast();
            }
            action = self.server.post();
        }
        let is_followed = self.server.replication.primary.is_active();
        if is_followed && action.is_none() {
            self.end_stream_turn();
            action = self.server.actions.pop_front();
        }
        if self.server.persistence.log.is_on() {
            action = self.poll_logged(action);
        }
        if is_followed && action.is_none() {
            self.wake_replicas();
            action = self.server.actions.pop_front();
        }
        action
    }

    /// When the node wants its next [`Event::Tick`].
    #[must_use]
    pub fn next_deadline(&self) -> Mono {
        let blocked = self.server.blocked.next_deadline().unwrap_or(Mono::NEVER);
        let persistence = self.server.persistence_deadline();
        let replica = self.server.link_deadline();
        let replicas = self.server.replication.primary.next_deadline();
        self.server.cron.next_deadline().min(blocked).min(persistence).min(replicas).min(replica)
    }

    /// Starts to keep the stream of effects for [`Node::take_stream`].
    pub fn keep_stream(&mut self) {
        self.tap_stream();
        self.propagation.set_wanted(true);
        self.store.record_deleted(true);
    }

    /// The effects of all writes since the last call, as the commands that repeat them, encoded
    /// as requests in the order of execution.
    pub fn take_stream(&mut self) -> Vec<u8> {
        self.take_tapped()
    }
}

/// How access clocks are kept under these settings.
pub(crate) fn access_of(config: &Config) -> Access {
    let lfu = matches!(
        config.maxmemory_policy,
        MaxmemoryPolicy::AllkeysLfu | MaxmemoryPolicy::VolatileLfu
    );
    Access {
        policy: if lfu { AccessPolicy::Lfu } else { AccessPolicy::Lru },
        log_factor: config.lfu_log_factor,
        decay_minutes: config.lfu_decay_time,
    }
}
