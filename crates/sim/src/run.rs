//! One run: a seed in, a digest or a failure out.

use std::fmt;

use vesta_cmd::host::Process;
use vesta_node::{Meter, Node, Setup};
use vesta_types::{Mono, Rng};

use crate::checker::{Check, Checker};
use crate::client::{Around, Client};
use crate::clock::Clock;
use crate::follower::Follower;
use crate::network::{Link, Network};
use crate::plan::Plan;
use crate::server::{Server, World};
use crate::trace::{Reached, Trace};

/// What came of a run that went well.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Outcome {
    /// Stands for every event, action and byte.
    pub digest: u64,
    /// Requests that were executed.
    pub requests: u64,
    /// Events that were recorded.
    pub events: u64,
    /// Simulated time in microseconds.
    pub elapsed_us: u64,
    /// How often it came to places that are easily missed.
    pub reached: Reached,
}

/// A run that did not go well. `Display` says what it was and shows the last events.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Failure {
    /// Runs into the same failure again.
    pub seed: u64,
    /// What was wrong.
    pub what: String,
    /// The last events, the oldest first.
    pub recent: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.recent {
            writeln!(f, "{line}")?;
        }
        write!(f, "seed {}: {}", self.seed, self.what)
    }
}

impl std::error::Error for Failure {}

/// A fault built in on purpose, to see that it is found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Flaw {
    /// The model thinks that APPEND ends the expiry of a key.
    AppendPersists,
    /// The follower misses an effect from time to time.
    EffectsAreLost,
    /// The network changes a byte from time to time.
    BytesChange,
    /// The model thinks that LPUSH is RPUSH.
    ListsGrowAtTheBack,
    /// The model thinks that who came last to wait for a key is served first.
    LastInLineComesFirst,
    /// The model thinks that nobody is told when the stream of a group is deleted.
    DeletionsAreSilent,
    /// The rim sends replies to clients that have waited to others from time to time.
    RepliesGoAstray,
    /// The disk thinks that a snapshot holds what is there when it ends.
    SnapshotsComeLate,
}

/// Simulates what `seed` decides.
///
/// # Errors
/// The first thing that was not as it must be.
pub fn run(seed: u64) -> Result<Outcome, Box<Failure>> {
    run_with(seed, None)
}

/// As [`run`], with a fault built in.
///
/// # Errors
/// As [`run`].
pub fn run_with(seed: u64, flaw: Option<Flaw>) -> Result<Outcome, Box<Failure>> {
    let mut simulation = Simulation::new(seed, flaw);
    match simulation.run() {
        Ok(()) => Ok(Outcome {
            digest: simulation.trace.digest(),
            requests: simulation.checker.requests,
            events: simulation.trace.events(),
            elapsed_us: simulation.clock.elapsed_us(),
            reached: simulation.trace.reached,
        }),
        Err(what) => {
            let recent = simulation.trace.recent();
            Err(Box::new(Failure { seed, what, recent }))
        }
    }
}

/// How long clients may take to finish after nothing goes wrong any more, in microseconds.
const FINISH_US_MAX: u64 = 600_000_000;
/// Rounds of a run, at most.
const ROUNDS_MAX: u64 = 2_000_000;

struct Simulation {
    rng: Rng,
    plan: Plan,
    clock: Clock,
    network: Network,
    server: Server,
    clients: Vec<Client>,
    checker: Checker,
    trace: Trace,
    connected: u64,
    /// Addresses by the client's number.
    addresses: Vec<String>,
    healed: bool,
}

impl Simulation {
    fn new(seed: u64, flaw: Option<Flaw>) -> Self {
        let mut rng = Rng::new(seed);
        let plan = Plan::new(&mut rng);
        let clock = Clock::new();
        let mut node = |config| {
            let process = Process { pid: 1, arch_bits: 64, ..Process::default() };
            let seed = rng.bits();
            Node::new(Setup { config, process, seed, now: clock.now(), meter: Meter::still() })
        };
        let mut primary = node(plan.config());
        primary.keep_stream();
        let follower = Follower::new(node(plan.follower_config()), clock.now(), flaw);
        let server = Server::new(primary, &plan, rng.fork(), flaw);
        let clients: Vec<Client> =
            (0..plan.clients).map(|_| Client::new(&plan, clock.now().mono, rng.fork())).collect();
        Self {
            checker: Checker::new(plan.settings(), follower, flaw),
            addresses: vec![String::new(); clients.len()],
            trace: Trace::new(seed),
            network: Network::new(flaw),
            rng,
            plan,
            clock,
            server,
            clients,
            connected: 0,
            healed: false,
        }
    }

    fn run(&mut self) -> Check {
        for _ in 0..ROUNDS_MAX {
            self.round()?;
            if self.healed && self.clients.iter().all(Client::is_done) {
                return self.checker.same_data(&mut self.server.node, self.clock.now());
            }
            let heal_at = self.plan.heal_at_us;
            if !self.healed && self.clock.elapsed_us() >= heal_at {
                self.heal();
            }
            if self.clock.elapsed_us() > heal_at + FINISH_US_MAX {
                let states: Vec<String> = self.clients.iter().map(Client::state).collect();
                return Err(format!("clients do not come to an end: {states:#?}"));
            }
            self.pass_time();
        }
        Err("time hardly passes".to_owned())
    }

    /// Everything that happens at one time.
    fn round(&mut self) -> Check {
        let now = self.clock.now();
        self.network.links().for_each(|link| link.deliver(now.mono));
        for index in 0..self.clients.len() {
            self.connect(index)?;
            let Some(client) = self.clients.get_mut(index) else { continue };
            client.act(&mut Around {
                now,
                network: &mut self.network,
                checker: &mut self.checker,
                trace: &mut self.trace,
                peers: &self.addresses,
                connected: self.connected,
            })?;
        }
        self.server.turn(&mut World {
            clock: &mut self.clock,
            network: &mut self.network,
            checker: &mut self.checker,
            trace: &mut self.trace,
        })
    }

    fn connect(&mut self, index: usize) -> Check {
        let now = self.clock.now();
        let Some(client) = self.clients.get_mut(index) else { return Ok(()) };
        if !client.wants_to_connect(now.mono) {
            return Ok(());
        }
        let rough = self.plan.manner;
        let manner = if self.healed { rough.healed() } else { rough };
        let link = self.network.add(Link::new(manner, self.rng.fork()));
        self.connected += 1;
        let addr = format!("10.0.1.{index}:{}", 40_000 + self.connected);
        let mut world = World {
            clock: &mut self.clock,
            network: &mut self.network,
            checker: &mut self.checker,
            trace: &mut self.trace,
        };
        let served = self.server.accept(&mut world, link, &addr)?;
        client.connected(link, !served);
        if let Some(known) = self.addresses.get_mut(index) {
            *known = addr;
        }
        Ok(())
    }

    /// From here on nothing goes wrong, and everybody must get what it asked for.
    fn heal(&mut self) {
        self.healed = true;
        let now = self.clock.now().mono;
        self.network.links().for_each(|link| link.heal(now));
        self.server.heal();
        self.clients.iter_mut().for_each(|client| client.calm_down(now));
    }

    /// Lets time pass until something is due.
    fn pass_time(&mut self) {
        let now = self.clock.now().mono;
        let server = self.server.next_deadline(&mut self.network);
        let heal_at = Mono(now.0 + self.plan.heal_at_us.saturating_sub(self.clock.elapsed_us()));
        let heal_at = Some(heal_at).filter(|_| !self.healed);
        let arrivals = self.network.links().filter_map(|link| link.next_arrival());
        let clients = self.clients.iter().filter_map(|client| client.next_deadline(now));
        let next = arrivals.chain(clients).chain(heal_at).fold(server, Mono::min);
        self.clock.advance_to(next.max(Mono(now.0 + 1)));
        // The server is not there at once.
        self.clock.pass_us(self.rng.below(self.plan.turn_us_max));
    }
}
