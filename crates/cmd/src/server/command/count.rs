//! `COMMAND COUNT`

use super::COMMON;
use crate::{Command, ControlCtx, Flow, Outcome, Run};
use vesta_spec::{Arity, Spec};

/// `COMMAND COUNT`: how many commands there are, sub-commands not counted.
pub(super) const COUNT: Command = Command {
    spec: Spec {
        name: "count",
        arity: Arity::Exactly(2),
        summary: "Tells how many commands there are.",
        ..COMMON
    },
    run: Run::Control(count),
};

fn count(ctx: &mut ControlCtx<'_>) -> Outcome {
    ctx.reply.count(ctx.commands.iter().len());
    Ok(Flow::Done)
}
