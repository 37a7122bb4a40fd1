//! Reading a file of requests: strict where a client's connection is lenient.
//!
//! ```text
//! *3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\nb\r\n      a request
//! #TS:1735689600\r\n                             an annotation, see [`super::annotation`]
//! ```
//!
//! A log was written by a program, so nothing but these two is accepted: a byte that differs means
//! that the file is not what was written. Only its end may be missing, where a crash has cut it;
//! that is told apart from every other fault, because `aof-load-truncated` and `check aof --fix`
//! may cut off what is incomplete and must not cut off anything else.

use super::annotation::{self, Annotation};
use crate::rdb::{CorruptError, Fault};
use alloc::vec::Vec;
use core::ops::Range;
use vesta_types::{ReplId, number};

/// Arguments of a request at most.
const ARGUMENTS_MAX: u64 = 1024 * 1024;
/// Bytes of one argument at most; a client's limit can be set as high, and no higher.
const ARGUMENT_BYTES_MAX: u64 = i64::MAX as u64;
/// Bytes of a line with a number in it, or of an annotation, at most.
const LINE_BYTES_MAX: usize = 128;

/// What stands at one place of the file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Item<'r> {
    /// A request: where in the input its arguments lie, the command's name first.
    Request(&'r [Range<usize>]),
    /// All requests from here on are of this time, in seconds since 1970.
    Time(u64),
    /// The next request begins at this offset of this history.
    History {
        /// The history.
        id: ReplId,
        /// The offset in bytes, below 2^63.
        offset: u64,
    },
    /// An annotation that says nothing to us.
    Other,
}

/// Reads items one after the other; keeps the room for the ranges.
#[derive(Debug, Default)]
pub struct ItemReader {
    arguments: Vec<Range<usize>>,
}

impl ItemReader {
    /// The item at the start of `input`, and its length in bytes.
    ///
    /// # Errors
    /// [`Fault::Short`] if it is cut; offsets of [`Fault::Corrupt`] count from the start of the
    /// `input`.
    pub fn next(&mut self, input: &[u8]) -> Result<(Item<'_>, usize), Fault> {
        let mut rest = Rest { input, at: 0 };
        match rest.peek()? {
            b'*' => {
                self.request(&mut rest)?;
                Ok((Item::Request(&self.arguments), rest.at))
            }
            b'#' => {
                let item = match annotation::parse(rest.line()?) {
                    Annotation::Time(unix_s) => Item::Time(unix_s),
                    Annotation::History { id, offset } => Item::History { id, offset },
                    Annotation::Other => Item::Other,
                };
                Ok((item, rest.at))
            }
            _ => Err(rest.corrupt("'*' or '#'")),
        }
    }

    fn request(&mut self, rest: &mut Rest<'_>) -> Result<(), Fault> {
        self.arguments.clear();
        let count = rest.number(b'*', 1..=ARGUMENTS_MAX, "a count of arguments from 1")?;
        for _ in 0..count {
            let len = rest.number(b'$', 0..=ARGUMENT_BYTES_MAX, "a length of an argument")?;
            let len = usize::try_from(len).map_err(|_| rest.corrupt("a length of an argument"))?;
            self.arguments.push(rest.argument(len)?);
        }
        Ok(())
    }
}

/// What of the input is not read yet.
struct Rest<'a> {
    input: &'a [u8],
    at: usize,
}

impl Rest<'_> {
    fn corrupt(&self, expected: &'static str) -> Fault {
        Fault::Corrupt(CorruptError { at_byte: self.at as u64, expected })
    }

    fn bytes(&self) -> &[u8] {
        self.input.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Result<u8, Fault> {
        self.bytes().first().copied().ok_or(Fault::Short { more: 1 })
    }

    /// A line without its end, which is `\r\n`.
    fn line(&mut self) -> Result<&[u8], Fault> {
        let bytes = self.bytes();
        let window = bytes.get(..LINE_BYTES_MAX).unwrap_or(bytes);
        let len = match window.iter().position(|byte| *byte == b'\n') {
            Some(len) => len,
            None if window.len() < LINE_BYTES_MAX => return Err(Fault::Short { more: 1 }),
            None => return Err(self.corrupt("a line end")),
        };
        let start = self.at;
        let line = self.input.get(start..start + len).unwrap_or_default();
        let line = line.strip_suffix(b"\r").ok_or_else(|| self.corrupt("a line end"))?;
        self.at += len + 1;
        Ok(line)
    }

    /// A number on a line that begins with `mark`.
    fn number(
        &mut self,
        mark: u8,
        allowed: core::ops::RangeInclusive<u64>,
        expected: &'static str,
    ) -> Result<u64, Fault> {
        let start = self.at;
        let fault = Fault::Corrupt(CorruptError { at_byte: start as u64, expected });
        if self.peek()? != mark {
            return Err(fault);
        }
        let number = self.line()?.get(1..).and_then(number::parse_u64);
        number.filter(|number| allowed.contains(number)).ok_or(fault)
    }

    /// An argument and the line end behind it.
    fn argument(&mut self, len: usize) -> Result<Range<usize>, Fault> {
        let range = self.at..self.at.checked_add(len).ok_or_else(|| self.corrupt("a length"))?;
        let end = range.end.checked_add(2).ok_or_else(|| self.corrupt("a length"))?;
        match self.input.get(range.end..end) {
            Some(b"\r\n") => {
                self.at = end;
                Ok(range)
            }
            Some(_) => {
                self.at = range.end;
                Err(self.corrupt("a line end behind the argument"))
            }
            None => Err(Fault::Short { more: end - self.input.len() }),
        }
    }
}

/// Reads `bytes` as a whole file in pieces of a length its first byte chooses: an entry for
/// fuzzers.
///
/// # Panics
/// If what is read depends on where the pieces end.
pub fn fuzz_items(bytes: &[u8]) {
    let (step, bytes) = match bytes.split_first() {
        Some((first, bytes)) => (usize::from(*first) + 1, bytes),
        None => return,
    };
    let whole = read_all(bytes, bytes.len().max(1));
    assert_eq!(whole, read_all(bytes, step), "pieces of {step} bytes read differently");
}

/// Ends of the items, and why it ended.
fn read_all(bytes: &[u8], step: usize) -> (Vec<usize>, Option<CorruptError>) {
    let (mut reader, mut ends, mut from, mut known) = (ItemReader::default(), Vec::new(), 0, 0);
    while from < bytes.len() {
        match reader.next(bytes.get(from..known).unwrap_or_default()) {
            Ok((_, len)) => {
                from += len;
                ends.push(from);
            }
            Err(Fault::Short { .. }) if known < bytes.len() => {
                known = known.saturating_add(step).min(bytes.len());
            }
            Err(Fault::Short { .. }) => return (ends, None),
            Err(Fault::Corrupt(error)) => return (ends, Some(error)),
        }
    }
    (ends, None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SET: &[u8] = b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$0\r\n\r\n";

    #[test]
    fn requests_and_annotations_are_read() {
        let mut reader = ItemReader::default();
        let input = [SET, b"*1\r\n"].concat();
        let (item, len) = reader.next(&input).unwrap();
        let Item::Request(arguments) = item else { panic!("{item:?}") };
        let words: Vec<&[u8]> = arguments.iter().map(|range| &input[range.clone()]).collect();
        assert_eq!(words, [b"SET".as_slice(), b"a", b""]);
        assert_eq!(len, SET.len());
        for (line, item) in [
            ("#TS:1735689600\r\n", Item::Time(1_735_689_600)),
            ("#TS:x\r\n", Item::Other),
            ("# anything\r\n", Item::Other),
            ("#REPL:0123:5\r\n", Item::Other),
            ("#REPL:000000000000000000000000000000000000000000\r\n", Item::Other),
            ("#REPL:0000000000000000000000000000000000000000:9223372036854775808\r\n", Item::Other),
        ] {
            assert_eq!(reader.next(line.as_bytes()), Ok((item, line.len())));
        }
    }

    #[test]
    fn annotations_are_read_as_they_were_written() {
        let mut reader = ItemReader::default();
        let id = ReplId::random(&mut vesta_types::Rng::new(1));
        for offset in [0, 1, 1 << 40, i64::MAX as u64] {
            let (mut time, mut history) = (Vec::new(), Vec::new());
            annotation::time(&mut time, offset);
            annotation::history(&mut history, id, offset);
            assert_eq!(reader.next(&time), Ok((Item::Time(offset), time.len())));
            let item = Item::History { id, offset };
            assert_eq!(reader.next(&history), Ok((item, history.len())));
            assert!(history.len() < LINE_BYTES_MAX);
        }
    }

    #[test]
    fn every_cut_is_short_and_says_how_much_is_missing() {
        let mut reader = ItemReader::default();
        for len in 0..SET.len() {
            let Err(Fault::Short { more }) = reader.next(&SET[..len]) else { panic!("{len}") };
            assert!(more >= 1 && len + more <= SET.len(), "{len} + {more}");
        }
        let huge = b"*1\r\n$1000000000000\r\nabc";
        assert_eq!(reader.next(huge), Err(Fault::Short { more: 999_999_999_999 }));
    }

    #[test]
    fn anything_else_is_corrupt() {
        let mut reader = ItemReader::default();
        for (input, at_byte) in [
            ("SET a b\r\n", 0),
            ("*0\r\n", 0),
            ("*-1\r\n", 0),
            ("*1048577\r\n", 0),
            ("*x\r\n", 0),
            ("*1\n$1\r\na\r\n", 0),
            ("*1\r\n:1\r\n", 4),
            ("*1\r\n$-1\r\n", 4),
            ("*1\r\n$9223372036854775808\r\n", 4),
            ("*1\r\n$18446744073709551615\r\n", 4),
            ("*1\r\n$1\r\nabc", 9),
            ("*2\r\n$1\r\na\r\n*1\r\n", 11),
        ] {
            match reader.next(input.as_bytes()) {
                Err(Fault::Corrupt(error)) => assert_eq!(error.at_byte, at_byte, "{input:?}"),
                other => panic!("{input:?}: {other:?}"),
            }
        }
        let endless = [b"*1".as_slice(), &[b'1'; LINE_BYTES_MAX]].concat();
        assert!(matches!(reader.next(&endless), Err(Fault::Corrupt(_))));
    }

    proptest! {
        #[test]
        fn pieces_do_not_matter(
            step in any::<u8>(),
            cuts in prop::collection::vec((any::<u16>(), any::<u8>()), 0..3),
        ) {
            let mut bytes = [&[step], SET, b"#TS:1\r\n", SET, SET].concat();
            for (at, byte) in cuts {
                let at = usize::from(at) % bytes.len();
                bytes[at] = byte;
            }
            fuzz_items(&bytes);
        }
    }
}
