//! `MSETEX numkeys key value ... [NX | XX] [EX | PX | EXAT | PXAT time | KEEPTTL]`

use super::set::{Condition, Then, notify_set, parse_then};
use crate::keys::deadline;
use crate::{Command, Cursor, Flow, Outcome, ReplyError, Run, WriteCtx};
use alloc::vec::Vec;
use vesta_spec::{Arity, BeginSearch, Categories, FindKeys, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::Deadline;
use vesta_types::number;

/// `MSETEX numkeys key value ...`: sets several keys to strings with one expiry, if all of them
/// are there or none is, as wanted.
///
/// Replicates as `MSET`, or as one `SET` a key where an expiry matters: also servers that do not
/// know MSETEX can follow.
///
/// Source: documentation of Redis 8.4; error texts as clients of that version report them.
pub(super) const MSETEX: Command = Command {
    spec: Spec {
        name: "msetex",
        arity: Arity::AtLeast(4),
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::MOVABLEKEYS),
        categories: Categories::STRING,
        keys: &[KeySpec {
            begin: BeginSearch::Index(1),
            find: FindKeys::Count { count_at: 0, first: 1, step: 2 },
            flags: KeyFlags::OW.and(KeyFlags::UPDATE),
            notes: "",
        }],
        group: Group::String,
        since: "8.4.0",
        complexity: "O(N) in the number of keys",
        summary: "Sets several keys to strings at once, with conditions and one expiry for all.",
        syntax: "numkeys:integer data=(key value)... [condition=<NX | XX>] [expiration=<\
                 EX seconds:integer | PX milliseconds:integer | \
                 EXAT unix-time-seconds:unix-time | PXAT unix-time-milliseconds:unix-time | \
                 KEEPTTL>]",
        tips: &["request_policy:multi_shard", "response_policy:all_succeeded"],
        ..Spec::EMPTY
    },
    run: Run::Write(msetex),
};

/// Where the first pair stands.
const FIRST: usize = 2;

fn msetex(ctx: &mut WriteCtx<'_>) -> Outcome {
    let end = end_of_pairs(ctx)?;
    let (condition, then) = parse(ctx.cursor(end))?;
    let deadline = then.deadline(ctx.now, "msetex")?;
    let mut keys = ctx.request.args_from(FIRST).take(end - FIRST).step_by(2);
    let is_met = match condition {
        Condition::Always => true,
        Condition::IfAbsent => !keys.any(|key| ctx.keys.contains(key)),
        Condition::IfPresent => keys.all(|key| ctx.keys.contains(key)),
    };
    if is_met {
        for place in (FIRST..end).step_by(2) {
            let value = ctx.value(place + 1);
            let key = ctx.arg(place);
            ctx.keys.set(key, value, deadline);
            notify_set(ctx, key, deadline);
        }
        changed(ctx, end, deadline);
    }
    ctx.reply.flag(is_met);
    Ok(Flow::Done)
}

/// The number of the argument behind the last value.
fn end_of_pairs(ctx: &WriteCtx<'_>) -> Result<usize, ReplyError> {
    let count = number::parse_i64(ctx.arg(1)).and_then(|count| i32::try_from(count).ok());
    let count = count.and_then(|count| usize::try_from(count).ok()).filter(|count| *count > 0);
    let count = count.ok_or(ReplyError::text("invalid numkeys value"))?;
    let end = count.saturating_mul(2).saturating_add(FIRST);
    let is_there = end <= ctx.request.len();
    if is_there { Ok(end) } else { Err(ReplyError::text("wrong number of key-value pairs")) }
}

fn parse(mut cursor: Cursor<'_>) -> Result<(Condition, Then<'_>), ReplyError> {
    let (mut condition, mut then) = (Condition::Always, Then::Persist);
    while !cursor.is_done() {
        if cursor.take("nx") {
            condition = condition.and(Condition::IfAbsent)?;
        } else if cursor.take("xx") {
            condition = condition.and(Condition::IfPresent)?;
        } else {
            then = parse_then(&mut cursor, then)?;
        }
    }
    Ok((condition, then))
}

fn changed(ctx: &mut WriteCtx<'_>, end: usize, deadline: Deadline) {
    if deadline == Deadline::Never {
        let pairs = ctx.request.args_from(FIRST).take(end - FIRST);
        let all: Vec<&[u8]> = core::iter::once(&b"MSET"[..]).chain(pairs).collect();
        ctx.changed_as_times(&all, (end - FIRST) as u64 / 2);
        return;
    }
    for place in (FIRST..end).step_by(2) {
        let (key, value) = (ctx.arg(place), ctx.arg(place + 1));
        match deadline {
            Deadline::At(at) => deadline::changed_as_set(ctx, key, value, at),
            Deadline::Keep | Deadline::Never => ctx.changed_as(&[b"SET", key, value, b"KEEPTTL"]),
        }
    }
}
