//! `SMEMBERS key`

use crate::element::reply_element;
use crate::{Command, Flow, Outcome, ReadCtx, Run};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::Set;

/// `SMEMBERS key`: all members of a set.
pub(super) const SMEMBERS: Command = Command {
    spec: Spec {
        name: "smembers",
        arity: Arity::Exactly(2),
        flags: Flags::READONLY,
        categories: Categories::SET,
        keys: &[KeySpec::one(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        group: Group::Set,
        complexity: "O(N) in the number of members",
        summary: "Returns all members of a set.",
        syntax: "key",
        tips: &["nondeterministic_output_order"],
        ..Spec::EMPTY
    },
    run: Run::Read(smembers),
};

fn smembers(ctx: &mut ReadCtx<'_>) -> Outcome {
    let ReadCtx { request, keys, reply, .. } = ctx;
    let set: Option<&Set> = keys.read_as(request.arg(1))?;
    reply.set(set.map_or(0, Set::len));
    for member in set.iter().flat_map(|set| set.iter()) {
        reply_element(reply, member);
    }
    Ok(Flow::Done)
}
