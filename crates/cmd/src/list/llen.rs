//! `LLEN key`

use crate::{Command, Flow, Outcome, ReadCtx, Run};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::List;

/// `LLEN key`: how many elements a list has.
pub(super) const LLEN: Command = Command {
    spec: Spec {
        name: "llen",
        arity: Arity::Exactly(2),
        flags: Flags::READONLY.and(Flags::FAST),
        categories: Categories::LIST,
        keys: &[KeySpec::one(1, KeyFlags::RO)],
        group: Group::List,
        summary: "Returns the number of elements of a list.",
        syntax: "key",
        ..Spec::EMPTY
    },
    run: Run::Read(llen),
};

fn llen(ctx: &mut ReadCtx<'_>) -> Outcome {
    let list = ctx.keys.read_as::<List>(ctx.request.arg(1))?;
    ctx.reply.count(list.map_or(0, List::len));
    Ok(Flow::Done)
}
