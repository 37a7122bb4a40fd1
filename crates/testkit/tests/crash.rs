//! The rounds of `kill -9` find what a server loses, and nothing else: tried on the reference.

use std::path::Path;

use vesta_testkit::crash::{self, Plan, Policy};
use vesta_testkit::process::Oracle;

const REFERENCE: &str = "redis-server";

fn installed() -> bool {
    let installed = Oracle::is_installed();
    if !installed {
        eprintln!("SKIPPED: redis-server is not installed, so none was killed");
    }
    installed
}

#[test]
fn the_reference_loses_nothing() {
    if !installed() {
        return;
    }
    for policy in [Policy::Always, Policy::Rdb] {
        let report = crash::run(&Plan::new(Path::new(REFERENCE), policy, 3)).unwrap();
        assert!(report.is_clean(), "{policy:?}: {:#?}", report.faults);
        assert_eq!(report.rounds, 3);
        assert!(report.acknowledged > 0, "{report}");
    }
}

#[test]
fn a_server_without_a_log_is_found_out() {
    if !installed() {
        return;
    }
    let mut plan = Plan::new(Path::new(REFERENCE), Policy::Always, 3);
    plan.args = ["--appendonly", "no"].map(str::to_owned).to_vec();
    let report = crash::run(&plan).unwrap();
    assert!(report.lost > 0 && !report.is_clean(), "{report}");
}
