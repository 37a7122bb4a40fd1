//! Streams.
//!
//! ```text
//! stream    count | (id, listpack), ..                            nodes, the lowest id first
//!           length | last id | [first id | max deleted id | entries added]
//!           count | group, ..
//! group     name | last id | [entries read]
//!           count | (id, time, deliveries), ..                    what waits for its XACK
//!           count | consumer, ..
//! consumer  name | time seen | [time active]
//!           count | id, ..                                        what of it waits for this one
//! ```
//!
//! Ids of nodes and of waiting deliveries have 16 bytes, big endian; others are two numbers. The
//! first id and the counters are there from `Stream2` on, the time active from `Stream3` on. A
//! count of entries read of 2^64 - 1 and a time active of -1 mean that there is none.

mod encode;

pub(super) use encode::Place;

use super::{Fault, Reader};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::mem;
use vesta_store::stream::{
    ConsumerId, Counters, Group, Log, Pending, Position, Stream as Structure, StreamId,
};
use vesta_store::{Kind, Object, Stream};

/// The count of entries read that means that it is not known.
const UNKNOWN: u64 = u64::MAX;
/// Greater counters than this are not those of any stream: commands show them as signed.
const COUNTER_MAX: u64 = i64::MAX.unsigned_abs();

/// Reads a stream part by part: each step takes one that is whole.
pub(super) struct Decoder {
    has_counters: bool,
    has_activity: bool,
    next: Next,
    stream: Structure,
    /// The group that is being read.
    group: GroupDraft,
}

/// What is read next.
#[derive(Clone, Copy)]
enum Next {
    NodeCount,
    Nodes(u64),
    Totals,
    Groups(u64),
    /// What waits in this group; so many groups follow.
    Pending {
        left: u64,
        groups: u64,
    },
    ConsumerCount {
        groups: u64,
    },
    Consumers {
        left: u64,
        groups: u64,
    },
    Held {
        left: u64,
        consumer: ConsumerId,
        consumers: u64,
        groups: u64,
    },
}

#[derive(Default)]
struct GroupDraft {
    name: Box<[u8]>,
    group: Group,
    /// What waits and has not been found with a consumer: time and number of deliveries.
    unclaimed: BTreeMap<StreamId, (u64, u64)>,
}

impl Decoder {
    fn new(has_counters: bool, has_activity: bool) -> Self {
        Self {
            has_counters,
            has_activity,
            next: Next::NodeCount,
            stream: Structure::new(),
            group: GroupDraft::default(),
        }
    }

    pub(super) fn first() -> Self {
        Self::new(false, false)
    }

    pub(super) fn second() -> Self {
        Self::new(true, false)
    }

    pub(super) fn third() -> Self {
        Self::new(true, true)
    }

    pub(super) fn step(&mut self, reader: &mut Reader<'_>) -> Result<Option<Object>, Fault> {
        self.next = match self.next {
            Next::NodeCount => Next::Nodes(reader.number()?),
            Next::Nodes(0) => Next::Totals,
            Next::Nodes(left) => {
                let id = reader.text()?.into_vec();
                let Ok(id) = <[u8; 16]>::try_from(id) else {
                    return Err(reader.wrong("an id of 16 bytes"));
                };
                let node = reader.blob()?;
                let pushed = self.stream.log_mut().push_node(id_of(id), node.bytes());
                pushed.map_err(|error| node.fault(error))?;
                Next::Nodes(left - 1)
            }
            Next::Totals => {
                self.read_totals(reader)?;
                Next::Groups(reader.number()?)
            }
            Next::Groups(0) => {
                let stream = mem::replace(&mut self.stream, Structure::new());
                return Ok(Some(Stream::of(stream).into_object()));
            }
            Next::Groups(left) => {
                self.group = self.read_group_head(reader)?;
                Next::Pending { left: reader.number()?, groups: left - 1 }
            }
            Next::Pending { left: 0, groups } => Next::ConsumerCount { groups },
            Next::Pending { left, groups } => {
                let id = id_of(reader.array()?);
                if id == StreamId::MIN {
                    return Err(reader.wrong("the id of an entry"));
                }
                let (time, deliveries) = (reader.time()?, counter(reader)?);
                if self.group.unclaimed.insert(id, (time, deliveries)).is_some() {
                    return Err(reader.wrong("each waiting delivery once"));
                }
                Next::Pending { left: left - 1, groups }
            }
            Next::ConsumerCount { groups } => Next::Consumers { left: reader.number()?, groups },
            Next::Consumers { left: 0, groups } => {
                let GroupDraft { name, group, unclaimed } = mem::take(&mut self.group);
                if !unclaimed.is_empty() {
                    return Err(reader.wrong("a consumer for each waiting delivery"));
                }
                if !self.stream.add_group(&name, group) {
                    return Err(reader.wrong("each group once"));
                }
                Next::Groups(groups)
            }
            Next::Consumers { left, groups } => {
                let (consumer, held) = self.read_consumer(reader)?;
                Next::Held { left: held, consumer, consumers: left - 1, groups }
            }
            Next::Held { left: 0, consumers, groups, .. } => {
                Next::Consumers { left: consumers, groups }
            }
            Next::Held { left, consumer, consumers, groups } => {
                let id = id_of(reader.array()?);
                let Some((delivered_ms, deliveries)) = self.group.unclaimed.remove(&id) else {
                    return Err(reader.wrong("a waiting delivery that nobody else has"));
                };
                self.group.group.assign(id, Pending { consumer, delivered_ms, deliveries });
                Next::Held { left: left - 1, consumer, consumers, groups }
            }
        };
        Ok(None)
    }

    /// Reads the counters, which must belong to the nodes.
    fn read_totals(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        let length = reader.number()?;
        let last_id = read_id(reader)?;
        let mut counters =
            Counters { last_id, max_deleted_id: StreamId::MIN, entries_added: length };
        if self.has_counters {
            // The first id is found by itself.
            read_id(reader)?;
            counters.max_deleted_id = read_id(reader)?;
            counters.entries_added = counter(reader)?;
        }
        let at_byte = reader.position();
        let log: &mut Log = self.stream.log_mut();
        log.finish_load(length, counters)
            .map_err(|error| Fault::Corrupt(vesta_ds::CorruptError { at_byte, ..error }))
    }

    fn read_group_head(&self, reader: &mut Reader<'_>) -> Result<GroupDraft, Fault> {
        let name = reader.text()?.into_vec().into_boxed_slice();
        let last_id = read_id(reader)?;
        let entries_read = if self.has_counters {
            match reader.number()? {
                UNKNOWN => None,
                read if read <= COUNTER_MAX => Some(read),
                _ => return Err(reader.wrong("a count of entries read")),
            }
        } else {
            self.stream.log().entries_up_to(last_id)
        };
        let group = Group::new(Position { last_id, entries_read });
        Ok(GroupDraft { name, group, unclaimed: BTreeMap::new() })
    }

    /// Reads a consumer, and how many waiting deliveries it has.
    fn read_consumer(&mut self, reader: &mut Reader<'_>) -> Result<(ConsumerId, u64), Fault> {
        let name: Vec<u8> = reader.text()?.into_vec();
        let seen_ms = reader.time()?;
        let active_ms = if self.has_activity {
            u64::try_from(i64::from_le_bytes(reader.array()?)).ok()
        } else {
            Some(seen_ms)
        };
        let held = reader.number()?;
        let group = &mut self.group.group;
        let Some(id) = group.add_consumer(&name, seen_ms) else {
            return Err(reader.wrong("each consumer once"));
        };
        if let Some(consumer) = group.consumer_mut(id) {
            consumer.active_ms = active_ms;
        }
        Ok((id, held))
    }
}

fn counter(reader: &mut Reader<'_>) -> Result<u64, Fault> {
    match reader.number()? {
        number if number <= COUNTER_MAX => Ok(number),
        _ => Err(reader.wrong("a counter below 2^63")),
    }
}

fn read_id(reader: &mut Reader<'_>) -> Result<StreamId, Fault> {
    Ok(StreamId::new(reader.number()?, reader.number()?))
}

fn id_of(bytes: [u8; 16]) -> StreamId {
    let id = u128::from_be_bytes(bytes);
    StreamId::new((id >> 64) as u64, id as u64)
}
