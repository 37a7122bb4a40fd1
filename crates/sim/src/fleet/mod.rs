//! Several servers that replicate, in chains too, with clients at all of them, links that fail,
//! and an operator who changes his mind.
//!
//! * `plan`: what a seed decides beforehand. `upheaval`: what goes wrong.
//! * `member`, `rim`, `connection`: a server; the same node as in production.
//! * `client`: who reads and writes. `wiretap`: what servers say to each other.
//! * `records`: what must be true.
//!
//! There is no model of the data here, as one server alone is checked against that elsewhere: the
//! servers are compared with each other. In the end nothing goes wrong any more, one of them is
//! everybody's primary, directly or not, and all must come to have the same.

mod client;
mod connection;
mod member;
mod plan;
mod records;
mod rim;
mod upheaval;
mod wiretap;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use vesta_node::Action;
use vesta_types::{Mono, Rng};

use crate::checker::Check;
use crate::clock::Clock;
use crate::network::{Link, Network};
use crate::run::Scope;
use crate::server::wish_text;
use crate::trace::{Event, Trace};
use crate::{Failure, Flaw, Outcome};
use client::Client;
use member::Member;
use plan::{Plan, Upheaval};
use records::Records;
use upheaval::Partition;
use wiretap::Wanted;

/// Who is at an end of a link.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Party {
    Client(usize),
    Member(usize),
}

/// A link between two parties.
#[derive(Debug)]
struct Line {
    client: Party,
    server: Party,
    /// The synchronization that a replica has asked for on it.
    asked: Option<Wanted>,
}

/// What a server needs from around it.
struct World<'a> {
    clock: &'a Clock,
    network: &'a mut Network,
    records: &'a mut Records,
    trace: &'a mut Trace,
    lines: &'a mut BTreeMap<usize, Line>,
    /// Servers that follow another one.
    chained: &'a BTreeSet<usize>,
    read_bytes_max: u64,
    flaw: Option<Flaw>,
}

impl World<'_> {
    /// Puts something on record.
    fn note(&mut self, member: usize, what: impl FnOnce() -> String) {
        self.trace.note(self.clock.now(), Event::Of { member, what: what() });
    }

    /// Puts a wish on record.
    fn wished(&mut self, member: usize, action: &Action) {
        if !matches!(action, Action::Measure) {
            self.note(member, || wish_text(action));
        }
    }
}

/// Rounds of a run, at most.
const ROUNDS_MAX: u64 = 3_000_000;
/// How often the operator tries what was not possible, in microseconds.
const OPERATOR_US: u64 = 100_000;

/// A run.
struct Fleet {
    rng: Rng,
    plan: Plan,
    clock: Clock,
    network: Network,
    members: Vec<Member>,
    clients: Vec<Client>,
    records: Records,
    trace: Trace,
    lines: BTreeMap<usize, Line>,
    chained: BTreeSet<usize>,
    ahead: VecDeque<(u64, Upheaval)>,
    partitions: Vec<Partition>,
    /// When the operator looks again.
    operator_at: Mono,
    /// The primary of all, when nothing goes wrong any more.
    root: Option<usize>,
    flaw: Option<Flaw>,
}

/// Simulates what `seed` decides.
pub(crate) fn run(seed: u64, flaw: Option<Flaw>) -> Result<Outcome, Box<Failure>> {
    let mut fleet = Fleet::new(seed, flaw);
    match fleet.run() {
        Ok(()) => Ok(Outcome {
            digest: fleet.trace.digest(),
            requests: fleet.clients.iter().map(Client::answered).sum(),
            events: fleet.trace.events(),
            elapsed_us: fleet.clock.elapsed_us(),
            reached: fleet.trace.reached,
        }),
        Err(what) => {
            let recent = fleet.trace.recent();
            Err(Box::new(Failure { seed, scope: Scope::Fleet, what, recent }))
        }
    }
}

impl Fleet {
    fn new(seed: u64, flaw: Option<Flaw>) -> Self {
        let mut rng = Rng::new(seed);
        let plan = Plan::new(&mut rng);
        let clock = Clock::new();
        let now = clock.now();
        let members = plan.members.iter().enumerate();
        let members: Vec<Member> =
            members.map(|(number, plan)| Member::new(number, plan, now, rng.fork())).collect();
        let clients =
            (0..plan.clients).map(|_| Client::new(&plan, now.mono, rng.fork(), flaw)).collect();
        Self {
            records: Records::new(members.len(), rng.fork(), flaw),
            rng,
            clock,
            network: Network::new(None),
            members,
            clients,
            trace: Trace::new(seed),
            lines: BTreeMap::new(),
            chained: BTreeSet::new(),
            ahead: plan.upheavals.clone().into(),
            partitions: Vec::new(),
            operator_at: now.mono,
            root: None,
            plan,
            flaw,
        }
    }

    fn run(&mut self) -> Check {
        for _ in 0..ROUNDS_MAX {
            self.round()?;
            let elapsed_us = self.clock.elapsed_us();
            if self.root.is_none() && elapsed_us >= self.plan.heal_at_us {
                self.heal()?;
            }
            if self.root.is_some() && self.is_everybody_the_same()? {
                return Ok(());
            }
            if elapsed_us > self.plan.heal_at_us + self.plan.converge_us_max {
                return Err(format!("servers do not come to be the same: {}", self.picture()));
            }
            self.pass_time();
        }
        Err("time hardly passes".to_owned())
    }

    /// Does something with a server.
    fn with<T>(
        &mut self,
        number: usize,
        act: impl FnOnce(&mut Member, &mut World<'_>) -> T,
    ) -> Option<T> {
        let mut world = World {
            clock: &self.clock,
            network: &mut self.network,
            records: &mut self.records,
            trace: &mut self.trace,
            lines: &mut self.lines,
            chained: &self.chained,
            read_bytes_max: self.plan.read_bytes_max,
            flaw: self.flaw,
        };
        self.members.get_mut(number).map(|member| act(member, &mut world))
    }

    /// Everything that happens at one time.
    fn round(&mut self) -> Check {
        let now = self.clock.now();
        self.upheave()?;
        self.end_partitions();
        self.network.links().for_each(|link| link.deliver(now.mono));
        self.operate();
        for number in 0..self.members.len() {
            self.dial(number)?;
        }
        for index in 0..self.clients.len() {
            self.connect(index);
            if let Some(client) = self.clients.get_mut(index) {
                client.act(now.mono, &mut self.network, &mut self.trace)?;
            }
        }
        let following = self.members.iter().filter(|member| member.follows.is_some());
        self.chained = following.map(|member| member.number).collect();
        for number in 0..self.members.len() {
            self.with(number, |member, world| member.turn(world)).unwrap_or(Ok(()))?;
        }
        Ok(())
    }

    /// Adds a link.
    fn link(&mut self, client: Party, server: Party) -> usize {
        let is_near = matches!(client, Party::Client(_));
        let rough = if is_near { self.plan.near } else { self.plan.far };
        let manner = if self.root.is_some() { rough.healed() } else { rough };
        let link = self.network.add(Link::new(manner, self.rng.fork()));
        self.lines.insert(link, Line { client, server, asked: None });
        self.block(link);
        link
    }

    /// Connects a client that wants to talk to somebody.
    fn connect(&mut self, index: usize) {
        let now = self.clock.now().mono;
        let members = self.members.iter().filter(|member| member.follows.is_none());
        let primaries: Vec<usize> = members.map(|member| member.number).collect();
        let Some(client) = self.clients.get_mut(index) else { return };
        if !client.wants_to_connect(now) {
            return;
        }
        let to = client.choose(&primaries);
        if !self.members.get(to).is_some_and(Member::is_there) {
            client.finds_nobody(now);
            return;
        }
        let link = self.link(Party::Client(index), Party::Member(to));
        if let Some(client) = self.clients.get_mut(index) {
            client.connected(link);
        }
        self.with(to, |member, world| member.accept(world, link, format!("10.0.1.{index}:{link}")));
    }

    /// Connects a server that has asked for it to another one.
    fn dial(&mut self, number: usize) -> Check {
        let now = self.clock.now().mono;
        let Some(member) = self.members.get_mut(number) else { return Ok(()) };
        if member.paused_until > now || !member.is_there() {
            return Ok(());
        }
        let Some(mut dial) = member.dial.take_if(|dial| dial.at <= now) else { return Ok(()) };
        let to = dial.to.filter(|to| *to < self.members.len());
        let outcome = match to {
            Some(to) if self.is_apart(number, to) => {
                if now < dial.give_up_at {
                    // The system tries again.
                    dial.at = Mono(now.0 + 200_000);
                    if let Some(member) = self.members.get_mut(number) {
                        member.dial = Some(dial);
                    }
                    return Ok(());
                }
                Err("Connection timed out".to_owned())
            }
            Some(to) if self.members.get(to).is_some_and(Member::is_there) => {
                let link = self.link(Party::Member(number), Party::Member(to));
                let addr = format!("{}:{}", member::host(number), 20_000 + link);
                self.with(to, |member, world| member.accept(world, link, addr));
                Ok((link, to))
            }
            Some(_) | None => Err("Connection refused".to_owned()),
        };
        self.with(number, |member, world| member.linked(world, dial.attempt, outcome))
            .unwrap_or(Ok(()))
    }

    /// The operator tells servers whom to follow.
    fn operate(&mut self) {
        let now = self.clock.now();
        if now.mono < self.operator_at {
            return;
        }
        self.operator_at = Mono(now.mono.0 + OPERATOR_US);
        for member in &mut self.members {
            if !member.is_serving() || member.paused_until > now.mono {
                continue;
            }
            let orders = member.orders();
            let is_done = orders.into_iter().all(|words| {
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                member.ask(now, &words).is_some_and(|reply| reply.starts_with(b"+OK"))
            });
            if is_done {
                (member.is_to_be_told, member.is_accepting) = (false, true);
            }
        }
    }

    /// Lets time pass until something is due.
    fn pass_time(&mut self) {
        let now = self.clock.now().mono;
        let Self { network, members, clients, .. } = self;
        let members_at = members.iter().map(|member| member.next_deadline(network, now)).min();
        let clients_at = clients.iter().map(Client::next_deadline).min();
        let arrival_at = network.links().filter_map(|link| link.next_arrival()).min();
        let start = now.0 - self.clock.elapsed_us();
        let heal_at = Some(self.plan.heal_at_us).filter(|_| self.root.is_none());
        let upheaval_at = self.ahead.front().map(|(at, _)| *at);
        let planned_at = heal_at.into_iter().chain(upheaval_at).map(|us| Mono(start + us)).min();
        let partition_at = self.partitions.iter().map(|partition| partition.until).min();
        let all = [members_at, clients_at, arrival_at, planned_at, partition_at];
        let next = all.into_iter().flatten().fold(self.operator_at, Mono::min);
        self.clock.advance_to(next.max(Mono(now.0 + 1)));
        // Nobody is there at once.
        self.clock.pass_us(self.rng.below(self.plan.turn_us_max));
    }

    /// Whether all servers stand at the same point, and have the same data there.
    fn is_everybody_the_same(&mut self) -> Result<bool, String> {
        let mut places = BTreeSet::new();
        for member in &self.members {
            let is_told = member.is_serving() && member.orders().is_empty();
            let Some(standing) = member.standing().filter(|_| is_told) else { return Ok(false) };
            places.insert((standing.id, standing.offset));
        }
        let Some(place) = places.pop_first().filter(|_| places.is_empty()) else {
            return Ok(false);
        };
        for member in &mut self.members {
            self.records.compare(member, place, &mut self.trace.reached)?;
        }
        Ok(true)
    }

    /// Where everybody is, for a report.
    fn picture(&mut self) -> String {
        let now = self.clock.now();
        let lines = self.members.iter_mut().map(|member| {
            let standing = member.node.standing();
            let info = member.info(now, "replication");
            let status = info.get("master_link_status").cloned().unwrap_or_default();
            let (number, follows, life) = (member.number, member.follows, member.life);
            let (id, offset) = (standing.id, standing.offset);
            let keys = member.keys();
            format!(
                "{number} follows {follows:?}, {life:?}, {status}, {keys} keys, {offset} of {id}, \
                 kept {}, loading {}",
                standing.is_kept, standing.is_loading
            )
        });
        lines.collect::<Vec<_>>().join("; ")
    }
}
