//! `EXISTS key...`

use crate::{Command, Flow, Outcome, ReadCtx, Run};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};

/// `EXISTS key...`: how many of the keys are there; a key named twice counts twice.
pub(super) const EXISTS: Command = Command {
    spec: Spec {
        name: "exists",
        arity: Arity::AtLeast(2),
        flags: Flags::READONLY.and(Flags::FAST),
        categories: Categories::KEYSPACE,
        keys: &[KeySpec::range(1, -1, 1, KeyFlags::RO)],
        group: Group::Generic,
        complexity: "O(N) in the number of keys",
        summary: "Tells how many of the given keys exist.",
        syntax: "key...",
        tips: &["request_policy:multi_shard", "response_policy:agg_sum"],
        history: &[("3.0.3", "Takes several keys.")],
        ..Spec::EMPTY
    },
    run: Run::Read(exists),
};

fn exists(ctx: &mut ReadCtx<'_>) -> Outcome {
    let mut found = 0;
    for key in ctx.request.args_from(1) {
        found += usize::from(ctx.keys.read_about(key).is_some());
    }
    ctx.reply.count(found);
    Ok(Flow::Done)
}
