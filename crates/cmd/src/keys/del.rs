//! `DEL key...` and `UNLINK key...`

use crate::{Class, Command, Flow, Outcome, Run, WriteCtx};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};

/// `DEL key...`: removes keys and says how many there were. Memory of large values is freed later,
/// in slices, so that nobody waits for it.
pub(super) const DEL: Command = Command {
    spec: Spec {
        name: "del",
        arity: Arity::AtLeast(2),
        flags: Flags::WRITE,
        categories: Categories::KEYSPACE,
        keys: &[KeySpec::range(1, -1, 1, KeyFlags::RM.and(KeyFlags::DELETE))],
        group: Group::Generic,
        complexity: "O(N) in the number of keys",
        summary: "Removes keys.",
        syntax: "key...",
        tips: &["request_policy:multi_shard", "response_policy:agg_sum"],
        ..Spec::EMPTY
    },
    run: Run::Write(del),
};

/// `UNLINK key...`: as DEL.
pub(super) const UNLINK: Command = Command {
    spec: Spec {
        name: "unlink",
        since: "4.0.0",
        flags: Flags::WRITE.and(Flags::FAST),
        summary: "Removes keys at once and frees their memory later.",
        ..DEL.spec
    },
    run: Run::Write(del),
};

fn del(ctx: &mut WriteCtx<'_>) -> Outcome {
    let mut removed = 0;
    for key in ctx.request.args_from(1) {
        if ctx.keys.delete(key) {
            ctx.notify(Class::Generic, "del", key);
            removed += 1;
        }
    }
    if removed > 0 {
        ctx.changed_times(removed);
    }
    ctx.reply.int(i64::try_from(removed).unwrap_or(i64::MAX));
    Ok(Flow::Done)
}
