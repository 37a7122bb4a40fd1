//! A ratchet against files that keep growing.

use super::Violation;
use super::tree::File;

/// Above this a file holds a second idea.
const LINES_MAX: usize = 800;

/// Longer files: path, present length, and why it is one idea. A length may only be lowered.
const LONG_BY_NATURE: [(&str, usize, &str); 0] = [];

/// Files that are too long, and entries of the list that are no longer needed or too generous.
pub(super) fn check(file: &File) -> Vec<Violation> {
    if !file.is("rs") {
        return Vec::new();
    }
    let long = LONG_BY_NATURE.iter().find(|(path, ..)| file.path.as_os_str() == *path);
    verdict(file.text.lines().count(), long.map(|(_, length, _)| *length))
        .map(|rule| Violation::new(&file.path, 1, rule))
        .into_iter()
        .collect()
}

fn verdict(lines: usize, listed: Option<usize>) -> Option<String> {
    match listed {
        None if lines > LINES_MAX => {
            Some(format!("{lines} lines: above {LINES_MAX}, look for the second idea in it"))
        }
        Some(length) if lines > length => Some(format!("grew from {length} to {lines} lines")),
        Some(length) if lines < length => Some(format!("lower its entry to {lines} lines")),
        None | Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listed_file_may_shrink_but_not_grow() {
        assert_eq!(verdict(LINES_MAX, None), None);
        assert!(verdict(LINES_MAX + 1, None).is_some());
        assert_eq!(verdict(900, Some(900)), None);
        assert!(verdict(901, Some(900)).unwrap().starts_with("grew"));
        assert!(verdict(899, Some(900)).unwrap().starts_with("lower"));
    }
}
