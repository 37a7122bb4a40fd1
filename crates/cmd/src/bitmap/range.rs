//! The part of a string that BITCOUNT and BITPOS look at.

use crate::{Cursor, ReplyError};
use core::ops::Range;

/// What start and end count.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Unit {
    Byte,
    Bit,
}

impl Unit {
    fn bits(self) -> i64 {
        match self {
            Self::Byte => 8,
            Self::Bit => 1,
        }
    }

    /// Takes the last argument as a unit.
    ///
    /// # Errors
    /// [`ReplyError::Syntax`] when it is none, or not the last.
    pub(super) fn take(cursor: &mut Cursor<'_>) -> Result<Self, ReplyError> {
        let unit = if cursor.take("bit") {
            Self::Bit
        } else if cursor.take("byte") {
            Self::Byte
        } else {
            return Err(ReplyError::Syntax);
        };
        if cursor.is_done() { Ok(unit) } else { Err(ReplyError::Syntax) }
    }
}

/// From `start` to `end`, both included, and counted from the string's end when negative.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Part {
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) unit: Unit,
}

impl Part {
    /// All of a string.
    pub(super) const ALL: Self = Self { start: 0, end: -1, unit: Unit::Byte };

    /// The bits of a string of `len` bytes that are meant. What lies before the first unit is the
    /// first unit, what lies behind the last is the last.
    pub(super) fn bits(self, len: usize) -> Range<u64> {
        let size = self.unit.bits();
        let total = i64::try_from(len).unwrap_or(i64::MAX).saturating_mul(8) / size;
        let place = |at: i64| if at < 0 { at.saturating_add(total).max(0) } else { at };
        let (start, end) = (place(self.start), place(self.end).min(total - 1));
        // Not negative, as start and end are not, but for the end in an empty string.
        let bit = |at: i64| u64::try_from(at.saturating_mul(size)).unwrap_or(0);
        if start > end { 0..0 } else { bit(start)..bit(end + 1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_cut_to_the_string() {
        for (start, end, unit, len, expected) in [
            (0, -1, Unit::Byte, 3, 0..24),
            (1, 1, Unit::Byte, 3, 8..16),
            (-2, -1, Unit::Byte, 3, 8..24),
            (-9, 9, Unit::Byte, 3, 0..24),
            (-9, -8, Unit::Byte, 3, 0..8),
            (2, 1, Unit::Byte, 3, 0..0),
            (3, 9, Unit::Byte, 3, 0..0),
            (5, 9, Unit::Bit, 3, 5..10),
            (-5, -1, Unit::Bit, 3, 19..24),
            (0, -1, Unit::Bit, 0, 0..0),
            (0, 0, Unit::Byte, 0, 0..0),
            (i64::MIN, i64::MAX, Unit::Bit, 3, 0..24),
            (i64::MAX, i64::MIN, Unit::Byte, 3, 0..0),
            (i64::MAX, i64::MAX, Unit::Byte, 3, 0..0),
            (i64::MIN, i64::MIN, Unit::Bit, 3, 0..1),
        ] {
            assert_eq!(Part { start, end, unit }.bits(len), expected, "{start} {end} {unit:?}");
        }
    }
}
