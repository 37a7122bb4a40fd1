//! `PFCOUNT key...`

use super::{corrupt, view};
use crate::{Command, Flow, Outcome, ReplyError, Run, WriteCtx};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::hll::{self, Union};

/// `PFCOUNT key...`: how many different elements HyperLogLogs were shown, together if several.
///
/// It is a read by its flags, and yet it stores the count of a single one in the value, until the
/// next element; replicas are told to do the same. A replica that is asked by a client stores
/// nothing, so that it stays what its primary is; one of redis-server 7.0.15 stores it, and differs
/// from its primary then.
pub(super) const PFCOUNT: Command = Command {
    spec: Spec {
        name: "pfcount",
        arity: Arity::AtLeast(2),
        flags: Flags::READONLY.and(Flags::MAY_REPLICATE),
        categories: Categories::HYPERLOGLOG,
        keys: &[KeySpec::range(1, -1, 1, KeyFlags::RW.and(KeyFlags::ACCESS))
            .noted("Written too, since the count is stored in the value.")],
        group: Group::Hyperloglog,
        since: "2.8.9",
        complexity: "O(1) for a key whose count is stored, else O(N) in the number of keys, with \
                     a large constant",
        summary: "Estimates how many different elements HyperLogLogs have counted.",
        syntax: "key...",
        ..Spec::EMPTY
    },
    run: Run::Write(pfcount),
};

fn pfcount(ctx: &mut WriteCtx<'_>) -> Outcome {
    let count = if ctx.request.len() > 2 { count_union(ctx)? } else { count_one(ctx)? };
    ctx.reply.int(count.cast_signed());
    Ok(Flow::Done)
}

fn count_union(ctx: &mut WriteCtx<'_>) -> Result<u64, ReplyError> {
    let mut union = Union::new();
    for key in ctx.request.args_from(1) {
        if let Some(value) = ctx.keys.read_string(key)? {
            union.merge(view(&value)?).map_err(corrupt)?;
        }
    }
    Ok(union.count())
}

fn count_one(ctx: &mut WriteCtx<'_>) -> Result<u64, ReplyError> {
    let key = ctx.arg(1);
    let Some(value) = ctx.keys.read_string(key)? else { return Ok(0) };
    let view = view(&value)?;
    if let Some(count) = view.cached() {
        ctx.keys.edit(key, |entry| entry.set_raw(true));
        return Ok(count);
    }
    let count = view.count().map_err(corrupt)?;
    if ctx.propagation.is_of_reader() {
        return Ok(count);
    }
    ctx.keys.edit(key, |entry| hll::cache(entry.text_mut(0), count));
    // The count that is kept is part of the value: who watches the key sees a change.
    ctx.keys.mark(key);
    ctx.changed();
    Ok(count)
}
