//! What the commands on several sets share: reading the sources, and keeping a result.

use crate::{Class, Flow, Outcome, ReplyError, WriteCtx};
use alloc::vec::Vec;
use vesta_store::{Deadline, Keyspace, Kind, Set};

/// Looks all of `keys` up as a reading command does.
///
/// # Errors
/// When one of them is no set, even if the others settle the result already.
pub(super) fn read_all<'k>(
    keyspace: &mut Keyspace<'_>,
    mut keys: impl Iterator<Item = &'k [u8]>,
) -> Result<(), ReplyError> {
    keys.try_for_each(|key| Ok(keyspace.read_as::<Set>(key).map(|_| ())?))
}

/// The sets at `keys`, which were read before; `None` where there is no key.
pub(super) fn sets<'s, 'k>(
    keyspace: &'s Keyspace<'_>,
    keys: impl Iterator<Item = &'k [u8]>,
) -> Vec<Option<&'s Set>> {
    keys.map(|key| keyspace.beside_as(key).ok().flatten()).collect()
}

/// Puts `result` in the place of what `key` held, or deletes the key when the result is empty, and
/// replies with the number of members. `event` is what the change is called.
pub(super) fn keep(
    ctx: &mut WriteCtx<'_>,
    key: &[u8],
    event: &'static str,
    result: Set,
) -> Outcome {
    let count = result.len();
    if count > 0 {
        ctx.keys.set_object(key, result.into_object(), Deadline::Never);
        ctx.notify(Class::Set, event, key);
        ctx.changed();
    } else if ctx.keys.delete(key) {
        ctx.notify(Class::Generic, "del", key);
        ctx.changed();
    }
    ctx.reply.count(count);
    Ok(Flow::Done)
}
