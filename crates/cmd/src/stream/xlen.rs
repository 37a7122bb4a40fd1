//! `XLEN key`

use super::STREAM;
use crate::{Command, Flow, Outcome, ReadCtx, Run};
use vesta_spec::{Arity, Flags, KeyFlags, KeySpec, Spec};
use vesta_store::Stream;

/// `XLEN key`: how many entries a stream has.
pub(super) const XLEN: Command = Command {
    spec: Spec {
        name: "xlen",
        arity: Arity::Exactly(2),
        flags: Flags::READONLY.and(Flags::FAST),
        keys: &[KeySpec::one(1, KeyFlags::RO)],
        summary: "Counts the entries of a stream.",
        syntax: "key",
        ..STREAM
    },
    run: Run::Read(xlen),
};

fn xlen(ctx: &mut ReadCtx<'_>) -> Outcome {
    let stream = ctx.keys.read_as::<Stream>(ctx.request.arg(1))?;
    let len = stream.map_or(0, |stream| stream.log().len());
    ctx.reply.int(i64::try_from(len).unwrap_or(i64::MAX));
    Ok(Flow::Done)
}
