//! `BLPOP` and `BRPOP key... timeout`

use super::pop::pop_into;
use super::{popped, wait_for};
use crate::blocking::{OnTimeout, timeout_seconds};
use crate::{Class, Command, Flow, Outcome, Run, WriteCtx};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::object::End;

/// `BLPOP key... timeout`: removes the first element of the first list that is there, or waits for
/// one. Replies with the key and the element.
///
/// Replicates as `LPOP`.
pub(super) const BLPOP: Command = Command {
    spec: Spec {
        name: "blpop",
        arity: Arity::AtLeast(3),
        flags: Flags::WRITE.and(Flags::BLOCKING),
        categories: Categories::LIST,
        keys: &[KeySpec::range(1, -2, 1, KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::DELETE))],
        group: Group::List,
        since: "2.0.0",
        complexity: "O(N) in the number of keys",
        summary: "Removes the first element of a list and returns it; waits until there is one.",
        syntax: "key... timeout:double",
        history: &[("6.0.0", "Allowed fractions of a second.")],
        ..Spec::EMPTY
    },
    run: Run::Write(blpop),
};

/// `BRPOP key... timeout`: as BLPOP, with the last element. Replicates as `RPOP`.
pub(super) const BRPOP: Command = Command {
    spec: Spec {
        name: "brpop",
        summary: "Removes the last element of a list and returns it; waits until there is one.",
        ..BLPOP.spec
    },
    run: Run::Write(brpop),
};

fn blpop(ctx: &mut WriteCtx<'_>) -> Outcome {
    pop_or_wait(ctx, End::Front, b"LPOP")
}

fn brpop(ctx: &mut WriteCtx<'_>) -> Outcome {
    pop_or_wait(ctx, End::Back, b"RPOP")
}

fn pop_or_wait(ctx: &mut WriteCtx<'_>, end: End, effect: &[u8]) -> Outcome {
    let last = ctx.request.len() - 1;
    let timeout_ms = timeout_seconds(ctx.arg(last))?;
    for place in 1..last {
        let key = ctx.request.arg(place);
        let WriteCtx { keys, reply, .. } = ctx;
        let taken = keys.edit_as(key, |list, rules| {
            reply.array(2);
            reply.bulk(key);
            pop_into(reply, list, end, rules);
        })?;
        if taken.is_some() {
            ctx.notify_taken(Class::List, popped(end), key);
            ctx.changed_as(&[effect, key]);
            return Ok(Flow::Done);
        }
    }
    wait_for(ctx, 1..last, timeout_ms, OnTimeout::NullArray)
}
