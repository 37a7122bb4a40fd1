//! `PFMERGE destkey [sourcekey...]`

use super::{corrupt, sparse_max, view};
use crate::string::{replace_raw, set_raw};
use crate::{Class, Command, Flow, Outcome, ReplyError, Run, WriteCtx};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::hll::Union;

/// `PFMERGE destkey [sourcekey...]`: makes a HyperLogLog the union of itself and others.
pub(super) const PFMERGE: Command = Command {
    spec: Spec {
        name: "pfmerge",
        arity: Arity::AtLeast(2),
        flags: Flags::WRITE.and(Flags::DENYOOM),
        categories: Categories::HYPERLOGLOG,
        keys: &[
            KeySpec::one(1, KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::INSERT)),
            KeySpec::range(2, -1, 1, KeyFlags::RO.and(KeyFlags::ACCESS)),
        ],
        group: Group::Hyperloglog,
        since: "2.8.9",
        complexity: "O(N) in the number of keys, with a large constant",
        summary: "Merges HyperLogLogs into one.",
        syntax: "destkey:key [sourcekey:key...]",
        ..Spec::EMPTY
    },
    run: Run::Write(pfmerge),
};

fn pfmerge(ctx: &mut WriteCtx<'_>) -> Outcome {
    let mut union = Union::new();
    for key in ctx.request.args_from(1) {
        if let Some(value) = ctx.keys.read_string(key)? {
            union.merge(view(&value)?).map_err(corrupt)?;
        }
    }
    let (key, sparse_max) = (ctx.arg(1), sparse_max(ctx.config));
    let stored = ctx.keys.edit_string(key, |entry| {
        let string = entry.string().ok_or(ReplyError::WrongType)?;
        let merged = union.store(Some(view(&string)?), sparse_max).map_err(corrupt)?;
        replace_raw(entry, merged.into_bytes());
        Ok::<_, ReplyError>(())
    })?;
    match stored {
        Some(stored) => stored?,
        None => {
            let merged = union.store(None, sparse_max).map_err(corrupt)?;
            set_raw(&mut ctx.keys, key, merged.into_bytes());
        }
    }
    ctx.notify(Class::String, "pfadd", key);
    ctx.changed();
    ctx.reply.ok();
    Ok(Flow::Done)
}
