//! Lines of a log that are no requests: they say something about the requests behind them.
//!
//! ```text
//! #TS:1735689600\r\n                       what follows was written in this second
//! #REPL:9f86..0a08:123456789\r\n            what follows begins at this offset of this history
//! ```
//!
//! The form is that of redis-server 7.0, which knows the first one only and skips others.

use alloc::vec::Vec;
use vesta_types::{ReplId, number};

const TIME: &[u8] = b"#TS:";
const HISTORY: &[u8] = b"#REPL:";

/// The greatest offset; programs of old read it as a signed number.
const OFFSET_MAX: u64 = i64::MAX.unsigned_abs();

/// What an annotation says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Annotation {
    Time(u64),
    History { id: ReplId, offset: u64 },
    Other,
}

/// Writes that all requests from here on are of this time, in seconds since 1970.
pub fn time(out: &mut Vec<u8>, unix_s: u64) {
    out.extend_from_slice(TIME);
    end_with(out, unix_s);
}

/// Writes that the next request begins at this offset of this history, in bytes.
pub fn history(out: &mut Vec<u8>, id: ReplId, offset: u64) {
    out.extend_from_slice(HISTORY);
    out.extend_from_slice(&id.digits());
    out.push(b':');
    end_with(out, offset);
}

fn end_with(out: &mut Vec<u8>, number: u64) {
    let mut digits = itoa::Buffer::new();
    out.extend_from_slice(digits.format(number).as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// Reads a line without its end.
pub(super) fn parse(line: &[u8]) -> Annotation {
    let time = line.strip_prefix(TIME).and_then(number::parse_u64).map(Annotation::Time);
    time.or_else(|| parse_history(line.strip_prefix(HISTORY)?)).unwrap_or(Annotation::Other)
}

fn parse_history(text: &[u8]) -> Option<Annotation> {
    let (id, offset) = text.split_at_checked(40)?;
    let id = ReplId::parse(id)?;
    let offset = number::parse_u64(offset.strip_prefix(b":")?)?;
    (offset <= OFFSET_MAX).then_some(Annotation::History { id, offset })
}
