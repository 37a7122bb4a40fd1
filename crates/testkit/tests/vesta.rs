//! A real Vesta process over TCP: transcripts, compatibility cases, and the fuzzer against the
//! reference. `VESTA_BIN` names the binary; without it there is nothing to run.

use std::path::{Path, PathBuf};

use vesta_testkit::cts::{self, Filter, Version};
use vesta_testkit::diff;
use vesta_testkit::process::{Oracle, Vesta};
use vesta_testkit::runner::{self, Report};
use vesta_testkit::tcp::TcpDriver;
use vesta_testkit::transcript::{self, Mode, Transcript};

/// The level of compatibility that Vesta claims.
const LEVEL: Version = Version([7, 2, 4]);

fn binary() -> Option<PathBuf> {
    let binary = std::env::var_os("VESTA_BIN").and_then(|_| Vesta::binary());
    if binary.is_none() {
        eprintln!("SKIPPED: VESTA_BIN does not name the server to test");
    }
    binary
}

#[test]
fn every_transcript_holds_over_tcp() {
    let Some(binary) = binary() else { return };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/transcripts");
    let launch = move |args: &[String]| Vesta::start(&binary, args);
    let mut driver = TcpDriver::new(Box::new(launch), false);
    let mut report = Report::default();
    for path in transcript::find(&root).unwrap() {
        let file = Transcript::read(&path, Mode::Complete).unwrap_or_else(|why| panic!("{why}"));
        report.merge(runner::run(&mut driver, &file));
    }
    println!("{report}");
    assert!(report.failures.is_empty(), "{report}");
    assert!(report.run > 0, "{report}");
}

/// `VESTA_CTS` names the file of cases. Only cases whose commands Vesta has are run.
#[test]
fn every_compatibility_case_of_known_commands_holds() {
    let (Some(binary), Some(path)) = (binary(), std::env::var_os("VESTA_CTS")) else { return };
    let cases = cts::read(Path::new(&path)).unwrap();
    let server = Vesta::start(&binary, &[]).unwrap();
    let commands = cts::known_commands(&mut server.client().unwrap()).unwrap();
    let filter = Filter { version: LEVEL, commands: Some(commands) };
    let report = cts::run(&cases, &filter, || server.client()).unwrap();
    println!("{report}");
    assert!(report.failures.is_empty(), "{report}");
    assert!(report.passed > 0, "{report}");
}

#[test]
fn random_requests_are_answered_as_the_reference_answers() {
    let Some(binary) = binary() else { return };
    if !Oracle::is_installed() {
        eprintln!("SKIPPED: redis-server is not installed, so nothing was compared with it");
        return;
    }
    let (vesta, oracle) = (Vesta::start(&binary, &[]).unwrap(), Oracle::start(&[]).unwrap());
    let (mut ours, mut reference) = (vesta.client().unwrap(), oracle.client().unwrap());
    let report = diff::run(0..300, &mut ours, &mut reference).unwrap();
    println!("{report}");
    assert!(report.mismatches.is_empty(), "{report}");
}
