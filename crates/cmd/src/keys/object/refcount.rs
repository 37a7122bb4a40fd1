//! `OBJECT REFCOUNT key`

use super::ABOUT_KEY;
use crate::{Command, Flow, Outcome, ReadCtx, Run};
use vesta_spec::Spec;

/// `OBJECT REFCOUNT key`: 1, since keys share no objects here. (Redis shares small integers and
/// answers 2147483647 for those.)
pub(super) const REFCOUNT: Command = Command {
    spec: Spec {
        name: "refcount",
        summary: "Tells how many keys hold the very value of a key.",
        ..ABOUT_KEY
    },
    run: Run::Read(refcount),
};

fn refcount(ctx: &mut ReadCtx<'_>) -> Outcome {
    match ctx.keys.inspect(ctx.request.arg(2)) {
        Some(_) => ctx.reply.int(1),
        None => ctx.reply.null(),
    }
    Ok(Flow::Done)
}
