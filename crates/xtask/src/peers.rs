//! Runs against real processes: the differential fuzzer and the compatibility cases.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::thread;

use vesta_testkit::cts::{self, Filter, Version};
use vesta_testkit::diff;
use vesta_testkit::process::{Oracle, Server, Vesta};

use crate::process;

/// Cases of later versions are left out: this is what Vesta is compatible with.
const COMPATIBLE_WITH: Version = Version([7, 2, 0]);

/// `VESTA_BIN`, or a fresh build.
pub(crate) fn binary(root: &Path) -> io::Result<PathBuf> {
    match std::env::var_os("VESTA_BIN") {
        Some(path) => Ok(root.join(path)),
        None => {
            process::run(root, env!("CARGO"), &["build", "--quiet", "--package", "vesta"])?;
            let target = std::env::var_os("CARGO_TARGET_DIR");
            Ok(root.join(target.map_or("target".into(), PathBuf::from)).join("debug/vesta"))
        }
    }
}

fn vesta(root: &Path) -> io::Result<Server> {
    Vesta::start(&binary(root)?, &[])
}

/// Random sequences of commands on Vesta and on redis-server, replies compared. Each of `jobs`
/// pairs of servers gets its share of the seeds.
pub(crate) fn diff(root: &Path, from: u64, seeds: u64, jobs: u64) -> io::Result<bool> {
    let binary = binary(root)?;
    let jobs = jobs.clamp(1, seeds.max(1));
    let share = |job: u64| from.saturating_add(seeds / jobs * job + job.min(seeds % jobs));
    let work = |seeds: Range<u64>| {
        let (ours, reference) = (Vesta::start(&binary, &[])?, Oracle::start(&[])?);
        diff::run(seeds, &mut ours.client()?, &mut reference.client()?)
    };
    let reports: Vec<io::Result<diff::Report>> = thread::scope(|scope| {
        let start = |job| scope.spawn(move || work(share(job)..share(job + 1)));
        let running: Vec<_> = (0..jobs).map(start).collect();
        let lost = || Err(io::Error::other("a job has panicked"));
        running.into_iter().map(|job| job.join().unwrap_or_else(|_| lost())).collect()
    });
    let mut report = diff::Report::default();
    for one in reports {
        report = report.and(one?);
    }
    println!("{report}");
    Ok(report.mismatches.is_empty())
}

/// The cases of a file that concern commands which Vesta has.
pub(crate) fn cts(root: &Path, file: &Path) -> io::Result<bool> {
    let cases = cts::read(file)?;
    let server = vesta(root)?;
    let commands = Some(cts::known_commands(&mut server.client()?)?);
    let filter = Filter { version: COMPATIBLE_WITH, commands };
    let report = cts::run(&cases, &filter, || server.client())?;
    println!("{report}");
    Ok(report.failures.is_empty() && report.passed > 0)
}
