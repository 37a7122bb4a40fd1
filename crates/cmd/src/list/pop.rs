//! `LPOP` and `RPOP key [count]`

use super::popped;
use crate::element::reply_element;
use crate::{Class, Command, Flow, Outcome, ReplyError, Run, WriteCtx};
use alloc::string::ToString;
use vesta_resp::Reply;
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::object::End;
use vesta_store::{Direction, List, Rules};
use vesta_types::number;

/// `LPOP key [count]`: removes the first element, or the first few, and replies with them.
pub(super) const LPOP: Command = Command {
    spec: Spec {
        name: "lpop",
        arity: Arity::AtLeast(2),
        flags: Flags::WRITE.and(Flags::FAST),
        categories: Categories::LIST,
        keys: &[KeySpec::one(1, KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::DELETE))],
        group: Group::List,
        complexity: "O(N) in the number of elements that are returned",
        summary: "Removes the first elements of a list and returns them.",
        syntax: "key [count:integer]",
        history: &[("6.2.0", "Added the `count` argument.")],
        ..Spec::EMPTY
    },
    run: Run::Write(lpop),
};

/// `RPOP key [count]`: removes the last element, or the last few, and replies with them, the last
/// one first.
pub(super) const RPOP: Command = Command {
    spec: Spec {
        name: "rpop",
        summary: "Removes the last elements of a list and returns them.",
        ..LPOP.spec
    },
    run: Run::Write(rpop),
};

fn lpop(ctx: &mut WriteCtx<'_>) -> Outcome {
    pop(ctx, End::Front, "lpop")
}

fn rpop(ctx: &mut WriteCtx<'_>) -> Outcome {
    pop(ctx, End::Back, "rpop")
}

fn pop(ctx: &mut WriteCtx<'_>, end: End, name: &str) -> Outcome {
    match ctx.request.len() {
        2 => pop_one(ctx, end),
        3 => pop_several(ctx, end),
        _ => Err(ReplyError::WrongArity(name.to_string())),
    }
}

fn pop_one(ctx: &mut WriteCtx<'_>, end: End) -> Outcome {
    let WriteCtx { request, keys, reply, .. } = ctx;
    let key = request.arg(1);
    match keys.edit_as(key, |list, rules| pop_into(reply, list, end, rules))? {
        Some(()) => {
            ctx.notify_taken(Class::List, popped(end), key);
            ctx.changed();
        }
        None => ctx.reply.null(),
    }
    Ok(Flow::Done)
}

fn pop_several(ctx: &mut WriteCtx<'_>, end: End) -> Outcome {
    const BAD_COUNT: ReplyError = ReplyError::text("value is out of range, must be positive");
    let count = number::parse_i64(ctx.arg(2));
    let count = count.and_then(|count| u64::try_from(count).ok()).ok_or(BAD_COUNT)?;
    let WriteCtx { request, keys, reply, .. } = ctx;
    let key = request.arg(1);
    // A list that gives nothing is only looked at.
    if count == 0 {
        match keys.look_as::<List>(key)? {
            Some(_) => reply.array(0),
            None => reply.null_array(),
        }
        return Ok(Flow::Done);
    }
    match keys.edit_as(key, |list, rules| pop_array_into(reply, list, end, count, rules))? {
        Some(count) => {
            ctx.notify_taken(Class::List, popped(end), key);
            ctx.changed_times(count);
        }
        None => ctx.reply.null_array(),
    }
    Ok(Flow::Done)
}

/// Removes the element at an end of a list that has one, and replies with it.
pub(super) fn pop_into(reply: &mut Reply<'_>, list: &mut List, end: End, rules: &Rules) {
    let element = list.peek(end).expect("a list that is there has an element");
    reply_element(reply, element);
    list.pop(end, rules);
}

/// Removes up to `count` elements at an end, replies with an array of them, in the order in which
/// they go, and returns how many there were.
pub(super) fn pop_array_into(
    reply: &mut Reply<'_>,
    list: &mut List,
    end: End,
    count: u64,
    rules: &Rules,
) -> u64 {
    let len = list.len();
    let count = usize::try_from(count).unwrap_or(usize::MAX).min(len);
    reply.array(count);
    let gone = match end {
        End::Front => {
            list.for_each(0..count, |element| reply_element(reply, element));
            0..count
        }
        End::Back => {
            let mut walk = list.walk(len - 1, Direction::Backward);
            for _ in 0..count {
                if let Some(element) = walk.next() {
                    reply_element(reply, element);
                }
            }
            len - count..len
        }
    };
    list.remove_range(gone, rules);
    count as u64
}
