//! `STRLEN key`

use crate::{Command, Flow, Outcome, ReadCtx, Run};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};

/// `STRLEN key`: how many bytes a string has.
pub(super) const STRLEN: Command = Command {
    spec: Spec {
        name: "strlen",
        arity: Arity::Exactly(2),
        flags: Flags::READONLY.and(Flags::FAST),
        categories: Categories::STRING,
        keys: &[KeySpec::one(1, KeyFlags::RO)],
        group: Group::String,
        since: "2.2.0",
        summary: "Returns the length of the string at a key in bytes.",
        syntax: "key",
        ..Spec::EMPTY
    },
    run: Run::Read(strlen),
};

fn strlen(ctx: &mut ReadCtx<'_>) -> Outcome {
    let value = ctx.keys.read_string(ctx.request.arg(1))?;
    let length = value.map_or(0, |value| value.text_len());
    ctx.reply.count(length);
    Ok(Flow::Done)
}
