//! `HPERSIST key FIELDS numfields field...`

use super::fields::{NOT_POSITIVE, first_field};
use super::lifetime;
use crate::{Command, Flow, Outcome, Run, WriteCtx};
use alloc::vec::Vec;
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::object::FieldExpiry;
use vesta_store::{Hash, Rules};

/// `HPERSIST key FIELDS numfields field...`: has fields expire no longer. For each: -2 when it is
/// not there, -1 when it did not expire, or 1.
pub(super) const HPERSIST: Command = Command {
    spec: Spec {
        name: "hpersist",
        arity: Arity::AtLeast(5),
        flags: Flags::WRITE.and(Flags::FAST),
        categories: Categories::HASH,
        keys: &[KeySpec::one(1, KeyFlags::RW.and(KeyFlags::UPDATE))],
        group: Group::Hash,
        since: "7.4.0",
        complexity: "O(N) in the number of fields that are named",
        summary: "Removes the expiry of fields of a hash.",
        syntax: "key fields=(FIELDS numfields:integer field...)",
        ..Spec::EMPTY
    },
    run: Run::Write(hpersist),
};

fn hpersist(ctx: &mut WriteCtx<'_>) -> Outcome {
    let (key, request) = (ctx.arg(1), ctx.request);
    // A key of another type is refused before a bad argument is.
    ctx.keys.look_as::<Hash>(key)?;
    let first = first_field(&request, 2, NOT_POSITIVE)?;
    ctx.keys.expire_fields(key, request.args_from(first));
    let WriteCtx { keys, reply, .. } = ctx;
    reply.array(request.len() - first);
    let changed = keys.edit_as::<Hash, _>(key, |hash, rules| {
        let mut changed = Vec::new();
        for name in request.args_from(first) {
            let code = persist(hash, name, rules);
            if code > 0 {
                changed.push(name);
            }
            reply.int(code);
        }
        changed
    })?;
    match changed {
        Some(changed) => lifetime::changed_as_persist(ctx, &changed),
        None => request.args_from(first).for_each(|_| reply.int(-2)),
    }
    Ok(Flow::Done)
}

/// Has one field expire no longer; the code that says what was done.
pub(super) fn persist(hash: &mut Hash, name: &[u8], rules: &Rules) -> i64 {
    match hash.expiry(name) {
        FieldExpiry::Absent => -2,
        FieldExpiry::Never => -1,
        FieldExpiry::At(_) => {
            hash.set_expiry(name, None, rules);
            1
        }
    }
}
