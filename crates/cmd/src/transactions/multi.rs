//! `MULTI`

use super::TRANSACTION;
use crate::{Command, ControlCtx, Flow, Outcome, Run};
use vesta_spec::{Arity, Spec};

/// `MULTI`: what the client sends from here on is queued until EXEC or DISCARD.
pub(super) const MULTI: Command = Command {
    spec: Spec {
        name: "multi",
        arity: Arity::Exactly(1),
        since: "1.2.0",
        summary: "Begins a transaction.",
        ..TRANSACTION
    },
    run: Run::Control(multi),
};

fn multi(ctx: &mut ControlCtx<'_>) -> Outcome {
    ctx.host.begin_transaction()?;
    ctx.reply.ok();
    Ok(Flow::Done)
}
