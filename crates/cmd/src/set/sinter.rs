//! `SINTER key...` and `SINTERSTORE destination key...`

use super::combine;
use crate::element::reply_element;
use crate::{Command, Flow, Outcome, ReadCtx, Run, WriteCtx};
use alloc::vec::Vec;
use core::ops::ControlFlow;
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::{Kind, Set};

/// `SINTER key...`: the members that all sets have.
pub(super) const SINTER: Command = Command {
    spec: Spec {
        name: "sinter",
        arity: Arity::AtLeast(2),
        flags: Flags::READONLY,
        categories: Categories::SET,
        keys: &[KeySpec::range(1, -1, 1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        group: Group::Set,
        complexity: "O(N*M) at worst, with N members in the smallest of M sets",
        summary: "Returns the members that all of several sets have.",
        syntax: "key...",
        tips: &["nondeterministic_output_order"],
        ..Spec::EMPTY
    },
    run: Run::Read(sinter),
};

/// `SINTERSTORE destination key...`: keeps the members that all sets have.
pub(super) const SINTERSTORE: Command = Command {
    spec: Spec {
        name: "sinterstore",
        arity: Arity::AtLeast(3),
        flags: Flags::WRITE.and(Flags::DENYOOM),
        keys: &[
            KeySpec::one(1, KeyFlags::RW.and(KeyFlags::UPDATE)),
            KeySpec::range(2, -1, 1, KeyFlags::RO.and(KeyFlags::ACCESS)),
        ],
        summary: "Keeps the members that all of several sets have at a key.",
        syntax: "destination key...",
        tips: &[],
        ..SINTER.spec
    },
    run: Run::Write(sinterstore),
};

fn sinter(ctx: &mut ReadCtx<'_>) -> Outcome {
    let ReadCtx { request, keys, reply, .. } = ctx;
    combine::read_all(keys, request.args_from(1))?;
    let sets: Option<Vec<&Set>> = combine::sets(keys, request.args_from(1)).into_iter().collect();
    let place = reply.deferred();
    let mut count = 0;
    let _ = Set::intersect(&mut sets.unwrap_or_default(), |member| {
        reply_element(reply, member);
        count += 1;
        ControlFlow::Continue(())
    });
    reply.close_set(place, count);
    Ok(Flow::Done)
}

fn sinterstore(ctx: &mut WriteCtx<'_>) -> Outcome {
    let WriteCtx { request, keys, .. } = ctx;
    let sources = request.args_from(2);
    combine::read_all(keys, sources.clone())?;
    let sets: Option<Vec<&Set>> = combine::sets(keys, sources).into_iter().collect();
    let result =
        sets.map_or_else(Set::empty, |mut sets| Set::intersection(&mut sets, keys.rules()));
    combine::keep(ctx, ctx.arg(1), "sinterstore", result)
}
