//! Writing a stream, in pieces.

use super::UNKNOWN;
use crate::rdb::{Target, Writer};
use alloc::boxed::Box;
use core::ops::RangeInclusive;
use vesta_store::Stream;
use vesta_store::stream::{Consumer, Group, StreamId};

/// What of a stream is to be written next. What is named is there, as the stream does not change
/// before it is written.
#[derive(Debug)]
pub(in super::super) enum Place {
    /// The nodes that begin with this id or a later one, and what stands behind them.
    Nodes(StreamId),
    /// The groups behind this one, or all.
    Groups(Option<Box<[u8]>>),
    /// What waits in a group, from this id on.
    Pending(Box<[u8]>, StreamId),
    /// The consumers of a group behind this one, or all.
    Consumers(Box<[u8]>, Option<Box<[u8]>>),
    /// What waits for a consumer of a group, from this id on.
    Held { group: Box<[u8]>, consumer: Box<[u8]>, from: StreamId },
}

impl Place {
    /// Begins with a stream.
    pub(in super::super) fn begin(stream: &Stream, writer: &mut Writer<'_>) -> Self {
        writer.count(stream.log().node_count());
        Self::Nodes(StreamId::MIN)
    }

    /// Writes about so much more of the stream; whether that was the rest.
    pub(in super::super) fn go_on(
        &mut self,
        stream: &Stream,
        target: Target,
        writer: &mut Writer<'_>,
        budget: usize,
    ) -> bool {
        while writer.spent() < budget {
            let next = match self {
                Self::Nodes(from) => match nodes(stream, *from, writer, budget) {
                    Some(from) => Self::Nodes(from),
                    None => {
                        totals(stream, writer);
                        Self::Groups(None)
                    }
                },
                Self::Groups(last) => match stream.groups_behind(last.as_deref()).next() {
                    Some((name, group)) => {
                        begin_group(name, group, writer);
                        Self::Pending(name.into(), StreamId::MIN)
                    }
                    None => return true,
                },
                Self::Pending(name, from) => {
                    let group = group(stream, name);
                    match pending(group, *from, writer, budget) {
                        Some(from) => Self::Pending(core::mem::take(name), from),
                        None => {
                            writer.count(group.consumer_count());
                            Self::Consumers(core::mem::take(name), None)
                        }
                    }
                }
                Self::Consumers(name, last) => {
                    let next = group(stream, name).consumers_behind(last.as_deref()).next();
                    let group = core::mem::take(name);
                    match next {
                        Some(consumer) => {
                            begin_consumer(consumer, target, writer);
                            let consumer = consumer.name().into();
                            Self::Held { group, consumer, from: StreamId::MIN }
                        }
                        None => Self::Groups(Some(group)),
                    }
                }
                Self::Held { group: name, consumer: who, from } => {
                    let group = group(stream, name);
                    let consumer = group.consumer_id(who).and_then(|id| group.consumer(id));
                    let consumer = consumer.expect("a consumer stays while it is written");
                    let next = held(consumer, *from, writer, budget);
                    let (group, consumer) = (core::mem::take(name), core::mem::take(who));
                    match next {
                        Some(from) => Self::Held { group, consumer, from },
                        None => Self::Consumers(group, Some(consumer)),
                    }
                }
            };
            *self = next;
        }
        false
    }
}

fn group<'s>(stream: &'s Stream, name: &[u8]) -> &'s Group {
    stream.group(name).expect("a group stays while it is written")
}

fn from_on(first: StreamId) -> RangeInclusive<StreamId> {
    first..=StreamId::MAX
}

/// Writes nodes from an id on; the id of the first that is left.
fn nodes(
    stream: &Stream,
    from: StreamId,
    writer: &mut Writer<'_>,
    budget: usize,
) -> Option<StreamId> {
    for (master, node) in stream.log().nodes_from(from) {
        if writer.spent() >= budget {
            return Some(master);
        }
        writer.text(&id_bytes(master));
        writer.text(node);
    }
    None
}

fn totals(stream: &Stream, writer: &mut Writer<'_>) {
    let log = stream.log();
    let counters = log.counters();
    writer.number(log.len());
    put_id(writer, counters.last_id);
    put_id(writer, log.first_id());
    put_id(writer, counters.max_deleted_id);
    writer.number(counters.entries_added);
    writer.count(stream.group_count());
}

fn begin_group(name: &[u8], group: &Group, writer: &mut Writer<'_>) {
    writer.text(name);
    put_id(writer, group.position().last_id);
    writer.number(group.position().entries_read.unwrap_or(UNKNOWN));
    writer.count(group.pending_count());
}

/// Writes what waits from an id on; the first id that is left.
fn pending(
    group: &Group,
    from: StreamId,
    writer: &mut Writer<'_>,
    budget: usize,
) -> Option<StreamId> {
    for (id, pending) in group.pending_range(from_on(from)) {
        if writer.spent() >= budget {
            return Some(id);
        }
        writer.raw(&id_bytes(id));
        writer.time(Some(pending.delivered_ms));
        writer.number(pending.deliveries);
    }
    None
}

fn begin_consumer(consumer: &Consumer, target: Target, writer: &mut Writer<'_>) {
    writer.text(consumer.name());
    writer.time(Some(consumer.seen_ms));
    if target == Target::Redis72 {
        writer.time(consumer.active_ms);
    }
    writer.count(consumer.held_count());
}

/// Writes what a consumer holds from an id on; the first id that is left.
fn held(
    consumer: &Consumer,
    from: StreamId,
    writer: &mut Writer<'_>,
    budget: usize,
) -> Option<StreamId> {
    for id in consumer.held(from_on(from)) {
        if writer.spent() >= budget {
            return Some(id);
        }
        writer.spend(0);
        writer.raw(&id_bytes(id));
    }
    None
}

fn put_id(writer: &mut Writer<'_>, id: StreamId) {
    writer.number(id.ms);
    writer.number(id.seq);
}

fn id_bytes(id: StreamId) -> [u8; 16] {
    (u128::from(id.ms) << 64 | u128::from(id.seq)).to_be_bytes()
}
