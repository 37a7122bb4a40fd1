//! `PUBSUB CHANNELS [pattern]`

use super::ASKS;
use crate::help::misused;
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

fn channels(ctx: &mut ControlCtx<'_>) -> Outcome {
    if ctx.request.len() > 3 {
        return Err(misused(ctx.request));
    }
    let pattern = (ctx.request.len() == 3).then(|| ctx.arg(2));
    let names = ctx.host.channels(pattern);
    ctx.reply.array(names.len());
    names.iter().for_each(|name| ctx.reply.bulk(name));
    Ok(Flow::Done)
}
