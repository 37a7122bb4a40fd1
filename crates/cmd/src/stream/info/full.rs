//! What XINFO STREAM shows with FULL: first entries, groups, what is pending, consumers.

use super::super::reply::{reply_entries, reply_id};
use super::{reply_number, reply_progress};
use vesta_resp::Reply;
use vesta_store::Stream;
use vesta_store::stream::{Consumer, Group, StreamId};

/// Two fields: up to `count` entries, and the groups with as many deliveries of each.
pub(super) fn reply_contents(reply: &mut Reply<'_>, stream: &Stream, count: usize) {
    let log = stream.log();
    reply.text("entries");
    reply_entries(reply, log.range(StreamId::MIN..=StreamId::MAX).take(count));
    reply.text("groups");
    reply.array(stream.group_count());
    for (name, group) in stream.groups() {
        reply.map(7);
        reply.text("name");
        reply.bulk(name);
        reply.text("last-delivered-id");
        reply_id(reply, group.position().last_id);
        reply_progress(reply, log, group);
        reply.text("pel-count");
        reply.count(group.pending_count());
        reply.text("pending");
        reply_pending(reply, group, count);
        reply.text("consumers");
        reply.array(group.consumer_count());
        for (_, consumer) in group.consumers() {
            reply_consumer(reply, group, consumer, count);
        }
    }
}

fn reply_pending(reply: &mut Reply<'_>, group: &Group, count: usize) {
    reply.array(group.pending_count().min(count));
    for (id, pending) in group.pending_range(StreamId::MIN..=StreamId::MAX).take(count) {
        reply.array(4);
        reply_id(reply, id);
        reply.bulk(group.consumer(pending.consumer).map_or(&b""[..], Consumer::name));
        reply_number(reply, pending.delivered_ms);
        reply_number(reply, pending.deliveries);
    }
}

fn reply_consumer(reply: &mut Reply<'_>, group: &Group, consumer: &Consumer, count: usize) {
    reply.map(5);
    reply.text("name");
    reply.bulk(consumer.name());
    reply.text("seen-time");
    reply_number(reply, consumer.seen_ms);
    reply.text("active-time");
    match consumer.active_ms {
        Some(active_ms) => reply_number(reply, active_ms),
        None => reply.int(-1),
    }
    reply.text("pel-count");
    reply.count(consumer.held_count());
    reply.text("pending");
    let held = consumer.held(StreamId::MIN..=StreamId::MAX).take(count);
    let held = held.filter_map(|id| Some((id, group.pending(id)?)));
    let place = reply.deferred();
    let mut shown = 0;
    for (id, pending) in held {
        reply.array(3);
        reply_id(reply, id);
        reply_number(reply, pending.delivered_ms);
        reply_number(reply, pending.deliveries);
        shown += 1;
    }
    reply.close_array(place, shown);
}
