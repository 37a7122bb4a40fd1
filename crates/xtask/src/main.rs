//! The tools of the workspace, one sub-command each: `cargo xtask --help`.
#![expect(clippy::disallowed_methods, reason = "it runs other programs and measures real time")]

mod bench;
mod crash;
mod icount;
mod peers;
mod process;
mod tables;
mod tidy;

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;

/// Checks, measurements and generated files of the Vesta workspace.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask")]
enum Task {
    /// Check the house rules that a program can check.
    Tidy,
    /// Measure against the installed redis-server.
    Bench(bench::Options),
    /// Write the generated tables of README.md.
    Gen,
    /// Run random command sequences on Vesta and on the installed redis-server.
    Diff {
        /// How many sequences.
        #[arg(long)]
        seeds: u64,
        /// The first seed.
        #[arg(long, default_value_t = 0)]
        from: u64,
        /// How many pairs of servers share the work.
        #[arg(long, default_value_t = 1)]
        jobs: u64,
    },
    /// Kill a server under load, again and again, and count what it has lost.
    Crash(crash::Options),
    /// Simulate a server with clients and faults, some seeds twice.
    Sim {
        /// How many seeds.
        #[arg(long)]
        seeds: u64,
        /// The first seed.
        #[arg(long, default_value_t = 0)]
        from: u64,
    },
    /// Run a file of compatibility cases on Vesta.
    Cts {
        /// JSON: a list of cases.
        file: PathBuf,
    },
    /// Count instructions per operation and compare them with the baseline.
    Icount {
        /// Write the counts as the new baseline.
        #[arg(long)]
        record: bool,
    },
}

/// Whether the task found everything in order; an error is a task that could not be done.
fn run(task: Task, root: &Path) -> io::Result<bool> {
    match task {
        Task::Tidy => tidy::run(root),
        Task::Bench(options) => bench::run(&options, root),
        Task::Gen => tables::run(root),
        Task::Diff { seeds, from, jobs } => peers::diff(root, from, seeds, jobs),
        Task::Crash(options) => crash::run(&options, root),
        Task::Sim { seeds, from } => simulate(root, from, seeds),
        Task::Cts { file } => peers::cts(root, &file),
        Task::Icount { record } => icount::run(root, record),
    }
}

/// Runs the simulator, which is slow unless it is optimised.
fn simulate(root: &Path, from: u64, seeds: u64) -> io::Result<bool> {
    let words = ["run", "--quiet", "--release", "--package", "vesta-sim", "--bin", "sim", "--"];
    let words = words.map(str::to_owned).into_iter().chain([from.to_string(), seeds.to_string()]);
    process::run(root, env!("CARGO"), &words.collect::<Vec<_>>()).map(|()| true)
}

fn main() -> ExitCode {
    match run(Task::parse(), &workspace_root()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The folder of the workspace: two above this crate.
fn workspace_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new(".")).to_owned()
}
