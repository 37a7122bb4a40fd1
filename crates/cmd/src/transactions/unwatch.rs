//! `UNWATCH`

use super::TRANSACTION;
use crate::{Command, ControlCtx, Flow, Outcome, Run};
use vesta_spec::{Arity, Spec};

/// `UNWATCH`: no key is watched any more.
pub(super) const UNWATCH: Command = Command {
    spec: Spec {
        name: "unwatch",
        arity: Arity::Exactly(1),
        since: "2.2.0",
        summary: "Forgets which keys are watched.",
        ..TRANSACTION
    },
    run: Run::Control(unwatch),
};

fn unwatch(ctx: &mut ControlCtx<'_>) -> Outcome {
    ctx.host.unwatch(ctx.keys.store());
    ctx.reply.ok();
    Ok(Flow::Done)
}
