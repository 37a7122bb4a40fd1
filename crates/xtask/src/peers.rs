//! Runs against real processes: the differential fuzzer and the compatibility cases.

use std::io;
use std::path::{Path, PathBuf};

use vesta_testkit::cts::{self, Filter, Version};
use vesta_testkit::diff;
use vesta_testkit::process::{Oracle, Server, Vesta};

use crate::process;

/// Cases of later versions are left out: this is what Vesta is compatible with.
const COMPATIBLE_WITH: Version = Version([7, 2, 0]);

/// `VESTA_BIN`, or a fresh build.
fn vesta(root: &Path) -> io::Result<Server> {
    let binary = match std::env::var_os("VESTA_BIN") {
        Some(path) => PathBuf::from(path),
        None => {
            process::run(root, env!("CARGO"), &["build", "--quiet", "--package", "vesta"])?;
            let target = std::env::var_os("CARGO_TARGET_DIR");
            root.join(target.map_or("target".into(), PathBuf::from)).join("debug/vesta")
        }
    };
    Vesta::start(&binary, &[])
}

/// Random sequences of commands on Vesta and on redis-server, replies compared.
pub(crate) fn diff(root: &Path, from: u64, seeds: u64) -> io::Result<bool> {
    let (ours, reference) = (vesta(root)?, Oracle::start(&[])?);
    let report =
        diff::run(from..from.saturating_add(seeds), &mut ours.client()?, &mut reference.client()?)?;
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
