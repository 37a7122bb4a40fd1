//! Keeping the result of a command as the value of a key.

use crate::{Class, Flow, Outcome, WriteCtx};
use vesta_store::{Deadline, Object};

/// Puts `result`, of `count` elements, in the place of what `key` held, which is the event `name`
/// of `class`, or deletes the key when the result is empty; replies with the count.
pub(crate) fn keep(
    ctx: &mut WriteCtx<'_>,
    key: &[u8],
    (class, name): (Class, &'static str),
    count: usize,
    result: Object,
) -> Outcome {
    if count > 0 {
        ctx.keys.set_object(key, result, Deadline::Never);
        ctx.notify(class, name, key);
        ctx.changed();
    } else if ctx.keys.delete(key) {
        ctx.notify(Class::Generic, "del", key);
        ctx.changed();
    }
    ctx.reply.count(count);
    Ok(Flow::Done)
}
