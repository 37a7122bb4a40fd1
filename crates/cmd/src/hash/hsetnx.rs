//! `HSETNX key field value`

use crate::{Class, Command, Flow, Outcome, Run, WriteCtx};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::Hash;

/// `HSETNX key field value`: sets a field that is not there yet; whether it did.
pub(super) const HSETNX: Command = Command {
    spec: Spec {
        name: "hsetnx",
        arity: Arity::Exactly(4),
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        categories: Categories::HASH,
        keys: &[KeySpec::one(1, KeyFlags::RW.and(KeyFlags::INSERT))],
        group: Group::Hash,
        since: "2.0.0",
        summary: "Sets a field of a hash if the hash does not have it.",
        syntax: "key field value",
        ..Spec::EMPTY
    },
    run: Run::Write(hsetnx),
};

fn hsetnx(ctx: &mut WriteCtx<'_>) -> Outcome {
    let (key, name, value) = (ctx.arg(1), ctx.arg(2), ctx.arg(3));
    let now_ms = ctx.keys.now_ms();
    ctx.keys.expire_fields(key, [name].into_iter());
    let is_new = ctx.keys.upsert_as::<Hash, _>(key, |hash, rules| {
        !hash.contains(name, now_ms) && hash.set(name, value, rules)
    })?;
    if is_new {
        ctx.notify(Class::Hash, "hset", key);
        ctx.changed();
    }
    ctx.reply.flag(is_new);
    Ok(Flow::Done)
}
