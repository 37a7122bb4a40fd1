//! `sim FROM COUNT [memory|disk|fleet [EVENTS]]`: simulates so many seeds in one scope or in all,
//! some of them twice, and stops at the first failure, of which it shows the last events.

use std::panic;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use vesta_sim::{Failure, Outcome, Reached, Scope, run};

/// Of so many seeds, one is simulated twice: what is left to chance shows in any of them.
const TWICE_OF: u64 = 10;

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let mut number = || words.next().and_then(|word| word.parse::<u64>().ok());
    let (from, count) = (number(), number());
    let scopes: Option<&[Scope]> = match words.next().as_deref() {
        None => Some(&[Scope::Memory, Scope::Disk, Scope::Fleet]),
        Some("memory") => Some(&[Scope::Memory]),
        Some("disk") => Some(&[Scope::Disk]),
        Some("fleet") => Some(&[Scope::Fleet]),
        Some(_) => None,
    };
    let shown = words.next().map_or(Some(60), |word| word.parse::<usize>().ok());
    let (Some(from), Some(count), Some(scopes), Some(shown)) = (from, count, scopes, shown) else {
        eprintln!("usage: sim FROM COUNT [memory|disk|fleet [EVENTS]]");
        return ExitCode::FAILURE;
    };
    // A panic ends the process: whoever reads of it wants to know the seed.
    let at_hand = Arc::new(AtomicU64::new(from));
    let (report, panicked) = (panic::take_hook(), Arc::clone(&at_hand));
    panic::set_hook(Box::new(move |info| {
        report(info);
        eprintln!("seed {}: the node or the simulator panicked", panicked.load(Ordering::Relaxed));
    }));
    let (mut requests, mut events, mut elapsed_us) = (0, 0, 0);
    let mut reached = Reached::default();
    let seeds = from..from.saturating_add(count);
    for (seed, scope) in seeds.flat_map(|seed| scopes.iter().map(move |scope| (seed, *scope))) {
        at_hand.store(seed, Ordering::Relaxed);
        let simulate = if seed % TWICE_OF == 0 { twice } else { run };
        match simulate(seed, scope) {
            Ok(outcome) => {
                requests += outcome.requests;
                events += outcome.events;
                elapsed_us += outcome.elapsed_us;
                reached.add(&outcome.reached);
            }
            Err(failure) => {
                eprintln!("{failure:.shown$}");
                return ExitCode::FAILURE;
            }
        }
    }
    let seconds = elapsed_us / 1_000_000;
    println!("{count} seeds: {requests} requests, {events} events, {seconds} simulated seconds");
    let places = reached.places().into_iter().map(|(_, name, count)| format!("{name} {count}"));
    println!("{}", places.collect::<Vec<_>>().join(", "));
    ExitCode::SUCCESS
}

/// The same seed must take the same path.
fn twice(seed: u64, scope: Scope) -> Result<Outcome, Box<Failure>> {
    let (first, second) = (run(seed, scope)?, run(seed, scope)?);
    if first == second {
        return Ok(first);
    }
    let what = format!("the second run took another path: {first:?}, then {second:?}");
    Err(Box::new(Failure { seed, scope, what, recent: Vec::new() }))
}
