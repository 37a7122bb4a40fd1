//! `CLIENT GETNAME` and `CLIENT SETNAME connection-name`

use super::{OWN, checked_name};
use crate::{Command, ControlCtx, Flow, Outcome, Run};
use vesta_spec::{Arity, Spec};

/// `CLIENT GETNAME`: the name of the connection, or null.
pub(super) const GETNAME: Command = Command {
    spec: Spec {
        name: "getname",
        arity: Arity::Exactly(2),
        since: "2.6.9",
        summary: "Gives the name of this connection.",
        ..OWN
    },
    run: Run::Control(getname),
};

/// `CLIENT SETNAME connection-name`: names the connection; an empty name removes the old one.
pub(super) const SETNAME: Command = Command {
    spec: Spec {
        name: "setname",
        arity: Arity::Exactly(3),
        since: "2.6.9",
        summary: "Names this connection.",
        syntax: "connection-name",
        tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
        ..OWN
    },
    run: Run::Control(setname),
};

fn getname(ctx: &mut ControlCtx<'_>) -> Outcome {
    let name = &ctx.host.session().name;
    if name.is_empty() {
        ctx.reply.null();
    } else {
        ctx.reply.bulk(name);
    }
    Ok(Flow::Done)
}

fn setname(ctx: &mut ControlCtx<'_>) -> Outcome {
    let name = checked_name(ctx.request.arg(2))?;
    ctx.host.session().name = name.into();
    ctx.reply.ok();
    Ok(Flow::Done)
}
