//! `INFO [section...]`

use crate::{Command, ControlCtx, Flow, Outcome, Run};
use alloc::vec::Vec;
use vesta_spec::{Arity, Categories, Flags, Group, Spec};

/// `INFO [section...]`: what the server tells about itself.
pub(super) const INFO: Command = Command {
    spec: Spec {
        name: "info",
        arity: Arity::AtLeast(1),
        flags: Flags::LOADING.and(Flags::STALE),
        categories: Categories::DANGEROUS,
        group: Group::Server,
        summary: "Tells facts and figures about the server, by sections.",
        syntax: "[section...]",
        tips: &["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
        history: &[("7.0.0", "Takes several sections.")],
        ..Spec::EMPTY
    },
    run: Run::Control(info),
};

fn info(ctx: &mut ControlCtx<'_>) -> Outcome {
    let sections: Vec<&[u8]> = ctx.request.args_from(1).collect();
    let point = ctx.propagation.point();
    let text = ctx.host.info(&sections, ctx.keys.store(), point);
    ctx.reply.verbatim("txt", &text);
    Ok(Flow::Done)
}
