//! `SREM key member...`

use crate::{Command, Flow, Outcome, Run, WriteCtx};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::Set;

/// `SREM key member...`: removes members from a set and says how many were there. A set without
/// members goes with its key.
pub(super) const SREM: Command = Command {
    spec: Spec {
        name: "srem",
        arity: Arity::AtLeast(3),
        flags: Flags::WRITE.and(Flags::FAST),
        categories: Categories::SET,
        keys: &[KeySpec::one(1, KeyFlags::RW.and(KeyFlags::DELETE))],
        group: Group::Set,
        complexity: "O(N) in the number of members given",
        summary: "Removes members from a set, and the set when none is left.",
        syntax: "key member...",
        history: &[("2.4.0", "Several members can be given.")],
        ..Spec::EMPTY
    },
    run: Run::Write(srem),
};

fn srem(ctx: &mut WriteCtx<'_>) -> Outcome {
    let request = ctx.request;
    let removed = ctx.keys.edit_as(request.arg(1), |set: &mut Set, _| {
        request.args_from(2).map(|member| u64::from(set.remove(member))).sum()
    })?;
    let removed: u64 = removed.unwrap_or(0);
    if removed > 0 {
        ctx.changed_times(removed);
    }
    ctx.reply.int(i64::try_from(removed).unwrap_or(i64::MAX));
    Ok(Flow::Done)
}
