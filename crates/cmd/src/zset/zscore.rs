//! `ZSCORE key member`, `ZMSCORE key member...` and `ZCARD key`

use crate::{Command, Flow, Outcome, ReadCtx, Run};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::Zset;

/// `ZSCORE key member`: the score of a member, or null.
pub(super) const ZSCORE: Command = Command {
    spec: Spec {
        name: "zscore",
        arity: Arity::Exactly(3),
        flags: Flags::READONLY.and(Flags::FAST),
        categories: Categories::SORTEDSET,
        keys: &[KeySpec::one(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        group: Group::SortedSet,
        since: "1.2.0",
        complexity: "O(1)",
        summary: "Returns the score of a member of a sorted set.",
        syntax: "key member",
        ..Spec::EMPTY
    },
    run: Run::Read(zscores),
};

/// `ZMSCORE key member...`: the scores of members, null for those that are not there.
pub(super) const ZMSCORE: Command = Command {
    spec: Spec {
        name: "zmscore",
        arity: Arity::AtLeast(3),
        since: "6.2.0",
        complexity: "O(N) in the number of members asked for",
        summary: "Returns the scores of members of a sorted set.",
        syntax: "key member...",
        ..ZSCORE.spec
    },
    run: Run::Read(zmscore),
};

/// `ZCARD key`: the number of members.
pub(super) const ZCARD: Command = Command {
    spec: Spec {
        name: "zcard",
        arity: Arity::Exactly(2),
        keys: &[KeySpec::one(1, KeyFlags::RO)],
        summary: "Returns the number of members of a sorted set.",
        syntax: "key",
        ..ZSCORE.spec
    },
    run: Run::Read(zcard),
};

fn zmscore(ctx: &mut ReadCtx<'_>) -> Outcome {
    let wanted = ctx.request.len() - 2;
    // The header goes only when the type is right.
    ctx.keys.read_as::<Zset>(ctx.request.arg(1))?;
    ctx.reply.array(wanted);
    reply_scores(ctx)
}

fn zscores(ctx: &mut ReadCtx<'_>) -> Outcome {
    ctx.keys.read_as::<Zset>(ctx.request.arg(1))?;
    reply_scores(ctx)
}

/// Replies with the score of each member named, in a set that was read before.
fn reply_scores(ctx: &mut ReadCtx<'_>) -> Outcome {
    let ReadCtx { request, keys, reply, .. } = ctx;
    let zset = keys.beside_as::<Zset>(request.arg(1))?;
    for name in request.args_from(2) {
        match zset.and_then(|zset| zset.score(name)) {
            Some(score) => reply.double(score),
            None => reply.null(),
        }
    }
    Ok(Flow::Done)
}

fn zcard(ctx: &mut ReadCtx<'_>) -> Outcome {
    let count = ctx.keys.read_as::<Zset>(ctx.request.arg(1))?.map_or(0, Zset::len);
    ctx.reply.count(count);
    Ok(Flow::Done)
}
