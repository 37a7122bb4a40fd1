//! `TYPE key`

use crate::{Command, Flow, Outcome, ReadCtx, Run};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::object;

/// `TYPE key`: the name of the type of a key's value, `none` when there is no key.
pub(super) const TYPE: Command = Command {
    spec: Spec {
        name: "type",
        arity: Arity::Exactly(2),
        flags: Flags::READONLY.and(Flags::FAST),
        categories: Categories::KEYSPACE,
        keys: &[KeySpec::one(1, KeyFlags::RO)],
        group: Group::Generic,
        summary: "Tells the type of the value at a key.",
        syntax: "key",
        ..Spec::EMPTY
    },
    run: Run::Read(type_of),
};

fn type_of(ctx: &mut ReadCtx<'_>) -> Outcome {
    let name = ctx.keys.read_about(ctx.request.arg(1)).map_or("none", object::type_name);
    ctx.reply.simple(name);
    Ok(Flow::Done)
}
