//! `PUBSUB NUMSUB [channel...]` and `PUBSUB SHARDNUMSUB [shardchannel...]`

use super::ASKS;
use crate::host::Topic;
use crate::{Command, ControlCtx, Flow, Outcome, Run};
use vesta_spec::Spec;

/// `PUBSUB NUMSUB [channel...]`: how many clients have subscribed to each of these channels by
/// name. A map in meaning, but a flat array in both versions of the protocol.
pub(super) const NUMSUB: Command = Command {
    spec: Spec {
        name: "numsub",
        complexity: "O(N) in the number of channels named",
        summary: "Counts the subscribers of channels, without those of patterns.",
        syntax: "[channel...]",
        ..ASKS
    },
    run: Run::Control(numsub),
};

/// `PUBSUB SHARDNUMSUB [shardchannel...]`: as NUMSUB, for shard channels.
pub(super) const SHARDNUMSUB: Command = Command {
    spec: Spec {
        name: "shardnumsub",
        since: "7.0.0",
        complexity: "O(N) in the number of shard channels named",
        summary: "Counts the subscribers of shard channels.",
        syntax: "[shardchannel...]",
        ..ASKS
    },
    run: Run::Control(shardnumsub),
};

fn numsub(ctx: &mut ControlCtx<'_>) -> Outcome {
    count(ctx, Topic::Channel)
}

fn shardnumsub(ctx: &mut ControlCtx<'_>) -> Outcome {
    count(ctx, Topic::Shard)
}

fn count(ctx: &mut ControlCtx<'_>, topic: Topic) -> Outcome {
    ctx.reply.array((ctx.request.len() - 2) * 2);
    for channel in ctx.request.args_from(2) {
        ctx.reply.bulk(channel);
        ctx.reply.count(ctx.host.subscribers(topic, channel));
    }
    Ok(Flow::Done)
}
