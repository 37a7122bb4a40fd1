//! `LPUSH`, `RPUSH`, `LPUSHX` and `RPUSHX key element...`

use super::pushed;
use crate::{Class, Command, Flow, Outcome, Run, WriteCtx};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::List;
use vesta_store::object::End;

/// `LPUSH key element...`: adds elements at the front, one after another.
pub(super) const LPUSH: Command = Command {
    spec: Spec {
        name: "lpush",
        arity: Arity::AtLeast(3),
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        categories: Categories::LIST,
        keys: &[KeySpec::one(1, KeyFlags::RW.and(KeyFlags::INSERT))],
        group: Group::List,
        complexity: "O(N) in the number of elements that are added",
        summary: "Adds elements at the front of a list and makes the list if it is not there.",
        syntax: "key element...",
        history: &[("2.4.0", "Allowed several elements.")],
        ..Spec::EMPTY
    },
    run: Run::Write(lpush),
};

/// `RPUSH key element...`: adds elements at the end, one after another.
pub(super) const RPUSH: Command = Command {
    spec: Spec {
        name: "rpush",
        summary: "Adds elements at the end of a list and makes the list if it is not there.",
        ..LPUSH.spec
    },
    run: Run::Write(rpush),
};

/// `LPUSHX key element...`: adds elements at the front of a list that is there.
pub(super) const LPUSHX: Command = Command {
    spec: Spec {
        name: "lpushx",
        since: "2.2.0",
        summary: "Adds elements at the front of a list, if it is there.",
        history: &[("4.0.0", "Allowed several elements.")],
        ..LPUSH.spec
    },
    run: Run::Write(lpushx),
};

/// `RPUSHX key element...`: adds elements at the end of a list that is there.
pub(super) const RPUSHX: Command = Command {
    spec: Spec {
        name: "rpushx",
        summary: "Adds elements at the end of a list, if it is there.",
        ..LPUSHX.spec
    },
    run: Run::Write(rpushx),
};

fn lpush(ctx: &mut WriteCtx<'_>) -> Outcome {
    push(ctx, End::Front)
}

fn rpush(ctx: &mut WriteCtx<'_>) -> Outcome {
    push(ctx, End::Back)
}

fn lpushx(ctx: &mut WriteCtx<'_>) -> Outcome {
    push_if_there(ctx, End::Front)
}

fn rpushx(ctx: &mut WriteCtx<'_>) -> Outcome {
    push_if_there(ctx, End::Back)
}

fn push(ctx: &mut WriteCtx<'_>, end: End) -> Outcome {
    let request = ctx.request;
    let len = ctx.keys.upsert_as::<List, _>(request.arg(1), |list, rules| {
        list.push_all(end, || request.args_from(2), rules);
        list.len()
    })?;
    ctx.notify(Class::List, pushed(end), request.arg(1));
    ctx.changed_times((request.len() - 2) as u64);
    ctx.reply.count(len);
    Ok(Flow::Done)
}

fn push_if_there(ctx: &mut WriteCtx<'_>, end: End) -> Outcome {
    let request = ctx.request;
    let len = ctx.keys.edit_as::<List, _>(request.arg(1), |list, rules| {
        list.push_all(end, || request.args_from(2), rules);
        list.len()
    })?;
    if len.is_some() {
        ctx.notify(Class::List, pushed(end), request.arg(1));
        ctx.changed_times((request.len() - 2) as u64);
    }
    ctx.reply.count(len.unwrap_or(0));
    Ok(Flow::Done)
}
