//! `PUBLISH channel message` and `SPUBLISH shardchannel message`

use crate::host::Topic;
use crate::{Command, ControlCtx, Flow, Outcome, Run};
use vesta_spec::{Arity, Flags, Group, KeyFlags, KeySpec, Spec};

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

/// `SPUBLISH shardchannel message`: sends a message to whoever has subscribed to the shard
/// channel. Replicas publish it too.
pub(super) const SPUBLISH: Command = Command {
    spec: Spec {
        name: "spublish",
        keys: &[KeySpec::one(1, KeyFlags::NOT_KEY)],
        since: "7.0.0",
        complexity: "O(N) in the number of subscribers of the shard channel",
        summary: "Sends a message to the subscribers of a shard channel.",
        syntax: "shardchannel message",
        ..PUBLISH.spec
    },
    run: Run::Control(spublish),
};

fn publish(ctx: &mut ControlCtx<'_>) -> Outcome {
    send(ctx, Topic::Channel)
}

fn spublish(ctx: &mut ControlCtx<'_>) -> Outcome {
    send(ctx, Topic::Shard)
}

fn send(ctx: &mut ControlCtx<'_>, topic: Topic) -> Outcome {
    let sent = ctx.host.publish(topic, ctx.arg(1), ctx.arg(2));
    ctx.propagation.pass_on();
    ctx.reply.count(sent);
    Ok(Flow::Done)
}
