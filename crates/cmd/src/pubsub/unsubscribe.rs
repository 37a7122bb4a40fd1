//! `UNSUBSCRIBE [channel...]` and `PUNSUBSCRIBE [pattern...]`

use super::SUBSCRIPTION;
use crate::host::Topic;
use crate::{Command, ControlCtx, Flow, Outcome, Run};
use vesta_spec::{Arity, Spec};

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

fn unsubscribe(ctx: &mut ControlCtx<'_>) -> Outcome {
    remove(ctx, Topic::Channel, "unsubscribe")
}

fn punsubscribe(ctx: &mut ControlCtx<'_>) -> Outcome {
    remove(ctx, Topic::Pattern, "punsubscribe")
}

/// Each name is confirmed, whether there was a subscription or not. Without names and without
/// subscriptions there is still one message, with null for the name.
fn remove(ctx: &mut ControlCtx<'_>, topic: Topic, word: &str) -> Outcome {
    if ctx.request.len() > 1 {
        for name in ctx.request.args_from(1) {
            ctx.host.unsubscribe(topic, name);
            confirm(ctx, word, Some(name));
        }
        return Ok(Flow::Done);
    }
    let all = ctx.host.subscribed(topic);
    for name in &all {
        ctx.host.unsubscribe(topic, name);
        confirm(ctx, word, Some(name));
    }
    if all.is_empty() {
        confirm(ctx, word, None);
    }
    Ok(Flow::Done)
}

fn confirm(ctx: &mut ControlCtx<'_>, word: &str, name: Option<&[u8]>) {
    let count = ctx.host.session().subscriptions;
    ctx.reply.push(3);
    ctx.reply.text(word);
    match name {
        Some(name) => ctx.reply.bulk(name),
        None => ctx.reply.null(),
    }
    ctx.reply.count(count);
}
