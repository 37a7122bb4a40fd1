//! `BZPOPMIN` and `BZPOPMAX key... timeout`

use super::wait_for;
use super::zpop::notify;
use crate::blocking::timeout_seconds;
use crate::element::reply_element;
use crate::{Command, Flow, Outcome, Run, WriteCtx};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::Zset;
use vesta_store::object::End;

/// `BZPOPMIN key... timeout`: takes the member with the lowest score out of the first sorted set
/// that is there, or waits for one. Replies with the key, the member and its score.
///
/// Replicates as `ZPOPMIN`.
pub(super) const BZPOPMIN: Command = Command {
    spec: Spec {
        name: "bzpopmin",
        arity: Arity::AtLeast(3),
        flags: Flags::WRITE.and(Flags::BLOCKING).and(Flags::FAST),
        categories: Categories::SORTEDSET,
        keys: &[KeySpec::range(1, -2, 1, KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::DELETE))],
        group: Group::SortedSet,
        since: "5.0.0",
        complexity: "O(log(N)) in the number of members",
        summary: "Removes the member of a sorted set with the lowest score and returns it; waits \
                  until there is one.",
        syntax: "key... timeout:double",
        history: &[("6.0.0", "Allowed fractions of a second.")],
        ..Spec::EMPTY
    },
    run: Run::Write(bzpopmin),
};

/// `BZPOPMAX key... timeout`: as `BZPOPMIN`, with the highest score. Replicates as `ZPOPMAX`.
pub(super) const BZPOPMAX: Command = Command {
    spec: Spec {
        name: "bzpopmax",
        summary: "Removes the member of a sorted set with the highest score and returns it; waits \
                  until there is one.",
        ..BZPOPMIN.spec
    },
    run: Run::Write(bzpopmax),
};

fn bzpopmin(ctx: &mut WriteCtx<'_>) -> Outcome {
    pop_or_wait(ctx, End::Front, b"ZPOPMIN")
}

fn bzpopmax(ctx: &mut WriteCtx<'_>) -> Outcome {
    pop_or_wait(ctx, End::Back, b"ZPOPMAX")
}

fn pop_or_wait(ctx: &mut WriteCtx<'_>, end: End, effect: &[u8]) -> Outcome {
    let last = ctx.request.len() - 1;
    let timeout_ms = timeout_seconds(ctx.arg(last))?;
    for place in 1..last {
        let key = ctx.request.arg(place);
        let WriteCtx { keys, reply, .. } = ctx;
        let popped = keys.edit_as(key, |zset: &mut Zset, _| {
            zset.pop(end, 1, |name, score| {
                reply.array(3);
                reply.bulk(key);
                reply_element(reply, name);
                reply.double(score);
            });
        })?;
        if popped.is_some() {
            ctx.changed_as(&[effect, key]);
            notify(ctx, end, key);
            return Ok(Flow::Done);
        }
    }
    wait_for(ctx, 1..last, timeout_ms)
}
