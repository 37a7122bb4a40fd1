//! `XREADGROUP GROUP group consumer [options] STREAMS key... id...`

use super::pending::{
    changed_as_claim, changed_as_new_consumer, changed_as_position, see_consumer,
};
use super::reading::Reading;
use super::reply::{reply_entries, reply_entry, reply_id};
use super::xread::streams_from;
use super::{STREAM, id, shown};
use crate::blocking::{self, Awaited, Block, OnTimeout};
use crate::{Class, Command, Flow, Outcome, ReplyError, Run, WriteCtx};
use alloc::format;
use alloc::vec::Vec;
use vesta_resp::{Proto, Reply};
use vesta_spec::{Arity, Flags, Spec};
use vesta_store::Stream;
use vesta_store::stream::{ConsumerId, Group, Log, Pending, Position, StreamId};

/// `XREADGROUP`: entries that no consumer of a group has got yet (`>`), which then wait for the
/// consumer's XACK, or those that wait for it already.
///
/// Replicates as what it did: deliveries as XCLAIM, the group's progress as XGROUP SETID, a
/// consumer that got nothing yet as XGROUP CREATECONSUMER.
pub(super) const XREADGROUP: Command = Command {
    spec: Spec {
        name: "xreadgroup",
        arity: Arity::AtLeast(7),
        flags: Flags::WRITE.and(Flags::BLOCKING).and(Flags::MOVABLEKEYS),
        keys: &[streams_from(4)],
        complexity: "O(N log N) for N entries returned, for each stream",
        summary: "Returns new entries of streams to a consumer of a group, or those it has not \
                  acknowledged. Waits for some if asked.",
        syntax: "GROUP group-block=(group consumer) [COUNT count:integer] \
                 [BLOCK milliseconds:integer] [NOACK] STREAMS streams=(key... id...)",
        ..STREAM
    },
    run: Run::Write(xreadgroup),
};

/// What is wanted of one stream.
#[derive(Clone, Copy)]
enum Wanted {
    /// Entries that nobody of the group has got.
    New,
    /// What the consumer got above this id and has not acknowledged.
    History(StreamId),
}

fn xreadgroup(ctx: &mut WriteCtx<'_>) -> Outcome {
    let reading = Reading::parse(ctx.request, true)?;
    let (group, _) = reading.group.unwrap_or_default();
    let mut wanted = Vec::new();
    for (key, text) in reading.streams() {
        let stream = ctx.keys.read_as::<Stream>(key)?;
        if stream.and_then(|stream| stream.group(group)).is_none() {
            return Err(no_group(key, group));
        }
        wanted.push(match text {
            b">" => Wanted::New,
            b"$" => return Err(DOLLAR),
            // As in Redis, where `>` is kept as this id.
            text => match id::parse(text, 0)? {
                StreamId::MAX => Wanted::New,
                above => Wanted::History(above),
            },
        });
    }
    if serve(ctx, &reading, &wanted)? {
        return Ok(Flow::Done);
    }
    let Some(timeout_ms) = reading.block else {
        ctx.reply.null_array();
        return Ok(Flow::Done);
    };
    let block = Block {
        keys: reading.keys(),
        awaited: Awaited::StreamGroup,
        timeout_ms,
        on_timeout: OnTimeout::NullArray,
        request: blocking::unchanged(&ctx.request),
    };
    ctx.waiter.wait(&mut ctx.reply, block)
}

const DOLLAR: ReplyError = ReplyError::text(
    "The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this \
     consumer by specifying a proper ID, or use the > ID to get new messages. The $ ID would just \
     return an empty result set.",
);

fn no_group(key: &[u8], group: &[u8]) -> ReplyError {
    let (key, group) = (shown(key), shown(group));
    let text = format!(
        "NOGROUP No such key '{key}' or consumer group '{group}' in XREADGROUP with GROUP option"
    );
    ReplyError::Coded(text.into())
}

/// Replies with what there is, and hands on what that changed; whether there was anything.
fn serve(
    ctx: &mut WriteCtx<'_>,
    reading: &Reading<'_>,
    wanted: &[Wanted],
) -> Result<bool, ReplyError> {
    let (group, consumer) = reading.group.unwrap_or_default();
    let now_ms = ctx.now.unix.ms();
    let place = ctx.reply.deferred();
    let mut served = 0;
    for ((key, _), wanted) in reading.streams().zip(wanted) {
        let WriteCtx { keys, reply, .. } = &mut *ctx;
        let outcome = keys.edit_unnoticed_as::<Stream, _>(key, |stream, _| {
            stream.edit_group(group, |log, group| {
                let (holder, is_new) = see_consumer(group, consumer, now_ms);
                let mut delivery = Delivery { reply, log, group, holder, now_ms };
                let done = match wanted {
                    Wanted::New => delivery.deliver(key, reading),
                    Wanted::History(above) => {
                        delivery.repeat(key, *above, reading.count);
                        Done { is_served: true, ..Done::default() }
                    }
                };
                Done { is_new, ..done }
            })
        })?;
        let done = outcome.flatten().unwrap_or_default();
        served += usize::from(done.is_served);
        hand_on(ctx, [key, group, consumer], &done);
    }
    if served > 0 {
        ctx.reply.close_map_of_pairs(place, served);
    }
    Ok(served > 0)
}

/// Hands on what was done on one stream.
fn hand_on(ctx: &mut WriteCtx<'_>, words: [&[u8]; 3], done: &Done) {
    let [key, group, _] = words;
    if done.is_new {
        ctx.keys.tell(Class::Stream, "xgroup-createconsumer", key);
    }
    for delivery in &done.deliveries {
        changed_as_claim(ctx, words, *delivery, delivery.0);
    }
    if done.is_new && done.deliveries.is_empty() {
        changed_as_new_consumer(ctx, words);
    }
    if let Some(position) = done.moved_to {
        changed_as_position(ctx, key, group, position);
    }
}

/// What happened on one stream.
#[derive(Default)]
struct Done {
    is_served: bool,
    /// Whether the consumer is new.
    is_new: bool,
    /// What waits for an XACK now.
    deliveries: Vec<(StreamId, Pending)>,
    /// How far the group has read now, if that has changed.
    moved_to: Option<Position>,
}

/// One stream, for the consumer `holder`.
struct Delivery<'d, 'r> {
    reply: &'d mut Reply<'r>,
    log: &'d Log,
    group: &'d mut Group,
    holder: ConsumerId,
    now_ms: u64,
}

impl Delivery<'_, '_> {
    fn head(&mut self, key: &[u8]) {
        if self.reply.proto() == Proto::Two {
            self.reply.array(2);
        }
        self.reply.bulk(key);
    }

    /// Delivers what nobody of the group has got.
    fn deliver(&mut self, key: &[u8], reading: &Reading<'_>) -> Done {
        let mut done = Done::default();
        let Some(from) = self.group.position().last_id.next() else { return done };
        let mut entries = self.log.range(from..=StreamId::MAX);
        let Some(first) = entries.next() else { return done };
        done.is_served = true;
        self.head(key);
        let pending = Pending { consumer: self.holder, delivered_ms: self.now_ms, deliveries: 1 };
        let Self { reply, log, group, holder, now_ms } = self;
        let entries = core::iter::once(first).chain(entries).take(reading.count);
        reply_entries(
            reply,
            entries.inspect(|entry| {
                group.read_up_to(log, entry.id);
                if !reading.is_unacked && group.assign(entry.id, pending) {
                    done.deliveries.push((entry.id, pending));
                }
            }),
        );
        if let Some(consumer) = group.consumer_mut(*holder)
            && !done.deliveries.is_empty()
        {
            consumer.active_ms = Some(*now_ms);
        }
        done.moved_to = Some(group.position());
        done
    }

    /// Repeats what the consumer got above an id; what has been deleted since comes without fields.
    fn repeat(&mut self, key: &[u8], above: StreamId, count: usize) {
        self.head(key);
        let held = above.next().zip(self.group.consumer(self.holder));
        let held: Vec<StreamId> = held
            .map(|(from, consumer)| consumer.held(from..=StreamId::MAX).take(count).collect())
            .unwrap_or_default();
        self.reply.array(held.len());
        for id in held {
            match self.log.range(id..=id).next() {
                Some(entry) => {
                    reply_entry(self.reply, entry);
                    self.group.redeliver(id, self.now_ms);
                }
                None => {
                    self.reply.array(2);
                    reply_id(self.reply, id);
                    self.reply.null_array();
                }
            }
        }
    }
}
