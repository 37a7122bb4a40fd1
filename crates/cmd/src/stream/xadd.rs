//! `XADD key [NOMKSTREAM] [MAXLEN | MINID [= | ~] threshold [LIMIT count]] * | id field value ...`

use super::STREAM;
use super::id::{IdText, NewId};
use super::trim::{Options, rewritten};
use crate::{Class, Command, Flow, Outcome, ReplyError, Run, WriteCtx};
use alloc::string::ToString;
use vesta_spec::{Arity, Flags, KeyFlags, KeySpec, Spec};
use vesta_store::Stream;
use vesta_store::stream::{AppendError, StreamId};

/// `XADD`: adds an entry at the end of a stream and trims the stream.
///
/// Replicates with the id that was chosen, and with an exact trim in place of an approximate one.
pub(super) const XADD: Command = Command {
    spec: Spec {
        name: "xadd",
        arity: Arity::AtLeast(5),
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        keys: &[KeySpec::one(1, KeyFlags::RW.and(KeyFlags::UPDATE))
            .noted("Updates and not only inserts, as it may trim.")],
        complexity: "O(1), and O(N) for N entries trimmed away",
        summary: "Appends an entry to a stream, which is made if need be and trimmed if asked.",
        syntax: "key [NOMKSTREAM] [trim=(strategy=<MAXLEN | MINID> [operator=<=@equal | \
                 ~@approximately>] threshold [LIMIT count:integer])] id-selector=<*@auto-id | id> \
                 data=(field value)...",
        tips: &["nondeterministic_output"],
        history: &[
            ("6.2.0", "Added the `NOMKSTREAM`, `MINID` and `LIMIT` options."),
            ("7.0.0", "Added ids of the form `<ms>-*`."),
        ],
        ..STREAM
    },
    run: Run::Write(xadd),
};

const EXHAUSTED: ReplyError =
    ReplyError::text("The stream has exhausted the last possible ID, unable to add more items");
const NOT_ABOVE: ReplyError = ReplyError::text(
    "The ID specified in XADD is equal or smaller than the target stream top item",
);

fn xadd(ctx: &mut WriteCtx<'_>) -> Outcome {
    let (request, key) = (ctx.request, ctx.arg(1));
    let options = Options::parse(ctx, true)?;
    let words = request.len() - options.end;
    let Some(new_id) = options.id.filter(|_| words >= 2 && words.is_multiple_of(2)) else {
        return Err(ReplyError::WrongArity("xadd".to_string()));
    };
    if matches!(new_id, NewId::Given(StreamId::MIN)) {
        return Err(ReplyError::text("The ID specified in XADD must be greater than 0-0"));
    }
    let last = ctx.keys.look_as::<Stream>(key)?.map(|stream| stream.log().counters().last_id);
    if last.is_none() && !options.makes_stream {
        ctx.reply.null();
        return Ok(Flow::Done);
    }
    let id = choose(new_id, last.unwrap_or_default(), ctx.now.unix.ms())?;
    let at = |index: usize| request.arg(options.end + index);
    let fields = (0..words / 2).map(|field| (at(2 * field), at(2 * field + 1)));
    let is_wanted = ctx.propagation.is_wanted();
    let trimming = options.trimming;
    let outcome = ctx.keys.upsert_as::<Stream, _>(key, |stream, rules| {
        let log = stream.log_mut();
        log.append(id, fields, rules.stream_node())?;
        let trimmed = trimming.as_ref().map_or(0, |trimming| trimming.apply(log));
        let rewrites = trimming.filter(|trimming| is_wanted && trimming.is_approximate());
        Ok((trimmed, rewrites.map(|trimming| trimming.exact_threshold(log))))
    })?;
    let (trimmed, threshold) = outcome.map_err(|error| match error {
        AppendError::NotAbove => NOT_ABOVE,
        AppendError::TooLarge => {
            if last.is_none() {
                ctx.keys.delete(key);
            }
            ReplyError::text("Elements are too large to be stored")
        }
    })?;
    ctx.notify(Class::Stream, "xadd", key);
    if trimmed > 0 {
        ctx.notify(Class::Stream, "xtrim", key);
    }
    let text = IdText::new(id);
    let is_given = matches!(new_id, NewId::Given(_));
    if !is_wanted || (is_given && threshold.is_none()) {
        ctx.changed();
    } else {
        let id_word = Some((options.end - 1, text.as_bytes()));
        ctx.changed_as(&rewritten(request, trimming, threshold.as_deref(), id_word));
    }
    ctx.reply.bulk(text.as_bytes());
    Ok(Flow::Done)
}

/// The id of the new entry, above `last`.
fn choose(new_id: NewId, last: StreamId, now_ms: u64) -> Result<StreamId, ReplyError> {
    if last == StreamId::MAX {
        return Err(EXHAUSTED);
    }
    let id = match new_id {
        NewId::Auto if now_ms > last.ms => StreamId::new(now_ms, 0),
        NewId::Auto => last.next().ok_or(EXHAUSTED)?,
        NewId::AutoSeq(ms) if ms == last.ms => {
            StreamId::new(ms, last.seq.checked_add(1).ok_or(NOT_ABOVE)?)
        }
        NewId::AutoSeq(ms) => StreamId::new(ms, 0),
        NewId::Given(id) => id,
    };
    if id > last { Ok(id) } else { Err(NOT_ABOVE) }
}
