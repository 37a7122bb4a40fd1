//! `ZREMRANGEBYRANK`, `ZREMRANGEBYSCORE` and `ZREMRANGEBYLEX key min max`

use super::bounds;
use crate::{Class, Command, Flow, Outcome, ReplyError, Run, WriteCtx};
use core::ops::Range;
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::Zset;
use vesta_types::number;

/// `ZREMRANGEBYRANK key start stop`: removes members by their places.
pub(super) const ZREMRANGEBYRANK: Command = Command {
    spec: Spec {
        name: "zremrangebyrank",
        arity: Arity::Exactly(4),
        flags: Flags::WRITE,
        categories: Categories::SORTEDSET,
        keys: &[KeySpec::one(1, KeyFlags::RW.and(KeyFlags::DELETE))],
        group: Group::SortedSet,
        since: "2.0.0",
        complexity: "O(log(N)+M*log(N)): M members removed from N",
        summary: "Removes the members of a sorted set with places in a range.",
        syntax: "key start:integer stop:integer",
        ..Spec::EMPTY
    },
    run: Run::Write(by_rank),
};

/// `ZREMRANGEBYSCORE key min max`: removes members by their scores.
pub(super) const ZREMRANGEBYSCORE: Command = Command {
    spec: Spec {
        name: "zremrangebyscore",
        since: "1.2.0",
        summary: "Removes the members of a sorted set with scores in a range.",
        syntax: "key min:double max:double",
        ..ZREMRANGEBYRANK.spec
    },
    run: Run::Write(by_score),
};

/// `ZREMRANGEBYLEX key min max`: removes members by their names.
pub(super) const ZREMRANGEBYLEX: Command = Command {
    spec: Spec {
        name: "zremrangebylex",
        since: "2.8.9",
        summary: "Removes the members of a sorted set with names in a range.",
        syntax: "key min:string max:string",
        ..ZREMRANGEBYRANK.spec
    },
    run: Run::Write(by_lex),
};

fn by_rank(ctx: &mut WriteCtx<'_>) -> Outcome {
    let index = |text| number::parse_i64(text).ok_or(ReplyError::NotInteger);
    let (start, stop) = (index(ctx.arg(2))?, index(ctx.arg(3))?);
    remove_ranks(ctx, "zremrangebyrank", |zset| bounds::ranks(start, stop, zset.len()))
}

fn by_score(ctx: &mut WriteCtx<'_>) -> Outcome {
    let (min, max) = bounds::scores(ctx.arg(2), ctx.arg(3))?;
    remove_ranks(ctx, "zremrangebyscore", |zset| zset.ranks_by_score(min, max))
}

fn by_lex(ctx: &mut WriteCtx<'_>) -> Outcome {
    let (min, max) = bounds::names(ctx.arg(2), ctx.arg(3))?;
    remove_ranks(ctx, "zremrangebylex", |zset| zset.ranks_by_lex(min, max))
}

/// Removes the members with the ranks that `choose` gives, and replies with their number.
fn remove_ranks(
    ctx: &mut WriteCtx<'_>,
    event: &'static str,
    choose: impl FnOnce(&Zset) -> Range<usize>,
) -> Outcome {
    let key = ctx.arg(1);
    let removed = ctx.keys.edit_as(key, |zset: &mut Zset, _| {
        let ranks = choose(zset);
        if ranks.is_empty() { 0 } else { zset.remove_ranks(ranks) }
    })?;
    let removed = removed.unwrap_or(0);
    if removed > 0 {
        ctx.changed_times(removed as u64);
        ctx.notify_taken(Class::Zset, event, key);
    }
    ctx.reply.count(removed);
    Ok(Flow::Done)
}
