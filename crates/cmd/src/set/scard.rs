//! `SCARD key`

use crate::{Command, Flow, Outcome, ReadCtx, Run};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::Set;

/// `SCARD key`: how many members a set has.
pub(super) const SCARD: Command = Command {
    spec: Spec {
        name: "scard",
        arity: Arity::Exactly(2),
        flags: Flags::READONLY.and(Flags::FAST),
        categories: Categories::SET,
        keys: &[KeySpec::one(1, KeyFlags::RO)],
        group: Group::Set,
        summary: "Counts the members of a set.",
        syntax: "key",
        ..Spec::EMPTY
    },
    run: Run::Read(scard),
};

fn scard(ctx: &mut ReadCtx<'_>) -> Outcome {
    let set: Option<&Set> = ctx.keys.read_as(ctx.request.arg(1))?;
    ctx.reply.count(set.map_or(0, Set::len));
    Ok(Flow::Done)
}
