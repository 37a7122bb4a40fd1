//! `SISMEMBER key member` and `SMISMEMBER key member...`

use crate::{Command, Flow, Outcome, ReadCtx, Run};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::Set;

/// `SISMEMBER key member`: whether a set has a member.
pub(super) const SISMEMBER: Command = Command {
    spec: Spec {
        name: "sismember",
        arity: Arity::Exactly(3),
        flags: Flags::READONLY.and(Flags::FAST),
        categories: Categories::SET,
        keys: &[KeySpec::one(1, KeyFlags::RO)],
        group: Group::Set,
        summary: "Tells whether a set has a member.",
        syntax: "key member",
        ..Spec::EMPTY
    },
    run: Run::Read(sismember),
};

/// `SMISMEMBER key member...`: for each of several members whether a set has it.
pub(super) const SMISMEMBER: Command = Command {
    spec: Spec {
        name: "smismember",
        arity: Arity::AtLeast(3),
        keys: &[KeySpec::one(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        since: "6.2.0",
        complexity: "O(N) in the number of members given",
        summary: "Tells for each of several members whether a set has it.",
        syntax: "key member...",
        ..SISMEMBER.spec
    },
    run: Run::Read(smismember),
};

fn sismember(ctx: &mut ReadCtx<'_>) -> Outcome {
    let set: Option<&Set> = ctx.keys.read_as(ctx.request.arg(1))?;
    let is_member = set.is_some_and(|set| set.contains(ctx.request.arg(2)));
    ctx.reply.flag(is_member);
    Ok(Flow::Done)
}

fn smismember(ctx: &mut ReadCtx<'_>) -> Outcome {
    let set: Option<&Set> = ctx.keys.read_as(ctx.request.arg(1))?;
    ctx.reply.array(ctx.request.len() - 2);
    for member in ctx.request.args_from(2) {
        ctx.reply.flag(set.is_some_and(|set| set.contains(member)));
    }
    Ok(Flow::Done)
}
