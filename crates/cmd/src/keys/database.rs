//! Reading the number of a database.

use crate::ReplyError;
use vesta_types::{DbIndex, number};

/// The database that `argument` names, of `count` there are.
///
/// # Errors
/// [`ReplyError::NotInteger`], a text of its own beyond 32 bits, and
/// [`ReplyError::DbOutOfRange`]. Source: SELECT, MOVE and COPY on redis-server 7.0.15.
pub(crate) fn parse(argument: &[u8], count: u32) -> Result<DbIndex, ReplyError> {
    const BEYOND_INT: ReplyError =
        ReplyError::text("value is out of range, value must between -2147483648 and 2147483647");
    let raw = number::parse_i64(argument).ok_or(ReplyError::NotInteger)?;
    let raw = i32::try_from(raw).map_err(|_| BEYOND_INT)?;
    in_range(raw, count)
}

/// The database numbered `raw`, of `count` there are.
///
/// # Errors
/// [`ReplyError::DbOutOfRange`].
pub(super) fn in_range(raw: i32, count: u32) -> Result<DbIndex, ReplyError> {
    let index = u64::try_from(raw).ok().and_then(|raw| DbIndex::new(raw, count));
    index.ok_or(ReplyError::DbOutOfRange)
}
