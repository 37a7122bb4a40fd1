//! `DISCARD`

use super::TRANSACTION;
use crate::{Command, ControlCtx, Flow, Outcome, ReplyError, Run};
use vesta_spec::{Arity, Spec};

/// `DISCARD`: forgets what was queued since MULTI, and which keys are watched.
pub(super) const DISCARD: Command = Command {
    spec: Spec {
        name: "discard",
        arity: Arity::Exactly(1),
        since: "2.0.0",
        complexity: "O(N) in the number of queued commands",
        summary: "Ends a transaction without executing it.",
        ..TRANSACTION
    },
    run: Run::Control(discard),
};

fn discard(ctx: &mut ControlCtx<'_>) -> Outcome {
    if !ctx.host.forget_transaction() {
        return Err(ReplyError::text("DISCARD without MULTI"));
    }
    ctx.host.unwatch(ctx.keys.store());
    ctx.reply.ok();
    Ok(Flow::Done)
}
