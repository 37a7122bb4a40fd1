//! `ZRANK` and `ZREVRANK key member [WITHSCORE]`

use crate::{Command, Flow, Outcome, ReadCtx, ReplyError, Run};
use alloc::string::ToString;
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::Zset;
use vesta_types::ascii;

/// `ZRANK key member [WITHSCORE]`: how many members have a lower place.
pub(super) const ZRANK: Command = Command {
    spec: Spec {
        name: "zrank",
        arity: Arity::AtLeast(3),
        flags: Flags::READONLY.and(Flags::FAST),
        categories: Categories::SORTEDSET,
        keys: &[KeySpec::one(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        group: Group::SortedSet,
        since: "2.0.0",
        complexity: "O(log(N)) in the number of members",
        summary: "Returns the place of a member in a sorted set, from the lowest score.",
        syntax: "key member [WITHSCORE]",
        history: &[("7.2.0", "Added the optional `WITHSCORE` argument.")],
        ..Spec::EMPTY
    },
    run: Run::Read(zrank),
};

/// `ZREVRANK key member [WITHSCORE]`: how many members have a higher place.
pub(super) const ZREVRANK: Command = Command {
    spec: Spec {
        name: "zrevrank",
        summary: "Returns the place of a member in a sorted set, from the highest score.",
        ..ZRANK.spec
    },
    run: Run::Read(zrevrank),
};

fn zrank(ctx: &mut ReadCtx<'_>) -> Outcome {
    rank(ctx, false, "zrank")
}

fn zrevrank(ctx: &mut ReadCtx<'_>) -> Outcome {
    rank(ctx, true, "zrevrank")
}

fn rank(ctx: &mut ReadCtx<'_>, is_reverse: bool, command: &str) -> Outcome {
    let with_score = match ctx.request.len() {
        3 => false,
        4 if ascii::is_word(ctx.arg(3), "withscore") => true,
        4 => return Err(ReplyError::Syntax),
        _ => return Err(ReplyError::WrongArity(command.to_string())),
    };
    let ReadCtx { request, keys, reply, .. } = ctx;
    let (zset, name) = (keys.read_as::<Zset>(request.arg(1))?, request.arg(2));
    let found = zset.and_then(|zset| {
        let rank = zset.rank(name)?;
        let rank = if is_reverse { zset.len() - 1 - rank } else { rank };
        Some((rank, zset.score(name)?))
    });
    match found {
        Some((rank, score)) if with_score => {
            reply.array(2);
            reply.count(rank);
            reply.double(score);
        }
        Some((rank, _)) => reply.count(rank),
        None if with_score => reply.null_array(),
        None => reply.null(),
    }
    Ok(Flow::Done)
}
