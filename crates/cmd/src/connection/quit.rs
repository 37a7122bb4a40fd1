//! `QUIT`

use super::auth::ANYBODY;
use crate::{Command, ControlCtx, Flow, Outcome, Run};
use vesta_spec::{Arity, Categories, Deprecated, Group, Spec};

/// `QUIT`: answers and disconnects. Requests behind it are not executed.
pub(super) const QUIT: Command = Command {
    spec: Spec {
        name: "quit",
        arity: Arity::AtLeast(1),
        flags: ANYBODY,
        categories: Categories::CONNECTION,
        group: Group::Connection,
        summary: "Ends the connection after a last answer.",
        deprecated: Some(Deprecated { since: "7.2.0", replaced_by: "just closing the connection" }),
        ..Spec::EMPTY
    },
    run: Run::Control(quit),
};

fn quit(ctx: &mut ControlCtx<'_>) -> Outcome {
    ctx.reply.ok();
    Ok(Flow::Close)
}
