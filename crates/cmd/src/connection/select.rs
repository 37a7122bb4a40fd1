//! `SELECT index`

use crate::{Command, ControlCtx, Flow, Outcome, ReplyError, Run};
use vesta_spec::{Arity, Categories, Flags, Group, Spec};
use vesta_types::{DbIndex, number};

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
    const INVALID: ReplyError = ReplyError::text("invalid DB index");
    let raw = number::parse_i64(ctx.request.arg(1)).ok_or(ReplyError::NotInteger)?;
    if i32::try_from(raw).is_err() {
        return Err(INVALID);
    }
    let count = ctx.keys.store().databases();
    let index = u64::try_from(raw).ok().and_then(|raw| DbIndex::new(raw, count));
    ctx.host.session().db = index.ok_or(ReplyError::DbOutOfRange)?;
    ctx.reply.ok();
    Ok(Flow::Done)
}
