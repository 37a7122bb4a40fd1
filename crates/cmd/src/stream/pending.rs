//! What changes about deliveries hands on.

use super::id::IdText;
use crate::WriteCtx;
use vesta_store::stream::{Group, Pending, Position, StreamId};

/// Replicates a delivery to a consumer, whoever held it before.
pub(super) fn changed_as_claim(
    ctx: &mut WriteCtx<'_>,
    [key, group, consumer]: [&[u8]; 3],
    (id, pending): (StreamId, Pending),
    last_id: StreamId,
) {
    let (mut time, mut count) = (itoa::Buffer::new(), itoa::Buffer::new());
    ctx.changed_as(&[
        b"XCLAIM",
        key,
        group,
        consumer,
        b"0",
        IdText::new(id).as_bytes(),
        b"TIME",
        time.format(pending.delivered_ms).as_bytes(),
        b"RETRYCOUNT",
        count.format(pending.deliveries).as_bytes(),
        b"FORCE",
        b"JUSTID",
        b"LASTID",
        IdText::new(last_id).as_bytes(),
    ]);
}

/// Replicates how far a group has read.
pub(super) fn changed_as_position(
    ctx: &mut WriteCtx<'_>,
    key: &[u8],
    group: &[u8],
    position: Position,
) {
    let mut digits = itoa::Buffer::new();
    let read = match position.entries_read {
        Some(read) => digits.format(read),
        None => "-1",
    };
    let last = IdText::new(position.last_id);
    let read = read.as_bytes();
    ctx.changed_as(&[b"XGROUP", b"SETID", key, group, last.as_bytes(), b"ENTRIESREAD", read]);
}

/// Replicates that a consumer has come into being without a delivery.
pub(super) fn changed_as_new_consumer(ctx: &mut WriteCtx<'_>, [key, group, consumer]: [&[u8]; 3]) {
    ctx.changed_as(&[b"XGROUP", b"CREATECONSUMER", key, group, consumer]);
}

/// Replicates that deliveries are forgotten because their entries are gone.
pub(super) fn changed_as_ack(ctx: &mut WriteCtx<'_>, key: &[u8], group: &[u8], gone: &[StreamId]) {
    if gone.is_empty() {
        return;
    }
    let texts: alloc::vec::Vec<IdText> = gone.iter().map(|id| IdText::new(*id)).collect();
    let mut words: alloc::vec::Vec<&[u8]> = alloc::vec![b"XACK", key, group];
    words.extend(texts.iter().map(IdText::as_bytes));
    ctx.changed_as(&words);
}

/// The consumer of this name, who is there from now on and was seen now; and whether it is new.
pub(super) fn see_consumer(
    group: &mut Group,
    name: &[u8],
    now_ms: u64,
) -> (vesta_store::stream::ConsumerId, bool) {
    let known = group.consumer_id(name);
    let is_new = known.is_none();
    let id = known
        .or_else(|| group.add_consumer(name, now_ms))
        .expect("a consumer is known or can be added");
    if let Some(consumer) = group.consumer_mut(id) {
        consumer.seen_ms = now_ms;
    }
    (id, is_new)
}
