//! `MEMORY MALLOC-STATS`

use super::{COMMON, PER_SERVER};
use crate::{Command, ControlCtx, Flow, Outcome, Run};
use alloc::format;
use vesta_spec::{Arity, Spec};

/// `MEMORY MALLOC-STATS`: what the allocator has handed out.
pub(super) const MALLOC_STATS: Command = Command {
    spec: Spec {
        name: "malloc-stats",
        arity: Arity::Exactly(2),
        complexity: "O(1)",
        summary: "Tells what the allocator has handed out.",
        tips: PER_SERVER,
        ..COMMON
    },
    run: Run::Control(malloc_stats),
};

fn malloc_stats(ctx: &mut ControlCtx<'_>) -> Outcome {
    let memory = ctx.host.memory();
    let text = format!(
        "allocated: {}\npeak allocated: {}\nallocated at start: {}\nresident: {}\n",
        memory.used, memory.peak, memory.startup, memory.resident
    );
    ctx.reply.verbatim("txt", &text);
    Ok(Flow::Done)
}
