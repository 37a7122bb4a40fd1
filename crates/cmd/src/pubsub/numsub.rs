//! `PUBSUB NUMSUB [channel...]`

use super::ASKS;
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

fn numsub(ctx: &mut ControlCtx<'_>) -> Outcome {
    ctx.reply.array((ctx.request.len() - 2) * 2);
    for channel in ctx.request.args_from(2) {
        ctx.reply.bulk(channel);
        ctx.reply.count(ctx.host.subscribers(channel));
    }
    Ok(Flow::Done)
}
