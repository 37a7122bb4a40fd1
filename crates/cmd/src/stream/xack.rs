//! `XACK key group id...`

use super::{STREAM, id};
use crate::{Command, Flow, Outcome, Run, WriteCtx};
use alloc::vec::Vec;
use vesta_spec::{Arity, Flags, KeyFlags, KeySpec, Spec};
use vesta_store::Stream;

/// `XACK key group id...`: ends the wait of deliveries and returns how many waited.
pub(super) const XACK: Command = Command {
    spec: Spec {
        name: "xack",
        arity: Arity::AtLeast(4),
        flags: Flags::WRITE.and(Flags::FAST),
        keys: &[KeySpec::one(1, KeyFlags::RW.and(KeyFlags::UPDATE))],
        complexity: "O(log N) for each id, with N deliveries pending",
        summary: "Acknowledges entries that were delivered to a consumer of a group.",
        syntax: "key group id...",
        ..STREAM
    },
    run: Run::Write(xack),
};

fn xack(ctx: &mut WriteCtx<'_>) -> Outcome {
    let (key, name) = (ctx.arg(1), ctx.arg(2));
    let group = ctx.keys.read_as::<Stream>(key)?.and_then(|stream| stream.group(name));
    let mut acknowledged = 0;
    if group.is_some() {
        let ids = ctx.request.args_from(3).map(|text| id::parse(text, 0));
        let ids = ids.collect::<Result<Vec<_>, _>>()?;
        let outcome = ctx.keys.edit_unnoticed_as::<Stream, _>(key, |stream, _| {
            stream.edit_group(name, |_, group| ids.into_iter().filter(|id| group.ack(*id)).count())
        })?;
        acknowledged = outcome.flatten().unwrap_or(0);
        if acknowledged > 0 {
            ctx.changed_times(acknowledged as u64);
        }
    }
    ctx.reply.count(acknowledged);
    Ok(Flow::Done)
}
