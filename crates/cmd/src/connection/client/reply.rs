//! `CLIENT REPLY ON | OFF | SKIP`

use super::OWN;
use crate::host::Replies;
use crate::{Command, ControlCtx, Flow, Outcome, ReplyError, Run};
use vesta_spec::{Arity, Spec};

/// `CLIENT REPLY`: whether the client wants replies; SKIP is about the next request alone.
/// Only ON is itself answered. Errors are replies too.
pub(super) const REPLY: Command = Command {
    spec: Spec {
        name: "reply",
        arity: Arity::Exactly(3),
        since: "3.2.0",
        summary: "Switches replies to this connection off or on.",
        syntax: "action=<ON | OFF | SKIP>",
        ..OWN
    },
    run: Run::Control(reply),
};

fn reply(ctx: &mut ControlCtx<'_>) -> Outcome {
    let mut cursor = ctx.cursor(2);
    let replies = &mut ctx.host.session().replies;
    if cursor.take("on") {
        *replies = Replies::On;
        ctx.reply.ok();
    } else if cursor.take("off") {
        *replies = Replies::Off;
    } else if cursor.take("skip") {
        if *replies != Replies::Off {
            *replies = Replies::SkipNext;
        }
    } else {
        return Err(ReplyError::Syntax);
    }
    Ok(Flow::Done)
}
