//! `cargo xtask icount`: instructions per operation under callgrind, against a recorded baseline.
//!
//! The measured program is an example of `vesta-node` that executes a pipeline on an in-process
//! node. It runs twice with different numbers of operations; the difference leaves the start out.
//! Instructions do not depend on the machine's load, so a small growth is a true one.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use crate::process;

/// Operations measured, each an argument of the example.
const OPERATIONS: [&str; 2] = ["get", "set"];
/// Operations of the short and of the long run.
const COUNTS: [u32; 2] = [20_000, 60_000];
/// More than this, relative to the baseline, is a failure.
const GROWTH_MAX: f64 = 1.05;

const BASELINE: &str = "crates/xtask/icount.json";

/// Instructions per operation, by operation.
type Counts = BTreeMap<String, f64>;

/// Measures, and compares with the baseline or records a new one.
pub(crate) fn run(root: &Path, record: bool) -> io::Result<bool> {
    let program = example(root)?;
    let mut counts = Counts::new();
    for operation in OPERATIONS {
        counts.insert(operation.to_owned(), per_operation(root, &program, operation)?);
    }
    let path = root.join(BASELINE);
    if record {
        std::fs::write(path, format!("{:#}\n", serde_json::to_value(&counts)?))?;
        println!("recorded: {counts:?}");
        return Ok(true);
    }
    let baseline: Counts = serde_json::from_str(&std::fs::read_to_string(path)?)?;
    let verdicts = counts.iter().map(|(operation, count)| {
        let before = baseline.get(operation).copied();
        let grew = grew(*count, before);
        let verdict = if grew { "FAIL" } else { "pass" };
        println!("{operation}: {count:.1} instructions, baseline {before:?}: {verdict}");
        !grew
    });
    Ok(verdicts.collect::<Vec<_>>().into_iter().all(|is_good| is_good))
}

/// Whether a count is too far above its baseline, or has none.
fn grew(count: f64, baseline: Option<f64>) -> bool {
    baseline.is_none_or(|before| count > before * GROWTH_MAX)
}

/// Builds the example; its path.
fn example(root: &Path) -> io::Result<PathBuf> {
    let package = ["build", "--quiet", "--release", "--package", "vesta-node"];
    process::run(root, env!("CARGO"), &[&package[..], &["--example", "pipeline"]].concat())?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or("target".into(), PathBuf::from);
    Ok(root.join(target).join("release/examples/pipeline"))
}

fn per_operation(root: &Path, program: &Path, operation: &str) -> io::Result<f64> {
    let [few, many] = COUNTS;
    let spent = |count| instructions(root, program, operation, count);
    let difference = spent(many)?.saturating_sub(spent(few)?);
    Ok(difference as f64 / f64::from(many - few))
}

/// Instructions of one run.
fn instructions(root: &Path, program: &Path, operation: &str, count: u32) -> io::Result<u64> {
    let program = program.display().to_string();
    let count = count.to_string();
    let valgrind = ["--tool=callgrind", "--callgrind-out-file=/dev/null", "--log-fd=1"];
    let args = [&valgrind[..], &[program.as_str(), operation, count.as_str()]].concat();
    let printed = process::output(root, "valgrind", &args)?;
    collected(&printed).ok_or_else(|| io::Error::other(format!("no count in\n{printed}")))
}

/// The number in `==7== Collected : 123`.
fn collected(printed: &str) -> Option<u64> {
    let (_, behind) = printed.split_once("Collected : ")?;
    behind.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_read_from_callgrind() {
        let printed = "==7== Events    : Ir\n==7== Collected : 1234\n==7== \n";
        assert_eq!(collected(printed), Some(1234));
        assert_eq!(collected("==7== nothing\n"), None);
    }

    #[test]
    fn five_in_a_hundred_more_are_allowed() {
        assert!(!grew(104.9, Some(100.0)));
        assert!(grew(105.1, Some(100.0)));
        assert!(grew(1.0, None));
    }
}
