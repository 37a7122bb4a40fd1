//! `MSET key value ...` and `MSETNX key value ...`

use crate::{Class, Command, Flow, Outcome, ReplyError, Run, WriteCtx};
use alloc::string::ToString;
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::Deadline;

/// `MSET key value ...`: sets several keys to strings, whatever they held.
pub(super) const MSET: Command = Command {
    spec: Spec {
        name: "mset",
        arity: Arity::AtLeast(3),
        flags: Flags::WRITE.and(Flags::DENYOOM),
        categories: Categories::STRING,
        keys: &[KeySpec::range(1, -1, 2, KeyFlags::OW.and(KeyFlags::UPDATE))],
        group: Group::String,
        since: "1.0.1",
        complexity: "O(N) in the number of keys",
        summary: "Sets several keys to strings at once.",
        syntax: "data=(key value)...",
        tips: &["request_policy:multi_shard", "response_policy:all_succeeded"],
        ..Spec::EMPTY
    },
    run: Run::Write(mset),
};

/// `MSETNX key value ...`: sets several keys, or none if one of them is there.
pub(super) const MSETNX: Command = Command {
    spec: Spec {
        name: "msetnx",
        keys: &[KeySpec::range(1, -1, 2, KeyFlags::OW.and(KeyFlags::INSERT))],
        summary: "Sets several keys to strings, unless one of them is there.",
        tips: &["request_policy:multi_shard", "response_policy:agg_min"],
        ..MSET.spec
    },
    run: Run::Write(msetnx),
};

fn mset(ctx: &mut WriteCtx<'_>) -> Outcome {
    need_pairs(ctx, "mset")?;
    set_all(ctx);
    ctx.reply.ok();
    Ok(Flow::Done)
}

fn msetnx(ctx: &mut WriteCtx<'_>) -> Outcome {
    need_pairs(ctx, "msetnx")?;
    let is_free = !ctx.request.args_from(1).step_by(2).any(|key| ctx.keys.contains(key));
    if is_free {
        set_all(ctx);
    }
    ctx.reply.flag(is_free);
    Ok(Flow::Done)
}

/// The last key has its value too.
fn need_pairs(ctx: &WriteCtx<'_>, name: &str) -> Result<(), ReplyError> {
    let is_paired = ctx.request.len() % 2 == 1;
    if is_paired { Ok(()) } else { Err(ReplyError::WrongArity(name.to_string())) }
}

fn set_all(ctx: &mut WriteCtx<'_>) {
    let mut pairs = 0;
    for place in (1..ctx.request.len()).step_by(2) {
        let value = ctx.value(place + 1);
        let key = ctx.arg(place);
        ctx.keys.set(key, value, Deadline::Never);
        ctx.notify(Class::String, "set", key);
        pairs += 1;
    }
    ctx.changed_times(pairs);
}
