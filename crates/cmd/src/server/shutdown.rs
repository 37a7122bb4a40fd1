//! `SHUTDOWN [NOSAVE | SAVE] [NOW] [FORCE] [ABORT]`

use crate::{Command, ControlCtx, Flow, Outcome, ReplyError, Run};
use vesta_config::ShutdownWish;
use vesta_spec::{Arity, Flags, Group, Spec};

/// `SHUTDOWN [options]`: ends the server. The client gets a reply only if that cannot be done.
pub(super) const SHUTDOWN: Command = Command {
    spec: Spec {
        name: "shutdown",
        arity: Arity::AtLeast(1),
        flags: Flags::ADMIN
            .and(Flags::NOSCRIPT)
            .and(Flags::LOADING)
            .and(Flags::STALE)
            .and(Flags::NO_MULTI)
            .and(Flags::ALLOW_BUSY),
        group: Group::Server,
        complexity: "O(N) in the number of keys when they are saved, else O(1)",
        summary: "Saves the data if so configured or asked, and ends the server.",
        syntax: "[save-selector=<NOSAVE | SAVE>] [NOW] [FORCE] [ABORT]",
        history: &[("7.0.0", "Added the `NOW`, `FORCE` and `ABORT` options.")],
        ..Spec::EMPTY
    },
    run: Run::Control(shutdown),
};

fn shutdown(ctx: &mut ControlCtx<'_>) -> Outcome {
    let mut wish = ShutdownWish::default();
    let mut abort = false;
    let mut cursor = ctx.cursor(1);
    while !cursor.is_done() {
        if cursor.take("nosave") {
            wish.nosave = true;
        } else if cursor.take("save") {
            wish.save = true;
        } else if cursor.take("now") {
            wish.now = true;
        } else if cursor.take("force") {
            wish.force = true;
        } else if cursor.take("abort") {
            abort = true;
        } else {
            return Err(ReplyError::Syntax);
        }
    }
    let with_abort = abort && wish != ShutdownWish::default();
    if with_abort || (wish.save && wish.nosave) {
        return Err(ReplyError::Syntax);
    }
    if abort {
        if !ctx.host.abort_shutdown(ctx.keys.store()) {
            return Err(ReplyError::text("No shutdown in progress."));
        }
        ctx.reply.ok();
        return Ok(Flow::Done);
    }
    let point = ctx.propagation.point();
    ctx.host.shutdown(wish, ctx.keys.store(), point)
}
