//! `SRANDMEMBER key [count]`

use crate::draw::{Draws, refuse_endless_reply};
use crate::element::reply_element;
use crate::{Command, Flow, Outcome, ReadCtx, ReplyError, Run};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::{Heap, Set};

/// `SRANDMEMBER key [count]`: members of a set that are drawn fairly; different ones, or with a
/// negative count each drawn anew.
pub(super) const SRANDMEMBER: Command = Command {
    spec: Spec {
        name: "srandmember",
        arity: Arity::AtLeast(2),
        flags: Flags::READONLY,
        categories: Categories::SET,
        keys: &[KeySpec::one(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        group: Group::Set,
        complexity: "O(1), or O(N) in the absolute value of the count",
        summary: "Returns random members of a set.",
        syntax: "key [count:integer]",
        tips: &["nondeterministic_output"],
        history: &[("2.6.0", "A count can be given.")],
        ..Spec::EMPTY
    },
    run: Run::Read(srandmember),
};

fn srandmember(ctx: &mut ReadCtx<'_>) -> Outcome {
    match ctx.request.len() {
        2 => one(ctx),
        3 => match Draws::parse(ctx.arg(2))? {
            Draws::Distinct(count) => different(ctx, count),
            Draws::Repeated(draws) => again_and_again(ctx, draws),
        },
        _ => Err(ReplyError::Syntax),
    }
}

fn one(ctx: &mut ReadCtx<'_>) -> Outcome {
    let ReadCtx { request, keys, reply, .. } = ctx;
    let mut rng = keys.store().fork_rng();
    let set: Option<&Set> = keys.read_as(request.arg(1))?;
    match set.and_then(|set| set.random(&mut rng)) {
        Some(member) => reply_element(reply, member),
        None => reply.null(),
    }
    Ok(Flow::Done)
}

fn different(ctx: &mut ReadCtx<'_>, count: usize) -> Outcome {
    let ReadCtx { request, keys, reply, .. } = ctx;
    let mut rng = keys.store().fork_rng();
    let Some(set) = keys.read_as::<Set>(request.arg(1))? else {
        reply.array(0);
        return Ok(Flow::Done);
    };
    reply.array(count.min(set.len()));
    set.sample(count, &mut rng, |member| reply_element(reply, member));
    Ok(Flow::Done)
}

fn again_and_again(ctx: &mut ReadCtx<'_>, draws: usize) -> Outcome {
    let ReadCtx { request, keys, reply, .. } = ctx;
    let mut rng = keys.store().fork_rng();
    let Some(set) = keys.read_as::<Set>(request.arg(1))? else {
        reply.array(0);
        return Ok(Flow::Done);
    };
    let mean_bytes = set.heap_bytes() / set.len().max(1) + 1;
    refuse_endless_reply(draws, mean_bytes)?;
    reply.array(draws);
    for _ in 0..draws {
        if let Some(member) = set.random(&mut rng) {
            reply_element(reply, member);
        }
    }
    Ok(Flow::Done)
}
