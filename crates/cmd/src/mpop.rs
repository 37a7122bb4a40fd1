//! What LMPOP, ZMPOP and their blocking forms are asked for: `numkeys key... end [COUNT count]`.

use crate::{Cursor, ReplyError};
use core::ops::Range;
use vesta_spec::{KeyFlags, KeySpec};
use vesta_store::object::End;
use vesta_types::number;

/// The keys behind their number, which is argument `count_at`.
pub(crate) const fn keys(count_at: u8) -> KeySpec {
    KeySpec::counted(count_at, KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::DELETE))
}

/// From which keys, at which end and how many elements are taken.
pub(crate) struct Wanted {
    /// Which arguments are the keys.
    pub(crate) keys: Range<usize>,
    /// Where elements are taken.
    pub(crate) end: End,
    /// How many at most; not 0.
    pub(crate) count: usize,
}

impl Wanted {
    /// Reads the arguments from the number of keys on; `end` reads the word for an end.
    ///
    /// # Errors
    /// For numbers below 1, too few arguments, and other words than COUNT, once, behind the end.
    pub(crate) fn parse(
        mut cursor: Cursor<'_>,
        end: fn(&[u8]) -> Result<End, ReplyError>,
    ) -> Result<Self, ReplyError> {
        let keys = need_positive(&mut cursor, "numkeys should be greater than 0")?;
        let first = cursor.position();
        // What the keys leave must hold at least the end.
        if keys >= cursor.left() {
            return Err(ReplyError::Syntax);
        }
        for _ in 0..keys {
            cursor.need()?;
        }
        let end = end(cursor.need()?)?;
        let mut count = None;
        while !cursor.is_done() {
            if count.is_some() || !cursor.take("count") {
                return Err(ReplyError::Syntax);
            }
            count = Some(need_positive(&mut cursor, "count should be greater than 0")?);
        }
        Ok(Self { keys: first..first + keys, end, count: count.unwrap_or(1) })
    }
}

/// The next argument as a number above 0, or this error.
fn need_positive(cursor: &mut Cursor<'_>, error: &'static str) -> Result<usize, ReplyError> {
    let number = number::parse_i64(cursor.need()?).filter(|number| *number > 0);
    number.and_then(|number| usize::try_from(number).ok()).ok_or(ReplyError::text(error))
}
