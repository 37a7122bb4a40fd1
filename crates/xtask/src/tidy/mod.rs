//! House rules that a program can check. Each violation names a file, a line and the rule.
//!
//! The rules are data where they can be: the table of crate edges in [`edges`], the table of rules
//! about one line in [`lines`]. `cargo xtask tidy` prints what is wrong; the test below fails.

mod edges;
mod lines;
mod roots;
mod safety;
mod size;
mod transcripts;
mod tree;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use tree::File;

/// A place that breaks a rule.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Violation {
    /// Relative to the workspace.
    file: PathBuf,
    /// Counted from 1.
    line: usize,
    /// What should be, as a sentence.
    rule: String,
}

impl Violation {
    /// A violation at a line counted from 1.
    pub(crate) fn new(file: &Path, line: usize, rule: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, rule: rule.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file.display(), self.line, self.rule)
    }
}

/// All violations in the workspace, by file and line.
pub(crate) fn violations(root: &Path) -> io::Result<Vec<Violation>> {
    let files = tree::text_files(root)?;
    let rules_of_one_file: [fn(&File) -> Vec<Violation>; 3] =
        [lines::check, safety::check, size::check];
    let mut found: Vec<Violation> = files
        .iter()
        .flat_map(|file| rules_of_one_file.iter().flat_map(|check| check(file)))
        .collect();
    found.extend(roots::check(&files));
    found.extend(transcripts::check(&files));
    found.extend(edges::check(root)?);
    found.extend(crate::tables::staleness(root).map(|(file, why)| Violation::new(file, 1, why)));
    found.sort();
    Ok(found)
}

/// Prints the violations; whether there were none.
pub(crate) fn run(root: &Path) -> io::Result<bool> {
    let found = violations(root)?;
    for violation in &found {
        println!("{violation}");
    }
    println!("tidy: {} violations", found.len());
    Ok(found.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workspace_keeps_its_rules() {
        let found = violations(&crate::workspace_root()).unwrap();
        let list: Vec<String> = found.iter().map(Violation::to_string).collect();
        assert!(list.is_empty(), "\n{}", list.join("\n"));
    }
}
