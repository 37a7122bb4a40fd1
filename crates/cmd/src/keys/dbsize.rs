//! `DBSIZE`

use crate::{Command, Flow, Outcome, ReadCtx, Run};
use vesta_spec::{Arity, Categories, Flags, Group, Spec};

/// `DBSIZE`: how many keys the database has, expired ones that are not yet deleted included.
pub(super) const DBSIZE: Command = Command {
    spec: Spec {
        name: "dbsize",
        arity: Arity::Exactly(1),
        flags: Flags::READONLY.and(Flags::FAST),
        categories: Categories::KEYSPACE,
        group: Group::Server,
        summary: "Returns the number of keys in the database.",
        tips: &["request_policy:all_shards", "response_policy:agg_sum"],
        ..Spec::EMPTY
    },
    run: Run::Read(dbsize),
};

fn dbsize(ctx: &mut ReadCtx<'_>) -> Outcome {
    ctx.reply.count(ctx.keys.len());
    Ok(Flow::Done)
}
