//! What the commands on several sets share: reading the sources, and keeping a result.

use crate::{Class, Outcome, ReplyError, WriteCtx};
use alloc::vec::Vec;
use vesta_store::{Keyspace, Kind, Set};

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
    crate::keep::keep(ctx, key, (Class::Set, event), count, result.into_object())
}
