//! `XGROUP CREATE key group id | $ [MKSTREAM] [ENTRIESREAD entries-read]`

use super::super::{STREAM, id};
use super::{NO_KEY, Options};
use crate::help::misused;
use crate::{Class, Command, Flow, Outcome, ReplyError, Run, WriteCtx};
use alloc::borrow::Cow;
use vesta_spec::{Arity, Flags, KeyFlags, KeySpec, Spec};
use vesta_store::Stream;
use vesta_store::stream::{Group, Position};

/// `XGROUP CREATE`: adds a group that has read up to an id, `$` being the last one.
pub(super) const CREATE: Command = Command {
    spec: Spec {
        name: "create",
        arity: Arity::AtLeast(5),
        flags: Flags::WRITE.and(Flags::DENYOOM),
        keys: &[KeySpec::one(2, KeyFlags::RW.and(KeyFlags::INSERT))],
        summary: "Creates a consumer group.",
        syntax: "key group id-selector=<id | $@new-id> [MKSTREAM] \
                 [ENTRIESREAD entries-read:integer]",
        history: &[("7.0.0", "Added the `ENTRIESREAD` option.")],
        ..STREAM
    },
    run: Run::Write(create),
};

/// With every option once.
const WORDS_MAX: usize = 8;

const BUSY: ReplyError =
    ReplyError::Coded(Cow::Borrowed("BUSYGROUP Consumer Group name already exists"));

fn create(ctx: &mut WriteCtx<'_>) -> Outcome {
    let (key, name, text) = (ctx.arg(2), ctx.arg(3), ctx.arg(4));
    let options = Options::parse(ctx, true)?;
    let is_there = ctx.keys.look_as::<Stream>(key)?.is_some();
    if !is_there && !options.makes_stream {
        return Err(NO_KEY);
    }
    if ctx.request.len() > WORDS_MAX {
        return Err(misused(ctx.request));
    }
    let stream = ctx.keys.look_as::<Stream>(key)?;
    let last_id = match text {
        b"$" => stream.map(|stream| stream.log().counters().last_id).unwrap_or_default(),
        text => id::parse(text, 0)?,
    };
    if stream.and_then(|stream| stream.group(name)).is_some() {
        return Err(BUSY);
    }
    let group = Group::new(Position { last_id, entries_read: options.entries_read.flatten() });
    ctx.keys.upsert_as::<Stream, _>(key, |stream, _| stream.add_group(name, group))?;
    if !is_there {
        ctx.keys.mark(key);
    }
    ctx.keys.tell(Class::Stream, "xgroup-create", key);
    ctx.changed();
    ctx.reply.ok();
    Ok(Flow::Done)
}
