//! `SUNION key...` and `SUNIONSTORE destination key...`

use super::combine;
use crate::element::reply_element;
use crate::{Command, Flow, Outcome, ReadCtx, Run, WriteCtx};
use alloc::vec::Vec;
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::Set;

/// `SUNION key...`: the members that any of the sets has.
pub(super) const SUNION: Command = Command {
    spec: Spec {
        name: "sunion",
        arity: Arity::AtLeast(2),
        flags: Flags::READONLY,
        categories: Categories::SET,
        keys: &[KeySpec::range(1, -1, 1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        group: Group::Set,
        complexity: "O(N) in the number of members of all sets",
        summary: "Returns the members that any of several sets has.",
        syntax: "key...",
        tips: &["nondeterministic_output_order"],
        ..Spec::EMPTY
    },
    run: Run::Read(sunion),
};

/// `SUNIONSTORE destination key...`: keeps the members that any of the sets has.
pub(super) const SUNIONSTORE: Command = Command {
    spec: Spec {
        name: "sunionstore",
        arity: Arity::AtLeast(3),
        flags: Flags::WRITE.and(Flags::DENYOOM),
        keys: &[
            KeySpec::one(1, KeyFlags::OW.and(KeyFlags::UPDATE)),
            KeySpec::range(2, -1, 1, KeyFlags::RO.and(KeyFlags::ACCESS)),
        ],
        summary: "Keeps the members that any of several sets has at a key.",
        syntax: "destination key...",
        tips: &[],
        ..SUNION.spec
    },
    run: Run::Write(sunionstore),
};

fn sunion(ctx: &mut ReadCtx<'_>) -> Outcome {
    let ReadCtx { request, keys, reply, .. } = ctx;
    combine::read_all(keys, request.args_from(1))?;
    let sets = combine::sets(keys, request.args_from(1));
    let mut sets: Vec<&Set> = sets.into_iter().flatten().collect();
    let place = reply.deferred();
    let mut count = 0;
    Set::unite(&mut sets, keys.rules(), |member| {
        reply_element(reply, member);
        count += 1;
    });
    reply.close_set(place, count);
    Ok(Flow::Done)
}

fn sunionstore(ctx: &mut WriteCtx<'_>) -> Outcome {
    let WriteCtx { request, keys, .. } = ctx;
    combine::read_all(keys, request.args_from(2))?;
    let sets = combine::sets(keys, request.args_from(2));
    let sets: Vec<&Set> = sets.into_iter().flatten().collect();
    let result = Set::union(&sets, keys.rules());
    combine::keep(ctx, ctx.arg(1), "sunionstore", result)
}
