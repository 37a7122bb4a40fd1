//! The request a human types: words on one line, quoted where they hold blanks.

use alloc::vec::Vec;

/// A quote that never closes, or text right behind a closing quote.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct UnbalancedQuotes;

/// Splits a line into words and hands each to `word`.
///
/// Blanks part words; `"..."` knows `\n \r \t \b \a \xHH` and any other byte after a backslash as
/// itself; `'...'` knows only `\'`. Source: inline requests and redis.conf of redis-server 7.0.15.
///
/// # Errors
/// [`UnbalancedQuotes`]; words before the fault have been handed over.
pub fn split_words(line: &[u8], mut word: impl FnMut(&[u8])) -> Result<(), UnbalancedQuotes> {
    let mut rest = line;
    let mut current = Vec::new();
    loop {
        rest = rest.trim_ascii_start();
        if rest.is_empty() {
            return Ok(());
        }
        current.clear();
        rest = one_word(rest, &mut current)?;
        word(&current);
    }
}

/// Reads one word from the start of `rest` into `word`; gives what follows.
fn one_word<'a>(mut rest: &'a [u8], word: &mut Vec<u8>) -> Result<&'a [u8], UnbalancedQuotes> {
    loop {
        match rest {
            [] | [0, ..] => return Ok(&[]),
            [b'"', inner @ ..] => return closed(double_quoted(inner, word)?),
            [b'\'', inner @ ..] => return closed(single_quoted(inner, word)?),
            [byte, ..] if byte.is_ascii_whitespace() => return Ok(rest),
            [byte, after @ ..] => {
                word.push(*byte);
                rest = after;
            }
        }
    }
}

/// A closing quote must end the word.
fn closed(rest: &[u8]) -> Result<&[u8], UnbalancedQuotes> {
    match rest.first() {
        Some(byte) if !byte.is_ascii_whitespace() => Err(UnbalancedQuotes),
        _ => Ok(rest),
    }
}

fn double_quoted<'a>(mut rest: &'a [u8], word: &mut Vec<u8>) -> Result<&'a [u8], UnbalancedQuotes> {
    loop {
        match rest {
            [] => return Err(UnbalancedQuotes),
            [b'\\', b'x', high, low, after @ ..]
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                word.push((hex(*high) << 4) | hex(*low));
                rest = after;
            }
            [b'\\', escaped, after @ ..] => {
                word.push(match escaped {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'b' => 8,
                    b'a' => 7,
                    other => *other,
                });
                rest = after;
            }
            [b'"', after @ ..] => return Ok(after),
            [byte, after @ ..] => {
                word.push(*byte);
                rest = after;
            }
        }
    }
}

fn single_quoted<'a>(mut rest: &'a [u8], word: &mut Vec<u8>) -> Result<&'a [u8], UnbalancedQuotes> {
    loop {
        match rest {
            [] => return Err(UnbalancedQuotes),
            [b'\\', b'\'', after @ ..] => {
                word.push(b'\'');
                rest = after;
            }
            [b'\'', after @ ..] => return Ok(after),
            [byte, after @ ..] => {
                word.push(*byte);
                rest = after;
            }
        }
    }
}

fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => digit.wrapping_sub(b'A') + 10,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Result<Vec<Vec<u8>>, UnbalancedQuotes> {
        let mut all = Vec::new();
        split_words(line.as_bytes(), |word| all.push(word.to_vec())).map(|()| all)
    }

    #[test]
    fn words_are_split_as_redis_splits_them() {
        let list = |words: &[&[u8]]| Ok(words.iter().map(|word| word.to_vec()).collect());
        assert_eq!(words("  set  a\tb "), list(&[b"set", b"a", b"b"]));
        assert_eq!(words(r#""a\x00\n" 'it\'s' x"y" """#), list(&[b"a\0\n", b"it's", b"xy", b""]));
        assert_eq!(words(r#""\xzz\q""#), list(&[b"xzzq"]));
        assert_eq!(words(""), list(&[]));
        for bad in [r#""a"#, "'a", r#""a"b"#, "'a'b", r#""a\"#] {
            assert_eq!(words(bad), Err(UnbalancedQuotes), "{bad}");
        }
    }
}
