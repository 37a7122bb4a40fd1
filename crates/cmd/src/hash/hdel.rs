//! `HDEL key field...`

use crate::{Class, Command, Flow, Outcome, Run, WriteCtx};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::Hash;

/// `HDEL key field...`: removes fields; how many there were. A hash goes with its last field.
pub(super) const HDEL: Command = Command {
    spec: Spec {
        name: "hdel",
        arity: Arity::AtLeast(3),
        flags: Flags::WRITE.and(Flags::FAST),
        categories: Categories::HASH,
        keys: &[KeySpec::one(1, KeyFlags::RW.and(KeyFlags::DELETE))],
        group: Group::Hash,
        since: "2.0.0",
        complexity: "O(N) in the number of fields that are named",
        summary: "Removes fields of a hash, and the hash with its last field.",
        syntax: "key field...",
        history: &[("2.4.0", "Accepts several `field` arguments.")],
        ..Spec::EMPTY
    },
    run: Run::Write(hdel),
};

fn hdel(ctx: &mut WriteCtx<'_>) -> Outcome {
    let (key, request) = (ctx.arg(1), ctx.request);
    ctx.keys.expire_fields(key, request.args_from(2));
    let removed = ctx.keys.edit_as::<Hash, _>(key, |hash, _| {
        request.args_from(2).filter(|name| hash.remove(name)).count()
    })?;
    let removed = removed.unwrap_or(0);
    if removed > 0 {
        ctx.notify_taken(Class::Hash, "hdel", key);
        ctx.changed_times(removed as u64);
    }
    ctx.reply.count(removed);
    Ok(Flow::Done)
}
