//! `MEMORY USAGE key [SAMPLES count]`

use super::COMMON;
use crate::{Command, Flow, Outcome, ReadCtx, ReplyError, Run};
use vesta_spec::{Arity, Flags, KeyFlags, KeySpec, Spec};

/// `MEMORY USAGE key [SAMPLES count]`: bytes that a key takes, its value included.
pub(super) const USAGE: Command = Command {
    spec: Spec {
        name: "usage",
        arity: Arity::AtLeast(3),
        flags: Flags::READONLY,
        keys: &[KeySpec::one(2, KeyFlags::RO)],
        complexity: "O(N) in the number of samples",
        summary: "Tells the bytes that a key and its value take.",
        syntax: "key [SAMPLES count:integer]",
        ..COMMON
    },
    run: Run::Read(usage),
};

/// Most bytes of the table that are put down to one key: a table of few keys is mostly room.
const TABLE_SHARE_MAX: usize = 64;

fn usage(ctx: &mut ReadCtx<'_>) -> Outcome {
    let mut cursor = ctx.cursor(3);
    while !cursor.is_done() {
        // A string has nothing to sample.
        if !cursor.take("samples") || cursor.need_i64()? < 0 {
            return Err(ReplyError::Syntax);
        }
    }
    let (db, keys) = (ctx.keys.db_index(), ctx.keys.len());
    let share = ctx.keys.store().table_bytes(db) / keys.max(1);
    match ctx.keys.peek(ctx.request.arg(2)) {
        Some(entry) => {
            let bytes = entry.alloc_bytes() + share.min(TABLE_SHARE_MAX);
            ctx.reply.count(bytes);
        }
        None => ctx.reply.null(),
    }
    Ok(Flow::Done)
}
