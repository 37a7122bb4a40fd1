//! `HLEN key`

use crate::{Command, Flow, Outcome, ReadCtx, Run};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::Hash;

/// `HLEN key`: how many fields a hash has. Those that have expired count until they are deleted,
/// as in Redis 7.4.
pub(super) const HLEN: Command = Command {
    spec: Spec {
        name: "hlen",
        arity: Arity::Exactly(2),
        flags: Flags::READONLY.and(Flags::FAST),
        categories: Categories::HASH,
        keys: &[KeySpec::one(1, KeyFlags::RO)],
        group: Group::Hash,
        since: "2.0.0",
        summary: "Returns the number of fields of a hash.",
        syntax: "key",
        ..Spec::EMPTY
    },
    run: Run::Read(hlen),
};

fn hlen(ctx: &mut ReadCtx<'_>) -> Outcome {
    let hash = ctx.keys.read_as::<Hash>(ctx.request.arg(1))?;
    ctx.reply.count(hash.map_or(0, Hash::len));
    Ok(Flow::Done)
}
