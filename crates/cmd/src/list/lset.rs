//! `LSET key index element`

use super::place;
use crate::{Class, Command, Flow, Outcome, ReplyError, Run, WriteCtx};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::List;

/// `LSET key index element`: puts another element in the place of the one with an index.
pub(super) const LSET: Command = Command {
    spec: Spec {
        name: "lset",
        arity: Arity::Exactly(4),
        flags: Flags::WRITE.and(Flags::DENYOOM),
        categories: Categories::LIST,
        keys: &[KeySpec::one(1, KeyFlags::RW.and(KeyFlags::UPDATE))],
        group: Group::List,
        complexity: "O(N) in the number of elements to the nearer end",
        summary: "Replaces the element of a list with an index.",
        syntax: "key index:integer element",
        ..Spec::EMPTY
    },
    run: Run::Write(lset),
};

fn lset(ctx: &mut WriteCtx<'_>) -> Outcome {
    const OUTSIDE: ReplyError = ReplyError::text("index out of range");
    let (key, value) = (ctx.arg(1), ctx.arg(3));
    if ctx.keys.look_as::<List>(key)?.is_none() {
        return Err(ReplyError::NoSuchKey);
    }
    let index = place::index(ctx.arg(2))?;
    let replaced = ctx.keys.edit_as::<List, _>(key, |list, rules| {
        let at = place::place(index, list.len()).unwrap_or(usize::MAX);
        list.replace(at, value, rules)
    })?;
    if replaced != Some(true) {
        return Err(OUTSIDE);
    }
    ctx.notify(Class::List, "lset", key);
    ctx.changed();
    ctx.reply.ok();
    Ok(Flow::Done)
}
