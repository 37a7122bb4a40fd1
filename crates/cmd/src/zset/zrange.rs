//! `ZRANGE key start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES]`, and
//! `ZCOUNT` and `ZLEXCOUNT key min max`

use super::bounds;
use crate::element::reply_element;
use crate::{Command, Cursor, Flow, Outcome, ReadCtx, ReplyError, Run};
use core::ops::Range;
use vesta_resp::{Proto, Reply};
use vesta_spec::{Arity, Categories, Deprecated, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::{Element, LexBound, ScoreBound, Zset};
use vesta_types::number;

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
    run: Run::Read(zrange),
};

/// `ZREVRANGE`: the older form of `ZRANGE` with the `REV` argument.
pub(super) const ZREVRANGE: Command = Command {
    spec: Spec {
        name: "zrevrange",
        since: "1.2.0",
        summary: "Returns members of a sorted set by rank, from the highest score.",
        syntax: "key start:integer stop:integer [WITHSCORES]",
        history: &[],
        deprecated: Some(Deprecated {
            since: "6.2.0",
            replaced_by: "`ZRANGE` with the `REV` argument",
        }),
        ..ZRANGE.spec
    },
    run: Run::Read(zrevrange),
};

/// `ZRANGEBYSCORE`: the older form of `ZRANGE` with the `BYSCORE` argument.
pub(super) const ZRANGEBYSCORE: Command = Command {
    spec: Spec {
        name: "zrangebyscore",
        since: "1.0.5",
        summary: "Returns members of a sorted set with scores in a range.",
        syntax: "key min:double max:double [WITHSCORES] \
                 [LIMIT offset_count=(offset:integer count:integer)]",
        history: &[("2.0.0", "Added the `WITHSCORES` modifier.")],
        deprecated: Some(Deprecated {
            since: "6.2.0",
            replaced_by: "`ZRANGE` with the `BYSCORE` argument",
        }),
        ..ZRANGE.spec
    },
    run: Run::Read(zrangebyscore),
};

/// `ZREVRANGEBYSCORE`: the older form of `ZRANGE` with the `REV` and `BYSCORE` arguments.
pub(super) const ZREVRANGEBYSCORE: Command = Command {
    spec: Spec {
        name: "zrevrangebyscore",
        since: "2.2.0",
        summary: "Returns members of a sorted set with scores in a range, the highest first.",
        syntax: "key max:double min:double [WITHSCORES] \
                 [LIMIT offset_count=(offset:integer count:integer)]",
        history: &[("2.1.6", "Ends of the range can be excluded.")],
        deprecated: Some(Deprecated {
            since: "6.2.0",
            replaced_by: "`ZRANGE` with the `REV` and `BYSCORE` arguments",
        }),
        ..ZRANGE.spec
    },
    run: Run::Read(zrevrangebyscore),
};

/// `ZRANGEBYLEX`: the older form of `ZRANGE` with the `BYLEX` argument.
pub(super) const ZRANGEBYLEX: Command = Command {
    spec: Spec {
        name: "zrangebylex",
        since: "2.8.9",
        summary: "Returns members of a sorted set with names in a range.",
        syntax: "key min:string max:string \
                 [LIMIT offset_count=(offset:integer count:integer)]",
        history: &[],
        deprecated: Some(Deprecated {
            since: "6.2.0",
            replaced_by: "`ZRANGE` with the `BYLEX` argument",
        }),
        ..ZRANGE.spec
    },
    run: Run::Read(zrangebylex),
};

/// `ZREVRANGEBYLEX`: the older form of `ZRANGE` with the `REV` and `BYLEX` arguments.
pub(super) const ZREVRANGEBYLEX: Command = Command {
    spec: Spec {
        name: "zrevrangebylex",
        since: "2.8.9",
        summary: "Returns members of a sorted set with names in a range, the last first.",
        syntax: "key max:string min:string \
                 [LIMIT offset_count=(offset:integer count:integer)]",
        history: &[],
        deprecated: Some(Deprecated {
            since: "6.2.0",
            replaced_by: "`ZRANGE` with the `REV` and `BYLEX` arguments",
        }),
        ..ZRANGE.spec
    },
    run: Run::Read(zrevrangebylex),
};

/// `ZCOUNT key min max`: how many members have scores in a range.
pub(super) const ZCOUNT: Command = Command {
    spec: Spec {
        name: "zcount",
        arity: Arity::Exactly(4),
        flags: Flags::READONLY.and(Flags::FAST),
        since: "2.0.0",
        complexity: "O(log(N)) in the number of members",
        summary: "Counts the members of a sorted set with scores in a range.",
        syntax: "key min:double max:double",
        history: &[],
        ..ZRANGE.spec
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

/// Which members are asked for.
enum By<'a> {
    Rank(i64, i64),
    Score(ScoreBound, ScoreBound),
    Lex(LexBound<'a>, LexBound<'a>),
}

/// What follows the range.
#[derive(Default)]
struct Options {
    by_score: bool,
    by_lex: bool,
    reverse: bool,
    limit: Option<(i64, i64)>,
    with_scores: bool,
    /// The command's name settles order and direction.
    is_fixed: bool,
}

impl Options {
    fn parse(mut self, mut cursor: Cursor<'_>) -> Result<Self, ReplyError> {
        let options = &mut self;
        let fixed = options.is_fixed;
        while !cursor.is_done() {
            if cursor.take("withscores") {
                options.with_scores = true;
            } else if cursor.left() > 2 && cursor.take("limit") {
                options.limit = Some((cursor.need_i64()?, cursor.need_i64()?));
            } else if !fixed && !options.by_lex && !options.by_score && cursor.take("bylex") {
                options.by_lex = true;
            } else if !fixed && !options.by_lex && !options.by_score && cursor.take("byscore") {
                options.by_score = true;
            } else if !fixed && !options.reverse && cursor.take("rev") {
                options.reverse = true;
            } else {
                return Err(ReplyError::Syntax);
            }
        }
        if options.limit.is_some() && !options.by_lex && !options.by_score {
            return Err(ReplyError::text(
                "syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX",
            ));
        }
        if options.with_scores && options.by_lex {
            return Err(ReplyError::text(
                "syntax error, WITHSCORES not supported in combination with BYLEX",
            ));
        }
        Ok(self)
    }

    fn range<'a>(&self, start: &'a [u8], stop: &'a [u8]) -> Result<By<'a>, ReplyError> {
        if !self.by_score && !self.by_lex {
            let index = |text| number::parse_i64(text).ok_or(ReplyError::NotInteger);
            return Ok(By::Rank(index(start)?, index(stop)?));
        }
        let (min, max) = if self.reverse { (stop, start) } else { (start, stop) };
        if self.by_lex {
            return bounds::names(min, max).map(|(min, max)| By::Lex(min, max));
        }
        bounds::scores(min, max).map(|(min, max)| By::Score(min, max))
    }

    /// The ranks asked for; in reverse those of indexes count from the end.
    fn ranks(&self, by: &By<'_>, zset: &Zset) -> Range<usize> {
        let len = zset.len();
        let ranks = match by {
            By::Rank(start, stop) => {
                let ranks = bounds::ranks(*start, *stop, len);
                return if self.reverse { len - ranks.end..len - ranks.start } else { ranks };
            }
            By::Score(min, max) => zset.ranks_by_score(*min, *max),
            By::Lex(min, max) => zset.ranks_by_lex(*min, *max),
        };
        let Some((offset, count)) = self.limit else { return ranks };
        // A negative offset gives nothing, a negative count everything.
        let skipped = usize::try_from(offset).unwrap_or(usize::MAX).min(ranks.len());
        let taken = usize::try_from(count).unwrap_or(usize::MAX).min(ranks.len() - skipped);
        if self.reverse {
            let end = ranks.end - skipped;
            end - taken..end
        } else {
            let start = ranks.start + skipped;
            start..start + taken
        }
    }
}

fn zrange(ctx: &mut ReadCtx<'_>) -> Outcome {
    range(ctx, Options::default())
}

fn zrevrange(ctx: &mut ReadCtx<'_>) -> Outcome {
    range(ctx, Options { is_fixed: true, reverse: true, ..Options::default() })
}

fn zrangebyscore(ctx: &mut ReadCtx<'_>) -> Outcome {
    range(ctx, Options { is_fixed: true, by_score: true, ..Options::default() })
}

fn zrevrangebyscore(ctx: &mut ReadCtx<'_>) -> Outcome {
    range(ctx, Options { is_fixed: true, by_score: true, reverse: true, ..Options::default() })
}

fn zrangebylex(ctx: &mut ReadCtx<'_>) -> Outcome {
    range(ctx, Options { is_fixed: true, by_lex: true, ..Options::default() })
}

fn zrevrangebylex(ctx: &mut ReadCtx<'_>) -> Outcome {
    range(ctx, Options { is_fixed: true, by_lex: true, reverse: true, ..Options::default() })
}

fn range(ctx: &mut ReadCtx<'_>, options: Options) -> Outcome {
    let options = options.parse(ctx.cursor(4))?;
    let by = options.range(ctx.arg(2), ctx.arg(3))?;
    let ReadCtx { request, keys, reply, .. } = ctx;
    let Some(zset) = keys.read_as::<Zset>(request.arg(1))? else {
        reply.array(0);
        return Ok(Flow::Done);
    };
    let ranks = options.ranks(&by, zset);
    let is_flat = options.with_scores && reply.proto() == Proto::Two;
    reply.array(if is_flat { ranks.len() * 2 } else { ranks.len() });
    let mut walk = zset.walk(ranks);
    while let Some((name, score)) = if options.reverse { walk.next_back() } else { walk.next() } {
        member(reply, name, score, options.with_scores);
    }
    Ok(Flow::Done)
}

fn member(reply: &mut Reply<'_>, name: Element<'_>, score: f64, with_score: bool) {
    if with_score && reply.proto() == Proto::Three {
        reply.array(2);
    }
    reply_element(reply, name);
    if with_score {
        reply.double(score);
    }
}

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
