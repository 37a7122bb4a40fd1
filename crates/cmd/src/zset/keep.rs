//! Keeping the result of a command as a sorted set.

use crate::{Class, Outcome, WriteCtx};
use vesta_store::{Kind, Zset};

/// Puts `result` in the place of what `key` held, which is the event `name`, or deletes the key
/// when the result is empty, and replies with the number of members.
pub(crate) fn keep(
    ctx: &mut WriteCtx<'_>,
    key: &[u8],
    name: &'static str,
    result: Zset,
) -> Outcome {
    let count = result.len();
    crate::keep::keep(ctx, key, (Class::Zset, name), count, result.into_object())
}
