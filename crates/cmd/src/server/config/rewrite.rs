//! `CONFIG REWRITE`

use super::OPERATORS;
use crate::{Command, ControlCtx, Outcome, Run};
use vesta_spec::{Arity, Spec};

/// `CONFIG REWRITE`: the configuration file gets the present settings.
pub(super) const REWRITE: Command = Command {
    spec: Spec {
        name: "rewrite",
        arity: Arity::Exactly(2),
        since: "2.8.0",
        summary: "Writes the present settings to the configuration file.",
        ..OPERATORS
    },
    run: Run::Control(rewrite),
};

fn rewrite(ctx: &mut ControlCtx<'_>) -> Outcome {
    ctx.host.config_rewrite()
}
