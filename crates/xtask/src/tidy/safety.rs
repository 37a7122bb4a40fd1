//! Unsafe code has an address and a reason.

use std::path::Path;

use super::Violation;
use super::tree::File;

/// Where unsafe code may be allowed, and why there.
const MAY_BE_UNSAFE: [(&str, &str); 2] = [
    ("crates/ds/src", "an entry is one allocation, and buckets are cache lines"),
    ("crates/rt/src", "what neither std nor rustix offers, in `sys`"),
];

/// A comment may stand so many lines above its block: it has several lines, or the statement has.
const REASON_LINES_MAX: usize = 12;

const KEYWORD: &str = concat!("uns", "afe");

/// Unsafe code outside its places, and blocks without a reason.
pub(super) fn check(file: &File) -> Vec<Violation> {
    if !file.is("rs") {
        return Vec::new();
    }
    let mut found = Vec::new();
    let allows = format!("allow({KEYWORD}_code)");
    let lines: Vec<&str> = file.text.lines().collect();
    for (index, line) in lines.iter().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        let mut complain = |rule: &str| {
            found.push(Violation::new(&file.path, index + 1, rule));
        };
        if code.contains(&allows) && !may_be_unsafe(&file.path) {
            complain("unsafe code lives in ds and in rt::sys only");
        }
        if opens_block(code) && !has_reason(lines.get(..index).unwrap_or_default()) {
            complain("an unsafe block says why it is sound (`// SAFETY:`)");
        }
    }
    found
}

fn may_be_unsafe(path: &Path) -> bool {
    MAY_BE_UNSAFE.iter().any(|(folder, _)| path.starts_with(folder))
}

fn opens_block(code: &str) -> bool {
    ["{", "impl"].iter().any(|after| code.contains(&format!("{KEYWORD} {after}")))
}

/// Whether the lines above, up to an empty one, hold the reason.
fn has_reason(above: &[&str]) -> bool {
    above
        .iter()
        .rev()
        .take(REASON_LINES_MAX)
        .take_while(|line| !line.trim().is_empty())
        .any(|line| line.contains("// SAFETY:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(path: &str, text: &str) -> Vec<usize> {
        let text = text.replace("danger", KEYWORD);
        check(&File { path: path.into(), text }).iter().map(|found| found.line).collect()
    }

    #[test]
    fn a_block_needs_a_reason_right_above() {
        assert!(
            broken("a.rs", "// SAFETY: it is ours.\nlet a =\n    danger { b() };\n").is_empty()
        );
        assert_eq!(broken("a.rs", "// SAFETY: it is ours.\n\ndanger { b() };\n"), [3]);
        assert_eq!(broken("a.rs", "danger impl Send for A {}\n"), [1]);
        assert!(broken("a.rs", "// danger { talk }\ndanger fn a() {}\n").is_empty());
    }

    #[test]
    fn it_is_allowed_in_few_places() {
        assert_eq!(broken("crates/resp/src/lib.rs", "#![allow(danger_code)]\n"), [1]);
        assert!(broken("crates/ds/src/lib.rs", "#![allow(danger_code)]\n").is_empty());
    }
}
