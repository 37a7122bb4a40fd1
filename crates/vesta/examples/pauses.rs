//! `pauses ELEMENTS [RUNS]`: the longest that a single request takes while a collection of so many
//! elements grows, shrinks and goes, on a node in this process with the server's allocator.
//!
//! Every run takes the same path, so that what the data structures do takes its time at the same
//! request in each; what the machine does meanwhile (another process, a hypervisor) does not. So
//! the time of a request is the shortest of all runs. Slices in the background are run between
//! requests and not counted: they are bounded by themselves.

use std::process::ExitCode;
use std::time::Duration;

use vesta_cmd::host::Process;
use vesta_config::Config;
use vesta_node::{ConnId, Event, Meter, Node, Peer, Served, Setup};
use vesta_resp::Conversation;
use vesta_rt::clock::Ticks;
use vesta_types::{Mono, Now, Unix};

#[global_allocator]
static HEAP: vesta_rt::alloc::Heap = vesta_rt::alloc::Heap;

const CONN: ConnId = ConnId(0);
/// Requests between two ticks of the node, each a millisecond apart.
const REQUESTS_PER_TICK: u64 = 1000;

/// What is done to one collection: adding each element, removing each, dropping what is left.
const FAMILIES: [[&str; 3]; 5] = [
    ["SET {} v", "DEL {}", "FLUSHALL"],
    ["SADD k m:{}", "SREM k m:{}", "DEL k"],
    ["HSET k f:{} v", "HDEL k f:{}", "DEL k"],
    ["ZADD k {} m:{}", "ZPOPMIN k", "DEL k"],
    ["RPUSH k m:{}", "LPOP k", "DEL k"],
];

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1).map(|arg| arg.parse::<u64>());
    let (Some(Ok(elements)), runs) = (args.next(), args.next().unwrap_or(Ok(3))) else {
        eprintln!("usage: pauses ELEMENTS [RUNS]");
        return ExitCode::FAILURE;
    };
    let (Ok(runs), Ok(_purger)) = (runs, vesta_rt::alloc::Purger::start()) else {
        eprintln!("a number of runs from 1, and a thread more");
        return ExitCode::FAILURE;
    };
    println!("{:<16} {:>12} {:>12}", "request", "longest us", "at request");
    for [add, remove, drop] in FAMILIES {
        let stages = [(add, elements), (remove, elements / 2), (add, 1), (drop, 1)];
        let mut shortest: Vec<Vec<u32>> = Vec::new();
        for _ in 0..runs.max(1) {
            let times = run(&stages);
            if shortest.is_empty() {
                shortest = times;
            } else {
                for (shortest, times) in shortest.iter_mut().zip(times) {
                    shortest.iter_mut().zip(times).for_each(|(best, ns)| *best = ns.min(*best));
                }
            }
        }
        for ((request, _), times) in stages.iter().zip(&shortest) {
            let longest = times.iter().enumerate().max_by_key(|(_, ns)| **ns);
            let (at, ns) = longest.map_or((0, 0), |(at, ns)| (at, *ns));
            println!("{request:<16} {:>12.1} {at:>12}", f64::from(ns) / 1000.0);
        }
    }
    ExitCode::SUCCESS
}

/// Nanoseconds of every request of every stage.
fn run(stages: &[(&str, u64)]) -> Vec<Vec<u32>> {
    let ticks = Ticks::calibrated();
    let per_us = ticks.per_us();
    let meter = Meter { ticks: ticks.reader(), ticks_per_us: per_us.round().max(1.0) as u64 };
    let mut now = Now { mono: Mono(1_000_000), unix: Unix(1_700_000_000_000_000) };
    let config = Config { lazyfree_lazy_user_del: true, ..Config::default() };
    let setup = Setup { config, process: Process::default(), seed: 1, now, meter };
    let mut node = Node::new(setup);
    let (addr, laddr) = ("127.0.0.1:1".to_owned(), "127.0.0.1:2".to_owned());
    let peer = Peer { addr, laddr, is_local: true, is_unix: false, fd: -1 };
    node.connect(now, CONN, peer).expect("the first client of a node is served");
    let mut conversation = Conversation::default();
    let mut all = Vec::new();
    for (request, count) in stages {
        let mut times = Vec::with_capacity(usize::try_from(*count).unwrap_or(0));
        for number in 0..*count {
            // Elements in no order: an odd factor permutes 64 bits.
            let scattered = (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16).to_string();
            let line = format!("{}\r\n", request.replace("{}", &scattered));
            let before = (meter.ticks)();
            let served = node.serve(now, CONN, &mut conversation, line.as_bytes());
            let took = (meter.ticks)().saturating_sub(before);
            assert_eq!(served, Served::Idle, "a short request is executed at once");
            times.push((took as f64 * 1000.0 / per_us).min(f64::from(u32::MAX)) as u32);
            let sent = conversation.outbox.pending_bytes();
            conversation.outbox.advance(sent);
            if number % REQUESTS_PER_TICK == 0 {
                tick(&mut node, &mut now);
            }
        }
        all.push(times);
        (0..10_000).for_each(|_| tick(&mut node, &mut now));
    }
    all
}

fn tick(node: &mut Node, now: &mut Now) {
    let step = u64::try_from(Duration::from_millis(1).as_micros()).unwrap_or(0);
    (now.mono.0, now.unix.0) = (now.mono.0 + step, now.unix.0 + step);
    node.handle(*now, Event::Tick);
    while node.poll_action().is_some() {}
}
