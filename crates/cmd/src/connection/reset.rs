//! `RESET`

use super::auth::ANYBODY;
use crate::host::Replies;
use crate::{Command, ControlCtx, Flow, Outcome, Run};
use vesta_resp::Proto;
use vesta_spec::{Arity, Categories, Group, Spec};
use vesta_types::DbIndex;

/// `RESET`: the client is as new, but for its number and the name of its library.
pub(super) const RESET: Command = Command {
    spec: Spec {
        name: "reset",
        arity: Arity::Exactly(1),
        flags: ANYBODY,
        categories: Categories::CONNECTION,
        group: Group::Connection,
        since: "6.2.0",
        summary: "Puts the connection back into the state of a new one.",
        ..Spec::EMPTY
    },
    run: Run::Control(reset),
};

fn reset(ctx: &mut ControlCtx<'_>) -> Outcome {
    let authenticated = !ctx.host.needs_password();
    ctx.host.unsubscribe_all();
    ctx.host.forget_transaction();
    ctx.host.unwatch(ctx.keys.store());
    ctx.host.set_tracking(None, ctx.keys.store());
    let session = ctx.host.session();
    session.db = DbIndex::ZERO;
    session.proto = Proto::Two;
    session.authenticated = authenticated;
    session.name = [].into();
    session.no_evict = false;
    session.no_touch = false;
    // Observed on redis-server 7.0.15: RESET behind CLIENT REPLY SKIP is itself skipped.
    session.replies = match session.replies {
        Replies::SkipThis => Replies::SkipThis,
        Replies::On | Replies::Off | Replies::SkipNext => Replies::On,
    };
    ctx.reply.simple("RESET");
    Ok(Flow::Done)
}
