//! `CONFIG GET parameter...`

use super::OPERATORS;
use crate::{Command, ControlCtx, Flow, Outcome, Run};
use alloc::vec::Vec;
use vesta_spec::{Arity, Spec};
use vesta_types::{ascii, glob};

/// `CONFIG GET parameter...`: names and values of the options that a pattern matches.
pub(super) const GET: Command = Command {
    spec: Spec {
        name: "get",
        arity: Arity::AtLeast(3),
        complexity: "O(N) in the number of patterns",
        summary: "Tells the values of options.",
        syntax: "parameter...",
        history: &[("7.0.0", "Takes several patterns.")],
        ..OPERATORS
    },
    run: Run::Control(get),
};

fn get(ctx: &mut ControlCtx<'_>) -> Outcome {
    let patterns: Vec<&[u8]> = ctx.request.args_from(2).collect();
    let found = vesta_config::matching(ctx.host.config(), &patterns);
    ctx.reply.map(found.len());
    for (name, value) in found {
        // An option that is named in full, not matched, appears as the client spelled it.
        let mut meant =
            patterns.iter().filter(|pattern| glob::matches(pattern, name.as_bytes(), true));
        let spelled = meant.next().filter(|pattern| ascii::is_word(pattern, name));
        ctx.reply.bulk(spelled.copied().unwrap_or(name.as_bytes()));
        ctx.reply.bulk(&value);
    }
    Ok(Flow::Done)
}
