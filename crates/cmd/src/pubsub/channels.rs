//! `PUBSUB CHANNELS [pattern]` and `PUBSUB SHARDCHANNELS [pattern]`

use super::ASKS;
use crate::help::misused;
use crate::host::Topic;
use crate::{Command, ControlCtx, Flow, Outcome, Run};
use vesta_spec::Spec;

/// `PUBSUB CHANNELS [pattern]`: the channels that somebody has subscribed to by name.
pub(super) const CHANNELS: Command = Command {
    spec: Spec {
        name: "channels",
        complexity: "O(N) in the number of channels",
        summary: "Lists the channels that have subscribers.",
        syntax: "[pattern:pattern]",
        ..ASKS
    },
    run: Run::Control(channels),
};

/// `PUBSUB SHARDCHANNELS [pattern]`: the shard channels that somebody has subscribed to.
pub(super) const SHARDCHANNELS: Command = Command {
    spec: Spec {
        name: "shardchannels",
        since: "7.0.0",
        complexity: "O(N) in the number of shard channels",
        summary: "Lists the shard channels that have subscribers.",
        ..CHANNELS.spec
    },
    run: Run::Control(shardchannels),
};

fn channels(ctx: &mut ControlCtx<'_>) -> Outcome {
    list(ctx, Topic::Channel)
}

fn shardchannels(ctx: &mut ControlCtx<'_>) -> Outcome {
    list(ctx, Topic::Shard)
}

fn list(ctx: &mut ControlCtx<'_>, topic: Topic) -> Outcome {
    if ctx.request.len() > 3 {
        return Err(misused(ctx.request));
    }
    let pattern = (ctx.request.len() == 3).then(|| ctx.arg(2));
    let names = ctx.host.topics(topic, pattern);
    ctx.reply.array(names.len());
    names.iter().for_each(|name| ctx.reply.bulk(name));
    Ok(Flow::Done)
}
