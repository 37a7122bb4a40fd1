//! `ZREM key member...`

use crate::{Command, Flow, Outcome, Run, WriteCtx};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::Zset;

/// `ZREM key member...`: removes members and says how many were there.
pub(super) const ZREM: Command = Command {
    spec: Spec {
        name: "zrem",
        arity: Arity::AtLeast(3),
        flags: Flags::WRITE.and(Flags::FAST),
        categories: Categories::SORTEDSET,
        keys: &[KeySpec::one(1, KeyFlags::RW.and(KeyFlags::DELETE))],
        group: Group::SortedSet,
        since: "1.2.0",
        complexity: "O(M*log(N)): M members removed from N",
        summary: "Removes members of a sorted set.",
        syntax: "key member...",
        history: &[("2.4.0", "Several members can be given.")],
        ..Spec::EMPTY
    },
    run: Run::Write(zrem),
};

fn zrem(ctx: &mut WriteCtx<'_>) -> Outcome {
    let request = ctx.request;
    let removed = ctx.keys.edit_as(request.arg(1), |zset: &mut Zset, _| {
        request.args_from(2).map(|name| u64::from(zset.remove(name))).sum()
    })?;
    let removed: u64 = removed.unwrap_or(0);
    if removed > 0 {
        ctx.changed_times(removed);
    }
    ctx.reply.int(i64::try_from(removed).unwrap_or(i64::MAX));
    Ok(Flow::Done)
}
