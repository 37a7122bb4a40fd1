//! `WAIT numreplicas timeout`

use crate::blocking::{Awaited, Block, OnTimeout, timeout_milliseconds, unchanged};
use crate::host::{Role, Safety};
use crate::{Command, ControlCtx, Flow, Outcome, ReplyError, Run};
use alloc::vec::Vec;
use vesta_spec::{Arity, Categories, Flags, Group, Spec};
use vesta_types::number;

/// `WAIT numreplicas timeout`: waits until so many replicas have applied what the client has
/// written, for `timeout` milliseconds at most; 0 means for ever. The reply is how many have,
/// enough or not.
pub(super) const WAIT: Command = Command {
    spec: Spec {
        name: "wait",
        arity: Arity::Exactly(3),
        flags: Flags::NOSCRIPT,
        categories: Categories::CONNECTION,
        group: Group::Generic,
        since: "3.0.0",
        summary: "Waits until the client's writes have been applied by replicas.",
        syntax: "numreplicas:integer timeout:integer",
        tips: &["request_policy:all_shards", "response_policy:agg_min"],
        ..Spec::EMPTY
    },
    run: Run::Control(wait),
};

/// Source: redis-server 7.0.15.
const AT_REPLICA: ReplyError = ReplyError::text(
    "WAIT cannot be used with replica instances. Please also note that since Redis 4.0 if a \
     replica is configured to be writable (which is not the default) writes to replicas are just \
     local and are not propagated.",
);

fn wait(ctx: &mut ControlCtx<'_>) -> Outcome {
    if matches!(ctx.host.role(), Role::Replica { .. }) {
        return Err(AT_REPLICA);
    }
    let wanted = number::parse_i64(ctx.arg(1)).ok_or(ReplyError::NotInteger)?;
    let timeout_ms = timeout_milliseconds(ctx.arg(2))?;
    let safety = ctx.host.safety();
    let wanted = Safety { applied: u64::try_from(wanted).unwrap_or(0), ..Safety::default() };
    if safety.suffices(wanted) || !ctx.waiter.may_wait() {
        ctx.reply.int(i64::try_from(safety.applied).unwrap_or(i64::MAX));
        return Ok(Flow::Done);
    }
    ctx.host.ask_replicas();
    let block = Block {
        keys: Vec::new(),
        awaited: Awaited::Safety(wanted),
        timeout_ms,
        on_timeout: OnTimeout::Applied,
        request: unchanged(&ctx.request),
    };
    ctx.waiter.wait(&mut ctx.reply, block)
}
