//! `GETRANGE key start end` and its old name `SUBSTR`

use crate::{Command, Flow, Outcome, ReadCtx, ReplyError, Run};
use vesta_spec::{Arity, Categories, Deprecated, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::StrRef;
use vesta_types::number;

/// `GETRANGE key start end`: a part of a string, positions below zero counted from its end.
pub(super) const GETRANGE: Command = Command {
    spec: Spec {
        name: "getrange",
        arity: Arity::Exactly(4),
        flags: Flags::READONLY,
        categories: Categories::STRING,
        keys: &[KeySpec::one(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        group: Group::String,
        since: "2.4.0",
        complexity: "O(N) in the length of the part",
        summary: "Returns a part of the string at a key.",
        syntax: "key start:integer end:integer",
        ..Spec::EMPTY
    },
    run: Run::Read(getrange),
};

/// `SUBSTR key start end`: as GETRANGE.
pub(super) const SUBSTR: Command = Command {
    spec: Spec {
        name: "substr",
        since: "1.0.0",
        deprecated: Some(Deprecated { since: "2.0.0", replaced_by: "`GETRANGE`" }),
        ..GETRANGE.spec
    },
    run: Run::Read(getrange),
};

fn getrange(ctx: &mut ReadCtx<'_>) -> Outcome {
    let start = number::parse_i64(ctx.arg(2)).ok_or(ReplyError::NotInteger)?;
    let end = number::parse_i64(ctx.arg(3)).ok_or(ReplyError::NotInteger)?;
    match ctx.keys.read_string(ctx.request.arg(1))? {
        None => ctx.reply.bulk(b""),
        Some(StrRef::Int(value)) => {
            let mut digits = itoa::Buffer::new();
            ctx.reply.bulk(part(digits.format(value).as_bytes(), start, end));
        }
        Some(StrRef::Bytes(bytes)) => ctx.reply.bulk(part(bytes, start, end)),
        Some(StrRef::Blob(blob)) => {
            let wanted = part(blob.bytes(), start, end);
            if wanted.len() == blob.len() {
                ctx.reply.bulk_blob(&blob);
            } else {
                ctx.reply.bulk(wanted);
            }
        }
    }
    Ok(Flow::Done)
}

/// The bytes of `text` from position `start` to `end`, both included.
fn part(text: &[u8], start: i64, end: i64) -> &[u8] {
    // Counted from the end, what lies before the first byte is the first byte, unless the part
    // would be the wrong way round.
    let position = |at: i64| match usize::try_from(at) {
        Ok(at) => at,
        Err(_) if at >= 0 => usize::MAX,
        Err(_) => {
            let back = usize::try_from(at.unsigned_abs()).unwrap_or(usize::MAX);
            text.len().saturating_sub(back)
        }
    };
    if start < 0 && end < 0 && start > end {
        return &[];
    }
    let after = position(end).saturating_add(1).min(text.len());
    text.get(position(start)..after).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::part;

    #[test]
    fn parts_are_cut_to_the_text() {
        for (start, end, expected) in [
            (0, 4, "hello"),
            (0, -1, "hello"),
            (1, 1, "e"),
            (3, 1, ""),
            (-3, -2, "ll"),
            (-2, -3, ""),
            (5, 9, ""),
            (0, -9, "h"),
            (-9, -9, "h"),
            (-8, -9, ""),
            (i64::MIN, i64::MAX, "hello"),
            (i64::MAX, i64::MAX, ""),
            (i64::MIN, i64::MIN, "h"),
        ] {
            assert_eq!(part(b"hello", start, end), expected.as_bytes(), "{start} {end}");
            assert_eq!(part(b"", start, end), b"");
        }
    }
}
