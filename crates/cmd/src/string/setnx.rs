//! `SETNX key value`

use crate::{Class, Command, Flow, Outcome, Run, WriteCtx};
use vesta_spec::{Arity, Categories, Deprecated, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::Deadline;

/// `SETNX key value`: sets a string unless the key is there.
pub(super) const SETNX: Command = Command {
    spec: Spec {
        name: "setnx",
        arity: Arity::Exactly(3),
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        categories: Categories::STRING,
        keys: &[KeySpec::one(1, KeyFlags::OW.and(KeyFlags::INSERT))],
        group: Group::String,
        summary: "Sets a key to a string unless the key is there.",
        syntax: "key value",
        deprecated: Some(Deprecated {
            since: "2.6.12",
            replaced_by: "`SET` with the `NX` argument",
        }),
        ..Spec::EMPTY
    },
    run: Run::Write(setnx),
};

fn setnx(ctx: &mut WriteCtx<'_>) -> Outcome {
    let key = ctx.arg(1);
    let is_free = !ctx.keys.contains(key);
    if is_free {
        let value = ctx.value(2);
        ctx.keys.set(key, value, Deadline::Never);
        ctx.notify(Class::String, "set", key);
        ctx.changed();
    }
    ctx.reply.flag(is_free);
    Ok(Flow::Done)
}
