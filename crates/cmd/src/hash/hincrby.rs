//! `HINCRBY key field increment`

use crate::{Class, Command, Flow, Outcome, ReplyError, Run, WriteCtx};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::{Hash, Rules};
use vesta_types::number;

/// `HINCRBY key field increment`: adds to the integer in a field, whose expiry stays.
pub(super) const HINCRBY: Command = Command {
    spec: Spec {
        name: "hincrby",
        arity: Arity::Exactly(4),
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        categories: Categories::HASH,
        keys: &[KeySpec::one(1, KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::UPDATE))],
        group: Group::Hash,
        since: "2.0.0",
        summary: "Adds to the integer in a field of a hash; a missing field counts as 0.",
        syntax: "key field increment:integer",
        ..Spec::EMPTY
    },
    run: Run::Write(hincrby),
};

fn hincrby(ctx: &mut WriteCtx<'_>) -> Outcome {
    let (key, name, now_ms) = (ctx.arg(1), ctx.arg(2), ctx.keys.now_ms());
    let increment = number::parse_i64(ctx.arg(3)).ok_or(ReplyError::NotInteger)?;
    ctx.keys.expire_fields(key, [name].into_iter());
    let sum = ctx
        .keys
        .upsert_as::<Hash, _>(key, |hash, rules| add(hash, name, increment, now_ms, rules))??;
    ctx.notify(Class::Hash, "hincrby", key);
    ctx.changed();
    ctx.reply.int(sum);
    Ok(Flow::Done)
}

fn add(
    hash: &mut Hash,
    name: &[u8],
    increment: i64,
    now_ms: u64,
    rules: &Rules,
) -> Result<i64, ReplyError> {
    let old = match hash.get(name, now_ms) {
        Some(value) => value.int().ok_or(ReplyError::text("hash value is not an integer"))?,
        None => 0,
    };
    let sum = old.checked_add(increment).ok_or(ReplyError::Overflow)?;
    hash.set_keeping_expiry(name, itoa::Buffer::new().format(sum).as_bytes(), rules);
    Ok(sum)
}
