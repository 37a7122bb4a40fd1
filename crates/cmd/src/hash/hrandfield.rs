//! `HRANDFIELD key [count [WITHVALUES]]`

use crate::draw::{Draws, refuse_endless_reply};
use crate::element::{reply_element, reply_element_or_null};
use crate::{Command, Flow, Outcome, ReadCtx, Run};
use vesta_resp::{Proto, Reply};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::{Element, Hash, Heap};

/// `HRANDFIELD key [count [WITHVALUES]]`: fields drawn by chance: distinct ones for a positive
/// count, with repetitions for a negative one.
pub(super) const HRANDFIELD: Command = Command {
    spec: Spec {
        name: "hrandfield",
        arity: Arity::AtLeast(2),
        flags: Flags::READONLY,
        categories: Categories::HASH,
        keys: &[KeySpec::one(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        group: Group::Hash,
        since: "6.2.0",
        complexity: "O(N) in the number of fields returned",
        summary: "Returns fields of a hash drawn by chance.",
        syntax: "key [options=(count:integer [WITHVALUES])]",
        tips: &["nondeterministic_output"],
        ..Spec::EMPTY
    },
    run: Run::Read(hrandfield),
};

fn hrandfield(ctx: &mut ReadCtx<'_>) -> Outcome {
    let (key, now_ms) = (ctx.arg(1), ctx.keys.now_ms());
    if ctx.request.len() == 2 {
        let mut rng = ctx.keys.store().fork_rng();
        let hash = ctx.keys.read_as::<Hash>(key)?;
        let drawn = hash.and_then(|hash| hash.random(&mut rng, now_ms));
        reply_element_or_null(&mut ctx.reply, drawn.map(|(name, _)| name));
        return Ok(Flow::Done);
    }
    let (draws, with_values) = Draws::parse_with(ctx.request, "withvalues")?;
    let mut rng = ctx.keys.store().fork_rng();
    let ReadCtx { keys, reply, .. } = ctx;
    let hash = keys.read_as::<Hash>(key)?;
    let Some((hash, live)) = hash.map(|hash| (hash, hash.live_len(now_ms))) else {
        reply.array(0);
        return Ok(Flow::Done);
    };
    match draws {
        Draws::Distinct(count) => {
            head(reply, count.min(live), with_values);
            hash.sample(count, &mut rng, now_ms, |name, value| {
                pair(reply, name, value, with_values);
            });
        }
        Draws::Repeated(count) => {
            let count = if live == 0 { 0 } else { count };
            refuse_endless_reply(count, hash.heap_bytes() / hash.len().max(1) + 1)?;
            head(reply, count, with_values);
            for _ in 0..count {
                if let Some((name, value)) = hash.random(&mut rng, now_ms) {
                    pair(reply, name, value, with_values);
                }
            }
        }
    }
    Ok(Flow::Done)
}

/// The header for `count` fields: with values a flat array in RESP2, an array of pairs in RESP3.
fn head(reply: &mut Reply<'_>, count: usize, with_values: bool) {
    let is_flat = with_values && reply.proto() == Proto::Two;
    reply.array(if is_flat { count.saturating_mul(2) } else { count });
}

fn pair(reply: &mut Reply<'_>, name: Element<'_>, value: Element<'_>, with_values: bool) {
    if with_values && reply.proto() == Proto::Three {
        reply.array(2);
    }
    reply_element(reply, name);
    if with_values {
        reply_element(reply, value);
    }
}
