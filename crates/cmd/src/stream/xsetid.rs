//! `XSETID key last-id [ENTRIESADDED entries-added] [MAXDELETEDID max-deleted-id]`

use super::{STREAM, id};
use crate::{Class, Command, Cursor, Flow, Outcome, ReplyError, Run, WriteCtx};
use vesta_spec::{Arity, Flags, KeyFlags, KeySpec, Spec};
use vesta_store::Stream;
use vesta_store::stream::{Counters, Log, StreamId};

/// `XSETID`: sets the counters of a stream, for tools that copy one.
pub(super) const XSETID: Command = Command {
    spec: Spec {
        name: "xsetid",
        arity: Arity::AtLeast(3),
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        keys: &[KeySpec::one(1, KeyFlags::RW.and(KeyFlags::UPDATE))],
        summary: "Sets the last id and other counters of a stream. For tools and replication.",
        syntax: "key last-id [ENTRIESADDED entries-added:integer] [MAXDELETEDID max-deleted-id]",
        history: &[("7.0.0", "Added the `ENTRIESADDED` and `MAXDELETEDID` options.")],
        ..STREAM
    },
    run: Run::Write(xsetid),
};

/// What is to be set.
struct Wanted {
    last_id: StreamId,
    entries_added: Option<u64>,
    max_deleted_id: StreamId,
}

impl Wanted {
    fn parse(mut cursor: Cursor<'_>) -> Result<Self, ReplyError> {
        let last_id = id::parse(cursor.need()?, 0)?;
        let mut wanted = Self { last_id, entries_added: None, max_deleted_id: StreamId::MIN };
        while !cursor.is_done() {
            let has_more = cursor.left() > 1;
            if has_more && cursor.take("entriesadded") {
                let added = u64::try_from(cursor.need_i64()?);
                let added =
                    added.map_err(|_| ReplyError::text("entries_added must be positive"))?;
                wanted.entries_added = Some(added);
            } else if has_more && cursor.take("maxdeletedid") {
                wanted.max_deleted_id = id::parse(cursor.need()?, 0)?;
                if last_id < wanted.max_deleted_id {
                    return Err(ReplyError::text(
                        "The ID specified in XSETID is smaller than the provided \
                         max_deleted_entry_id",
                    ));
                }
            } else {
                return Err(ReplyError::Syntax);
            }
        }
        Ok(wanted)
    }

    /// The counters as they will be.
    fn applied_to(&self, log: &Log) -> Result<Counters, ReplyError> {
        let counters = log.counters();
        if self.last_id < counters.max_deleted_id {
            return Err(ReplyError::text(
                "The ID specified in XSETID is smaller than current max_deleted_entry_id",
            ));
        }
        if log.last().is_some_and(|last| self.last_id < last.id) {
            return Err(ReplyError::text(
                "The ID specified in XSETID is smaller than the target stream top item",
            ));
        }
        if self.entries_added.is_some_and(|added| added < log.len()) {
            return Err(ReplyError::text(
                "The entries_added specified in XSETID is smaller than the target stream length",
            ));
        }
        let is_given = self.max_deleted_id != StreamId::MIN;
        Ok(Counters {
            last_id: self.last_id,
            max_deleted_id: if is_given { self.max_deleted_id } else { counters.max_deleted_id },
            entries_added: self.entries_added.unwrap_or(counters.entries_added),
        })
    }
}

fn xsetid(ctx: &mut WriteCtx<'_>) -> Outcome {
    let key = ctx.arg(1);
    let wanted = Wanted::parse(ctx.cursor(2))?;
    let stream = ctx.keys.look_as::<Stream>(key)?.ok_or(ReplyError::NoSuchKey)?;
    let counters = wanted.applied_to(stream.log())?;
    ctx.keys.edit_as::<Stream, _>(key, |stream, _| stream.log_mut().set_counters(counters))?;
    ctx.keys.tell(Class::Stream, "xsetid", key);
    ctx.changed();
    ctx.reply.ok();
    Ok(Flow::Done)
}
