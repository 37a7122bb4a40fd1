//! `PUBSUB NUMPAT`

use super::ASKS;
use crate::{Command, ControlCtx, Flow, Outcome, Run};
use vesta_spec::{Arity, Spec};

/// `PUBSUB NUMPAT`: how many different patterns clients have subscribed to.
pub(super) const NUMPAT: Command = Command {
    spec: Spec {
        name: "numpat",
        arity: Arity::Exactly(2),
        summary: "Counts the patterns that have subscribers.",
        ..ASKS
    },
    run: Run::Control(numpat),
};

fn numpat(ctx: &mut ControlCtx<'_>) -> Outcome {
    ctx.reply.count(ctx.host.patterns());
    Ok(Flow::Done)
}
