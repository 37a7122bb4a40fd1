//! Which crate may depend on which.

use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::Violation;
use crate::process;

/// What a crate may touch.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Layer {
    /// Decides: no clock, file, socket, thread or entropy.
    Pure,
    /// Touches the world.
    Rim,
    /// Tests and tools.
    Dev,
}

/// A crate and the crates of the workspace it may depend on, by the names of their folders.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) layer: Layer,
    needs: &'static [&'static str],
}

const fn row(name: &'static str, layer: Layer, needs: &'static [&'static str]) -> Row {
    Row { name, layer, needs }
}

/// The allowed edges. A row may only name rows above it.
pub(super) const ALLOWED: &[Row] = &[
    row("types", Layer::Pure, &[]),
    row("resp", Layer::Pure, &["types"]),
    row("spec", Layer::Pure, &["types"]),
    row("repl", Layer::Pure, &["types"]),
    row("ds", Layer::Pure, &["types"]),
    row("store", Layer::Pure, &["ds", "types"]),
    row("persist", Layer::Pure, &["ds", "store", "types"]),
    row("config", Layer::Pure, &["types"]),
    row("cmd", Layer::Pure, &["config", "persist", "resp", "spec", "store", "types"]),
    row(
        "node",
        Layer::Pure,
        &["cmd", "config", "persist", "repl", "resp", "spec", "store", "types"],
    ),
    row("rt", Layer::Rim, &[]),
    row("vesta", Layer::Rim, &["cmd", "config", "node", "persist", "resp", "rt", "store", "types"]),
    row("sim", Layer::Dev, &["cmd", "config", "node", "resp", "store", "types"]),
    row("testkit", Layer::Dev, &[]),
    row("xtask", Layer::Dev, &["cmd", "config", "sim", "spec", "testkit"]),
];

/// Edges that the table does not allow.
pub(super) fn check(root: &Path) -> io::Result<Vec<Violation>> {
    let metadata = process::output(
        root,
        env!("CARGO"),
        &["metadata", "--no-deps", "--offline", "--format-version", "1"],
    )?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let packages = metadata.get("packages").and_then(Value::as_array);
    Ok(packages.into_iter().flatten().flat_map(of_package).collect())
}

/// A dependency between two crates of the workspace.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Edge<'a> {
    from: &'a str,
    to: &'a str,
    for_tests: bool,
}

fn of_package(package: &Value) -> Vec<Violation> {
    let from = folder_name(text(package, "name"));
    let manifest = PathBuf::from_iter(["crates", from, "Cargo.toml"]);
    let edges = package.get("dependencies").and_then(Value::as_array).into_iter().flatten();
    // Only a crate of the workspace has a path.
    edges
        .filter(|dependency| dependency.get("path").is_some())
        .map(|dependency| Edge {
            from,
            to: folder_name(text(dependency, "name")),
            for_tests: text(dependency, "kind") == "dev",
        })
        .filter_map(|edge| {
            let rule = refusal(edge)?;
            Some(Violation::new(&manifest, line_of(text(package, "manifest_path"), edge.to), rule))
        })
        .collect()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn folder_name(package: &str) -> &str {
    package.strip_prefix("vesta-").unwrap_or(package)
}

/// Why an edge is not allowed.
fn refusal(edge: Edge<'_>) -> Option<String> {
    let Edge { from, to, for_tests } = edge;
    let known = |name: &str| ALLOWED.iter().find(|row| row.name == name);
    let (Some(from_row), Some(to_row)) = (known(from), known(to)) else {
        return Some(format!("{from} -> {to}: one of them has no row in the table of edges"));
    };
    if !for_tests {
        return (!from_row.needs.contains(&to)).then(|| {
            format!("{from} may not depend on {to}: the table of edges has no such edge")
        });
    }
    (from_row.layer == Layer::Pure && to_row.layer == Layer::Rim)
        .then(|| format!("{from} is pure: not even its tests may reach the rim ({to})"))
}

/// The line of a manifest that names the crate; 1 if none does.
fn line_of(manifest: &str, name: &str) -> usize {
    let source = std::fs::read_to_string(manifest).unwrap_or_default();
    let is_it = |line: &str| line.starts_with(&format!("vesta-{name}"));
    source.lines().position(is_it).map_or(1, |index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_names_only_rows_above_it() {
        for (index, row) in ALLOWED.iter().enumerate() {
            let above = &ALLOWED[..index];
            for need in row.needs {
                assert!(above.iter().any(|other| other.name == *need), "{} -> {need}", row.name);
            }
        }
    }

    #[test]
    fn a_pure_row_names_only_pure_rows() {
        let is_pure =
            |name: &str| ALLOWED.iter().any(|row| row.name == name && row.layer == Layer::Pure);
        for row in ALLOWED.iter().filter(|row| row.layer == Layer::Pure) {
            assert!(row.needs.iter().all(|need| is_pure(need)), "{}", row.name);
        }
    }

    #[test]
    fn edges_outside_the_table_are_refused() {
        let refused = |from, to, for_tests| refusal(Edge { from, to, for_tests }).is_some();
        assert!(!refused("resp", "types", false));
        assert!(refused("types", "resp", false));
        assert!(refused("store", "resp", false));
        assert!(!refused("node", "testkit", true));
        assert!(refused("node", "rt", true));
        assert!(refused("node", "unheard-of", true));
    }
}
