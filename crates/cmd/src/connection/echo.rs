//! `ECHO message`

use crate::{Command, ControlCtx, Flow, Outcome, Run};
use vesta_spec::{Arity, Categories, Flags, Group, Spec};

/// `ECHO message`: the message.
pub(super) const ECHO: Command = Command {
    spec: Spec {
        name: "echo",
        arity: Arity::Exactly(2),
        flags: Flags::LOADING.and(Flags::STALE).and(Flags::FAST),
        categories: Categories::CONNECTION,
        group: Group::Connection,
        summary: "Answers with what it was sent.",
        syntax: "message",
        ..Spec::EMPTY
    },
    run: Run::Control(echo),
};

fn echo(ctx: &mut ControlCtx<'_>) -> Outcome {
    match ctx.request.blob(1) {
        Some(blob) => ctx.reply.bulk_blob(blob),
        None => ctx.reply.bulk(ctx.request.arg(1)),
    }
    Ok(Flow::Done)
}
