//! One run: a seed in, a digest or a failure out.

use std::collections::VecDeque;
use std::fmt;

use vesta_cmd::host::Process;
use vesta_config::AppendFsync;
use vesta_node::{Meter, Node, Setup};
use vesta_types::{Mono, Rng};

use crate::checker::{Check, Checker};
use crate::client::{Around, Client};
use crate::clock::Clock;
use crate::disk::Crash;
use crate::fleet;
use crate::follower::Follower;
use crate::network::{Link, Network};
use crate::plan::{End, How, MOMENT_US_MAX, Moment, Plan};
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

/// What a run is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Scope {
    /// One server that never ends, and what it does.
    Memory,
    /// Data that outlives servers: they crash, and others come with what is on the disk.
    Disk,
    /// Servers that replicate.
    Fleet,
}

/// Events that are shown of a run that did not go well.
const SHOWN_EVENTS: usize = 60;

/// A run that did not go well. `Display` says what it was and shows the last events, as many as
/// the precision says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Failure {
    /// Runs into the same failure again, in the same scope.
    pub seed: u64,
    /// What the run was about.
    pub scope: Scope,
    /// What was wrong.
    pub what: String,
    /// The last events, the oldest first.
    pub recent: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let skipped = self.recent.len().saturating_sub(f.precision().unwrap_or(SHOWN_EVENTS));
        for line in self.recent.iter().skip(skipped) {
            writeln!(f, "{line}")?;
        }
        write!(f, "seed {} ({:?}): {}", self.seed, self.scope, self.what)
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
    /// The rim lets replies leave that still wait for the log, from time to time.
    RepliesLeaveEarly,
    /// The rim never syncs the log by itself, and replies that should wait for that leave.
    NobodySyncs,
    /// The disk says that the log is safe and has done nothing for that, from time to time.
    SyncsAreSkipped,
    /// The disk says that a batch of the log was written and has lost it, from time to time.
    BatchesAreLost,
    /// The disk does not cut off what a crash has left behind the last whole batch.
    TailsAreKept,
    /// The disk loses the last line of a list of files.
    ListsAreCutShort,
    /// The disk says that a file has its name for good when it may still lose it.
    NamesAreForgotten,
    /// The server says that its stream is further than it is after a restart.
    OffsetsAreWrong,
    /// The network changes values on their way to replicas, from time to time.
    ValuesChange,
    /// Replicas lose keys by themselves, from time to time.
    ReplicasForget,
    /// The network lets replicas ask for everything when they ask for less.
    ReplicasAskForAll,
    /// The network lets replicas say that they have everything.
    ReplicasBoast,
    /// Nobody notices that a server was started anew.
    StartsGoUnnoticed,
    /// A server is never reached again.
    PartitionsStay,
    /// Clients write something else into one of two keys that should have the same value.
    PairsAreHalved,
}

/// Simulates what `seed` decides.
///
/// # Errors
/// The first thing that was not as it must be.
pub fn run(seed: u64, scope: Scope) -> Result<Outcome, Box<Failure>> {
    run_with(seed, scope, None)
}

/// As [`run`], with a fault built in.
///
/// # Errors
/// As [`run`].
pub fn run_with(seed: u64, scope: Scope, flaw: Option<Flaw>) -> Result<Outcome, Box<Failure>> {
    if scope == Scope::Fleet {
        return fleet::run(seed, flaw);
    }
    let mut simulation = Simulation::new(seed, scope, flaw);
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
            Err(Box::new(Failure { seed, scope, what, recent }))
        }
    }
}

/// How long clients may take to finish after nothing goes wrong any more, in microseconds.
const FINISH_US_MAX: u64 = 600_000_000;
/// How long a server takes to get over what has failed, at most, in microseconds: the pauses
/// between its attempts grow to a minute.
const MENDING_US_MAX: u64 = 150_000_000;
/// How long everybody rests before the last crash, in microseconds: long enough for all to be safe.
const REST_US: u64 = 4_000_000;
/// How long before that crash a write must have been for it to be safe under `everysec`, in
/// microseconds.
const SETTLED_US: u64 = 2_500_000;
/// How long after the last end but one things go on going wrong, in microseconds, at most.
const STORM_US_MAX: u64 = 500_000;
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
    ends: Ends,
}

/// The ends of servers that are still to come.
#[derive(Debug, Default)]
struct Ends {
    ahead: VecDeque<End>,
    /// When the server that is there was started; nothing while none is.
    life: Option<Start>,
    finale: Finale,
}

/// What is left to be tried once all clients are content.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Finale {
    #[default]
    Storm,
    /// The server gets over its troubles, by then at the latest.
    Mending { until: Mono },
    /// All clients ask once more, and are not refused.
    LastWords,
    /// Everybody rests, so that all is safe.
    Rest { until: Mono },
    /// The server has crashed. All clients ask another one once more.
    Again,
}

/// The start of a server.
#[derive(Clone, Copy, Debug)]
struct Start {
    at: Mono,
    requests: u64,
    steps: u64,
}

impl Simulation {
    fn new(seed: u64, scope: Scope, flaw: Option<Flaw>) -> Self {
        let mut rng = Rng::new(seed);
        let mut plan = Plan::new(&mut rng);
        if scope == Scope::Disk {
            plan = plan.with_disk(&mut rng);
        }
        let clock = Clock::new();
        let process = Process { pid: 1, arch_bits: 64, ..Process::default() };
        let (config, seed_of_node) = (plan.config(), rng.bits());
        let (now, meter) = (clock.now(), Meter::still());
        let mut primary = Node::new(Setup { config, process, seed: seed_of_node, now, meter });
        primary.keep_stream();
        let follower = Follower::new(plan.follower_config(), rng.bits(), now, flaw);
        let server = Server::new(primary, &plan, rng.fork(), flaw);
        let clients: Vec<Client> =
            (0..plan.clients).map(|_| Client::new(&plan, clock.now().mono, rng.fork())).collect();
        let durability = plan.durability.as_ref();
        let ahead = durability.map(|durability| durability.ends.clone()).unwrap_or_default();
        Self {
            checker: Checker::new(plan.settings(), follower, durability.is_some(), flaw),
            addresses: vec![String::new(); clients.len()],
            trace: Trace::new(seed),
            network: Network::new(flaw),
            ends: Ends { ahead: ahead.into(), ..Ends::default() },
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
        if self.plan.durability.is_some() {
            self.with_world(Server::begin)?;
        }
        for _ in 0..ROUNDS_MAX {
            self.round()?;
            if self.healed && self.clients.iter().all(Client::is_done) && self.is_over()? {
                return self.checker.same_data(&mut self.server.node, self.clock.now());
            }
            let heal_at = self.plan.heal_at_us;
            if !self.healed && self.clock.elapsed_us() >= heal_at {
                self.heal();
            }
            if self.clock.elapsed_us() > heal_at.saturating_add(FINISH_US_MAX) {
                let states: Vec<String> = self.clients.iter().map(Client::state).collect();
                return Err(format!("clients do not come to an end: {states:#?}"));
            }
            self.pass_time();
        }
        Err("time hardly passes".to_owned())
    }

    /// Does something with the server.
    fn with_world<T>(&mut self, act: impl FnOnce(&mut Server, &mut World<'_>) -> T) -> T {
        let mut world = World {
            clock: &mut self.clock,
            network: &mut self.network,
            checker: &mut self.checker,
            trace: &mut self.trace,
        };
        act(&mut self.server, &mut world)
    }

    /// Whether nothing is left to be tried once all clients are content: the last thing is a crash
    /// after a long rest, when all must be safe, and a server that comes back.
    fn is_over(&mut self) -> Result<bool, String> {
        let Some(chronicle) = &self.checker.chronicle else { return Ok(true) };
        let is_synced =
            matches!(chronicle.promised(), Some(AppendFsync::Always | AppendFsync::Everysec));
        let now = self.clock.now().mono;
        let next = match self.ends.finale {
            Finale::Storm => Finale::Mending { until: Mono(now.0 + MENDING_US_MAX) },
            Finale::Mending { .. } if self.server.is_well() => {
                self.checker.log_is_faulty = false;
                self.ask_again();
                Finale::LastWords
            }
            Finale::Mending { until } if now >= until => {
                return Err("the log is not mended".to_owned());
            }
            Finale::LastWords => Finale::Rest { until: Mono(now.0 + REST_US) },
            Finale::Rest { until } if now >= until => {
                if let Some(chronicle) = &mut self.checker.chronicle {
                    chronicle.is_rested(Mono(now.0 - SETTLED_US));
                }
                let crash = if is_synced { Crash::Machine } else { Crash::Process };
                self.with_world(|server, world| server.crash(world, crash, 1));
                self.ask_again();
                Finale::Again
            }
            Finale::Again => return Ok(self.server.is_serving()),
            waits @ (Finale::Mending { .. } | Finale::Rest { .. }) => waits,
        };
        self.ends.finale = next;
        Ok(false)
    }

    fn ask_again(&mut self) {
        let now = self.clock.now().mono;
        self.clients.iter_mut().for_each(|client| client.ask_again(now));
    }

    /// Ends the server when it is time.
    fn end_server(&mut self) -> Check {
        let now = self.clock.now().mono;
        if !self.server.is_there() {
            self.ends.life = None;
            return Ok(());
        }
        let next = self.ends.ahead.front().copied();
        let (requests, steps) = (self.checker.requests, self.server.disk_steps());
        let Some(start) = self.ends.life else {
            self.ends.life = Some(Start { at: now, requests, steps });
            let stop = match next.map(|end| end.after) {
                Some(Moment::Steps(count)) => Some(steps + count),
                Some(Moment::Us(_) | Moment::Requests(_)) | None => None,
            };
            self.server.stop_disk_at(stop);
            return Ok(());
        };
        let Some(End { how, after, pause_us }) = next else {
            if self.plan.heal_at_us == u64::MAX && self.server.is_serving() {
                let storm_us = self.rng.below(STORM_US_MAX);
                self.plan.heal_at_us = self.clock.elapsed_us() + storm_us;
            }
            return Ok(());
        };
        let is_due = match after {
            Moment::Us(us) => now.since_us(start.at) >= us,
            Moment::Requests(count) => requests >= start.requests + count,
            Moment::Steps(count) => steps >= start.steps + count,
        };
        if !is_due && now.since_us(start.at) < MOMENT_US_MAX {
            return Ok(());
        }
        self.ends.ahead.pop_front();
        self.ends.life = None;
        self.server.stop_disk_at(None);
        self.with_world(|server, world| match how {
            How::Crash(crash) => {
                server.crash(world, crash, pause_us);
                Ok(())
            }
            How::Asked => server.ask_to_end(world),
        })
    }

    /// Everything that happens at one time.
    fn round(&mut self) -> Check {
        let now = self.clock.now();
        self.end_server()?;
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
        self.with_world(Server::turn)
    }

    fn connect(&mut self, index: usize) -> Check {
        let now = self.clock.now();
        let Some(client) = self.clients.get_mut(index) else { return Ok(()) };
        if !client.wants_to_connect(now.mono) {
            return Ok(());
        }
        if !self.server.is_there() {
            client.finds_nobody(now.mono);
            return Ok(());
        }
        let rough = self.plan.manner;
        let manner = if self.healed { rough.healed() } else { rough };
        let link = self.network.add(Link::new(manner, self.rng.fork()));
        self.connected += 1;
        let addr = format!("10.0.1.{index}:{}", 40_000 + self.connected);
        let served = self.with_world(|server, world| server.accept(world, link, &addr))?;
        if let Some(client) = self.clients.get_mut(index) {
            client.connected(link, !served);
        }
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
        let heal_in_us = self.plan.heal_at_us.saturating_sub(self.clock.elapsed_us());
        let heal_at = Some(Mono(now.0.saturating_add(heal_in_us))).filter(|_| !self.healed);
        let arrivals = self.network.links().filter_map(|link| link.next_arrival());
        let clients = self.clients.iter().filter_map(|client| client.next_deadline(now));
        let ends = heal_at.into_iter().chain(self.ends.next_at());
        let next = arrivals.chain(clients).chain(ends).fold(server, Mono::min);
        self.clock.advance_to(next.max(Mono(now.0 + 1)));
        // The server is not there at once.
        self.clock.pass_us(self.rng.below(self.plan.turn_us_max));
    }
}

impl Ends {
    /// When the server ends at the latest.
    fn next_at(&self) -> Option<Mono> {
        let last_at = match self.finale {
            Finale::Mending { until } | Finale::Rest { until } => Some(until),
            Finale::Storm | Finale::LastWords | Finale::Again => None,
        };
        let Some((start, end)) = self.life.zip(self.ahead.front()) else { return last_at };
        let us = match end.after {
            Moment::Us(us) => us.min(MOMENT_US_MAX),
            Moment::Requests(_) | Moment::Steps(_) => MOMENT_US_MAX,
        };
        Some(Mono(start.at.0 + us))
    }
}
