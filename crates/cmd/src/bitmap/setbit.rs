//! `SETBIT key offset value`

use super::offset;
use crate::string::edit_text;
use crate::{Class, Command, Flow, Outcome, ReplyError, Run, WriteCtx};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};

/// `SETBIT key offset value`: sets or clears one bit of a string, which grows as needed.
///
/// A bit that is what it should be already is no change, unless the string has grown for it.
pub(super) const SETBIT: Command = Command {
    spec: Spec {
        name: "setbit",
        arity: Arity::Exactly(4),
        flags: Flags::WRITE.and(Flags::DENYOOM),
        categories: Categories::BITMAP,
        keys: &[KeySpec::one(1, KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::UPDATE))],
        group: Group::Bitmap,
        since: "2.2.0",
        summary: "Sets or clears one bit of the string at a key and returns what it was.",
        syntax: "key offset:integer value:integer",
        ..Spec::EMPTY
    },
    run: Run::Write(setbit),
};

fn setbit(ctx: &mut WriteCtx<'_>) -> Outcome {
    let at = offset::parse(ctx.arg(2), ctx.config)?;
    let wanted = match ctx.arg(3) {
        b"0" => false,
        b"1" => true,
        _ => return Err(ReplyError::text("bit is not an integer or out of range")),
    };
    let length = offset::length_with(at);
    let (was, has_grown) = edit_text(&mut ctx.keys, ctx.request.arg(1), length, |text, grown| {
        let mask = 0x80 >> (at % 8);
        let Some(byte) = text.get_mut(length - 1) else { return (false, grown) };
        let was = *byte & mask != 0;
        *byte = if wanted { *byte | mask } else { *byte & !mask };
        (was, grown)
    })?;
    if has_grown || was != wanted {
        ctx.notify(Class::String, "setbit", ctx.request.arg(1));
        ctx.changed();
    }
    ctx.reply.flag(was);
    Ok(Flow::Done)
}
