//! `SMOVE source destination member`

use crate::{Class, Command, Flow, Outcome, Run, WriteCtx};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::Set;

/// `SMOVE source destination member`: moves a member from one set to another; whether the source
/// had it.
pub(super) const SMOVE: Command = Command {
    spec: Spec {
        name: "smove",
        arity: Arity::Exactly(4),
        flags: Flags::WRITE.and(Flags::FAST),
        categories: Categories::SET,
        keys: &[
            KeySpec::one(1, KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::DELETE)),
            KeySpec::one(2, KeyFlags::RW.and(KeyFlags::INSERT)),
        ],
        group: Group::Set,
        summary: "Moves a member from one set to another.",
        syntax: "source destination member",
        ..Spec::EMPTY
    },
    run: Run::Write(smove),
};

fn smove(ctx: &mut WriteCtx<'_>) -> Outcome {
    let (from, to, member) = (ctx.arg(1), ctx.arg(2), ctx.arg(3));
    let Some(source) = ctx.keys.look_as::<Set>(from)? else {
        // Nothing can be moved, whatever the destination is.
        ctx.reply.flag(false);
        return Ok(Flow::Done);
    };
    let has_it = source.contains(member);
    ctx.keys.look_as::<Set>(to)?;
    if has_it && from != to {
        ctx.keys.edit_as(from, |source: &mut Set, _| source.remove(member))?;
        ctx.notify_taken(Class::Set, "srem", from);
        let is_new = ctx
            .keys
            .upsert_as(to, |destination: &mut Set, rules| destination.insert(member, rules))?;
        if is_new {
            ctx.notify(Class::Set, "sadd", to);
        }
        ctx.changed();
    }
    ctx.reply.flag(has_it);
    Ok(Flow::Done)
}
