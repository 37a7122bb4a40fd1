//! `SADD key member...`

use crate::{Class, Command, Flow, Outcome, Run, WriteCtx};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::Set;

/// `SADD key member...`: adds members to a set and says how many are new.
pub(super) const SADD: Command = Command {
    spec: Spec {
        name: "sadd",
        arity: Arity::AtLeast(3),
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        categories: Categories::SET,
        keys: &[KeySpec::one(1, KeyFlags::RW.and(KeyFlags::INSERT))],
        group: Group::Set,
        complexity: "O(1) for each member",
        summary: "Adds members to a set, which is made if there is none.",
        syntax: "key member...",
        history: &[("2.4.0", "Several members can be given.")],
        ..Spec::EMPTY
    },
    run: Run::Write(sadd),
};

fn sadd(ctx: &mut WriteCtx<'_>) -> Outcome {
    let request = ctx.request;
    let added = ctx.keys.upsert_as(request.arg(1), |set: &mut Set, rules| {
        set.expect(request.arg(2), request.len() - 2, rules);
        let mut added = 0;
        for member in request.args_from(2) {
            added += u64::from(set.insert(member, rules));
        }
        added
    })?;
    if added > 0 {
        ctx.notify(Class::Set, "sadd", request.arg(1));
        ctx.changed_times(added);
    }
    ctx.reply.int(i64::try_from(added).unwrap_or(i64::MAX));
    Ok(Flow::Done)
}
