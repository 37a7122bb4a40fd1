//! What the transcripts and the compatibility cases say is what the reference does.

use std::path::{Path, PathBuf};

use vesta_testkit::cts::{self, Filter, Version};
use vesta_testkit::diff;
use vesta_testkit::process::Oracle;
use vesta_testkit::runner::{self, Report};
use vesta_testkit::tcp::TcpDriver;
use vesta_testkit::transcript::{self, Mode, Transcript};

fn installed() -> bool {
    let installed = Oracle::is_installed();
    if !installed {
        eprintln!("SKIPPED: redis-server is not installed, so nothing was compared with it");
    }
    installed
}

fn transcripts() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/transcripts");
    let files = transcript::find(&root).expect("the folder of transcripts can be listed");
    assert!(!files.is_empty(), "no transcripts in {}", root.display());
    files
}

#[test]
fn every_transcript_holds_on_the_reference() {
    let files: Vec<Transcript> = transcripts()
        .iter()
        .map(|path| Transcript::read(path, Mode::Complete).unwrap_or_else(|why| panic!("{why}")))
        .collect();
    if !installed() {
        return;
    }
    let mut driver = TcpDriver::new(Box::new(Oracle::start), true);
    let mut report = Report::default();
    for file in &files {
        report.merge(runner::run(&mut driver, file));
    }
    assert!(report.failures.is_empty(), "{report}");
    assert!(report.run > 0 && report.propagations > 0, "{report}");
}

/// `VESTA_CTS` names the file of cases; without it there is nothing to run.
#[test]
fn every_compatibility_case_holds_on_the_reference() {
    let Some(path) = std::env::var_os("VESTA_CTS") else {
        eprintln!("SKIPPED: VESTA_CTS does not name a file of compatibility cases");
        return;
    };
    let cases = cts::read(Path::new(&path)).unwrap();
    if !installed() {
        return;
    }
    let server = Oracle::start(&[]).unwrap();
    let info = server.client().unwrap().command(&["INFO", "server"]).unwrap();
    let info = String::from_utf8_lossy(info.text().unwrap_or_default()).into_owned();
    let version = info.lines().find_map(|line| line.strip_prefix("redis_version:"));
    let version = version.and_then(Version::parse).expect("INFO tells the version");
    let filter = Filter { version, commands: None };
    let report = cts::run(&cases, &filter, || server.client()).unwrap();
    println!("{report}");
    assert!(report.failures.is_empty(), "{report}");
    assert!(report.passed > 0, "{report}");
}

/// What the fuzzer lets differ is enough for two servers of one kind, or it would cry wolf.
#[test]
fn two_references_never_differ() {
    if !installed() {
        return;
    }
    let (a, b) = (Oracle::start(&[]).unwrap(), Oracle::start(&[]).unwrap());
    let report = diff::run(0..200, &mut a.client().unwrap(), &mut b.client().unwrap()).unwrap();
    assert!(report.mismatches.is_empty(), "{report}");
    assert_eq!(report.seeds, 200);
}
