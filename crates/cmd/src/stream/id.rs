//! Ids as requests write them and replies show them.

use crate::ReplyError;
use vesta_store::stream::StreamId;
use vesta_types::number;

/// Longest id that is looked at, in bytes. Source: redis-server 7.0.15.
const TEXT_BYTES_MAX: usize = 127;

const INVALID: ReplyError =
    ReplyError::text("Invalid stream ID specified as stream command argument");

/// An id without special meanings: `ms-seq`, or `ms` alone, which goes on with `missing_seq`.
///
/// # Errors
/// When it is no id.
pub(super) fn parse(text: &[u8], missing_seq: u64) -> Result<StreamId, ReplyError> {
    let (ms, seq) = split(text)?;
    let seq = match seq {
        Some(seq) => parse_number(seq)?,
        None => missing_seq,
    };
    Ok(StreamId::new(parse_number(ms)?, seq))
}

/// As [`parse`], and `-` and `+` for the least and the greatest id.
///
/// # Errors
/// When it is neither.
pub(super) fn parse_or_end(text: &[u8], missing_seq: u64) -> Result<StreamId, ReplyError> {
    match text {
        b"-" => Ok(StreamId::MIN),
        b"+" => Ok(StreamId::MAX),
        _ => parse(text, missing_seq),
    }
}

/// The lower end of an interval; `(id` excludes the id.
///
/// # Errors
/// When it is no id, or the one excluded has none above it.
pub(super) fn parse_start(text: &[u8]) -> Result<StreamId, ReplyError> {
    match excluded(text) {
        Some(text) => {
            parse(text, 0)?.next().ok_or(ReplyError::text("invalid start ID for the interval"))
        }
        None => parse_or_end(text, 0),
    }
}

/// The upper end of an interval; `(id` excludes the id.
///
/// # Errors
/// When it is no id, or the one excluded has none below it.
pub(super) fn parse_end(text: &[u8]) -> Result<StreamId, ReplyError> {
    match excluded(text) {
        Some(text) => {
            parse(text, u64::MAX)?.prev().ok_or(ReplyError::text("invalid end ID for the interval"))
        }
        None => parse_or_end(text, u64::MAX),
    }
}

/// The id behind the mark of an exclusive end.
fn excluded(text: &[u8]) -> Option<&[u8]> {
    text.strip_prefix(b"(").filter(|text| !text.is_empty())
}

/// The id that an entry is to be added under.
#[derive(Clone, Copy, Debug)]
pub(super) enum NewId {
    /// `*`
    Auto,
    /// `ms-*`
    AutoSeq(u64),
    /// An id.
    Given(StreamId),
}

impl NewId {
    /// Reads what is not `*`.
    ///
    /// # Errors
    /// When it is no id.
    pub(super) fn parse(text: &[u8]) -> Result<Self, ReplyError> {
        match split(text)? {
            (ms, Some(b"*")) => Ok(Self::AutoSeq(parse_number(ms)?)),
            _ => Ok(Self::Given(parse(text, 0)?)),
        }
    }
}

/// The two numbers of an id. A zero byte ends it, as it does in Redis.
fn split(text: &[u8]) -> Result<(&[u8], Option<&[u8]>), ReplyError> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(INVALID);
    }
    let text = text.split(|byte| *byte == 0).next().unwrap_or(text);
    let mut parts = text.splitn(2, |byte| *byte == b'-');
    Ok((parts.next().unwrap_or(text), parts.next()))
}

/// A number of an id: strict, or anything that `strtoull` takes as a whole, for Redis takes it too.
fn parse_number(text: &[u8]) -> Result<u64, ReplyError> {
    if let Some(number) = number::parse_i64(text) {
        return u64::try_from(number).map_err(|_| INVALID);
    }
    let is_blank = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0x0b;
    let start = text.iter().position(|byte| !is_blank(byte)).unwrap_or(text.len());
    let text = text.get(start..).unwrap_or_default();
    let (is_negative, digits) = match text.split_first() {
        Some((b'-', digits)) => (true, digits),
        Some((b'+', digits)) => (false, digits),
        _ => (false, text),
    };
    if digits.is_empty() {
        return Err(INVALID);
    }
    let magnitude = digits.iter().try_fold(0_u64, |sum, byte| {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 { None } else { sum.checked_mul(10)?.checked_add(u64::from(digit)) }
    });
    let magnitude = magnitude.ok_or(INVALID)?;
    Ok(if is_negative { magnitude.wrapping_neg() } else { magnitude })
}

/// Longest text of an id: two numbers of 20 digits.
const SHOWN_BYTES_MAX: usize = 41;

/// An id as text.
#[derive(Clone, Copy, Debug)]
pub(super) struct IdText {
    bytes: [u8; SHOWN_BYTES_MAX],
    len: usize,
}

impl IdText {
    pub(super) fn new(id: StreamId) -> Self {
        let mut text = Self { bytes: [0; SHOWN_BYTES_MAX], len: 0 };
        let mut digits = itoa::Buffer::new();
        text.push(digits.format(id.ms).as_bytes());
        text.push(b"-");
        text.push(digits.format(id.seq).as_bytes());
        text
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    fn push(&mut self, part: &[u8]) {
        if let Some(room) = self.bytes.get_mut(self.len..self.len + part.len()) {
            room.copy_from_slice(part);
            self.len += part.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_read_as_they_are_shown() {
        for id in [StreamId::MIN, StreamId::MAX, StreamId::new(1, 0), StreamId::new(7, u64::MAX)] {
            assert_eq!(parse(IdText::new(id).as_bytes(), 5), Ok(id));
        }
        assert_eq!(parse(b"12", 5), Ok(StreamId::new(12, 5)));
    }

    #[test]
    fn numbers_read_as_strtoull_reads_them() {
        for (text, number) in [
            (&b"01"[..], 1),
            (b"+7", 7),
            (b"  7", 7),
            (b"-01", u64::MAX),
            (b"18446744073709551615", u64::MAX),
        ] {
            assert_eq!(parse_number(text), Ok(number), "{text:?}");
        }
        for text in [&b""[..], b"-1", b"+", b"1 ", b"18446744073709551616", b"0x1", b"--1"] {
            assert_eq!(parse_number(text), Err(INVALID), "{text:?}");
        }
    }

    #[test]
    fn nothing_lies_beyond_the_ends() {
        assert!(parse_start(b"(18446744073709551615-18446744073709551615").is_err());
        assert!(parse_end(b"(0-0").is_err());
        assert_eq!(parse_end(b"(0-1"), Ok(StreamId::MIN));
        assert!(parse_start(b"(-").is_err() && parse_start(b"(").is_err());
    }
}
