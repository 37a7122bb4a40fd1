//! `HGETDEL key FIELDS numfields field...`

use super::fields::{NOT_POSITIVE, first_field};
use super::lifetime;
use crate::element::reply_element_or_null;
use crate::{Command, Flow, Outcome, Run, WriteCtx};
use alloc::vec::Vec;
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::Hash;

/// `HGETDEL key FIELDS numfields field...`: the values of fields, which are removed.
///
/// Replicates as `HDEL` of those that were there.
pub(super) const HGETDEL: Command = Command {
    spec: Spec {
        name: "hgetdel",
        arity: Arity::AtLeast(5),
        flags: Flags::WRITE.and(Flags::FAST),
        categories: Categories::HASH,
        keys: &[KeySpec::one(1, KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::DELETE))],
        group: Group::Hash,
        since: "8.0.0",
        complexity: "O(N) in the number of fields that are named",
        summary: "Returns the values of fields of a hash and removes them.",
        syntax: "key fields=(FIELDS numfields:integer field...)",
        ..Spec::EMPTY
    },
    run: Run::Write(hgetdel),
};

fn hgetdel(ctx: &mut WriteCtx<'_>) -> Outcome {
    let (key, request, now_ms) = (ctx.arg(1), ctx.request, ctx.keys.now_ms());
    // A key of another type is refused before a bad argument is.
    ctx.keys.look_as::<Hash>(key)?;
    let first = first_field(&request, 2, NOT_POSITIVE)?;
    ctx.keys.expire_fields(key, request.args_from(first));
    let WriteCtx { keys, reply, .. } = ctx;
    reply.array(request.len() - first);
    let removed = keys.edit_as::<Hash, _>(key, |hash, _| {
        let mut removed = Vec::new();
        for name in request.args_from(first) {
            reply_element_or_null(reply, hash.get(name, now_ms));
            if hash.remove(name) {
                removed.push(name);
            }
        }
        removed
    })?;
    match removed {
        Some(removed) => lifetime::changed_as_removal(ctx, &removed),
        None => request.args_from(first).for_each(|_| reply.null()),
    }
    Ok(Flow::Done)
}
