//! Keeping the result of a command as a sorted set.

use crate::{Class, Flow, Outcome, WriteCtx};
use vesta_store::{Deadline, Kind, Zset};

/// Puts `result` in the place of what `key` held, which is the event `name`, or deletes the key
/// when the result is empty, and replies with the number of members.
pub(crate) fn keep(
    ctx: &mut WriteCtx<'_>,
    key: &[u8],
    name: &'static str,
    result: Zset,
) -> Outcome {
    let count = result.len();
    if count > 0 {
        ctx.keys.set_object(key, result.into_object(), Deadline::Never);
        ctx.notify(Class::Zset, name, key);
        ctx.changed();
    } else if ctx.keys.delete(key) {
        ctx.notify(Class::Generic, "del", key);
        ctx.changed();
    }
    ctx.reply.count(count);
    Ok(Flow::Done)
}
