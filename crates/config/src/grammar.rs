//! One line of a file: blanks, words, quotes; and words back to text.
//!
//! A word is bare, or in double quotes with `\n \r \t \b \a \xHH` (a backslash before anything
//! else is that byte), or in single quotes with `\'` only. A quoted part may follow bare bytes
//! (`a"b c"` is one word), but a closing quote ends the word. Comments are whole lines.

use alloc::vec::Vec;

/// The quotes of a line do not match, or a byte follows a closing quote.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Unbalanced;

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

/// The words of a line.
pub(crate) fn split(line: &[u8]) -> Result<Vec<Vec<u8>>, Unbalanced> {
    let mut words = Vec::new();
    let mut rest = line;
    loop {
        rest = skip_blanks(rest);
        if rest.is_empty() {
            return Ok(words);
        }
        let (word, behind) = take_word(rest)?;
        words.push(word);
        rest = behind;
    }
}

fn skip_blanks(text: &[u8]) -> &[u8] {
    let blanks = text.iter().take_while(|byte| is_blank(**byte)).count();
    text.get(blanks..).unwrap_or_default()
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c | 0)
}

fn take_word(mut rest: &[u8]) -> Result<(Vec<u8>, &[u8]), Unbalanced> {
    let mut word = Vec::new();
    while let Some((byte, behind)) = rest.split_first() {
        match byte {
            b'"' => {
                let behind = take_double_quoted(behind, &mut word)?;
                return ends_here(behind).map(|()| (word, behind));
            }
            b'\'' => {
                let behind = take_single_quoted(behind, &mut word)?;
                return ends_here(behind).map(|()| (word, behind));
            }
            byte if is_blank(*byte) => break,
            byte => word.push(*byte),
        }
        rest = behind;
    }
    Ok((word, rest))
}

/// A closing quote must be the end of its word.
fn ends_here(behind: &[u8]) -> Result<(), Unbalanced> {
    if behind.first().is_none_or(|byte| is_blank(*byte)) { Ok(()) } else { Err(Unbalanced) }
}

fn take_double_quoted<'a>(mut rest: &'a [u8], word: &mut Vec<u8>) -> Result<&'a [u8], Unbalanced> {
    loop {
        let (byte, behind) = match rest {
            [b'"', behind @ ..] => return Ok(behind),
            [b'\\', b'x', high, low, behind @ ..]
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                (hex_digit(*high) << 4 | hex_digit(*low), behind)
            }
            [b'\\', escaped, behind @ ..] => (unescaped(*escaped), behind),
            [byte, behind @ ..] => (*byte, behind),
            [] => return Err(Unbalanced),
        };
        word.push(byte);
        rest = behind;
    }
}

fn take_single_quoted<'a>(mut rest: &'a [u8], word: &mut Vec<u8>) -> Result<&'a [u8], Unbalanced> {
    loop {
        let (byte, behind) = match rest {
            [b'\'', behind @ ..] => return Ok(behind),
            [b'\\', b'\'', behind @ ..] => (b'\'', behind),
            [byte, behind @ ..] => (*byte, behind),
            [] => return Err(Unbalanced),
        };
        word.push(byte);
        rest = behind;
    }
}

fn unescaped(byte: u8) -> u8 {
    match byte {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 0x08,
        b'a' => 0x07,
        other => other,
    }
}

fn hex_digit(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        b'A'..=b'F' => digit - b'A' + 10,
        _ => 0,
    }
}

/// A word in double quotes that [`split`] reads back as the same bytes.
pub(crate) fn quoted(word: &[u8]) -> Vec<u8> {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let hex = |nibble: u8| HEX.get(usize::from(nibble)).copied().unwrap_or(b'0');
    let mut text = Vec::with_capacity(word.len() + 2);
    text.push(b'"');
    for byte in word {
        match byte {
            b'"' | b'\\' => text.extend([b'\\', *byte]),
            b'\n' => text.extend(b"\\n"),
            b'\r' => text.extend(b"\\r"),
            b'\t' => text.extend(b"\\t"),
            0x08 => text.extend(b"\\b"),
            0x07 => text.extend(b"\\a"),
            b' '..=b'~' => text.push(*byte),
            _ => text.extend([b'\\', b'x', hex(byte >> 4), hex(byte & 15)]),
        }
    }
    text.push(b'"');
    text
}

/// A word as it may stand in a line: bare if that is unmistakable, else quoted.
pub(crate) fn quoted_if_needed(word: &[u8]) -> Vec<u8> {
    let plain = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'\\');
    if !word.is_empty() && word.iter().all(plain) { word.to_vec() } else { quoted(word) }
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

    fn words(line: &str) -> Option<Vec<alloc::string::String>> {
        let words = split(line.as_bytes()).ok()?;
        Some(words.iter().map(|word| vesta_types::ascii::lossy(word)).collect())
    }

    #[test]
    fn words_are_bare_or_quoted() {
        for (line, expected) in [
            ("", Some(vec![])),
            (" \t ", Some(vec![])),
            ("hz\t7\r", Some(vec!["hz", "7"])),
            ("'hz' \"10\"", Some(vec!["hz", "10"])),
            ("a \"\" ''", Some(vec!["a", "", ""])),
            (r#""a\x41\n\t\r\a\b\"\\\q""#, Some(vec!["aA\n\t\r\u{7}\u{8}\"\\q"])),
            (r#""\xg1""#, Some(vec!["xg1"])),
            (r"'it\'s' 'a\n'", Some(vec!["it's", r"a\n"])),
            ("a\"b c\" d", Some(vec!["ab c", "d"])),
            ("a\\b", Some(vec!["a\\b"])),
            ("\"abc", None),
            ("\"abc\\\"", None),
            ("'abc", None),
            ("\"5\"x", None),
            ("'5'x", None),
        ] {
            let expected = expected.map(|words| words.into_iter().map(Into::into).collect());
            assert_eq!(words(line), expected, "{line:?}");
        }
    }

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
            prop_assert_eq!(split(&joined("name", &given)), Ok(expected));
            for word in &given {
                prop_assert!(!quoted(word).contains(&b'\n'));
            }
        }
    }
}
