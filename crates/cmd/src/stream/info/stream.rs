//! `XINFO STREAM key [FULL [COUNT count]]`

use super::super::reply::{reply_entry, reply_id};
use super::{ABOUT_KEY, full, reply_number};
use crate::help::misused;
use crate::{Command, Cursor, Flow, Outcome, ReadCtx, ReplyError, Run};
use vesta_resp::Reply;
use vesta_spec::{Arity, Spec};
use vesta_store::Stream;
use vesta_store::stream::{Log, StreamEntry};

/// `XINFO STREAM key`: the counters of a stream and its ends, or with FULL what is in it.
pub(super) const STREAM_INFO: Command = Command {
    spec: Spec {
        name: "stream",
        arity: Arity::AtLeast(3),
        summary: "Tells about a stream.",
        syntax: "key [full-block=(FULL [COUNT count:integer])]",
        history: &[
            ("6.0.0", "Added the `FULL` option."),
            (
                "7.0.0",
                "Added the fields `max-deleted-entry-id`, `entries-added`, \
                 `recorded-first-entry-id`, `entries-read` and `lag`.",
            ),
            ("7.2.0", "Added the field `active-time`, and gave `seen-time` its present meaning."),
        ],
        ..ABOUT_KEY
    },
    run: Run::Read(stream),
};

/// Entries that FULL shows unless told otherwise.
const COUNT: usize = 10;

fn stream(ctx: &mut ReadCtx<'_>) -> Outcome {
    let detail = parse(ctx.cursor(3));
    let ReadCtx { keys, reply, request, .. } = ctx;
    let stream = keys.read_as::<Stream>(request.arg(2))?.ok_or(ReplyError::NoSuchKey)?;
    match detail?.ok_or_else(|| misused(*request))? {
        Detail::Full { count } => {
            reply.map(9);
            reply_counters(reply, stream.log());
            full::reply_contents(reply, stream, count);
        }
        Detail::Ends => {
            reply.map(10);
            reply_counters(reply, stream.log());
            reply.text("groups");
            reply.count(stream.group_count());
            reply.text("first-entry");
            reply_entry_or_null(reply, stream.log().first());
            reply.text("last-entry");
            reply_entry_or_null(reply, stream.log().last());
        }
    }
    Ok(Flow::Done)
}

/// How much is told.
enum Detail {
    Ends,
    Full { count: usize },
}

/// Reads the options; `None` when there are too many or too few.
fn parse(mut cursor: Cursor<'_>) -> Result<Option<Detail>, ReplyError> {
    if cursor.is_done() {
        return Ok(Some(Detail::Ends));
    }
    if !cursor.take("full") {
        return Ok(None);
    }
    let mut count = COUNT;
    if !cursor.is_done() {
        if cursor.left() != 2 || !cursor.take("count") {
            return Ok(None);
        }
        count = match usize::try_from(cursor.need_i64()?) {
            Ok(0) => usize::MAX,
            Ok(count) => count,
            Err(_) => COUNT,
        };
    }
    Ok(Some(Detail::Full { count }))
}

/// Seven fields. The nodes of the log stand for those of the radix tree that Redis keeps them in.
fn reply_counters(reply: &mut Reply<'_>, log: &Log) {
    let counters = log.counters();
    reply.text("length");
    reply_number(reply, log.len());
    reply.text("radix-tree-keys");
    reply.count(log.node_count());
    reply.text("radix-tree-nodes");
    reply.count(log.node_count() + 1);
    reply.text("last-generated-id");
    reply_id(reply, counters.last_id);
    reply.text("max-deleted-entry-id");
    reply_id(reply, counters.max_deleted_id);
    reply.text("entries-added");
    reply_number(reply, counters.entries_added);
    reply.text("recorded-first-entry-id");
    reply_id(reply, log.first_id());
}

fn reply_entry_or_null(reply: &mut Reply<'_>, entry: Option<StreamEntry<'_>>) {
    match entry {
        Some(entry) => reply_entry(reply, entry),
        None => reply.null(),
    }
}
