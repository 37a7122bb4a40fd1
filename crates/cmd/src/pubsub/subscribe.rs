//! `SUBSCRIBE channel...` and `PSUBSCRIBE pattern...`

use super::SUBSCRIPTION;
use crate::host::Topic;
use crate::{Command, ControlCtx, Flow, Outcome, Run};
use vesta_spec::{Arity, Spec};

/// `SUBSCRIBE channel...`: the client gets what is published to these channels.
pub(super) const SUBSCRIBE: Command = Command {
    spec: Spec {
        name: "subscribe",
        arity: Arity::AtLeast(2),
        complexity: "O(N) in the number of channels",
        summary: "Listens to channels.",
        syntax: "channel...",
        ..SUBSCRIPTION
    },
    run: Run::Control(subscribe),
};

/// `PSUBSCRIBE pattern...`: the client gets what is published to channels with such names.
pub(super) const PSUBSCRIBE: Command = Command {
    spec: Spec {
        name: "psubscribe",
        arity: Arity::AtLeast(2),
        complexity: "O(N) in the number of patterns the client has subscribed to",
        summary: "Listens to all channels whose names match patterns.",
        syntax: "pattern:pattern...",
        ..SUBSCRIPTION
    },
    run: Run::Control(psubscribe),
};

fn subscribe(ctx: &mut ControlCtx<'_>) -> Outcome {
    add(ctx, Topic::Channel, "subscribe")
}

fn psubscribe(ctx: &mut ControlCtx<'_>) -> Outcome {
    add(ctx, Topic::Pattern, "psubscribe")
}

/// Each name is confirmed by a message of its own, with how many subscriptions there are then.
fn add(ctx: &mut ControlCtx<'_>, topic: Topic, word: &str) -> Outcome {
    for name in ctx.request.args_from(1) {
        ctx.host.subscribe(topic, name);
        let count = ctx.host.session().subscriptions;
        ctx.reply.push(3);
        ctx.reply.text(word);
        ctx.reply.bulk(name);
        ctx.reply.count(count);
    }
    Ok(Flow::Done)
}
