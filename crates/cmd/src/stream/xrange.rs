//! `XRANGE key start end [COUNT count]` and `XREVRANGE key end start [COUNT count]`

use super::reply::reply_entries;
use super::{STREAM, id};
use crate::{Command, Cursor, Flow, Outcome, ReadCtx, ReplyError, Run};
use vesta_spec::{Arity, Flags, KeyFlags, KeySpec, Spec};
use vesta_store::Stream;

/// `XRANGE key start end [COUNT count]`: entries from lower to higher ids.
pub(super) const XRANGE: Command = Command {
    spec: Spec {
        name: "xrange",
        summary: "Returns the entries of a stream between two ids.",
        syntax: "key start end [COUNT count:integer]",
        ..RANGE
    },
    run: Run::Read(xrange),
};

/// `XREVRANGE key end start [COUNT count]`: entries from higher to lower ids.
pub(super) const XREVRANGE: Command = Command {
    spec: Spec {
        name: "xrevrange",
        summary: "Returns the entries of a stream between two ids, the last one first.",
        syntax: "key end start [COUNT count:integer]",
        ..RANGE
    },
    run: Run::Read(xrevrange),
};

/// What both have in common.
const RANGE: Spec = Spec {
    arity: Arity::AtLeast(4),
    flags: Flags::READONLY,
    keys: &[KeySpec::one(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
    complexity: "O(N) for N entries returned",
    history: &[("6.2.0", "Added exclusive ends.")],
    ..STREAM
};

fn xrange(ctx: &mut ReadCtx<'_>) -> Outcome {
    let (from, to) = (id::parse_start(ctx.arg(2))?, id::parse_end(ctx.arg(3))?);
    let count = parse_count(ctx.cursor(4))?;
    let ReadCtx { keys, reply, request, .. } = ctx;
    match (keys.read_as::<Stream>(request.arg(1))?, count) {
        (None, _) => reply.array(0),
        (Some(_), 0) => reply.null_array(),
        (Some(stream), _) => reply_entries(reply, stream.log().range(from..=to).take(count)),
    }
    Ok(Flow::Done)
}

fn xrevrange(ctx: &mut ReadCtx<'_>) -> Outcome {
    let (from, to) = (id::parse_start(ctx.arg(3))?, id::parse_end(ctx.arg(2))?);
    let count = parse_count(ctx.cursor(4))?;
    let ReadCtx { keys, reply, request, .. } = ctx;
    match (keys.read_as::<Stream>(request.arg(1))?, count) {
        (None, _) => reply.array(0),
        (Some(_), 0) => reply.null_array(),
        (Some(stream), _) => reply_entries(reply, stream.log().range_back(from..=to).take(count)),
    }
    Ok(Flow::Done)
}

/// The most entries that are wanted; a negative count wants none.
fn parse_count(mut cursor: Cursor<'_>) -> Result<usize, ReplyError> {
    let mut count = usize::MAX;
    while !cursor.is_done() {
        if cursor.left() < 2 || !cursor.take("count") {
            return Err(ReplyError::Syntax);
        }
        count = usize::try_from(cursor.need_i64()?).unwrap_or(0);
    }
    Ok(count)
}
