//! `ZCOUNT` and `ZLEXCOUNT key min max`

use super::bounds;
use crate::{Command, Flow, Outcome, ReadCtx, Run};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::Zset;

/// `ZCOUNT key min max`: how many members have scores in a range.
pub(super) const ZCOUNT: Command = Command {
    spec: Spec {
        name: "zcount",
        arity: Arity::Exactly(4),
        flags: Flags::READONLY.and(Flags::FAST),
        categories: Categories::SORTEDSET,
        keys: &[KeySpec::one(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        group: Group::SortedSet,
        since: "2.0.0",
        complexity: "O(log(N)) in the number of members",
        summary: "Counts the members of a sorted set with scores in a range.",
        syntax: "key min:double max:double",
        ..Spec::EMPTY
    },
    run: Run::Read(zcount),
};

/// `ZLEXCOUNT key min max`: how many members have names in a range.
pub(super) const ZLEXCOUNT: Command = Command {
    spec: Spec {
        name: "zlexcount",
        since: "2.8.9",
        summary: "Counts the members of a sorted set with names in a range.",
        syntax: "key min:string max:string",
        ..ZCOUNT.spec
    },
    run: Run::Read(zlexcount),
};

fn zcount(ctx: &mut ReadCtx<'_>) -> Outcome {
    let (min, max) = bounds::scores(ctx.arg(2), ctx.arg(3))?;
    let zset = ctx.keys.read_as::<Zset>(ctx.request.arg(1))?;
    let count = zset.map_or(0, |zset| zset.ranks_by_score(min, max).len());
    ctx.reply.count(count);
    Ok(Flow::Done)
}

fn zlexcount(ctx: &mut ReadCtx<'_>) -> Outcome {
    let (min, max) = bounds::names(ctx.arg(2), ctx.arg(3))?;
    let zset = ctx.keys.read_as::<Zset>(ctx.request.arg(1))?;
    let count = zset.map_or(0, |zset| zset.ranks_by_lex(min, max).len());
    ctx.reply.count(count);
    Ok(Flow::Done)
}
