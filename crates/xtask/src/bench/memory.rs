//! Bytes per key: growth of resident memory while keys are loaded.

use std::io;
use std::time::Duration;

use super::Options;
use super::loader;
use super::report::{Report, Target};
use super::servers::{Pair, Sides};
use super::usage;

/// Memory must stay the same this long before it counts.
const STILL: Duration = Duration::from_millis(500);

/// Name, more arguments of SET, most bytes per key.
const CASES: [(&str, &[&str], f64); 2] =
    [("memory", &[], 60.0), ("memory-ttl", &["EX", "1000000"], 70.0)];

/// Adds a row per case.
pub(super) fn measure(options: &Options, pair: &Pair, report: &mut Report) -> io::Result<()> {
    for (name, more, bytes_max) in CASES.iter().filter(|(name, ..)| options.wants(name)) {
        eprintln!("{name}");
        let mut samples = Sides { vesta: Vec::new(), redis: Vec::new() };
        for round in 0..options.rounds().min(3) {
            pair.each_alone(&[], round, &mut samples, |server, figures| {
                let mut client = loader::client(server)?;
                let before = usage::settled_rss_bytes(server.pid(), STILL)?;
                let keys = options.memory_keys;
                loader::send_all(
                    &mut client,
                    (0..keys).map(|number| loader::set_16_16(number, more)),
                )?;
                let after = usage::settled_rss_bytes(server.pid(), STILL)?;
                figures.push(after.saturating_sub(before) as f64 / keys as f64);
                Ok(())
            })?;
        }
        report.push(*name, "B/key", samples, Some(Target::Figure(*bytes_max)));
    }
    Ok(())
}
