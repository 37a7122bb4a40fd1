//! `ZRANGE key start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES]`, and its older
//! forms, which have order and direction in their names

use super::range::{Asked, Form, Sort};
use crate::element::reply_element;
use crate::{Command, Flow, Outcome, ReadCtx, Run};
use vesta_resp::{Proto, Reply};
use vesta_spec::{Arity, Categories, Deprecated, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::{Element, Zset};

/// `ZRANGE key start stop ...`: members by rank, score or name.
pub(super) const ZRANGE: Command = Command {
    spec: Spec {
        name: "zrange",
        arity: Arity::AtLeast(4),
        flags: Flags::READONLY,
        categories: Categories::SORTEDSET,
        keys: &[KeySpec::one(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        group: Group::SortedSet,
        since: "1.2.0",
        complexity: "O(log(N)+M): M members returned of N",
        summary: "Returns members of a sorted set within a range.",
        syntax: "key start:string stop:string [sortby=<BYSCORE | BYLEX>] [REV] \
                 [LIMIT offset_count=(offset:integer count:integer)] [WITHSCORES]",
        history: &[("6.2.0", "Added the `REV`, `BYSCORE`, `BYLEX` and `LIMIT` options.")],
        ..Spec::EMPTY
    },
    run: Run::Read(|ctx| range(ctx, Form::Shown)),
};

/// `ZREVRANGE`: members by rank, from the highest score.
pub(super) const ZREVRANGE: Command = Command {
    spec: Spec {
        name: "zrevrange",
        since: "1.2.0",
        summary: "Returns members of a sorted set by rank, from the highest score.",
        syntax: "key start:integer stop:integer [WITHSCORES]",
        history: &[],
        deprecated: in_favour_of("`ZRANGE` with the `REV` argument"),
        ..ZRANGE.spec
    },
    run: Run::Read(|ctx| range(ctx, Form::Settled(Sort::Rank, true))),
};

/// `ZRANGEBYSCORE`: members by score, from the lowest.
pub(super) const ZRANGEBYSCORE: Command = Command {
    spec: Spec {
        name: "zrangebyscore",
        since: "1.0.5",
        summary: "Returns members of a sorted set with scores in a range.",
        syntax: "key min:double max:double [WITHSCORES] \
                 [LIMIT offset_count=(offset:integer count:integer)]",
        history: &[("2.0.0", "Added the `WITHSCORES` modifier.")],
        deprecated: in_favour_of("`ZRANGE` with the `BYSCORE` argument"),
        ..ZRANGE.spec
    },
    run: Run::Read(|ctx| range(ctx, Form::Settled(Sort::Score, false))),
};

/// `ZREVRANGEBYSCORE`: members by score, from the highest.
pub(super) const ZREVRANGEBYSCORE: Command = Command {
    spec: Spec {
        name: "zrevrangebyscore",
        since: "2.2.0",
        summary: "Returns members of a sorted set with scores in a range, the highest first.",
        syntax: "key max:double min:double [WITHSCORES] \
                 [LIMIT offset_count=(offset:integer count:integer)]",
        history: &[("2.1.6", "Ends of the range can be excluded.")],
        deprecated: in_favour_of("`ZRANGE` with the `REV` and `BYSCORE` arguments"),
        ..ZRANGE.spec
    },
    run: Run::Read(|ctx| range(ctx, Form::Settled(Sort::Score, true))),
};

/// `ZRANGEBYLEX`: members by name, from the first.
pub(super) const ZRANGEBYLEX: Command = Command {
    spec: Spec {
        name: "zrangebylex",
        since: "2.8.9",
        summary: "Returns members of a sorted set with names in a range.",
        syntax: "key min:string max:string \
                 [LIMIT offset_count=(offset:integer count:integer)]",
        history: &[],
        deprecated: in_favour_of("`ZRANGE` with the `BYLEX` argument"),
        ..ZRANGE.spec
    },
    run: Run::Read(|ctx| range(ctx, Form::Settled(Sort::Lex, false))),
};

/// `ZREVRANGEBYLEX`: members by name, from the last.
pub(super) const ZREVRANGEBYLEX: Command = Command {
    spec: Spec {
        name: "zrevrangebylex",
        since: "2.8.9",
        summary: "Returns members of a sorted set with names in a range, the last first.",
        syntax: "key max:string min:string \
                 [LIMIT offset_count=(offset:integer count:integer)]",
        history: &[],
        deprecated: in_favour_of("`ZRANGE` with the `REV` and `BYLEX` arguments"),
        ..ZRANGE.spec
    },
    run: Run::Read(|ctx| range(ctx, Form::Settled(Sort::Lex, true))),
};

const fn in_favour_of(replaced_by: &'static str) -> Option<Deprecated> {
    Some(Deprecated { since: "6.2.0", replaced_by })
}

fn range(ctx: &mut ReadCtx<'_>, form: Form) -> Outcome {
    let ReadCtx { request, keys, reply, .. } = ctx;
    let asked = Asked::parse(form, *request, 2)?;
    let Some(zset) = keys.read_as::<Zset>(request.arg(1))? else {
        reply.array(0);
        return Ok(Flow::Done);
    };
    let ranks = asked.ranks(zset);
    head(reply, ranks.len(), asked.with_scores);
    let mut walk = zset.walk(ranks);
    while let Some((name, score)) = if asked.is_reverse { walk.next_back() } else { walk.next() } {
        member(reply, name, score, asked.with_scores);
    }
    Ok(Flow::Done)
}

/// The header for `count` members: with scores a flat array in RESP2, an array of pairs in RESP3.
pub(super) fn head(reply: &mut Reply<'_>, count: usize, with_scores: bool) {
    let is_flat = with_scores && reply.proto() == Proto::Two;
    reply.array(if is_flat { count.saturating_mul(2) } else { count });
}

/// Replies with a member, and with its score: the two as a pair in RESP3, one after the other in
/// RESP2.
pub(super) fn member(reply: &mut Reply<'_>, name: Element<'_>, score: f64, with_score: bool) {
    if with_score && reply.proto() == Proto::Three {
        reply.array(2);
    }
    reply_element(reply, name);
    if with_score {
        reply.double(score);
    }
}
