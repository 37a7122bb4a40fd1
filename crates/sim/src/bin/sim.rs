//! `sim FROM COUNT`: simulates so many seeds, each twice, and stops at the first failure.

use std::panic;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use vesta_sim::{Failure, Outcome, run};

fn main() -> ExitCode {
    let mut numbers = std::env::args().skip(1).map(|word| word.parse::<u64>());
    let (Some(Ok(from)), Some(Ok(count)), None) = (numbers.next(), numbers.next(), numbers.next())
    else {
        eprintln!("usage: sim FROM COUNT");
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
    for seed in from..from.saturating_add(count) {
        at_hand.store(seed, Ordering::Relaxed);
        match twice(seed) {
            Ok(outcome) => {
                requests += outcome.requests;
                events += outcome.events;
                elapsed_us += outcome.elapsed_us;
            }
            Err(failure) => {
                eprintln!("{failure}");
                return ExitCode::FAILURE;
            }
        }
    }
    let seconds = elapsed_us / 1_000_000;
    println!("{count} seeds: {requests} requests, {events} events, {seconds} simulated seconds");
    ExitCode::SUCCESS
}

/// The same seed must take the same path.
fn twice(seed: u64) -> Result<Outcome, Box<Failure>> {
    let (first, second) = (run(seed)?, run(seed)?);
    if first == second {
        return Ok(first);
    }
    let what = format!("the second run took another path: {first:?}, then {second:?}");
    Err(Box::new(Failure { seed, what, recent: Vec::new() }))
}
