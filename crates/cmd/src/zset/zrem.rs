//! `ZREM key member...`

use crate::{Class, Command, Outcome, Run, WriteCtx, remove};
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
    remove::named_elements(ctx, Zset::remove, (Class::Zset, "zrem"))
}
