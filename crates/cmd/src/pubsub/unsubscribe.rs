//! `UNSUBSCRIBE [channel...]`, `PUNSUBSCRIBE [pattern...]` and `SUNSUBSCRIBE [shardchannel...]`

use super::{SUBSCRIPTION, confirm};
use crate::host::Topic;
use crate::{Command, ControlCtx, Flow, Outcome, Run};
use vesta_spec::{Arity, KeyFlags, KeySpec, Spec};

/// `UNSUBSCRIBE [channel...]`: the client no longer listens to these channels, or to any.
pub(super) const UNSUBSCRIBE: Command = Command {
    spec: Spec {
        name: "unsubscribe",
        arity: Arity::AtLeast(1),
        complexity: "O(N) in the number of channels",
        summary: "Stops listening to channels.",
        syntax: "[channel...]",
        ..SUBSCRIPTION
    },
    run: Run::Control(unsubscribe),
};

/// `PUNSUBSCRIBE [pattern...]`: the client takes back these patterns, or all.
pub(super) const PUNSUBSCRIBE: Command = Command {
    spec: Spec {
        name: "punsubscribe",
        arity: Arity::AtLeast(1),
        complexity: "O(N) in the number of patterns",
        summary: "Stops listening to channels whose names match patterns.",
        syntax: "[pattern:pattern...]",
        ..SUBSCRIPTION
    },
    run: Run::Control(punsubscribe),
};

/// `SUNSUBSCRIBE [shardchannel...]`: the client no longer listens to these shard channels, or to
/// any.
pub(super) const SUNSUBSCRIBE: Command = Command {
    spec: Spec {
        name: "sunsubscribe",
        arity: Arity::AtLeast(1),
        keys: &[KeySpec::range(1, -1, 1, KeyFlags::NOT_KEY)],
        since: "7.0.0",
        complexity: "O(N) in the number of shard channels",
        summary: "Stops listening to shard channels.",
        syntax: "[shardchannel...]",
        ..SUBSCRIPTION
    },
    run: Run::Control(sunsubscribe),
};

fn unsubscribe(ctx: &mut ControlCtx<'_>) -> Outcome {
    remove(ctx, Topic::Channel, "unsubscribe")
}

fn punsubscribe(ctx: &mut ControlCtx<'_>) -> Outcome {
    remove(ctx, Topic::Pattern, "punsubscribe")
}

fn sunsubscribe(ctx: &mut ControlCtx<'_>) -> Outcome {
    remove(ctx, Topic::Shard, "sunsubscribe")
}

/// Each name is confirmed, whether there was a subscription or not. Without names and without
/// subscriptions there is still one message, with null for the name.
fn remove(ctx: &mut ControlCtx<'_>, topic: Topic, word: &str) -> Outcome {
    if ctx.request.len() > 1 {
        for name in ctx.request.args_from(1) {
            ctx.host.unsubscribe(topic, name);
            confirm(ctx, topic, word, Some(name));
        }
        return Ok(Flow::Done);
    }
    let all = ctx.host.subscribed(topic);
    for name in &all {
        ctx.host.unsubscribe(topic, name);
        confirm(ctx, topic, word, Some(name));
    }
    if all.is_empty() {
        confirm(ctx, topic, word, None);
    }
    Ok(Flow::Done)
}
