//! `LTRIM key start stop`

use super::place;
use crate::{Class, Command, Flow, Outcome, Run, WriteCtx};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::List;

/// `LTRIM key start stop`: removes all elements but those from one index to another, both included.
pub(super) const LTRIM: Command = Command {
    spec: Spec {
        name: "ltrim",
        arity: Arity::Exactly(4),
        flags: Flags::WRITE,
        categories: Categories::LIST,
        keys: &[KeySpec::one(1, KeyFlags::RW.and(KeyFlags::DELETE))],
        group: Group::List,
        complexity: "O(N) in the number of elements that are removed",
        summary: "Removes the elements of a list that are outside a range.",
        syntax: "key start:integer stop:integer",
        ..Spec::EMPTY
    },
    run: Run::Write(ltrim),
};

fn ltrim(ctx: &mut WriteCtx<'_>) -> Outcome {
    let (start, stop) = (place::index(ctx.arg(2))?, place::index(ctx.arg(3))?);
    let removed = ctx.keys.edit_as::<List, _>(ctx.request.arg(1), |list, rules| {
        let len = list.len();
        let kept = place::range(start, stop, len);
        // From the end first: what is in front keeps its place.
        if kept.end < len {
            list.remove_range(kept.end..len, rules);
        }
        if kept.start > 0 {
            list.remove_range(0..kept.start, rules);
        }
        len - kept.len()
    })?;
    if let Some(removed) = removed {
        // Redis tells even of a list that stays as it is.
        ctx.notify_taken(Class::List, "ltrim", ctx.request.arg(1));
        if removed > 0 {
            ctx.changed_times(removed as u64);
        }
    }
    ctx.reply.ok();
    Ok(Flow::Done)
}
