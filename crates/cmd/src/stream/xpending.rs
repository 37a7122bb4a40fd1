//! `XPENDING key group [[IDLE min-idle-time] start end count [consumer]]`

use super::reply::reply_id;
use super::{STREAM, id, no_group};
use crate::{Command, Cursor, Flow, Outcome, ReadCtx, ReplyError, Run};
use alloc::boxed::Box;
use vesta_resp::Reply;
use vesta_spec::{Arity, Flags, KeyFlags, KeySpec, Spec};
use vesta_store::Stream;
use vesta_store::stream::{Consumer, Group, Pending, StreamId};

/// `XPENDING`: the deliveries of a group that wait for their XACK, in total or one by one.
pub(super) const XPENDING: Command = Command {
    spec: Spec {
        name: "xpending",
        arity: Arity::AtLeast(3),
        flags: Flags::READONLY,
        keys: &[KeySpec::one(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        complexity: "O(N) for N deliveries looked at or, without a range, for N consumers",
        summary: "Returns what consumers of a group have not acknowledged.",
        syntax: "key group [filters=([IDLE min-idle-time:integer] start end count:integer \
                 [consumer])]",
        tips: &["nondeterministic_output"],
        history: &[("6.2.0", "Added the `IDLE` option and exclusive ends.")],
        ..STREAM
    },
    run: Run::Read(xpending),
};

/// Which deliveries are wanted.
struct Filter<'a> {
    from: StreamId,
    to: StreamId,
    count: usize,
    idle_ms_min: u64,
    consumer: Option<&'a [u8]>,
}

impl<'a> Filter<'a> {
    /// Reads the filter behind key and group, if there is one.
    fn parse(mut cursor: Cursor<'a>) -> Result<Option<Self>, ReplyError> {
        let words = cursor.left();
        if words == 0 {
            return Ok(None);
        }
        if !(3..=6).contains(&words) {
            return Err(ReplyError::Syntax);
        }
        let mut idle_ms_min = 0;
        if cursor.take("idle") {
            idle_ms_min = u64::try_from(cursor.need_i64()?).unwrap_or(0);
            if cursor.left() < 3 {
                return Err(ReplyError::Syntax);
            }
        }
        let (start, end) = (cursor.need()?, cursor.need()?);
        let count = usize::try_from(cursor.need_i64()?).unwrap_or(0);
        let (from, to) = (id::parse_start(start)?, id::parse_end(end)?);
        Ok(Some(Self { from, to, count, idle_ms_min, consumer: cursor.pop() }))
    }
}

fn xpending(ctx: &mut ReadCtx<'_>) -> Outcome {
    let filter = Filter::parse(ctx.cursor(3))?;
    let now_ms = ctx.now.unix.ms();
    let ReadCtx { keys, reply, request, .. } = ctx;
    let (key, name) = (request.arg(1), request.arg(2));
    let stream = keys.read_as::<Stream>(key)?;
    let group = stream.and_then(|stream| stream.group(name)).ok_or_else(|| no_group(key, name))?;
    match filter {
        Some(filter) => list(reply, group, &filter, now_ms),
        None => summarise(reply, group),
    }
    Ok(Flow::Done)
}

/// The number of deliveries, the least and the greatest id, and each consumer's number.
fn summarise(reply: &mut Reply<'_>, group: &Group) {
    let mut ids = group.pending_range(StreamId::MIN..=StreamId::MAX).map(|(id, _)| id);
    reply.array(4);
    reply.count(group.pending_count());
    let Some(first) = ids.next() else {
        reply.null();
        reply.null();
        reply.null_array();
        return;
    };
    reply_id(reply, first);
    reply_id(reply, ids.next_back().unwrap_or(first));
    let place = reply.deferred();
    let mut count = 0;
    for (_, consumer) in group.consumers().filter(|(_, consumer)| consumer.held_count() > 0) {
        reply.array(2);
        reply.bulk(consumer.name());
        reply.bulk_int(i64::try_from(consumer.held_count()).unwrap_or(i64::MAX));
        count += 1;
    }
    reply.close_array(place, count);
}

/// Each delivery: its id, its consumer, how long ago it was delivered, how often.
fn list(reply: &mut Reply<'_>, group: &Group, filter: &Filter<'_>, now_ms: u64) {
    let ids = filter.from..=filter.to;
    let waiting: Box<dyn Iterator<Item = (StreamId, Pending)> + '_> = match filter.consumer {
        None => Box::new(group.pending_range(ids)),
        Some(name) => {
            let consumer = group.consumer_id(name).and_then(|id| group.consumer(id));
            let held = consumer.into_iter().flat_map(move |consumer| consumer.held(ids.clone()));
            Box::new(held.filter_map(|id| Some((id, group.pending(id)?))))
        }
    };
    let idle_ms = |pending: &Pending| now_ms.saturating_sub(pending.delivered_ms);
    let waiting = waiting.filter(|(_, pending)| idle_ms(pending) >= filter.idle_ms_min);
    let place = reply.deferred();
    let mut count = 0;
    for (id, pending) in waiting.take(filter.count) {
        reply.array(4);
        reply_id(reply, id);
        reply.bulk(group.consumer(pending.consumer).map_or(&b""[..], Consumer::name));
        reply.int(i64::try_from(idle_ms(&pending)).unwrap_or(i64::MAX));
        reply.int(i64::try_from(pending.deliveries).unwrap_or(i64::MAX));
        count += 1;
    }
    reply.close_array(place, count);
}
