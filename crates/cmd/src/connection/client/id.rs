//! `CLIENT ID`

use super::OWN;
use crate::{Command, ControlCtx, Flow, Outcome, Run};
use vesta_spec::{Arity, Spec};

/// `CLIENT ID`: the number of the client. It is never given to another one.
pub(super) const ID: Command = Command {
    spec: Spec {
        name: "id",
        arity: Arity::Exactly(2),
        since: "5.0.0",
        summary: "Gives the number of this connection.",
        ..OWN
    },
    run: Run::Control(id),
};

fn id(ctx: &mut ControlCtx<'_>) -> Outcome {
    let id = ctx.host.session().id;
    ctx.reply.int(i64::try_from(id).unwrap_or(i64::MAX));
    Ok(Flow::Done)
}
