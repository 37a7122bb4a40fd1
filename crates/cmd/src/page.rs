//! What SCAN, SSCAN, HSCAN and ZSCAN share: their cursors, their options, and when a page ends.

use crate::{Cursor, ReplyError};
use vesta_store::{Digits, Element};
use vesta_types::{glob, number};

/// Elements that a call looks at unless COUNT says otherwise.
const COUNT_DEFAULT: u64 = 10;
/// Buckets that a call visits for each element that it was asked for, as long as it finds none.
const BUCKETS_PER_COUNT: u64 = 10;

/// Which elements to return, and how many to look at.
pub(crate) struct Page<'a> {
    pattern: Option<&'a [u8]>,
    count: u64,
}

impl<'a> Page<'a> {
    /// All elements, by the default number.
    pub(crate) fn new() -> Self {
        Self { pattern: None, count: COUNT_DEFAULT }
    }

    /// Reads `MATCH pattern` or `COUNT count` if that comes next; whether it did.
    ///
    /// # Errors
    /// For an option without its argument, or a count below 1.
    pub(crate) fn take(&mut self, cursor: &mut Cursor<'a>) -> Result<bool, ReplyError> {
        if cursor.take("count") {
            let count = u64::try_from(cursor.need_i64()?).ok().filter(|count| *count > 0);
            self.count = count.ok_or(ReplyError::Syntax)?;
        } else if cursor.take("match") {
            self.pattern = Some(cursor.need()?).filter(|pattern| *pattern != b"*");
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// Reads options up to the end of the request; there must be no others.
    ///
    /// # Errors
    /// As [`Page::take`], and for any other word.
    pub(crate) fn parse(mut cursor: Cursor<'a>) -> Result<Self, ReplyError> {
        let mut page = Self::new();
        while !cursor.is_done() {
            if !page.take(&mut cursor)? {
                return Err(ReplyError::Syntax);
            }
        }
        Ok(page)
    }

    /// Whether an element called `name` is to be returned.
    pub(crate) fn accepts(&self, name: &[u8]) -> bool {
        self.pattern.is_none_or(|pattern| glob::matches(pattern, name, false))
    }

    /// Whether an element of this text is to be returned.
    pub(crate) fn accepts_element(&self, element: Element<'_>) -> bool {
        self.accepts(element.text(&mut Digits::new()))
    }

    /// Goes on from `cursor` until enough elements were seen or nothing is left, and gives the
    /// next cursor. `visit` looks at one bucket, and gives the cursor behind it and how many
    /// elements it saw.
    pub(crate) fn walk(&self, mut cursor: u64, mut visit: impl FnMut(u64) -> (u64, u64)) -> u64 {
        let mut seen = 0_u64;
        for _ in 0..self.count.saturating_mul(BUCKETS_PER_COUNT) {
            let (next, more) = visit(cursor);
            cursor = next;
            seen = seen.saturating_add(more);
            if cursor == 0 || seen >= self.count {
                break;
            }
        }
        cursor
    }
}

/// Reads a cursor as leniently as redis-server 7.0.15 was seen to: a sign and leading zeros are
/// accepted (a negative number counts from the top), nothing at all is 0, and a zero byte ends
/// the text.
///
/// # Errors
/// For anything else.
pub(crate) fn parse_cursor(argument: &[u8]) -> Result<u64, ReplyError> {
    read_cursor(argument).ok_or(ReplyError::text("invalid cursor"))
}

fn read_cursor(argument: &[u8]) -> Option<u64> {
    let text = argument.split(|byte| *byte == 0).next()?;
    if text.is_empty() {
        return Some(0);
    }
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    let significant = match digits.iter().position(|byte| *byte != b'0') {
        Some(first) => digits.get(first..)?,
        None => digits.get(..1)?,
    };
    let magnitude = number::parse_u64(significant)?;
    Some(if negative { magnitude.wrapping_neg() } else { magnitude })
}

#[cfg(test)]
mod tests {
    use super::read_cursor;

    #[test]
    fn cursors_are_read_as_leniently_as_by_the_reference() {
        for (text, value) in [
            (&b""[..], 0),
            (b"0", 0),
            (b"000", 0),
            (b"007", 7),
            (b"+7", 7),
            (b"-1", u64::MAX),
            (b"-18446744073709551615", 1),
            (b"18446744073709551615", u64::MAX),
            (b"12\x00junk", 12),
            (b"\x00", 0),
        ] {
            assert_eq!(read_cursor(text), Some(value), "{text:?}");
        }
        for text in
            ["-", "+", "--1", "+-1", "1 ", " 1", "1.5", "0x10", "abc", "18446744073709551616"]
        {
            assert_eq!(read_cursor(text.as_bytes()), None, "{text:?}");
        }
    }
}
