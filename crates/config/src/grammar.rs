//! One line of a file: what it means, and a directive back to text. Its words are those of
//! [`vesta_types::words`]; comments are whole lines.

use alloc::vec::Vec;
use vesta_types::words::quoted_if_needed;

/// The lines of a file with what surrounds them trimmed, counted from 1. Comments and blank lines
/// are left out.
pub(crate) fn meaningful_lines(text: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    text.split(|byte| *byte == b'\n')
        .map(trimmed)
        .zip(1..)
        .filter(|(line, _)| !line.is_empty() && !line.starts_with(b"#"))
        .map(|(line, number)| (number, line))
}

/// A line without the blanks around it.
pub(crate) fn trimmed(line: &[u8]) -> &[u8] {
    line.trim_ascii()
}

/// A whole line: a directive and its words.
pub(crate) fn joined(name: &str, words: &[Vec<u8>]) -> Vec<u8> {
    let mut line = name.as_bytes().to_vec();
    for word in words {
        line.push(b' ');
        line.extend(quoted_if_needed(word));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;
    use vesta_types::words;

    #[test]
    fn comments_and_blank_lines_carry_no_meaning_but_are_counted() {
        let lines: Vec<_> = meaningful_lines(b"# a\n\n  hz 1 # no comment \r\n\t# b\nx").collect();
        assert_eq!(lines, [(3, b"hz 1 # no comment".as_slice()), (5, b"x")]);
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_the_same(
            given in prop::collection::vec(any::<Vec<u8>>(), 0..5),
        ) {
            let mut expected = vec![b"name".to_vec()];
            expected.extend(given.iter().cloned());
            prop_assert_eq!(words::split(&joined("name", &given)), Ok(expected));
            for word in &given {
                prop_assert!(!words::quoted(word).contains(&b'\n'));
            }
        }
    }
}
