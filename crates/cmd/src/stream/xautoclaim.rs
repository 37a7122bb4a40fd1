//! `XAUTOCLAIM key group consumer min-idle-time start [COUNT count] [JUSTID]`

use super::pending::{changed_as_ack, changed_as_claim, changed_as_new_consumer, see_consumer};
use super::reply::{reply_entry, reply_id};
use super::{STREAM, id, no_group};
use crate::{Class, Command, Cursor, Flow, Outcome, ReplyError, Run, WriteCtx};
use vesta_resp::Reply;
use vesta_spec::{Arity, Flags, KeyFlags, KeySpec, Spec};
use vesta_store::Stream;
use vesta_store::stream::{AutoClaim, AutoClaimed, Group, Log, StreamId};
use vesta_types::number;

/// `XAUTOCLAIM`: as XCLAIM, for whatever has waited too long from an id on.
///
/// Replicates as XCLAIM does.
pub(super) const XAUTOCLAIM: Command = Command {
    spec: Spec {
        name: "xautoclaim",
        arity: Arity::AtLeast(6),
        flags: Flags::WRITE.and(Flags::FAST),
        keys: &[KeySpec::one(1, KeyFlags::RW.and(KeyFlags::DELETE))],
        since: "6.2.0",
        complexity: "O(1) for a small count",
        summary: "Gives entries of a group that have been pending for long to a consumer.",
        syntax: "key group consumer min-idle-time start [COUNT count:integer] [JUSTID]",
        tips: &["nondeterministic_output"],
        history: &[("7.0.0", "Added the ids of deleted entries to the reply.")],
        ..STREAM
    },
    run: Run::Write(xautoclaim),
};

/// Entries that are claimed at most unless told otherwise.
const COUNT: usize = 100;
/// The greatest COUNT. Source: observed on redis-server 7.0.15.
const COUNT_MAX: i64 = i64::MAX / 16;

/// What is to be claimed, and how.
struct Claim {
    idle_ms_min: u64,
    from: StreamId,
    count: usize,
    is_id_enough: bool,
}

impl Claim {
    fn parse(mut cursor: Cursor<'_>) -> Result<Self, ReplyError> {
        let idle = number::parse_i64(cursor.need()?)
            .ok_or(ReplyError::text("Invalid min-idle-time argument for XAUTOCLAIM"))?;
        let idle_ms_min = u64::try_from(idle).unwrap_or(0);
        let from = id::parse_start(cursor.need()?)?;
        let mut claim = Self { idle_ms_min, from, count: COUNT, is_id_enough: false };
        while !cursor.is_done() {
            if cursor.left() > 1 && cursor.take("count") {
                claim.count = number::parse_i64(cursor.need()?)
                    .filter(|count| (1..=COUNT_MAX).contains(count))
                    .and_then(|count| usize::try_from(count).ok())
                    .ok_or(ReplyError::text("COUNT must be > 0"))?;
            } else if cursor.take("justid") {
                claim.is_id_enough = true;
            } else {
                return Err(ReplyError::Syntax);
            }
        }
        Ok(claim)
    }
}

/// What happened.
#[derive(Default)]
struct Done {
    is_new: bool,
    done: AutoClaimed,
    last_id: StreamId,
}

fn xautoclaim(ctx: &mut WriteCtx<'_>) -> Outcome {
    let (key, name, consumer) = (ctx.arg(1), ctx.arg(2), ctx.arg(3));
    let claim = Claim::parse(ctx.cursor(4))?;
    let now_ms = ctx.now.unix.ms();
    let stream = ctx.keys.read_as::<Stream>(key)?;
    if stream.and_then(|stream| stream.group(name)).is_none() {
        return Err(no_group(key, name));
    }
    let WriteCtx { keys, reply, .. } = ctx;
    let outcome = keys.edit_unnoticed_as::<Stream, _>(key, |stream, _| {
        stream.edit_group(name, |log, group| apply(&claim, reply, log, group, (consumer, now_ms)))
    })?;
    let Done { is_new, done, last_id } = outcome.flatten().unwrap_or_default();
    if is_new {
        ctx.keys.tell(Class::Stream, "xgroup-createconsumer", key);
    }
    for delivery in &done.claimed {
        changed_as_claim(ctx, [key, name, consumer], *delivery, last_id);
    }
    changed_as_ack(ctx, key, name, &done.deleted);
    if is_new && done.claimed.is_empty() {
        changed_as_new_consumer(ctx, [key, name, consumer]);
    }
    Ok(Flow::Done)
}

fn apply(
    claim: &Claim,
    reply: &mut Reply<'_>,
    log: &Log,
    group: &mut Group,
    (name, now_ms): (&[u8], u64),
) -> Done {
    let (consumer, is_new) = see_consumer(group, name, now_ms);
    let Claim { from, idle_ms_min, count, is_id_enough } = *claim;
    let counts_delivery = !is_id_enough;
    let what = AutoClaim { from, idle_ms_min, count, consumer, now_ms, counts_delivery };
    let done = group.auto_claim(log, what);
    if let Some(consumer) = group.consumer_mut(consumer)
        && !done.claimed.is_empty()
    {
        consumer.active_ms = Some(now_ms);
    }
    reply.array(3);
    reply_id(reply, done.next);
    let place = reply.deferred();
    let mut replied = 0;
    for (id, _) in &done.claimed {
        if is_id_enough {
            reply_id(reply, *id);
            replied += 1;
        } else if let Some(entry) = log.range(*id..=*id).next() {
            reply_entry(reply, entry);
            replied += 1;
        }
    }
    reply.close_array(place, replied);
    reply.array(done.deleted.len());
    done.deleted.iter().for_each(|id| reply_id(reply, *id));
    Done { is_new, done, last_id: group.position().last_id }
}
