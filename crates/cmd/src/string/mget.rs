//! `MGET key...`

use crate::string::get::reply_value;
use crate::{Command, Flow, Outcome, ReadCtx, Run};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};

/// `MGET key...`: the strings at several keys; null for what is missing or no string.
pub(super) const MGET: Command = Command {
    spec: Spec {
        name: "mget",
        arity: Arity::AtLeast(2),
        flags: Flags::READONLY.and(Flags::FAST),
        categories: Categories::STRING,
        keys: &[KeySpec::range(1, -1, 1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        group: Group::String,
        complexity: "O(N) in the number of keys",
        summary: "Returns the strings at several keys.",
        syntax: "key...",
        tips: &["request_policy:multi_shard"],
        ..Spec::EMPTY
    },
    run: Run::Read(mget),
};

fn mget(ctx: &mut ReadCtx<'_>) -> Outcome {
    ctx.reply.array(ctx.request.len() - 1);
    for key in ctx.request.args_from(1) {
        let value = ctx.keys.read_string(key).unwrap_or(None);
        reply_value(&mut ctx.reply, value);
    }
    Ok(Flow::Done)
}
