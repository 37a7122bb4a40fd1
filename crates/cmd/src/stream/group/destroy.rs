//! `XGROUP DESTROY key group`

use super::super::STREAM;
use super::NO_KEY;
use crate::{Class, Command, Flow, Outcome, Run, WriteCtx};
use vesta_spec::{Arity, Flags, KeyFlags, KeySpec, Spec};
use vesta_store::Stream;

/// `XGROUP DESTROY`: removes a group with all that is pending; whether it was there. Clients that
/// wait for the group are told.
pub(super) const DESTROY: Command = Command {
    spec: Spec {
        name: "destroy",
        arity: Arity::Exactly(4),
        flags: Flags::WRITE,
        keys: &[KeySpec::one(2, KeyFlags::RW.and(KeyFlags::DELETE))],
        complexity: "O(N) for N deliveries pending",
        summary: "Removes a consumer group.",
        syntax: "key group",
        ..STREAM
    },
    run: Run::Write(destroy),
};

fn destroy(ctx: &mut WriteCtx<'_>) -> Outcome {
    let (key, name) = (ctx.arg(2), ctx.arg(3));
    let stream = ctx.keys.look_as::<Stream>(key)?.ok_or(NO_KEY)?;
    let is_there = stream.group(name).is_some();
    if is_there {
        ctx.keys.edit_as::<Stream, _>(key, |stream, _| stream.remove_group(name))?;
        ctx.keys.tell(Class::Stream, "xgroup-destroy", key);
        ctx.changed();
    }
    ctx.reply.flag(is_there);
    Ok(Flow::Done)
}
