//! Which elements of a list an index, or a range of them, stands for.

use crate::ReplyError;
use core::ops::Range;
use vesta_store::object::End;
use vesta_types::{ascii, number};

/// Reads the index of an element.
pub(super) fn index(text: &[u8]) -> Result<i64, ReplyError> {
    number::parse_i64(text).ok_or(ReplyError::NotInteger)
}

/// The place of the element with this index, negative ones from the end, in a list of `len`
/// elements. `None` in front of the first one; past the end it is a place without an element.
pub(super) fn place(index: i64, len: usize) -> Option<usize> {
    let back = usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX);
    if index < 0 { len.checked_sub(back) } else { Some(back) }
}

/// The places from one index to another, both included, as far as a list of `len` elements goes.
pub(super) fn range(start: i64, stop: i64, len: usize) -> Range<usize> {
    let start = place(start, len).unwrap_or(0).min(len);
    let end = place(stop, len).map_or(0, |last| last.saturating_add(1).min(len));
    start..end.max(start)
}

/// Reads `LEFT` or `RIGHT`.
pub(super) fn end(text: &[u8]) -> Result<End, ReplyError> {
    if ascii::is_word(text, "left") {
        Ok(End::Front)
    } else if ascii::is_word(text, "right") {
        Ok(End::Back)
    } else {
        Err(ReplyError::Syntax)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_end_with_the_list() {
        assert_eq!(range(0, -1, 3), 0..3);
        assert_eq!(range(-2, -1, 3), 1..3);
        assert_eq!(range(1, 100, 3), 1..3);
        assert_eq!(range(i64::MIN, i64::MAX, 3), 0..3);
        for (start, stop) in [(3, 5), (2, 1), (0, -4), (i64::MAX, i64::MIN), (-1, -3)] {
            assert!(range(start, stop, 3).is_empty(), "{start} {stop}");
        }
        assert_eq!((place(-1, 3), place(-4, 3), place(5, 3)), (Some(2), None, Some(5)));
    }
}
