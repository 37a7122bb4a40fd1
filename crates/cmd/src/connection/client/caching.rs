//! `CLIENT CACHING YES | NO`

use super::OWN;
use crate::host::TrackingMode;
use crate::{Command, ControlCtx, Flow, Outcome, ReplyError, Run};
use vesta_spec::{Arity, Spec};
use vesta_types::ascii;

/// `CLIENT CACHING`: whether what the next command or transaction reads is kept, against the mode
/// of tracking.
pub(super) const CACHING: Command = Command {
    spec: Spec {
        name: "caching",
        arity: Arity::Exactly(3),
        since: "6.0.0",
        summary: "Says whether the client keeps the keys of its next command.",
        syntax: "mode=<YES | NO>",
        ..OWN
    },
    run: Run::Control(caching),
};

fn caching(ctx: &mut ControlCtx<'_>) -> Outcome {
    const NOT_TRACKING: ReplyError = ReplyError::text(
        "CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or \
         OPTOUT mode enabled",
    );
    let mode = ctx.host.tracking().ok_or(NOT_TRACKING)?.mode;
    let wished = ctx.arg(2);
    if ascii::is_word(wished, "yes") {
        if mode != TrackingMode::OptIn {
            return Err(ReplyError::text(
                "CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.",
            ));
        }
    } else if ascii::is_word(wished, "no") {
        if mode != TrackingMode::OptOut {
            return Err(ReplyError::text(
                "CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.",
            ));
        }
    } else {
        return Err(ReplyError::Syntax);
    }
    ctx.host.except_next_from_tracking();
    ctx.reply.ok();
    Ok(Flow::Done)
}
