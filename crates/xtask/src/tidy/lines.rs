//! Rules about single lines, as a table.

use super::Violation;
use super::tree::File;

/// A rule about one line of one kind of file.
struct LineRule {
    /// What should be.
    rule: &'static str,
    applies_to: fn(&File) -> bool,
    is_broken_by: fn(&str) -> bool,
}

const RULES: [LineRule; 4] = [
    LineRule {
        rule: "a line has at most 100 columns",
        applies_to: |file| file.is("rs"),
        is_broken_by: |line| line.chars().count() > COLUMNS_MAX,
    },
    LineRule {
        rule: "source is ASCII",
        applies_to: |file| ["rs", "toml", "vt", "sh"].iter().any(|kind| file.is(kind)),
        is_broken_by: |line| !line.is_ascii(),
    },
    LineRule {
        rule: "nothing is left for later: no marker, no debug print, no skipped test",
        applies_to: |file| file.is("rs") || file.is("toml"),
        is_broken_by: |line| LEFTOVERS.iter().any(|word| line.contains(word)),
    },
    LineRule {
        rule: "no path of the machine somebody works on",
        applies_to: |_| true,
        is_broken_by: |line| MACHINE_PATHS.iter().any(|path| names_path(line, path)),
    },
];

const COLUMNS_MAX: usize = 100;

/// Written in two halves, so that this file passes its own test.
const LEFTOVERS: [&str; 7] = [
    concat!("todo", "!"),
    concat!("unimplemented", "!"),
    concat!("dbg", "!"),
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("#[ign", "ore"),
];

const MACHINE_PATHS: [&str; 3] =
    [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/")];

/// Whether `path` stands in `line` as an absolute path: not as the middle of a longer one.
fn names_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        !before.is_some_and(|c| c.is_alphanumeric() || "._-*}".contains(c))
    })
}

/// Violations of the table, and a missing module doc.
pub(super) fn check(file: &File) -> Vec<Violation> {
    let mut found = Vec::new();
    for rule in RULES.iter().filter(|rule| (rule.applies_to)(file)) {
        let broken = file.lines().filter(|(_, line)| (rule.is_broken_by)(line));
        found.extend(broken.map(|(number, _)| Violation::new(&file.path, number, rule.rule)));
    }
    if file.is("rs") && !file.text.starts_with("//! ") {
        found.push(Violation::new(&file.path, 1, "a file opens with its module doc (`//! `)"));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(name: &str, text: &str) -> Vec<usize> {
        let file = File { path: name.into(), text: text.to_owned() };
        check(&file).iter().map(|violation| violation.line).collect()
    }

    #[test]
    fn a_good_file_passes() {
        assert!(broken("a.rs", "//! Words.\nfn a() {}\n").is_empty());
    }

    #[test]
    fn each_rule_finds_its_line() {
        let long = "x".repeat(COLUMNS_MAX);
        assert_eq!(broken("a.rs", &format!("//! W.\n{long}\n{long}x\n")), [3]);
        assert_eq!(broken("a.rs", "//! W.\n\n// caf\u{e9}\n"), [3]);
        assert!(broken("README.md", "caf\u{e9}\n").is_empty());
        for word in LEFTOVERS {
            assert_eq!(broken("a.rs", &format!("//! W.\n{word}\n")), [2], "{word}");
        }
        assert_eq!(broken("a.rs", "fn a() {}\n"), [1]);
    }

    #[test]
    fn machine_paths_are_found_in_any_file_but_not_inside_other_paths() {
        for path in MACHINE_PATHS {
            assert_eq!(broken("run", &format!("ok\ncd {path}main\n")), [2]);
            assert!(broken("run", &format!("cd target{path}main\n")).is_empty());
        }
    }
}
