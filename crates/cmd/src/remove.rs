//! What commands that remove elements share.

use crate::{Class, Flow, Outcome, WriteCtx};
use vesta_store::Kind;

/// Removes the elements that arguments 2 and later name from the value at argument 1, and replies
/// with the number of those that were there. `remove` removes one and tells whether it was there;
/// `event` is what the change is called.
pub(crate) fn named_elements<T: Kind>(
    ctx: &mut WriteCtx<'_>,
    remove: impl Fn(&mut T, &[u8]) -> bool,
    (class, event): (Class, &'static str),
) -> Outcome {
    let request = ctx.request;
    let key = request.arg(1);
    let removed = ctx.keys.edit_as(key, |value: &mut T, _| {
        request.args_from(2).map(|name| u64::from(remove(value, name))).sum()
    })?;
    let removed = removed.unwrap_or(0);
    if removed > 0 {
        ctx.changed_times(removed);
        ctx.notify_taken(class, event, key);
    }
    ctx.reply.int(i64::try_from(removed).unwrap_or(i64::MAX));
    Ok(Flow::Done)
}
