//! What the first lines of a pure crate must say, so that the compiler keeps it pure.

use std::path::PathBuf;

use super::Violation;
use super::edges::{ALLOWED, Layer};
use super::tree::File;

/// The attribute that each pure crate has for unsafe code, as far as a reason may follow it; `ds`
/// is the one that needs some.
fn unsafe_attribute(name: &str) -> String {
    let level = if name == "ds" { "allow" } else { "forbid" };
    format!("#![{level}({}_code", concat!("uns", "afe"))
}

/// Pure crates whose root lacks `no_std` or a decision about unsafe code.
pub(super) fn check(files: &[File]) -> Vec<Violation> {
    let mut found = Vec::new();
    for row in ALLOWED.iter().filter(|row| row.layer == Layer::Pure) {
        let path: PathBuf = ["crates", row.name, "src", "lib.rs"].iter().collect();
        let text = files.iter().find(|file| file.path == path).map_or("", |file| &file.text);
        for attribute in ["#![no_std]".to_owned(), unsafe_attribute(row.name)] {
            if !text.lines().any(|line| line.starts_with(&attribute)) {
                found.push(Violation::new(
                    &path,
                    1,
                    format!("a pure crate opens with `{attribute}`"),
                ));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pure_crate_without_its_attributes_is_found() {
        let file = |text: &str| File { path: "crates/ds/src/lib.rs".into(), text: text.to_owned() };
        let of_ds = |text: &str| {
            let found = check(&[file(text)]);
            found.iter().filter(|violation| violation.file.starts_with("crates/ds")).count()
        };
        assert_eq!(of_ds("//! D.\n"), 2);
        let good = format!("//! D.\n#![no_std]\n{}\n", unsafe_attribute("ds"));
        assert_eq!(of_ds(&good), 0);
    }
}
