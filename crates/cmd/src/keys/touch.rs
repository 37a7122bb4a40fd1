//! `TOUCH key...`

use crate::{Command, Flow, Outcome, ReadCtx, Run};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};

/// `TOUCH key...`: marks keys as used now, also for a client that asked for NO-TOUCH.
pub(super) const TOUCH: Command = Command {
    spec: Spec {
        name: "touch",
        arity: Arity::AtLeast(2),
        flags: Flags::READONLY.and(Flags::FAST),
        categories: Categories::KEYSPACE,
        keys: &[KeySpec::range(1, -1, 1, KeyFlags::RO)],
        group: Group::Generic,
        since: "3.2.1",
        complexity: "O(N) in the number of keys",
        summary: "Marks keys as used just now and tells how many of them exist.",
        syntax: "key...",
        tips: &["request_policy:multi_shard", "response_policy:agg_sum"],
        ..Spec::EMPTY
    },
    run: Run::Read(touch),
};

fn touch(ctx: &mut ReadCtx<'_>) -> Outcome {
    let db = ctx.keys.db_index();
    let mut keys = ctx.keys.of(db).untouching(false);
    let found = ctx.request.args_from(1).filter(|key| keys.read(key).is_some()).count();
    ctx.reply.count(found);
    Ok(Flow::Done)
}
