//! `MEMORY PURGE`

use super::COMMON;
use crate::{Command, ControlCtx, Flow, Outcome, Run};
use vesta_spec::{Arity, Spec};

/// `MEMORY PURGE`: free memory goes back to the system.
pub(super) const PURGE: Command = Command {
    spec: Spec {
        name: "purge",
        arity: Arity::Exactly(2),
        complexity: "Depends on how much memory the allocator holds",
        summary: "Gives free memory back to the system.",
        tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
        ..COMMON
    },
    run: Run::Control(purge),
};

fn purge(ctx: &mut ControlCtx<'_>) -> Outcome {
    ctx.host.purge_memory();
    ctx.reply.ok();
    Ok(Flow::Done)
}
