//! The ordinary request: `*2\r\n$3\r\nGET\r\n$1\r\nk\r\n`.
//!
//! Plain functions over slices: this is the first thing that every byte of every client meets.

use crate::batch::Span;
use crate::{Limits, ProtocolError};
use alloc::vec::Vec;

/// How far the reading of one request has come.
pub(crate) enum Progress {
    /// All arguments are there; the next request begins at this offset.
    Complete { end: usize },
    /// The input ends first; go on at this offset with so many arguments still to come.
    NeedMore { at: usize, missing: u32 },
    /// As `NeedMore`, and the argument that begins at this offset is big and not yet all there.
    Big { at: usize, missing: u32, bytes: usize },
}

/// A number line: `*` or `$`, digits, CR LF.
enum Line {
    NeedMore,
    Bad,
    Number { value: i64, end: usize },
}

/// Reads the number behind the type byte at `at`.
#[inline]
fn number_line(input: &[u8], at: usize) -> Line {
    let digits = input.get(at + 1..).unwrap_or_default();
    let mut value: i64 = 0;
    for (index, byte) in digits.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit <= 9 && index < 10 {
            value = value * 10 + i64::from(digit);
        } else if *byte == b'\r' && index > 0 {
            // The line feed is awaited, but as in Redis not looked at.
            if index + 1 >= digits.len() {
                return Line::NeedMore;
            }
            if index > 1 && digits.first() == Some(&b'0') {
                return Line::Bad;
            }
            return Line::Number { value, end: at + index + 3 };
        } else {
            return unusual_line(digits, at);
        }
    }
    Line::NeedMore
}

/// The lines that `number_line` does not decide: a sign, too many digits, no number at all.
#[cold]
fn unusual_line(digits: &[u8], at: usize) -> Line {
    let Some(len) = memchr::memchr(b'\r', digits) else { return Line::NeedMore };
    if len + 1 >= digits.len() {
        return Line::NeedMore;
    }
    match digits.get(..len).and_then(vesta_types::number::parse_i64) {
        Some(value) => Line::Number { value, end: at + len + 3 },
        None => Line::Bad,
    }
}

/// Reads the line `*<count>` at `at`: the count and where the arguments begin; `None` when the
/// line is not all there. A count of zero or less is a request without arguments.
pub(crate) fn count_line(
    input: &[u8],
    at: usize,
    limits: &Limits,
) -> Result<Option<(u32, usize)>, ProtocolError> {
    match number_line(input, at) {
        Line::NeedMore if input.len() - at > Limits::LINE_BYTES_MAX => {
            Err(ProtocolError::CountLineTooLong)
        }
        Line::NeedMore => Ok(None),
        Line::Bad => Err(ProtocolError::BadCount),
        Line::Number { value, end } => {
            let count = u64::try_from(value).unwrap_or(0);
            if count > limits.arguments_max {
                return Err(ProtocolError::BadCount);
            }
            if limits.unauthenticated && count > Limits::UNAUTHENTICATED_ARGUMENTS_MAX {
                return Err(ProtocolError::UnauthenticatedCount);
            }
            Ok(Some((u32::try_from(count).map_err(|_| ProtocolError::BadCount)?, end)))
        }
    }
}

/// Reads the `missing` arguments that begin at `at` and appends their spans.
#[inline]
pub(crate) fn arguments(
    input: &[u8],
    mut at: usize,
    mut missing: u32,
    big_bytes: usize,
    limits: &Limits,
    spans: &mut Vec<Span>,
) -> Result<Progress, ProtocolError> {
    while missing > 0 {
        match input.get(at) {
            None => return Ok(Progress::NeedMore { at, missing }),
            Some(b'$') => {}
            Some(_) => {
                // As in Redis, nothing is said before the whole line is there.
                let line = input.get(at..).unwrap_or_default();
                return match memchr::memchr(b'\r', line) {
                    Some(end) if end + 1 < line.len() => {
                        Err(ProtocolError::ExpectedDollar(line.first().copied().unwrap_or(0)))
                    }
                    None if line.len() > Limits::LINE_BYTES_MAX => {
                        Err(ProtocolError::LengthLineTooLong)
                    }
                    Some(_) | None => Ok(Progress::NeedMore { at, missing }),
                };
            }
        }
        let (length, data) = match number_line(input, at) {
            Line::Number { value, end } => (value, end),
            Line::Bad => return Err(ProtocolError::BadLength),
            Line::NeedMore if input.len() - at > Limits::LINE_BYTES_MAX => {
                return Err(ProtocolError::LengthLineTooLong);
            }
            Line::NeedMore => return Ok(Progress::NeedMore { at, missing }),
        };
        let length = u64::try_from(length).map_err(|_| ProtocolError::BadLength)?;
        if length > limits.bulk_bytes_max {
            return Err(ProtocolError::BadLength);
        }
        if limits.unauthenticated && length > Limits::UNAUTHENTICATED_BULK_BYTES_MAX {
            return Err(ProtocolError::UnauthenticatedLength);
        }
        let bytes = usize::try_from(length).map_err(|_| ProtocolError::BadLength)?;
        let end = data.saturating_add(bytes).saturating_add(2);
        if end > input.len() {
            return Ok(if bytes >= big_bytes {
                Progress::Big { at: data, missing, bytes }
            } else {
                Progress::NeedMore { at, missing }
            });
        }
        let (Ok(start), Ok(len)) = (u32::try_from(data), u32::try_from(bytes)) else {
            return Err(ProtocolError::BadLength);
        };
        spans.push(Span { start, len });
        missing -= 1;
        at = end;
    }
    Ok(Progress::Complete { end: at })
}
