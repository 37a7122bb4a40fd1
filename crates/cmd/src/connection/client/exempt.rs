//! `CLIENT NO-EVICT ON | OFF` and `CLIENT NO-TOUCH ON | OFF`

use super::{OTHERS, OWN};
use crate::{Command, ControlCtx, Flow, Outcome, ReplyError, Run};
use vesta_spec::{Arity, Spec};

/// `CLIENT NO-EVICT`: whether the client is spared when clients are evicted for their memory.
pub(super) const NO_EVICT: Command = Command {
    spec: Spec {
        name: "no-evict",
        arity: Arity::Exactly(3),
        since: "7.0.0",
        summary: "Spares this connection when connections are evicted.",
        syntax: "enabled=<ON | OFF>",
        ..OTHERS
    },
    run: Run::Control(no_evict),
};

/// `CLIENT NO-TOUCH`: whether the client's commands leave the access clocks of keys alone.
pub(super) const NO_TOUCH: Command = Command {
    spec: Spec {
        name: "no-touch",
        arity: Arity::Exactly(3),
        since: "7.2.0",
        summary: "Lets this connection read keys without marking them as used.",
        syntax: "enabled=<ON | OFF>",
        ..OWN
    },
    run: Run::Control(no_touch),
};

fn no_evict(ctx: &mut ControlCtx<'_>) -> Outcome {
    ctx.host.session().no_evict = switch(ctx)?;
    ctx.reply.ok();
    Ok(Flow::Done)
}

fn no_touch(ctx: &mut ControlCtx<'_>) -> Outcome {
    ctx.host.session().no_touch = switch(ctx)?;
    ctx.reply.ok();
    Ok(Flow::Done)
}

fn switch(ctx: &ControlCtx<'_>) -> Result<bool, ReplyError> {
    let mut cursor = ctx.cursor(2);
    if cursor.take("on") {
        Ok(true)
    } else if cursor.take("off") {
        Ok(false)
    } else {
        Err(ReplyError::Syntax)
    }
}
