//! `SETRANGE key offset value`

use crate::string::{in_place, limit};
use crate::{Class, Command, Flow, Outcome, ReplyError, Run, WriteCtx};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_types::number;

/// `SETRANGE key offset value`: overwrites bytes of a string, which grows as needed.
pub(super) const SETRANGE: Command = Command {
    spec: Spec {
        name: "setrange",
        arity: Arity::Exactly(4),
        flags: Flags::WRITE.and(Flags::DENYOOM),
        categories: Categories::STRING,
        keys: &[KeySpec::one(1, KeyFlags::RW.and(KeyFlags::UPDATE))],
        group: Group::String,
        since: "2.2.0",
        complexity: "O(N) in the length of the value, and of the zero bytes put before it",
        summary: "Overwrites a part of the string at a key, with zero bytes before it if needed.",
        syntax: "key offset:integer value",
        ..Spec::EMPTY
    },
    run: Run::Write(setrange),
};

fn setrange(ctx: &mut WriteCtx<'_>) -> Outcome {
    let (key, bytes, config) = (ctx.arg(1), ctx.arg(3), ctx.config);
    let offset = number::parse_i64(ctx.arg(2)).ok_or(ReplyError::NotInteger)?;
    if offset < 0 {
        return Err(ReplyError::text("offset is out of range"));
    }
    // What does not fit the address space is beyond every limit.
    let offset = usize::try_from(offset).unwrap_or(usize::MAX);
    if bytes.is_empty() {
        let length = ctx.keys.look_string(key)?.map_or(0, |value| value.text_len());
        ctx.reply.count(length);
        return Ok(Flow::Done);
    }
    let written = ctx.keys.edit_string(key, |entry| {
        limit::grown(config, offset, bytes.len()).map(|_| entry.set_range(offset, bytes))
    })?;
    let length = match written {
        Some(length) => length?,
        None => create(ctx, key, offset, bytes)?,
    };
    ctx.notify(Class::String, "setrange", key);
    ctx.changed();
    ctx.reply.count(length);
    Ok(Flow::Done)
}

/// Makes a string of zero bytes up to `offset`, then `bytes`. Like any string changed in place it
/// is raw.
fn create(
    ctx: &mut WriteCtx<'_>,
    key: &[u8],
    offset: usize,
    bytes: &[u8],
) -> Result<usize, ReplyError> {
    let total = limit::grown(ctx.config, offset, bytes.len())?;
    in_place::set_zeros(&mut ctx.keys, key, total);
    ctx.keys.edit(key, |entry| entry.set_range(offset, bytes));
    Ok(total)
}
