//! `RANDOMKEY`

use crate::{Command, Flow, Outcome, ReadCtx, Run};
use vesta_spec::{Arity, Categories, Flags, Group, Spec};

/// `RANDOMKEY`: a key drawn from the database, each with the same chance.
pub(super) const RANDOMKEY: Command = Command {
    spec: Spec {
        name: "randomkey",
        arity: Arity::Exactly(1),
        flags: Flags::READONLY,
        categories: Categories::KEYSPACE,
        group: Group::Generic,
        summary: "Returns the name of a random key.",
        tips: &["request_policy:all_shards", "response_policy:special", "nondeterministic_output"],
        ..Spec::EMPTY
    },
    run: Run::Read(randomkey),
};

fn randomkey(ctx: &mut ReadCtx<'_>) -> Outcome {
    let reply = &mut ctx.reply;
    if ctx.keys.random_key(|key| reply.bulk(key)).is_none() {
        ctx.reply.null();
    }
    Ok(Flow::Done)
}
