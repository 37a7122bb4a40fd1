//! `CONFIG RESETSTAT`

use super::OPERATORS;
use crate::{Command, ControlCtx, Flow, Outcome, Run};
use vesta_spec::{Arity, Spec};

/// `CONFIG RESETSTAT`: the counters of INFO start from zero.
pub(super) const RESETSTAT: Command = Command {
    spec: Spec {
        name: "resetstat",
        arity: Arity::Exactly(2),
        summary: "Counts from zero what INFO shows.",
        ..OPERATORS
    },
    run: Run::Control(resetstat),
};

fn resetstat(ctx: &mut ControlCtx<'_>) -> Outcome {
    ctx.host.reset_stats();
    ctx.keys.store().reset_stats();
    ctx.reply.ok();
    Ok(Flow::Done)
}
