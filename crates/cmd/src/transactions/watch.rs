//! `WATCH key...`

use super::TRANSACTION;
use crate::{Command, ControlCtx, Flow, Outcome, Run};
use vesta_spec::{Arity, KeyFlags, KeySpec, Spec};

/// `WATCH key...`: the next EXEC does nothing if one of the keys is modified, or expires, before.
pub(super) const WATCH: Command = Command {
    spec: Spec {
        name: "watch",
        arity: Arity::AtLeast(2),
        keys: &[KeySpec::range(1, -1, 1, KeyFlags::RO)],
        since: "2.2.0",
        complexity: "O(1) for every key",
        summary: "Has the next transaction depend on keys that stay as they are.",
        syntax: "key...",
        ..TRANSACTION
    },
    run: Run::Control(watch),
};

fn watch(ctx: &mut ControlCtx<'_>) -> Outcome {
    for key in ctx.request.args_from(1) {
        ctx.host.watch(&mut ctx.keys, key)?;
    }
    ctx.reply.ok();
    Ok(Flow::Done)
}
