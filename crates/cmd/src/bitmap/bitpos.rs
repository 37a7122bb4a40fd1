//! `BITPOS key bit [start [end [BYTE | BIT]]]`

use super::range::{Part, Unit};
use crate::string::text_in;
use crate::{Command, Cursor, Flow, Outcome, ReadCtx, ReplyError, Run};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::bits;
use vesta_types::number;

/// `BITPOS key bit [start [end [BYTE | BIT]]]`: where the first bit of a kind is.
///
/// Without an end there are zeros behind a string that is all ones; a missing key is all zeros.
/// As in Redis 7.2, the arguments are looked at before the key is.
pub(super) const BITPOS: Command = Command {
    spec: Spec {
        name: "bitpos",
        arity: Arity::AtLeast(3),
        flags: Flags::READONLY,
        categories: Categories::BITMAP,
        keys: &[KeySpec::one(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        group: Group::Bitmap,
        since: "2.8.7",
        complexity: "O(N) in the length of the part",
        summary: "Finds the first bit that is set, or clear, in the string at a key.",
        syntax: "key bit:integer \
                 [range=(start:integer [end-unit-block=(end:integer [unit=<BYTE | BIT>])])]",
        history: &[("7.0.0", "Added the `BYTE|BIT` option.")],
        ..Spec::EMPTY
    },
    run: Run::Read(bitpos),
};

fn bitpos(ctx: &mut ReadCtx<'_>) -> Outcome {
    let wanted = match number::parse_i64(ctx.arg(2)) {
        Some(0) => false,
        Some(1) => true,
        Some(_) => return Err(ReplyError::text("The bit argument must be 1 or 0.")),
        None => return Err(ReplyError::NotInteger),
    };
    let mut cursor = ctx.cursor(3);
    let part = parse(&mut cursor)?;
    let has_end = ctx.request.len() > 4;
    let position = match ctx.keys.read_string(ctx.request.arg(1))? {
        Some(value) => {
            let mut digits = itoa::Buffer::new();
            let text = text_in(&value, &mut digits);
            let run = part.bits(text.len());
            let behind = (!wanted && !has_end && !run.is_empty()).then_some(run.end);
            bits::find(text, wanted, run).or(behind)
        }
        None => (!wanted).then_some(0),
    };
    ctx.reply.int(position.and_then(|at| i64::try_from(at).ok()).unwrap_or(-1));
    Ok(Flow::Done)
}

/// The unit is looked at before the end is.
fn parse(cursor: &mut Cursor<'_>) -> Result<Part, ReplyError> {
    if cursor.is_done() {
        return Ok(Part::ALL);
    }
    if cursor.left() > 3 {
        return Err(ReplyError::Syntax);
    }
    let start = cursor.need_i64()?;
    let Some(end) = cursor.pop() else { return Ok(Part { start, ..Part::ALL }) };
    let unit = if cursor.is_done() { Unit::Byte } else { Unit::take(cursor)? };
    let end = number::parse_i64(end).ok_or(ReplyError::NotInteger)?;
    Ok(Part { start, end, unit })
}
