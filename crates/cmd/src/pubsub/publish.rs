//! `PUBLISH channel message`

use crate::{Command, ControlCtx, Flow, Outcome, Run};
use vesta_spec::{Arity, Flags, Group, Spec};

/// `PUBLISH channel message`: sends a message to whoever has subscribed to the channel. Replicas
/// publish it too; the data set does not change.
pub(super) const PUBLISH: Command = Command {
    spec: Spec {
        name: "publish",
        arity: Arity::Exactly(3),
        flags: Flags::PUBSUB
            .and(Flags::LOADING)
            .and(Flags::STALE)
            .and(Flags::FAST)
            .and(Flags::MAY_REPLICATE),
        group: Group::Pubsub,
        since: "2.0.0",
        complexity: "O(N+M) with N subscribers of the channel and M patterns of all clients",
        summary: "Sends a message to the subscribers of a channel.",
        syntax: "channel message",
        ..Spec::EMPTY
    },
    run: Run::Control(publish),
};

fn publish(ctx: &mut ControlCtx<'_>) -> Outcome {
    let sent = ctx.host.publish(ctx.arg(1), ctx.arg(2));
    ctx.propagation.pass_on();
    ctx.reply.count(sent);
    Ok(Flow::Done)
}
