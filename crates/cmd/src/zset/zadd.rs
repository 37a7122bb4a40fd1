//! `ZADD key [NX | XX] [GT | LT] [CH] [INCR] score member...` and `ZINCRBY key increment member`

use super::bounds;
use crate::{Class, Command, Cursor, Flow, Outcome, ReplyError, Run, WriteCtx};
use alloc::vec::Vec;
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::{Placed, Rules, Zset};

/// `ZADD key [NX | XX] [GT | LT] [CH] [INCR] score member...`: gives members scores.
pub(super) const ZADD: Command = Command {
    spec: Spec {
        name: "zadd",
        arity: Arity::AtLeast(4),
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        categories: Categories::SORTEDSET,
        keys: &[KeySpec::one(1, KeyFlags::RW.and(KeyFlags::UPDATE))],
        group: Group::SortedSet,
        since: "1.2.0",
        complexity: "O(log(N)) for each member, in a sorted set of N",
        summary: "Adds members to a sorted set, or gives them other scores.",
        syntax: "key [condition=<NX | XX>] [comparison=<GT | LT>] [CH@change] [INCR@increment] \
                 score_member=(score:double member)...",
        history: &[
            ("2.4.0", "Several members can be given."),
            ("3.0.2", "Added the `XX`, `NX`, `CH` and `INCR` options."),
            ("6.2.0", "Added the `GT` and `LT` options."),
        ],
        ..Spec::EMPTY
    },
    run: Run::Write(zadd),
};

/// `ZINCRBY key increment member`: adds to a member's score; a missing one counts as 0.
pub(super) const ZINCRBY: Command = Command {
    spec: Spec {
        name: "zincrby",
        arity: Arity::Exactly(4),
        keys: &[KeySpec::one(1, KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::UPDATE))],
        complexity: "O(log(N)) in the number of members",
        summary: "Adds to the score of a member of a sorted set.",
        syntax: "key increment:integer member",
        history: &[],
        ..ZADD.spec
    },
    run: Run::Write(zincrby),
};

/// Which changes are made.
#[derive(Clone, Copy, Default)]
struct Options {
    nx: bool,
    xx: bool,
    gt: bool,
    lt: bool,
    ch: bool,
    incr: bool,
}

impl Options {
    fn take(cursor: &mut Cursor<'_>) -> Self {
        let mut options = Self::default();
        loop {
            let (option, word) = match () {
                () if cursor.take("nx") => (&mut options.nx, true),
                () if cursor.take("xx") => (&mut options.xx, true),
                () if cursor.take("gt") => (&mut options.gt, true),
                () if cursor.take("lt") => (&mut options.lt, true),
                () if cursor.take("ch") => (&mut options.ch, true),
                () if cursor.take("incr") => (&mut options.incr, true),
                () => return options,
            };
            *option = word;
        }
    }

    /// Refuses options that contradict each other.
    fn check(self, pairs: usize) -> Result<(), ReplyError> {
        let refused = if self.nx && self.xx {
            "XX and NX options at the same time are not compatible"
        } else if (self.gt && (self.nx || self.lt)) || (self.lt && self.nx) {
            "GT, LT, and/or NX options at the same time are not compatible"
        } else if self.incr && pairs > 1 {
            "INCR option supports a single increment-element pair"
        } else {
            return Ok(());
        };
        Err(ReplyError::text(refused))
    }

    /// Whether a member with this score gets the new one.
    fn allows(self, old: Option<f64>, new: f64) -> bool {
        match old {
            None => !self.xx,
            Some(old) => !(self.nx || (self.gt && new <= old) || (self.lt && new >= old)),
        }
    }
}

fn zadd(ctx: &mut WriteCtx<'_>) -> Outcome {
    let mut cursor = ctx.cursor(2);
    let options = Options::take(&mut cursor);
    if cursor.is_done() || !cursor.left().is_multiple_of(2) {
        return Err(ReplyError::Syntax);
    }
    let pairs = cursor.left() / 2;
    options.check(pairs)?;
    let first = cursor.position();
    // One alone, as most are, takes no allocation.
    let score = |pair: usize| bounds::score(ctx.arg(first + pair * 2));
    let first_score = score(0)?;
    let other_scores: Vec<f64> = (1..pairs).map(score).collect::<Result<_, _>>()?;
    if options.incr {
        return increment_by(ctx, first_score, ctx.arg(first + 1), options);
    }
    let scores = core::iter::once(first_score).chain(other_scores);
    let request = ctx.request;
    let change = |zset: &mut Zset, rules: &Rules| {
        if !options.xx || !zset.is_empty() {
            let hint = if zset.is_empty() { pairs } else { 0 };
            zset.expect(hint, request.arg(first + 1).len(), rules);
        }
        let (mut added, mut updated) = (0_u64, 0_u64);
        for (pair, score) in scores.enumerate() {
            let name = request.arg(first + pair * 2 + 1);
            let is_plain = !(options.nx || options.xx || options.gt || options.lt);
            if is_plain || options.allows(zset.score(name), score) {
                match zset.insert(name, score, rules) {
                    Placed::Inserted => added += 1,
                    Placed::Updated { .. } => updated += 1,
                    Placed::Unchanged => {}
                }
            }
        }
        (added, updated)
    };
    let (added, updated) = ctx.keys.upsert_as(request.arg(1), change)?;
    if added + updated > 0 {
        ctx.changed_times(added + updated);
        ctx.notify(Class::Zset, "zadd", request.arg(1));
    }
    let count = if options.ch { added + updated } else { added };
    ctx.reply.int(i64::try_from(count).unwrap_or(i64::MAX));
    Ok(Flow::Done)
}

fn zincrby(ctx: &mut WriteCtx<'_>) -> Outcome {
    let increment = bounds::score(ctx.arg(2))?;
    increment_by(ctx, increment, ctx.arg(3), Options::default())
}

/// Adds to one score and replies with the sum, or with null when the options prevent it.
fn increment_by(ctx: &mut WriteCtx<'_>, increment: f64, name: &[u8], options: Options) -> Outcome {
    let outcome = ctx.keys.upsert_as(ctx.request.arg(1), |zset: &mut Zset, rules| {
        let old = zset.score(name);
        // Not 0 and the increment, which would lose the sign of a minus zero.
        let sum = old.map_or(increment, |old| old + increment);
        if options.nx && old.is_some() {
            return Ok(None);
        }
        if sum.is_nan() {
            return Err(ReplyError::text("resulting score is not a number (NaN)"));
        }
        if !options.allows(old, sum) {
            return Ok(None);
        }
        zset.expect(1, name.len(), rules);
        Ok(Some((sum, zset.insert(name, sum, rules))))
    })??;
    match outcome {
        Some((sum, placed)) => {
            ctx.reply.double(sum);
            if placed != Placed::Unchanged {
                ctx.changed();
                ctx.notify(Class::Zset, "zincr", ctx.request.arg(1));
            }
        }
        None => ctx.reply.null(),
    }
    Ok(Flow::Done)
}
