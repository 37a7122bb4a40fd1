//! `PERSIST key`

use crate::{Class, Command, Flow, Outcome, Run, WriteCtx};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};

/// `PERSIST key`: has a key expire no longer; whether it would have.
pub(super) const PERSIST: Command = Command {
    spec: Spec {
        name: "persist",
        arity: Arity::Exactly(2),
        flags: Flags::WRITE.and(Flags::FAST),
        categories: Categories::KEYSPACE,
        keys: &[KeySpec::one(1, KeyFlags::RW.and(KeyFlags::UPDATE))],
        group: Group::Generic,
        since: "2.2.0",
        summary: "Removes the expiry of a key.",
        syntax: "key",
        ..Spec::EMPTY
    },
    run: Run::Write(persist),
};

fn persist(ctx: &mut WriteCtx<'_>) -> Outcome {
    let had_one = ctx.keys.edit(ctx.request.arg(1), |entry| {
        let had_one = entry.expiry().is_some();
        if had_one {
            entry.set_expiry(None);
        }
        had_one
    });
    let changed = had_one.unwrap_or(false);
    if changed {
        ctx.notify(Class::Generic, "persist", ctx.request.arg(1));
        ctx.changed();
    }
    ctx.reply.flag(changed);
    Ok(Flow::Done)
}
