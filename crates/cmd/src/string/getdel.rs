//! `GETDEL key`

use crate::string::get::reply_value;
use crate::{Class, Command, Flow, Outcome, Run, WriteCtx};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};

/// `GETDEL key`: replies with a string and removes its key.
///
/// Replicates as `DEL`, and only if the key was there.
pub(super) const GETDEL: Command = Command {
    spec: Spec {
        name: "getdel",
        arity: Arity::Exactly(2),
        flags: Flags::WRITE.and(Flags::FAST),
        categories: Categories::STRING,
        keys: &[KeySpec::one(1, KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::DELETE))],
        group: Group::String,
        since: "6.2.0",
        summary: "Returns the string at a key and removes the key.",
        syntax: "key",
        ..Spec::EMPTY
    },
    run: Run::Write(getdel),
};

fn getdel(ctx: &mut WriteCtx<'_>) -> Outcome {
    let key = ctx.arg(1);
    let value = ctx.keys.read_string(key)?;
    let is_there = value.is_some();
    reply_value(&mut ctx.reply, value);
    if is_there {
        ctx.keys.delete(key);
        ctx.notify(Class::Generic, "del", key);
        // Source: observed on redis-server 7.0.15 with lazyfree-lazy-user-del.
        let lazily = ctx.config.lazyfree_lazy_user_del;
        ctx.changed_as(&[if lazily { b"UNLINK" } else { b"DEL" }, key]);
    }
    Ok(Flow::Done)
}
