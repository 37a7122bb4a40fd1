//! `CLIENT UNBLOCK client-id [TIMEOUT | ERROR]`

use super::OTHERS;
use crate::help::misused;
use crate::host::Unblock;
use crate::{Command, ControlCtx, Flow, Outcome, ReplyError, Run};
use vesta_spec::{Arity, Spec};
use vesta_types::number;

/// `CLIENT UNBLOCK`: ends the wait of a client inside a blocking command, as if its time had run
/// out or with an error. A client that waits for anything else is left alone.
pub(super) const UNBLOCK: Command = Command {
    spec: Spec {
        name: "unblock",
        arity: Arity::AtLeast(3),
        since: "5.0.0",
        complexity: "O(log N) in the number of connections",
        summary: "Ends the wait of another client in a blocking command.",
        syntax: "client-id:integer [unblock-type=<TIMEOUT | ERROR>]",
        ..OTHERS
    },
    run: Run::Control(unblock),
};

fn unblock(ctx: &mut ControlCtx<'_>) -> Outcome {
    const BAD_REASON: ReplyError =
        ReplyError::text("CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
    let mut cursor = ctx.cursor(3);
    let how = match cursor.left() {
        0 => Unblock::Timeout,
        1 if cursor.take("timeout") => Unblock::Timeout,
        1 if cursor.take("error") => Unblock::Error,
        1 => return Err(BAD_REASON),
        _ => return Err(misused(ctx.request)),
    };
    let id = number::parse_i64(ctx.arg(2)).ok_or(ReplyError::NotInteger)?;
    let unblocked = u64::try_from(id).is_ok_and(|id| ctx.host.unblock(id, how));
    ctx.reply.flag(unblocked);
    Ok(Flow::Done)
}
