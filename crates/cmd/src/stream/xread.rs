//! `XREAD [COUNT count] [BLOCK milliseconds] STREAMS key... id...`

use super::id::{self, IdText};
use super::reading::Reading;
use super::reply::reply_entries;
use super::{STREAM, peek};
use crate::blocking::{Awaited, Block, OnTimeout};
use crate::{Class, Command, Flow, Outcome, ReadCtx, ReplyError, Run};
use alloc::vec::Vec;
use vesta_resp::{OwnedRequest, Proto};
use vesta_spec::{Arity, BeginSearch, FindKeys, Flags, KeyFlags, KeySpec, Spec};
use vesta_store::Stream;
use vesta_store::stream::{Log, StreamId};

/// `XREAD`: entries above an id of each stream, and if wanted the first ones that come.
pub(super) const XREAD: Command = Command {
    spec: Spec {
        name: "xread",
        arity: Arity::AtLeast(4),
        flags: Flags::READONLY.and(Flags::BLOCKING).and(Flags::MOVABLEKEYS),
        keys: &[streams_from(1)],
        complexity: "O(N) for N entries returned, for each stream",
        summary: "Returns the entries of streams above given ids, and waits for some if asked.",
        syntax: "[COUNT count:integer] [BLOCK milliseconds:integer] STREAMS streams=(key... id...)",
        ..STREAM
    },
    run: Run::Read(xread),
};

/// The keys: the first half of what follows the word STREAMS.
pub(super) const fn streams_from(from: i8) -> KeySpec {
    KeySpec {
        begin: BeginSearch::Keyword { keyword: "STREAMS", from },
        find: FindKeys::Range { last: -1, step: 1, limit: 2 },
        flags: KeyFlags::RO.and(KeyFlags::ACCESS),
        notes: "",
    }
}

fn xread(ctx: &mut ReadCtx<'_>) -> Outcome {
    let reading = Reading::parse(ctx.request, false)?;
    let mut above = Vec::new();
    for (key, text) in reading.streams() {
        let log = ctx.keys.read_as::<Stream>(key)?.map(|stream| stream.log());
        above.push(match text {
            b"$" => log.map_or(StreamId::MIN, |log| log.counters().last_id),
            b"+" => below_last(log),
            b">" => {
                return Err(ReplyError::text(
                    "The > ID can be specified only when calling XREADGROUP using the GROUP \
                     <group> <consumer> option.",
                ));
            }
            text => id::parse(text, 0)?,
        });
    }
    if serve(ctx, &reading, &above) {
        return Ok(Flow::Done);
    }
    let Some(timeout_ms) = reading.block else {
        ctx.reply.null_array();
        return Ok(Flow::Done);
    };
    let block = Block {
        keys: reading.keys(),
        awaited: Awaited::Stream,
        timeout_ms,
        on_timeout: OnTimeout::NullArray,
        request: settled(ctx, &reading, &above),
    };
    ctx.waiter.wait(&mut ctx.reply, block)
}

/// What the last entry alone is above of.
fn below_last(log: Option<&Log>) -> StreamId {
    log.and_then(Log::last).and_then(|last| last.id.prev()).unwrap_or_default()
}

/// Replies with what there is; whether there is anything.
fn serve(ctx: &mut ReadCtx<'_>, reading: &Reading<'_>, above: &[StreamId]) -> bool {
    let ReadCtx { keys, reply, .. } = ctx;
    let place = reply.deferred();
    let mut served = 0;
    for ((key, _), above) in reading.streams().zip(above) {
        let Some(from) = above.next() else { continue };
        let Some(stream) = peek(keys, key) else {
            // Redis looks for the key a second time here, and misses it again.
            keys.tell(Class::Missed, "keymiss", key);
            continue;
        };
        let mut entries = stream.log().range(from..=StreamId::MAX);
        let Some(first) = entries.next() else { continue };
        served += 1;
        if reply.proto() == Proto::Two {
            reply.array(2);
        }
        reply.bulk(key);
        reply_entries(reply, core::iter::once(first).chain(entries).take(reading.count));
    }
    if served > 0 {
        reply.close_map_of_pairs(place, served);
    }
    served > 0
}

/// The request with the ids that `$` and `+` stand for now.
fn settled(ctx: &ReadCtx<'_>, reading: &Reading<'_>, above: &[StreamId]) -> OwnedRequest {
    OwnedRequest::of(&ctx.request, |index, word| {
        let place = index.checked_sub(reading.ids_at())?;
        let is_relative = matches!(word, b"$" | b"+");
        let id = above.get(place).filter(|_| is_relative)?;
        Some(IdText::new(*id).as_bytes().to_vec())
    })
}
