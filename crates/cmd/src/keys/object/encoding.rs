//! `OBJECT ENCODING key`

use super::ABOUT_KEY;
use crate::{Command, Flow, Outcome, ReadCtx, Run};
use vesta_spec::Spec;
use vesta_store::object;

/// `OBJECT ENCODING key`: the encoding that Redis would use for the value.
pub(super) const ENCODING: Command = Command {
    spec: Spec {
        name: "encoding",
        summary: "Tells the internal encoding of the value at a key.",
        ..ABOUT_KEY
    },
    run: Run::Read(encoding),
};

fn encoding(ctx: &mut ReadCtx<'_>) -> Outcome {
    match ctx.keys.inspect(ctx.request.arg(2)).map(object::encoding_name) {
        Some(name) => ctx.reply.text(name),
        None => ctx.reply.null(),
    }
    Ok(Flow::Done)
}
