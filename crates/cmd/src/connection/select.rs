//! `SELECT index`

use crate::keys::database;
use crate::{Command, ControlCtx, Flow, Outcome, Run};
use vesta_spec::{Arity, Categories, Flags, Group, Spec};

/// `SELECT index`: the database that the client's commands work on from here on.
pub(super) const SELECT: Command = Command {
    spec: Spec {
        name: "select",
        arity: Arity::Exactly(2),
        flags: Flags::LOADING.and(Flags::STALE).and(Flags::FAST),
        categories: Categories::CONNECTION,
        group: Group::Connection,
        summary: "Changes the database that the client works on.",
        syntax: "index:integer",
        ..Spec::EMPTY
    },
    run: Run::Control(select),
};

fn select(ctx: &mut ControlCtx<'_>) -> Outcome {
    let db = database::parse(ctx.request.arg(1), ctx.keys.store().databases())?;
    ctx.host.session().db = db;
    ctx.reply.ok();
    Ok(Flow::Done)
}
