//! `GETSET key value`

use crate::string::get::reply_value;
use crate::{Class, Command, Flow, Outcome, Run, WriteCtx};
use vesta_spec::{Arity, Categories, Deprecated, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::Deadline;

/// `GETSET key value`: sets a string and replies with the one it replaces.
///
/// Replicates as `SET`.
pub(super) const GETSET: Command = Command {
    spec: Spec {
        name: "getset",
        arity: Arity::Exactly(3),
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        categories: Categories::STRING,
        keys: &[KeySpec::one(1, KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::UPDATE))],
        group: Group::String,
        summary: "Sets a key to a string and returns the one it held.",
        syntax: "key value",
        deprecated: Some(Deprecated {
            since: "6.2.0",
            replaced_by: "`SET` with the `!GET` argument",
        }),
        ..Spec::EMPTY
    },
    run: Run::Write(getset),
};

fn getset(ctx: &mut WriteCtx<'_>) -> Outcome {
    let key = ctx.arg(1);
    let old = ctx.keys.read_string(key)?;
    reply_value(&mut ctx.reply, old);
    let value = ctx.value(2);
    ctx.keys.set(key, value, Deadline::Never);
    ctx.notify(Class::String, "set", key);
    ctx.changed_as(&[b"SET", key, ctx.request.arg(2)]);
    Ok(Flow::Done)
}
