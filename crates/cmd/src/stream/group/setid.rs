//! `XGROUP SETID key group id | $ [ENTRIESREAD entries-read]`

use super::super::{STREAM, id};
use super::{Options, need_group};
use crate::help::misused;
use crate::{Class, Command, Flow, Outcome, Run, WriteCtx};
use vesta_spec::{Arity, Flags, KeyFlags, KeySpec, Spec};
use vesta_store::Stream;
use vesta_store::stream::Position;

/// `XGROUP SETID`: sets how far a group has read.
pub(super) const SETID: Command = Command {
    spec: Spec {
        name: "setid",
        arity: Arity::AtLeast(5),
        flags: Flags::WRITE,
        keys: &[KeySpec::one(2, KeyFlags::RW.and(KeyFlags::UPDATE))],
        summary: "Sets the last delivered id of a consumer group.",
        syntax: "key group id-selector=<id | $@new-id> [ENTRIESREAD entriesread:integer]",
        history: &[("7.0.0", "Added the `ENTRIESREAD` option.")],
        ..STREAM
    },
    run: Run::Write(setid),
};

/// With every option once.
const WORDS_MAX: usize = 7;

fn setid(ctx: &mut WriteCtx<'_>) -> Outcome {
    let (key, name, text) = (ctx.arg(2), ctx.arg(3), ctx.arg(4));
    let options = Options::parse(ctx, false)?;
    need_group(ctx)?;
    if ctx.request.len() > WORDS_MAX {
        return Err(misused(ctx.request));
    }
    let stream = need_group(ctx)?;
    let last_id = match text {
        b"$" => stream.log().counters().last_id,
        text => id::parse_or_end(text, 0)?,
    };
    let entries_read = options.entries_read.flatten();
    ctx.keys.edit_unnoticed_as::<Stream, _>(key, |stream, _| {
        stream.edit_group(name, |_, group| group.set_position(Position { last_id, entries_read }))
    })?;
    ctx.keys.tell(Class::Stream, "xgroup-setid", key);
    ctx.changed();
    ctx.reply.ok();
    Ok(Flow::Done)
}
