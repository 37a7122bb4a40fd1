//! `LREM key count element`

use super::place;
use crate::{Class, Command, Flow, Outcome, Run, WriteCtx};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::{Direction, List};

/// `LREM key count element`: removes the first `count` elements that are `element`, the last ones
/// with a negative count, all with 0. Replies with how many there were.
pub(super) const LREM: Command = Command {
    spec: Spec {
        name: "lrem",
        arity: Arity::Exactly(4),
        flags: Flags::WRITE,
        categories: Categories::LIST,
        keys: &[KeySpec::one(1, KeyFlags::RW.and(KeyFlags::DELETE))],
        group: Group::List,
        complexity: "O(N+M): N elements in the list, M of them removed",
        summary: "Removes elements from a list that are equal to another.",
        syntax: "key count:integer element",
        ..Spec::EMPTY
    },
    run: Run::Write(lrem),
};

fn lrem(ctx: &mut WriteCtx<'_>) -> Outcome {
    let count = place::index(ctx.arg(2))?;
    let direction = if count < 0 { Direction::Backward } else { Direction::Forward };
    let max = match count {
        0 => usize::MAX,
        count => usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX),
    };
    let (key, value) = (ctx.arg(1), ctx.arg(3));
    let removed = ctx
        .keys
        .edit_as::<List, _>(key, |list, rules| list.remove_equal(value, direction, max, rules))?
        .unwrap_or(0);
    if removed > 0 {
        ctx.notify_taken(Class::List, "lrem", key);
        ctx.changed_times(removed as u64);
    }
    ctx.reply.count(removed);
    Ok(Flow::Done)
}
