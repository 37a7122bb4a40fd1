//! `ZRANDMEMBER key [count [WITHSCORES]]`

use super::zrange::{head, member};
use crate::draw::{Draws, refuse_endless_reply};
use crate::element::reply_element_or_null;
use crate::{Command, Flow, Outcome, ReadCtx, Run};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::{Heap, Zset};

/// `ZRANDMEMBER key [count [WITHSCORES]]`: members drawn by chance: distinct ones for a positive
/// count, with repetitions for a negative one.
pub(super) const ZRANDMEMBER: Command = Command {
    spec: Spec {
        name: "zrandmember",
        arity: Arity::AtLeast(2),
        flags: Flags::READONLY,
        categories: Categories::SORTEDSET,
        keys: &[KeySpec::one(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        group: Group::SortedSet,
        since: "6.2.0",
        complexity: "O(M*log(N)): M members returned of N",
        summary: "Returns members of a sorted set drawn by chance.",
        syntax: "key [options=(count:integer [WITHSCORES])]",
        tips: &["nondeterministic_output"],
        ..Spec::EMPTY
    },
    run: Run::Read(zrandmember),
};

fn zrandmember(ctx: &mut ReadCtx<'_>) -> Outcome {
    let key = ctx.arg(1);
    if ctx.request.len() == 2 {
        let mut rng = ctx.keys.store().fork_rng();
        let drawn = ctx.keys.read_as::<Zset>(key)?.and_then(|zset| zset.random(&mut rng));
        reply_element_or_null(&mut ctx.reply, drawn.map(|(name, _)| name));
        return Ok(Flow::Done);
    }
    let (draws, with_scores) = Draws::parse_with(ctx.request, "withscores")?;
    let mut rng = ctx.keys.store().fork_rng();
    let ReadCtx { keys, reply, .. } = ctx;
    let Some(zset) = keys.read_as::<Zset>(key)? else {
        reply.array(0);
        return Ok(Flow::Done);
    };
    match draws {
        Draws::Distinct(count) => {
            head(reply, count.min(zset.len()), with_scores);
            zset.sample(count, &mut rng, |name, score| member(reply, name, score, with_scores));
        }
        Draws::Repeated(count) => {
            refuse_endless_reply(count, zset.heap_bytes() / zset.len().max(1) + 1)?;
            head(reply, count, with_scores);
            for _ in 0..count {
                if let Some((name, score)) = zset.random(&mut rng) {
                    member(reply, name, score, with_scores);
                }
            }
        }
    }
    Ok(Flow::Done)
}
