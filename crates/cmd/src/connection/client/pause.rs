//! `CLIENT PAUSE timeout [WRITE | ALL]` and `CLIENT UNPAUSE`

use super::OTHERS;
use crate::help::misused;
use crate::host::Pause;
use crate::{Command, ControlCtx, Flow, Outcome, ReplyError, Run};
use vesta_spec::{Arity, Spec};
use vesta_types::{Mono, number};

/// `CLIENT PAUSE timeout [WRITE | ALL]`: holds back the commands of all clients, or those that
/// may write, for so many milliseconds. Those held run when the pause ends, in their order.
/// Nothing expires and nothing is evicted meanwhile.
pub(super) const PAUSE: Command = Command {
    spec: Spec {
        name: "pause",
        arity: Arity::AtLeast(3),
        since: "2.9.50",
        summary: "Holds commands back for some time.",
        syntax: "timeout:integer [mode=<WRITE | ALL>]",
        history: &[("6.2.0", "Can hold back writes alone.")],
        ..OTHERS
    },
    run: Run::Control(pause),
};

/// `CLIENT UNPAUSE`: ends a pause. A pause of ALL holds this back as well.
pub(super) const UNPAUSE: Command = Command {
    spec: Spec {
        name: "unpause",
        arity: Arity::Exactly(2),
        since: "6.2.0",
        complexity: "O(N) in the number of clients held back",
        summary: "Ends a pause.",
        ..OTHERS
    },
    run: Run::Control(unpause),
};

fn pause(ctx: &mut ControlCtx<'_>) -> Outcome {
    const BAD_MODE: ReplyError = ReplyError::text("CLIENT PAUSE mode must be WRITE or ALL");
    const NO_NUMBER: ReplyError = ReplyError::text("timeout is not an integer or out of range");
    const NEGATIVE: ReplyError = ReplyError::text("timeout is negative");
    let mut cursor = ctx.cursor(3);
    let pause = match cursor.left() {
        0 => Pause::All,
        1 if cursor.take("write") => Pause::Writes,
        1 if cursor.take("all") => Pause::All,
        1 => return Err(BAD_MODE),
        _ => return Err(misused(ctx.request)),
    };
    let ms = number::parse_i64(ctx.arg(2)).ok_or(NO_NUMBER)?;
    let ms = u64::try_from(ms).map_err(|_| NEGATIVE)?;
    let until = Mono(ctx.now.mono.0.saturating_add(ms.saturating_mul(1000)));
    ctx.host.pause(pause, until);
    ctx.reply.ok();
    Ok(Flow::Done)
}

fn unpause(ctx: &mut ControlCtx<'_>) -> Outcome {
    ctx.host.unpause();
    ctx.reply.ok();
    Ok(Flow::Done)
}
