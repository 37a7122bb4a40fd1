//! `BLMOVE source destination LEFT | RIGHT LEFT | RIGHT timeout` and
//! `BRPOPLPUSH source destination timeout`

use super::lmove::{LMOVE, move_element};
use super::{place, wait_for};
use crate::blocking::{OnTimeout, timeout_seconds};
use crate::{Command, Flow, Outcome, Run, WriteCtx};
use vesta_spec::{Arity, Deprecated, Flags, Spec};
use vesta_store::object::End;

/// `BLMOVE source destination LEFT | RIGHT LEFT | RIGHT timeout`: moves an element from a list to
/// another one, or waits for one.
///
/// Replicates as `LMOVE`.
pub(super) const BLMOVE: Command = Command {
    spec: Spec {
        name: "blmove",
        arity: Arity::Exactly(6),
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::BLOCKING),
        summary: "Moves an element from a list to another one and returns it; waits until there \
                  is one.",
        syntax: "source destination wherefrom=<LEFT | RIGHT> whereto=<LEFT | RIGHT> \
                 timeout:double",
        ..LMOVE.spec
    },
    run: Run::Write(blmove),
};

/// `BRPOPLPUSH source destination timeout`: BLMOVE from the end to the front. Replicates as
/// `RPOPLPUSH`.
pub(super) const BRPOPLPUSH: Command = Command {
    spec: Spec {
        name: "brpoplpush",
        arity: Arity::Exactly(4),
        since: "2.2.0",
        summary: "Moves the last element of a list to the front of another one and returns it; \
                  waits until there is one.",
        syntax: "source destination timeout:double",
        history: &[("6.0.0", "Allowed fractions of a second.")],
        deprecated: Some(Deprecated {
            since: "6.2.0",
            replaced_by: "`BLMOVE` with the `RIGHT` and `LEFT` arguments",
        }),
        ..BLMOVE.spec
    },
    run: Run::Write(brpoplpush),
};

fn blmove(ctx: &mut WriteCtx<'_>) -> Outcome {
    let (from, to) = (place::end(ctx.arg(3))?, place::end(ctx.arg(4))?);
    let timeout_ms = timeout_seconds(ctx.arg(5))?;
    if !move_element(ctx, from, to)? {
        return wait_for_source(ctx, timeout_ms);
    }
    ctx.changed_as(&[b"LMOVE", ctx.arg(1), ctx.arg(2), ctx.arg(3), ctx.arg(4)]);
    Ok(Flow::Done)
}

fn brpoplpush(ctx: &mut WriteCtx<'_>) -> Outcome {
    let timeout_ms = timeout_seconds(ctx.arg(3))?;
    if !move_element(ctx, End::Back, End::Front)? {
        return wait_for_source(ctx, timeout_ms);
    }
    ctx.changed_as(&[b"RPOPLPUSH", ctx.arg(1), ctx.arg(2)]);
    Ok(Flow::Done)
}

/// Lets the client wait for the source. When its time is up the reply is a null array, and where
/// it may not wait it is null.
///
/// Source: both were observed on redis-server 7.0.15.
fn wait_for_source(ctx: &mut WriteCtx<'_>, timeout_ms: Option<u64>) -> Outcome {
    let on_timeout = if ctx.waiter.may_wait() { OnTimeout::NullArray } else { OnTimeout::Null };
    wait_for(ctx, 1..2, timeout_ms, on_timeout)
}
