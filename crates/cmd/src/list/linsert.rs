//! `LINSERT key BEFORE | AFTER pivot element`

use crate::{Class, Command, Flow, Outcome, ReplyError, Run, WriteCtx};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::List;
use vesta_store::object::Side;
use vesta_types::ascii;

/// `LINSERT key BEFORE | AFTER pivot element`: puts an element beside the first one that is the
/// pivot. Replies with the length, -1 when there is no pivot, 0 when there is no list.
pub(super) const LINSERT: Command = Command {
    spec: Spec {
        name: "linsert",
        arity: Arity::Exactly(5),
        flags: Flags::WRITE.and(Flags::DENYOOM),
        categories: Categories::LIST,
        keys: &[KeySpec::one(1, KeyFlags::RW.and(KeyFlags::INSERT))],
        group: Group::List,
        since: "2.2.0",
        complexity: "O(N) in the number of elements in front of the pivot",
        summary: "Inserts an element before or after another one of a list.",
        syntax: "key where=<BEFORE | AFTER> pivot element",
        ..Spec::EMPTY
    },
    run: Run::Write(linsert),
};

fn linsert(ctx: &mut WriteCtx<'_>) -> Outcome {
    let side = match ctx.arg(2) {
        word if ascii::is_word(word, "before") => Side::Before,
        word if ascii::is_word(word, "after") => Side::After,
        _ => return Err(ReplyError::Syntax),
    };
    let (key, pivot, value) = (ctx.arg(1), ctx.arg(3), ctx.arg(4));
    let len = ctx.keys.edit_as::<List, _>(key, |list, rules| {
        list.insert_beside(pivot, side, value, rules).then(|| list.len())
    })?;
    match len {
        Some(Some(len)) => {
            ctx.notify(Class::List, "linsert", key);
            ctx.changed();
            ctx.reply.count(len);
        }
        Some(None) => ctx.reply.int(-1),
        None => ctx.reply.int(0),
    }
    Ok(Flow::Done)
}
