//! Words of a line with quotes, as `redis.conf`, inline requests and the AOF manifest have them;
//! and words back to text.
//!
//! A word is bare, or in double quotes with `\n \r \t \b \a \xHH` (a backslash before anything
//! else is that byte), or in single quotes with `\'` only. A quoted part may follow bare bytes
//! (`a"b c"` is one word), but a closing quote ends the word. A zero byte ends the line. Source:
//! inline requests and redis.conf of redis-server 7.0.15.

use alloc::vec::Vec;

/// The quotes of a line do not match, or a byte follows a closing quote.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Unbalanced;

/// Hands the words of a line to `each`, in their order.
///
/// # Errors
/// [`Unbalanced`]; words before the fault have been handed over.
pub fn for_each(line: &[u8], mut each: impl FnMut(&[u8])) -> Result<(), Unbalanced> {
    let mut rest = line;
    let mut word = Vec::new();
    loop {
        let blanks = rest.iter().take_while(|byte| is_blank(**byte)).count();
        rest = rest.get(blanks..).unwrap_or_default();
        if matches!(rest, [] | [0, ..]) {
            return Ok(());
        }
        word.clear();
        rest = take_word(rest, &mut word)?;
        each(&word);
    }
}

/// The words of a line.
///
/// # Errors
/// [`Unbalanced`].
pub fn split(line: &[u8]) -> Result<Vec<Vec<u8>>, Unbalanced> {
    let mut words = Vec::new();
    for_each(line, |word| words.push(word.to_vec())).map(|()| words)
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

fn take_word<'a>(mut rest: &'a [u8], word: &mut Vec<u8>) -> Result<&'a [u8], Unbalanced> {
    loop {
        match rest {
            [b'"', inner @ ..] => return ends_here(take_double_quoted(inner, word)?),
            [b'\'', inner @ ..] => return ends_here(take_single_quoted(inner, word)?),
            [] | [0, ..] => return Ok(rest),
            [byte, ..] if is_blank(*byte) => return Ok(rest),
            [byte, behind @ ..] => {
                word.push(*byte);
                rest = behind;
            }
        }
    }
}

/// A closing quote must be the end of its word.
fn ends_here(behind: &[u8]) -> Result<&[u8], Unbalanced> {
    let ends = behind.first().is_none_or(|byte| *byte == 0 || is_blank(*byte));
    if ends { Ok(behind) } else { Err(Unbalanced) }
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
pub fn quoted(word: &[u8]) -> Vec<u8> {
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
pub fn quoted_if_needed(word: &[u8]) -> Vec<u8> {
    let plain = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'\\');
    if !word.is_empty() && word.iter().all(plain) { word.to_vec() } else { quoted(word) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn words(line: &str) -> Option<Vec<alloc::string::String>> {
        let words = split(line.as_bytes()).ok()?;
        Some(words.iter().map(|word| crate::ascii::lossy(word)).collect())
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
            ("a\u{b}b\u{c}c", Some(vec!["a", "b", "c"])),
            ("a b\0c d", Some(vec!["a", "b"])),
            ("\"a\"\0b", Some(vec!["a"])),
            ("a \0", Some(vec!["a"])),
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
}
