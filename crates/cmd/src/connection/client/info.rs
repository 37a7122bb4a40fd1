//! `CLIENT INFO`

use super::OWN;
use crate::{Command, ControlCtx, Flow, Outcome, Run};
use alloc::format;
use vesta_spec::{Arity, Spec};

/// `CLIENT INFO`: the line of CLIENT LIST for this client.
pub(super) const INFO: Command = Command {
    spec: Spec {
        name: "info",
        arity: Arity::Exactly(2),
        since: "6.2.0",
        summary: "Tells what the server knows about this connection.",
        tips: &["nondeterministic_output"],
        ..OWN
    },
    run: Run::Control(info),
};

fn info(ctx: &mut ControlCtx<'_>) -> Outcome {
    let line = format!("{}\n", ctx.host.client());
    ctx.reply.verbatim("txt", &line);
    Ok(Flow::Done)
}
