//! The quoting of `redis-cli`: double quotes with escapes, single quotes, bare words.
//!
//! Transcripts add one thing: a quoted token followed directly by `*N` stands for N copies of it.

use core::fmt::{self, Write};

/// One word of a request line and whether it was quoted (only bare words may be variables).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Word {
    /// The bytes the word stands for.
    pub bytes: Vec<u8>,
    /// Written between quotes.
    pub quoted: bool,
}

/// The most bytes one word may stand for: a typing error in `*N` shall not eat the machine.
const WORD_BYTES_MAX: usize = 1 << 30;

/// Splits a line into words. The error is a sentence about what is wrong.
pub fn split(line: &str) -> Result<Vec<Word>, String> {
    let mut words = Vec::new();
    let mut rest = line.as_bytes();
    loop {
        rest = rest.trim_ascii_start();
        match rest.first() {
            None => return Ok(words),
            Some(b'"' | b'\'') => {
                let (bytes, after) = quoted(rest)?;
                rest = after;
                if !rest.first().is_none_or(u8::is_ascii_whitespace) {
                    return Err("a closing quote must be followed by a space".to_owned());
                }
                words.push(Word { bytes, quoted: true });
            }
            Some(_) => {
                let end = rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len());
                let (word, after) = rest.split_at(end);
                rest = after;
                words.push(Word { bytes: word.to_vec(), quoted: false });
            }
        }
    }
}

/// Reads one quoted token (and its `*N`) at the start of `text`; returns its bytes and the rest.
pub fn quoted(text: &[u8]) -> Result<(Vec<u8>, &[u8]), String> {
    let (&quote, mut rest) = text.split_first().ok_or("a quote was expected")?;
    let mut bytes = Vec::new();
    loop {
        let (&byte, after) = rest.split_first().ok_or("the quote is not closed")?;
        rest = after;
        if byte == quote {
            break;
        }
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        let (&escape, after) = rest.split_first().ok_or("the quote is not closed")?;
        rest = after;
        if quote == b'\'' {
            if escape != b'\'' {
                bytes.push(b'\\');
            }
            bytes.push(escape);
            continue;
        }
        match escape {
            b'n' => bytes.push(b'\n'),
            b'r' => bytes.push(b'\r'),
            b't' => bytes.push(b'\t'),
            b'b' => bytes.push(8),
            b'a' => bytes.push(7),
            b'x' => {
                let (digits, after) =
                    rest.split_at_checked(2).ok_or("\\x needs two hexadecimal digits")?;
                let digits = str::from_utf8(digits).unwrap_or("");
                bytes.push(
                    u8::from_str_radix(digits, 16)
                        .map_err(|_| "\\x needs two hexadecimal digits")?,
                );
                rest = after;
            }
            other => bytes.push(other),
        }
    }
    repeated(bytes, rest)
}

fn repeated(bytes: Vec<u8>, rest: &[u8]) -> Result<(Vec<u8>, &[u8]), String> {
    let Some(after) = rest.strip_prefix(b"*") else { return Ok((bytes, rest)) };
    let end = after.iter().position(|b| !b.is_ascii_digit()).unwrap_or(after.len());
    let (digits, after) = after.split_at(end);
    let times = str::from_utf8(digits).ok().and_then(|d| d.parse::<usize>().ok());
    let times = times.ok_or("a number was expected after *")?;
    if times.checked_mul(bytes.len()).is_none_or(|total| total > WORD_BYTES_MAX) {
        return Err("the repeated word is larger than 1 GiB".to_owned());
    }
    Ok((bytes.repeat(times), after))
}

/// Bytes shown between double quotes, with the escapes that [`split`] reads back.
#[derive(Clone, Copy, Debug)]
pub struct Quoted<'a>(pub &'a [u8]);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for &byte in self.0 {
            match byte {
                b'"' => f.write_str("\\\"")?,
                b'\\' => f.write_str("\\\\")?,
                b'\n' => f.write_str("\\n")?,
                b'\r' => f.write_str("\\r")?,
                b'\t' => f.write_str("\\t")?,
                b' '..=b'~' => f.write_char(char::from(byte))?,
                other => write!(f, "\\x{other:02x}")?,
            }
        }
        f.write_char('"')
    }
}

/// A request as one line: bare words where that is unambiguous, quotes elsewhere.
#[must_use]
pub fn line(args: &[Vec<u8>]) -> String {
    let plain = |b: &u8| b.is_ascii_graphic() && !matches!(b, b'"' | b'\'' | b'\\' | b'$' | b'?');
    let words = args.iter().map(|arg| match str::from_utf8(arg) {
        Ok(text) if !arg.is_empty() && arg.iter().all(plain) => text.to_owned(),
        _ => Quoted(arg).to_string(),
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(line: &str) -> Vec<Vec<u8>> {
        split(line).unwrap().into_iter().map(|w| w.bytes).collect()
    }

    #[test]
    fn words_quotes_and_escapes_are_those_of_redis_cli() {
        assert_eq!(bytes("  SET k  v "), [b"SET".to_vec(), b"k".to_vec(), b"v".to_vec()]);
        assert_eq!(bytes(r#""a b\x00\n\t\q""#), [b"a b\x00\n\tq".to_vec()]);
        assert_eq!(bytes(r"'a\'b\n'"), [br"a'b\n".to_vec()]);
        assert_eq!(bytes(r#""""#), [b"".to_vec()]);
        assert_eq!(bytes(r#""ab"*3"#), [b"ababab".to_vec()]);
    }

    #[test]
    fn bad_quoting_is_refused() {
        for bad in [r#""a"#, r#""a"b"#, r#""\xg0""#, r#""\x1"#, r#""a"*"#, r#""a"*99999999999"#] {
            assert!(split(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_printed_line_reads_back() {
        let args: Vec<Vec<u8>> =
            vec![b"SET".to_vec(), b"".to_vec(), (0..=255).collect(), b"$x".to_vec()];
        assert_eq!(bytes(&line(&args)), args);
    }
}
