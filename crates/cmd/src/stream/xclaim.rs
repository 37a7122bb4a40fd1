//! `XCLAIM key group consumer min-idle-time id... [options]`

use super::pending::{
    changed_as_ack, changed_as_claim, changed_as_new_consumer, changed_as_position, see_consumer,
};
use super::reply::{reply_entry, reply_id};
use super::{STREAM, id, no_group, shown};
use crate::{Class, Command, Cursor, Flow, Outcome, ReplyError, Run, WriteCtx};
use alloc::format;
use alloc::vec::Vec;
use vesta_resp::Reply;
use vesta_spec::{Arity, Flags, KeyFlags, KeySpec, Spec};
use vesta_store::Stream;
use vesta_store::stream::{Group, Log, Pending, Position, StreamId};
use vesta_types::number;

/// `XCLAIM`: gives a consumer what has waited too long with others.
///
/// Replicates as an XCLAIM with absolute times for each entry, and as XACK for those that are not
/// in the stream any more.
pub(super) const XCLAIM: Command = Command {
    spec: Spec {
        name: "xclaim",
        arity: Arity::AtLeast(6),
        flags: Flags::WRITE.and(Flags::FAST),
        keys: &[KeySpec::one(1, KeyFlags::RW.and(KeyFlags::UPDATE))],
        complexity: "O(log N) for each id, with N deliveries pending",
        summary: "Gives pending entries of a group to a consumer.",
        syntax: "key group consumer min-idle-time id... [IDLE ms:integer] \
                 [TIME unix-time-milliseconds:unix-time] [RETRYCOUNT count:integer] [FORCE] \
                 [JUSTID] [LASTID lastid]",
        tips: &["nondeterministic_output"],
        ..STREAM
    },
    run: Run::Write(xclaim),
};

/// What is to be claimed, and how.
struct Claim {
    idle_ms_min: u64,
    ids: Vec<StreamId>,
    /// When the delivery is said to have been, in unix milliseconds.
    delivered_ms: u64,
    deliveries: Option<u64>,
    /// Also what is not pending.
    is_forced: bool,
    is_id_enough: bool,
    last_id: StreamId,
}

impl Claim {
    fn parse(mut cursor: Cursor<'_>, now_ms: u64) -> Result<Self, ReplyError> {
        let idle_ms_min = number::parse_i64(cursor.need()?)
            .ok_or(ReplyError::text("Invalid min-idle-time argument for XCLAIM"))?;
        let mut claim = Self {
            idle_ms_min: u64::try_from(idle_ms_min).unwrap_or(0),
            ids: Vec::new(),
            delivered_ms: now_ms,
            deliveries: None,
            is_forced: false,
            is_id_enough: false,
            last_id: StreamId::MIN,
        };
        while let Some(id) = cursor.peek().and_then(|text| id::parse(text, 0).ok()) {
            cursor.pop();
            claim.ids.push(id);
        }
        while !cursor.is_done() {
            claim.parse_option(&mut cursor, now_ms)?;
        }
        Ok(claim)
    }

    fn parse_option(&mut self, cursor: &mut Cursor<'_>, now_ms: u64) -> Result<(), ReplyError> {
        let has_more = cursor.left() > 1;
        // A time before 1970 or to come is now.
        let settled = |ms: Option<u64>| ms.filter(|ms| *ms <= now_ms).unwrap_or(now_ms);
        if cursor.take("force") {
            self.is_forced = true;
        } else if cursor.take("justid") {
            self.is_id_enough = true;
        } else if has_more && cursor.take("idle") {
            let idle = need_number(cursor, "IDLE")?;
            let ms = u64::try_from(idle).ok().and_then(|idle| now_ms.checked_sub(idle));
            self.delivered_ms = settled(ms);
        } else if has_more && cursor.take("time") {
            self.delivered_ms = settled(u64::try_from(need_number(cursor, "TIME")?).ok());
        } else if has_more && cursor.take("retrycount") {
            self.deliveries = u64::try_from(need_number(cursor, "RETRYCOUNT")?).ok();
        } else if has_more && cursor.take("lastid") {
            self.last_id = id::parse(cursor.need()?, 0)?;
        } else {
            let word = shown(cursor.need()?);
            return Err(ReplyError::Generic(format!("Unrecognized XCLAIM option '{word}'").into()));
        }
        Ok(())
    }
}

fn need_number(cursor: &mut Cursor<'_>, option: &str) -> Result<i64, ReplyError> {
    number::parse_i64(cursor.need()?).ok_or_else(|| {
        ReplyError::Generic(format!("Invalid {option} option argument for XCLAIM").into())
    })
}

/// What happened.
#[derive(Default)]
struct Done {
    is_new: bool,
    claimed: Vec<(StreamId, Pending)>,
    gone: Vec<StreamId>,
    position: Position,
    has_moved: bool,
}

fn xclaim(ctx: &mut WriteCtx<'_>) -> Outcome {
    let (key, name, consumer) = (ctx.arg(1), ctx.arg(2), ctx.arg(3));
    let now_ms = ctx.now.unix.ms();
    let stream = ctx.keys.read_as::<Stream>(key)?;
    if stream.and_then(|stream| stream.group(name)).is_none() {
        return Err(no_group(key, name));
    }
    let claim = Claim::parse(ctx.cursor(4), now_ms)?;
    let WriteCtx { keys, reply, .. } = ctx;
    let outcome = keys.edit_unnoticed_as::<Stream, _>(key, |stream, _| {
        stream.edit_group(name, |log, group| apply(&claim, reply, log, group, (consumer, now_ms)))
    })?;
    let done = outcome.flatten().unwrap_or_default();
    if done.is_new {
        ctx.keys.tell(Class::Stream, "xgroup-createconsumer", key);
    }
    for delivery in &done.claimed {
        changed_as_claim(ctx, [key, name, consumer], *delivery, done.position.last_id);
    }
    changed_as_ack(ctx, key, name, &done.gone);
    if done.claimed.is_empty() {
        if done.is_new {
            changed_as_new_consumer(ctx, [key, name, consumer]);
        }
        if done.has_moved {
            changed_as_position(ctx, key, name, done.position);
        }
    }
    Ok(Flow::Done)
}

fn apply(
    claim: &Claim,
    reply: &mut Reply<'_>,
    log: &Log,
    group: &mut Group,
    (consumer, now_ms): (&[u8], u64),
) -> Done {
    let mut done = Done::default();
    if claim.last_id > group.position().last_id {
        group.set_position(Position { last_id: claim.last_id, ..group.position() });
        done.has_moved = true;
    }
    let (consumer, is_new) = see_consumer(group, consumer, now_ms);
    (done.is_new, done.position) = (is_new, group.position());
    let place = reply.deferred();
    for id in &claim.ids {
        let Some(entry) = log.range(*id..=*id).next() else {
            if group.ack(*id) {
                done.gone.push(*id);
            }
            continue;
        };
        // What is claimed by force counts as delivered once before. Source: redis-server 7.0.15.
        let before = match group.pending(*id) {
            Some(pending) if now_ms.saturating_sub(pending.delivered_ms) < claim.idle_ms_min => {
                continue;
            }
            Some(pending) => pending.deliveries,
            None if claim.is_forced => 1,
            None => continue,
        };
        let more = u64::from(!claim.is_id_enough);
        let deliveries = claim.deliveries.unwrap_or(before.saturating_add(more));
        let pending = Pending { consumer, delivered_ms: claim.delivered_ms, deliveries };
        group.assign(*id, pending);
        done.claimed.push((*id, pending));
        if claim.is_id_enough {
            reply_id(reply, *id);
        } else {
            reply_entry(reply, entry);
        }
    }
    reply.close_array(place, done.claimed.len());
    if let Some(consumer) = group.consumer_mut(consumer)
        && !done.claimed.is_empty()
    {
        consumer.active_ms = Some(now_ms);
    }
    done
}
