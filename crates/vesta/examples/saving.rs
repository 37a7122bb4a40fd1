//! `saving MEGABYTES [SHARE]`: how long requests wait while everything is saved, on a node in this
//! process with the server's allocator, at a share of full speed (in percent, 50 if not given).
//!
//! What a machine does besides (another process, a hypervisor) delays requests by more than a save
//! does. So time here is the time that this thread was given on a processor, for the node and for
//! whoever asks it: what is left is what the node itself makes requests wait. Requests come in
//! rounds of 40, as from as many connections; a round is due at its time whether the node is at a
//! slice of the save then or not, and for how long it is counts as well. The disk takes
//! everything at once.

use std::process::ExitCode;

use rustix::time::{ClockId, clock_gettime};
use vesta_cmd::host::Process;
use vesta_config::Config;
use vesta_node::{Action, ConnId, DiskNews, DiskWish, Event, Meter, Node, Peer, Served, Setup};
use vesta_resp::Conversation;
use vesta_rt::clock::Ticks;
use vesta_types::{Mono, Now, Unix};

#[global_allocator]
static HEAP: vesta_rt::alloc::Heap = vesta_rt::alloc::Heap;

const CONN: ConnId = ConnId(0);
const ROUND: u64 = 40;
/// Rounds without a save, to compare with.
const CALM_ROUNDS: usize = 200_000;
/// Elements of a collection.
const MEMBERS: u64 = 200;

/// A node, who asks it, and a disk that takes everything.
struct World {
    node: Node,
    conversation: Conversation,
    /// The file being saved.
    id: u64,
    /// Bytes of it so far.
    written: usize,
    files: usize,
}

/// How long rounds have lasted, in nanoseconds.
#[derive(Default)]
struct Rounds(Vec<u64>);

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1).map(|arg| arg.parse::<u64>());
    let (Some(Ok(megabytes)), Ok(share)) = (args.next(), args.next().unwrap_or(Ok(50))) else {
        eprintln!("usage: saving MEGABYTES [SHARE]");
        return ExitCode::FAILURE;
    };
    let Ok(_purger) = vesta_rt::alloc::Purger::start() else {
        eprintln!("there is no thread for the allocator");
        return ExitCode::FAILURE;
    };
    let mut world = World::new();
    let mut keys = 0;
    while vesta_rt::alloc::allocated_bytes() < megabytes << 20 {
        world.fill(keys);
        keys += 1;
    }
    println!("{keys} units of keys, {megabytes} MB, rounds of {ROUND} requests, {share} %");
    println!("{:<8} {:>9} {:>9} {:>9} {:>9} {:>9}", "us", "rounds", "p50", "p99", "p99.99", "max");
    let share = share.clamp(1, 100);
    let mut calm = Rounds::default();
    let mut number = 0;
    while calm.0.len() < CALM_ROUNDS {
        calm.0.push(world.round(keys, &mut number, share));
    }
    calm.print("calm");
    let began = cpu_ns();
    world.ask(now(), "BGSAVE");
    let mut saving = Rounds::default();
    while world.files == 0 {
        saving.0.push(world.round(keys, &mut number, share));
    }
    saving.print("saving");
    let seconds = (cpu_ns() - began) as f64 / 1e9;
    println!("saved {} MB in {seconds:.1} s of this thread's time", world.written >> 20);
    ExitCode::SUCCESS
}

/// Nanoseconds that this thread has had a processor.
fn cpu_ns() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let (s, ns) = (time.tv_sec.cast_unsigned(), time.tv_nsec.cast_unsigned());
    s * 1_000_000_000 + ns
}

/// The time that is told to the node.
fn now() -> Now {
    let us = cpu_ns() / 1000;
    Now { mono: Mono(1_000_000 + us), unix: Unix(1_700_000_000_000_000 + us) }
}

/// Numbers in no order: an odd factor permutes 64 bits.
fn scattered(number: u64) -> u64 {
    number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16
}

impl World {
    fn new() -> Self {
        let ticks = Ticks::calibrated();
        let ticks_per_us = ticks.per_us().round().max(1.0) as u64;
        let meter = Meter { ticks: ticks.reader(), ticks_per_us };
        let config = Config { save: Vec::new(), ..Config::default() };
        let setup = Setup { config, process: Process::default(), seed: 1, now: now(), meter };
        let mut node = Node::new(setup);
        let (addr, laddr) = ("127.0.0.1:1".to_owned(), "127.0.0.1:2".to_owned());
        let peer = Peer { addr, laddr, is_local: true, is_unix: false, fd: -1 };
        node.connect(now(), CONN, peer).expect("the first client of a node is served");
        Self { node, conversation: Conversation::default(), id: 0, written: 0, files: 0 }
    }

    /// Adds some of each kind: strings, hashes, and a sorted set or a list.
    fn fill(&mut self, unit: u64) {
        let (now, text) = (now(), format!("{:0>100}", scattered(unit)));
        for place in 0..100 {
            self.ask(now, &format!("SET s:{} {text}", unit * 100 + place));
        }
        for place in 0..10 {
            self.ask(now, &format!("HSET h:{} a {text} b 2 c 3 d {unit}", unit * 10 + place));
        }
        for member in 0..MEMBERS {
            let name = scattered(unit * MEMBERS + member);
            match unit % 4 {
                0 => self.ask(now, &format!("ZADD z:{unit} {member} m:{name}")),
                1 => self.ask(now, &format!("RPUSH l:{unit} e:{name}")),
                2 => self.ask(now, &format!("SADD t:{unit} e:{name}")),
                _ => self.ask(now, &format!("HSET g:{unit} f:{name} {member}")),
            }
        }
        self.turn();
    }

    /// Serves a round at its time, and does as much besides as there is time for; how long it took
    /// from when it was due.
    fn round(&mut self, units: u64, number: &mut u64, share: u64) -> u64 {
        let (now, due) = (now(), cpu_ns());
        for _ in 0..ROUND {
            *number += 1;
            let any = scattered(*number);
            let unit = any % units;
            match *number % 4 {
                0 => self.ask(now, &format!("SET s:{} {:0>100}", any % (units * 100), number)),
                1 => self.ask(now, &format!("GET s:{}", any % (units * 100))),
                2 => self.ask(now, &format!("HSET h:{} d {number}", any % (units * 10))),
                _ => self.ask(now, &format!("ZADD z:{} {number} m:{any}", unit - unit % 4)),
            }
        }
        let served = cpu_ns();
        self.carry_out();
        // The next one is due when so much of the time was used for this one.
        let next_due = due + (served - due) * 100 / share;
        loop {
            self.turn();
            let at = cpu_ns();
            if at >= next_due {
                // Whoever comes while the node is busy waits until it is not.
                return (served - due) + (at - next_due);
            }
        }
    }

    fn ask(&mut self, now: Now, line: &str) {
        let line = format!("{line}\r\n");
        let served = self.node.serve(now, CONN, &mut self.conversation, line.as_bytes());
        assert_eq!(served, Served::Idle, "a short request is executed at once");
        let sent = self.conversation.outbox.pending_bytes();
        self.conversation.outbox.advance(sent);
    }

    /// What the server does between two looks at its connections.
    fn turn(&mut self) {
        let now = now();
        if self.node.next_deadline() <= now.mono {
            self.node.handle(now, Event::Tick);
        }
        self.carry_out();
    }

    fn carry_out(&mut self) {
        while let Some(action) = self.node.poll_action() {
            let Action::Disk(wish) = action else { continue };
            let news = if let DiskWish::SaveOpen { id, .. } = wish {
                self.id = id;
                continue;
            } else if let DiskWish::SaveWrite(bytes) = wish {
                self.written += bytes.len();
                DiskNews::SaveWritten { id: self.id, bytes: bytes.len() }
            } else {
                assert!(matches!(wish, DiskWish::SaveFinish), "a save has no use for {wish:?}");
                self.files += 1;
                DiskNews::SaveDone { id: self.id, outcome: Ok(()) }
            };
            self.node.handle(now(), Event::Disk(news));
        }
    }
}

impl Rounds {
    fn print(&mut self, name: &str) {
        self.0.sort_unstable();
        let of = |share: f64| {
            let place = (self.0.len() as f64 * share) as usize;
            self.0.get(place.min(self.0.len() - 1)).copied().unwrap_or(0) as f64 / 1000.0
        };
        let [median, rare, rarest, most] = [0.5, 0.99, 0.9999, 1.0].map(of);
        let count = self.0.len();
        println!("{name:<8} {count:>9} {median:>9.1} {rare:>9.1} {rarest:>9.1} {most:>9.1}");
    }
}
