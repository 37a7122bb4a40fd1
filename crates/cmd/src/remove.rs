//! What commands that remove elements share.

use crate::{Class, Flow, Outcome, WriteCtx};
use vesta_store::Kind;

/// Removes the elements that arguments 2 and later name from the value at argument 1, and replies
/// with the number of those that were there. `remove` removes one and tells whether it was there,
/// `is_empty` whether none is left; `event` is what the change is called.
pub(crate) fn named_elements<T: Kind>(
    ctx: &mut WriteCtx<'_>,
    remove: impl Fn(&mut T, &[u8]) -> bool,
    is_empty: fn(&T) -> bool,
    event: (Class, &'static str),
) -> Outcome {
    let request = ctx.request;
    let key = request.arg(1);
    let gone = ctx.keys.edit_as(key, |value: &mut T, _| {
        let removed: u64 = request.args_from(2).map(|name| u64::from(remove(value, name))).sum();
        (removed, is_empty(value))
    })?;
    let (removed, is_last) = gone.unwrap_or((0, false));
    if removed > 0 {
        ctx.changed_times(removed);
        notify(ctx, event, key, is_last);
    }
    ctx.reply.int(i64::try_from(removed).unwrap_or(i64::MAX));
    Ok(Flow::Done)
}

/// Makes the event of this class and name that elements of a value have gone, and the one that its
/// key went with the last.
pub(crate) fn notify(
    ctx: &mut WriteCtx<'_>,
    (class, name): (Class, &'static str),
    key: &[u8],
    is_last: bool,
) {
    ctx.notify(class, name, key);
    if is_last {
        ctx.notify(Class::Generic, "del", key);
    }
}
