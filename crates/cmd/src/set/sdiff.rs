//! `SDIFF key...` and `SDIFFSTORE destination key...`

use super::combine;
use crate::element::reply_element;
use crate::{Command, Flow, Outcome, ReadCtx, Run, WriteCtx};
use alloc::vec::Vec;
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::{Kind, Set};

/// `SDIFF key...`: the members that the first set has and no other.
pub(super) const SDIFF: Command = Command {
    spec: Spec {
        name: "sdiff",
        arity: Arity::AtLeast(2),
        flags: Flags::READONLY,
        categories: Categories::SET,
        keys: &[KeySpec::range(1, -1, 1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        group: Group::Set,
        complexity: "O(N) in the number of members of all sets",
        summary: "Returns the members of a set that no other of several sets has.",
        syntax: "key...",
        tips: &["nondeterministic_output_order"],
        ..Spec::EMPTY
    },
    run: Run::Read(sdiff),
};

/// `SDIFFSTORE destination key...`: keeps the members that the first set has and no other.
pub(super) const SDIFFSTORE: Command = Command {
    spec: Spec {
        name: "sdiffstore",
        arity: Arity::AtLeast(3),
        flags: Flags::WRITE.and(Flags::DENYOOM),
        keys: &[
            KeySpec::one(1, KeyFlags::OW.and(KeyFlags::UPDATE)),
            KeySpec::range(2, -1, 1, KeyFlags::RO.and(KeyFlags::ACCESS)),
        ],
        summary: "Keeps the members of a set that no other of several sets has at a key.",
        syntax: "destination key...",
        tips: &[],
        ..SDIFF.spec
    },
    run: Run::Write(sdiffstore),
};

/// The first set, unless it is missing and nothing is left of it, and the others.
fn first_and_others(sets: Vec<Option<&Set>>) -> Option<(&Set, Vec<&Set>)> {
    let mut sets = sets.into_iter();
    let first = sets.next()??;
    Some((first, sets.flatten().collect()))
}

fn sdiff(ctx: &mut ReadCtx<'_>) -> Outcome {
    let ReadCtx { request, keys, reply, .. } = ctx;
    combine::read_all(keys, request.args_from(1))?;
    let place = reply.deferred();
    let mut count = 0;
    if let Some((first, others)) = first_and_others(combine::sets(keys, request.args_from(1))) {
        Set::subtract(first, &others, keys.rules(), |member| {
            reply_element(reply, member);
            count += 1;
        });
    }
    reply.close_set(place, count);
    Ok(Flow::Done)
}

fn sdiffstore(ctx: &mut WriteCtx<'_>) -> Outcome {
    let WriteCtx { request, keys, .. } = ctx;
    combine::read_all(keys, request.args_from(2))?;
    let sets = first_and_others(combine::sets(keys, request.args_from(2)));
    let result = sets
        .map_or_else(Set::empty, |(first, others)| Set::difference(first, &others, keys.rules()));
    combine::keep(ctx, ctx.arg(1), "sdiffstore", result)
}
