//! `GETBIT key offset`

use super::offset;
use crate::string::text_in;
use crate::{Command, Flow, Outcome, ReadCtx, Run};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};

/// `GETBIT key offset`: one bit of a string, 0 behind its end.
pub(super) const GETBIT: Command = Command {
    spec: Spec {
        name: "getbit",
        arity: Arity::Exactly(3),
        flags: Flags::READONLY.and(Flags::FAST),
        categories: Categories::BITMAP,
        keys: &[KeySpec::one(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        group: Group::Bitmap,
        since: "2.2.0",
        summary: "Returns one bit of the string at a key.",
        syntax: "key offset:integer",
        ..Spec::EMPTY
    },
    run: Run::Read(getbit),
};

fn getbit(ctx: &mut ReadCtx<'_>) -> Outcome {
    let at = offset::parse(ctx.arg(2), ctx.config)?;
    let value = ctx.keys.read_string(ctx.request.arg(1))?;
    let mut digits = itoa::Buffer::new();
    let text = value.map_or(&[][..], |value| text_in(&value, &mut digits));
    let byte = usize::try_from(at / 8).ok().and_then(|byte| text.get(byte));
    ctx.reply.flag(byte.is_some_and(|byte| byte & (0x80 >> (at % 8)) != 0));
    Ok(Flow::Done)
}
