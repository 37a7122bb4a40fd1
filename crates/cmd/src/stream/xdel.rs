//! `XDEL key id...`

use super::{STREAM, id};
use crate::{Class, Command, Flow, Outcome, Run, WriteCtx};
use alloc::vec::Vec;
use vesta_spec::{Arity, Flags, KeyFlags, KeySpec, Spec};
use vesta_store::Stream;

/// `XDEL key id...`: deletes entries and returns how many; the stream stays, even an empty one.
pub(super) const XDEL: Command = Command {
    spec: Spec {
        name: "xdel",
        arity: Arity::AtLeast(3),
        flags: Flags::WRITE.and(Flags::FAST),
        keys: &[KeySpec::one(1, KeyFlags::RW.and(KeyFlags::DELETE))],
        complexity: "O(log N) for each id in a stream of N entries",
        summary: "Deletes entries of a stream.",
        syntax: "key id...",
        ..STREAM
    },
    run: Run::Write(xdel),
};

fn xdel(ctx: &mut WriteCtx<'_>) -> Outcome {
    let key = ctx.arg(1);
    let Some(stream) = ctx.keys.look_as::<Stream>(key)? else {
        ctx.reply.int(0);
        return Ok(Flow::Done);
    };
    let ids = ctx.request.args_from(2).map(|text| id::parse(text, 0));
    let ids = ids.collect::<Result<Vec<_>, _>>()?;
    let mut deleted = 0;
    if ids.iter().any(|id| stream.log().contains(*id)) {
        ctx.keys.edit_as::<Stream, _>(key, |stream, _| {
            let log = stream.log_mut();
            deleted = ids.into_iter().filter(|id| log.delete(*id)).count();
        })?;
        ctx.notify(Class::Stream, "xdel", key);
        ctx.changed_times(deleted as u64);
    }
    ctx.reply.count(deleted);
    Ok(Flow::Done)
}
