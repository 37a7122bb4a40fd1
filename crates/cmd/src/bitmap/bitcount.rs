//! `BITCOUNT key [start end [BYTE | BIT]]`

use super::range::{Part, Unit};
use crate::string::text_in;
use crate::{Command, Cursor, Flow, Outcome, ReadCtx, ReplyError, Run};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::bits;

/// `BITCOUNT key [start end [BYTE | BIT]]`: how many bits of a string, or of a part, are set.
///
/// As in Redis 7.2, the arguments are looked at before the key is.
pub(super) const BITCOUNT: Command = Command {
    spec: Spec {
        name: "bitcount",
        arity: Arity::AtLeast(2),
        flags: Flags::READONLY,
        categories: Categories::BITMAP,
        keys: &[KeySpec::one(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        group: Group::Bitmap,
        since: "2.6.0",
        complexity: "O(N) in the length of the part",
        summary: "Counts the bits that are set in the string at a key.",
        syntax: "key [range=(start:integer end:integer [unit=<BYTE | BIT>])]",
        history: &[("7.0.0", "Added the `BYTE|BIT` option.")],
        ..Spec::EMPTY
    },
    run: Run::Read(bitcount),
};

fn bitcount(ctx: &mut ReadCtx<'_>) -> Outcome {
    let part = parse(ctx.cursor(2))?;
    let value = ctx.keys.read_string(ctx.request.arg(1))?;
    let mut digits = itoa::Buffer::new();
    let text = value.map_or(&[][..], |value| text_in(&value, &mut digits));
    let count = bits::count(text, part.bits(text.len()));
    ctx.reply.int(i64::try_from(count).unwrap_or(i64::MAX));
    Ok(Flow::Done)
}

fn parse(mut cursor: Cursor<'_>) -> Result<Part, ReplyError> {
    if cursor.is_done() {
        return Ok(Part::ALL);
    }
    if !(2..=3).contains(&cursor.left()) {
        return Err(ReplyError::Syntax);
    }
    let (start, end) = (cursor.need_i64()?, cursor.need_i64()?);
    let unit = if cursor.is_done() { Unit::Byte } else { Unit::take(&mut cursor)? };
    // The wrong way round, which cutting to the string would hide before its beginning.
    let is_empty = start < 0 && end < 0 && start > end;
    Ok(if is_empty { Part { start: 1, end: 0, unit } } else { Part { start, end, unit } })
}
