//! `SREM key member...`

use crate::{Class, Command, Outcome, Run, WriteCtx, remove};
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
    let remove = |set: &mut Set, member: &[u8]| set.remove(member);
    remove::named_elements(ctx, remove, (Class::Set, "srem"))
}
