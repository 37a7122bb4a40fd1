//! `CONFIG SET parameter value...`

use super::OPERATORS;
use crate::{Command, ControlCtx, Flow, Outcome, ReplyError, Run};
use alloc::vec::Vec;
use vesta_spec::{Arity, Spec};

/// `CONFIG SET parameter value...`: changes options, all of them or none.
pub(super) const SET: Command = Command {
    spec: Spec {
        name: "set",
        arity: Arity::AtLeast(4),
        complexity: "O(N) in the number of options",
        summary: "Changes options at run time, all of them or none.",
        syntax: "data=(parameter value)...",
        tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
        history: &[("7.0.0", "Takes several options.")],
        ..OPERATORS
    },
    run: Run::Control(set),
};

fn set(ctx: &mut ControlCtx<'_>) -> Outcome {
    let words: Vec<&[u8]> = ctx.request.args_from(2).collect();
    let (pairs, rest) = words.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(ReplyError::Syntax);
    }
    let pairs: Vec<(&[u8], &[u8])> = pairs.iter().map(|[name, value]| (*name, *value)).collect();
    let flow = ctx.host.config_set(&pairs)?;
    if flow == Flow::Done {
        ctx.reply.ok();
    }
    Ok(flow)
}
