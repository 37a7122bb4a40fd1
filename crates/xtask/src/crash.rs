//! Rounds of `kill -9` on a real server.

use std::io;
use std::path::{Path, PathBuf};

use vesta_testkit::crash::{self, Plan, Policy, Report};

use crate::peers;

/// How often, how, and which server.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How often the server dies under each policy.
    #[arg(long, default_value_t = 20)]
    rounds: usize,
    /// `always`, `everysec`, `no`, or `rdb`: snapshots and no log; all four if not given.
    #[arg(long, value_parser = policy)]
    policy: Option<Policy>,
    /// The server; `VESTA_BIN` or a fresh build if not given. With `redis-server` the same is done
    /// to it, which tells whether the checks are right.
    #[arg(long)]
    bin: Option<PathBuf>,
    /// Other seeds write other things.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Tell the server to end (SIGTERM) instead of killing it.
    #[arg(long)]
    told: bool,
}

fn policy(name: &str) -> Result<Policy, String> {
    Policy::named(name).ok_or_else(|| "not one of always, everysec, no, rdb".to_owned())
}

/// Prints a line for each policy; whether nothing was lost.
pub(crate) fn run(options: &Options, root: &Path) -> io::Result<bool> {
    let binary = match &options.bin {
        // A bare name is looked for where programs are; else the path is one from here.
        Some(name) if name.components().count() == 1 => name.clone(),
        Some(path) => path.canonicalize()?,
        None => peers::binary(root)?,
    };
    let policies = options.policy.map_or(Policy::ALL.to_vec(), |policy| vec![policy]);
    println!("policy    {}", Report::heading());
    let mut is_clean = true;
    for policy in policies {
        let name = format!("vesta-crash-{}-{}", std::process::id(), policy.name());
        let evidence = std::env::temp_dir().join(name);
        let plan = Plan {
            seed: options.seed,
            is_told: options.told,
            evidence: Some(evidence.clone()),
            ..Plan::new(&binary, policy, options.rounds)
        };
        let report = crash::run(&plan)?;
        println!("{:<8}  {report}", policy.name());
        if !report.is_clean() {
            report.faults.iter().for_each(|fault| println!("  {fault}"));
            println!("  files of the first such round: {}", evidence.display());
            is_clean = false;
        }
    }
    Ok(is_clean)
}
