//! `WAITAOF numlocal numreplicas timeout`

use crate::blocking::{Awaited, Block, OnTimeout, timeout_milliseconds, unchanged};
use crate::host::Safety;
use crate::{Command, ControlCtx, Flow, Outcome, ReplyError, Run};
use alloc::vec::Vec;
use vesta_spec::{Arity, Categories, Flags, Group, Spec};
use vesta_types::number;

/// `WAITAOF numlocal numreplicas timeout`: waits until the client's writes are on the disk, here
/// (`numlocal` 1) and at so many replicas, for `timeout` milliseconds at most; 0 means for ever.
/// The reply is on how many disks they are, here and at replicas, enough or not.
///
/// With `appendfsync no` nobody sees to it that anything gets to the disk, so that the time may
/// run out.
///
/// Source: the documentation of Redis 7.2 and the texts that its clients expect; 7.0 does not have
/// the command.
pub(super) const WAITAOF: Command = Command {
    spec: Spec {
        name: "waitaof",
        arity: Arity::Exactly(4),
        flags: Flags::NOSCRIPT,
        categories: Categories::CONNECTION,
        group: Group::Generic,
        since: "7.2.0",
        complexity: "O(1)",
        summary: "Waits until the client's writes are in the append-only file on the disk, here \
                  and at replicas.",
        syntax: "numlocal:integer numreplicas:integer timeout:integer",
        tips: &["request_policy:all_shards", "response_policy:agg_min"],
        ..Spec::EMPTY
    },
    run: Run::Control(waitaof),
};

/// The error, behind its code, of a client that waits for a log when there is none.
pub const NO_LOG: &str = "WAITAOF cannot be used when numlocal is set but appendonly is disabled.";

fn waitaof(ctx: &mut ControlCtx<'_>) -> Outcome {
    const NOT_BOOLEAN: ReplyError =
        ReplyError::text("value is out of range, value must between 0 and 1");
    const NEGATIVE: ReplyError = ReplyError::text("value is out of range, must be positive");
    let integer = |index| number::parse_i64(ctx.arg(index)).ok_or(ReplyError::NotInteger);
    let here = match integer(1)? {
        0 => false,
        1 => true,
        _ => return Err(NOT_BOOLEAN),
    };
    let replicas = u64::try_from(integer(2)?).map_err(|_| NEGATIVE)?;
    let timeout_ms = timeout_milliseconds(ctx.arg(3))?;
    if here && !ctx.host.config().appendonly {
        return Err(ReplyError::text(NO_LOG));
    }
    let wanted = Safety { here, replicas, applied: 0 };
    let safety = ctx.host.safety();
    if safety.suffices(wanted) || !ctx.waiter.may_wait() {
        safety.reply(&mut ctx.reply);
        return Ok(Flow::Done);
    }
    if replicas > 0 {
        ctx.host.ask_replicas();
    }
    let block = Block {
        keys: Vec::new(),
        awaited: Awaited::Safety(wanted),
        timeout_ms,
        on_timeout: OnTimeout::Safety,
        request: unchanged(&ctx.request),
    };
    ctx.waiter.wait(&mut ctx.reply, block)
}
