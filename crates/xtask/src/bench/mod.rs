//! `cargo xtask bench`: Vesta against the installed redis-server, in the same run.
//!
//! Server processes are pinned to core 0, every load generator to core 1. The two servers take
//! turns, in an order that changes each round, and a figure is the median over the rounds. Only
//! ratios mean something: absolute figures of two runs or two machines are never compared.
//!
//! The cost of an operation is the processor time that the server process used (user and system),
//! divided by the number of operations; throughput is given beside it.

mod commands;
mod idle;
mod loader;
mod machine;
mod memory;
mod operations;
mod pauses;
mod pin;
mod report;
mod saving;
mod scan;
mod servers;
mod usage;
mod values;

use std::io;
use std::path::{Path, PathBuf};

use crate::process;
use report::{Report, Row};
use servers::Pair;

/// Sizes of the measurement.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Options {
    /// How often each figure is taken; the median counts.
    #[arg(long)]
    rounds: Option<usize>,
    /// Fewer rounds and a smaller scan: for a first look, not for a claim.
    #[arg(long)]
    quick: bool,
    /// Only the measurements whose name starts with one of these (`get,set-p16,zrank,memory,
    /// idle,scan,pause`). `save` is measured only when it is named.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Also write the result as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Random keys that the operations choose from.
    #[arg(long, default_value_t = 100_000)]
    keys: usize,
    /// Operations of one figure without a pipeline; more with one.
    #[arg(long, default_value_t = 200_000)]
    requests: usize,
    /// Parallel connections of the load generator.
    #[arg(long, default_value_t = 50)]
    clients: usize,
    /// Keys of the memory measurement.
    #[arg(long, default_value_t = 1_000_000)]
    memory_keys: usize,
    /// Connections of the idle measurement.
    #[arg(long, default_value_t = 10_000)]
    idle_connections: usize,
    /// Keys of the scan measurement.
    #[arg(long)]
    scan_keys: Option<usize>,
    /// Size of the data that is saved, in MB as Redis keeps it.
    #[arg(long)]
    save_mb: Option<usize>,
    /// Elements of the collections whose pauses are measured.
    #[arg(long)]
    pause_elements: Option<usize>,
}

impl Options {
    fn rounds(&self) -> usize {
        self.rounds.unwrap_or(if self.quick { 3 } else { 5 }).max(1)
    }

    fn scan_keys(&self) -> usize {
        self.scan_keys.unwrap_or(if self.quick { 1_000_000 } else { 10_000_000 })
    }

    fn pause_elements(&self) -> usize {
        self.pause_elements.unwrap_or(if self.quick { 1_000_000 } else { 10_000_000 })
    }

    fn save_mb(&self) -> usize {
        self.save_mb.unwrap_or(if self.quick { 256 } else { 1024 })
    }

    fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|wanted| name.starts_with(wanted.as_str()))
    }
}

/// Measures, prints the table, writes the JSON; whether every target was met.
pub(crate) fn run(options: &Options, root: &Path) -> io::Result<bool> {
    let pair = Pair::new(vesta_binary(root)?);
    let machine = machine::facts();
    pin::to_core(pin::LOAD_CORE);
    let mut report = Report::new(machine);
    let measurements = [
        operations::measure,
        commands::measure,
        memory::measure,
        idle::measure,
        scan::measure,
        pauses::measure,
        saving::measure,
    ];
    for measure in measurements {
        measure(options, &pair, &mut report)?;
    }
    println!("{report}");
    if let Some(path) = &options.json {
        std::fs::write(path, report.to_json())?;
    }
    Ok(report.rows.iter().all(Row::passes))
}

/// `VESTA_BIN`, or a fresh release build.
fn vesta_binary(root: &Path) -> io::Result<PathBuf> {
    if let Some(path) = std::env::var_os("VESTA_BIN") {
        return Ok(root.join(path));
    }
    process::run(root, env!("CARGO"), &["build", "--release", "--package", "vesta"])?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), PathBuf::from);
    Ok(root.join(target).join("release/vesta"))
}
