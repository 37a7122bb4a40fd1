//! `EXEC`

use super::TRANSACTION;
use crate::{Command, ControlCtx, Flow, Outcome, Run};
use vesta_spec::{Arity, Flags, Spec};

/// `EXEC`: executes what was queued since MULTI, unless a watched key was modified. The reply is
/// null then, else an array of all replies.
pub(super) const EXEC: Command = Command {
    spec: Spec {
        name: "exec",
        arity: Arity::Exactly(1),
        flags: Flags::NOSCRIPT.and(Flags::LOADING).and(Flags::STALE).and(Flags::SKIP_SLOWLOG),
        since: "1.2.0",
        complexity: "Depends on the commands in the transaction",
        summary: "Executes all commands of a transaction.",
        ..TRANSACTION
    },
    run: Run::Control(exec),
};

fn exec(ctx: &mut ControlCtx<'_>) -> Outcome {
    if ctx.host.may_execute(&mut ctx.keys)? {
        return Ok(Flow::Execute);
    }
    ctx.reply.null_array();
    Ok(Flow::Done)
}
