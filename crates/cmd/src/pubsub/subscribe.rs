//! `SUBSCRIBE channel...`, `PSUBSCRIBE pattern...` and `SSUBSCRIBE shardchannel...`

use super::{SUBSCRIPTION, confirm};
use crate::host::Topic;
use crate::{Command, ControlCtx, Flow, Outcome, ReplyError, Run};
use vesta_spec::{Arity, KeyFlags, KeySpec, Spec};

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

/// `SSUBSCRIBE shardchannel...`: the client gets what is published to these shard channels.
pub(super) const SSUBSCRIBE: Command = Command {
    spec: Spec {
        name: "ssubscribe",
        arity: Arity::AtLeast(2),
        keys: &[KeySpec::range(1, -1, 1, KeyFlags::NOT_KEY)],
        since: "7.0.0",
        complexity: "O(N) in the number of shard channels",
        summary: "Listens to shard channels.",
        syntax: "shardchannel...",
        ..SUBSCRIPTION
    },
    run: Run::Control(ssubscribe),
};

fn subscribe(ctx: &mut ControlCtx<'_>) -> Outcome {
    add(ctx, Topic::Channel, "subscribe")
}

fn psubscribe(ctx: &mut ControlCtx<'_>) -> Outcome {
    add(ctx, Topic::Pattern, "psubscribe")
}

fn ssubscribe(ctx: &mut ControlCtx<'_>) -> Outcome {
    // The other two may. Observed on redis-server 7.0.15.
    if !ctx.waiter.may_wait() {
        let text = "SSUBSCRIBE isn't allowed for a DENY BLOCKING client";
        return Err(ReplyError::text(text));
    }
    add(ctx, Topic::Shard, "ssubscribe")
}

/// Each name is confirmed by a message of its own.
fn add(ctx: &mut ControlCtx<'_>, topic: Topic, word: &str) -> Outcome {
    for name in ctx.request.args_from(1) {
        ctx.host.subscribe(topic, name);
        confirm(ctx, topic, word, Some(name));
    }
    Ok(Flow::Done)
}
