//! Temporary.
use std::path::Path;
use vesta_testkit::diff;
use vesta_testkit::process::{Oracle, Vesta};
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let (from, to): (u64, u64) = (args[1].parse().unwrap(), args[2].parse().unwrap());
    let wanted = args[3].as_bytes().to_vec();
    let vesta = Vesta::start(Path::new("/tmp/bit/vesta"), &[]).unwrap();
    let oracle = Oracle::start(&[]).unwrap();
    let (mut a, mut b) = (vesta.client().unwrap(), oracle.client().unwrap());
    let mut seeds = 0;
    let mut requests = 0;
    let mut bad = 0;
    for seed in from..to {
        if !diff::sequence(seed).iter().any(|c| c[0].starts_with(&wanted)) { continue; }
        let r = diff::run(seed..seed + 1, &mut a, &mut b).unwrap();
        seeds += r.seeds; requests += r.requests;
        for m in r.mismatches { println!("{m}\n"); bad += 1; }
        if bad > 8 { break; }
    }
    println!("{seeds} seeds {requests} requests {bad} mismatches");
}
