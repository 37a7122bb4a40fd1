//! `ZPOPMIN` and `ZPOPMAX key [count]`

use crate::element::reply_element;
use crate::{Class, Command, Flow, Outcome, ReplyError, Run, WriteCtx};
use vesta_resp::{Proto, Reply};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::Zset;
use vesta_store::object::End;
use vesta_types::number;

/// `ZPOPMIN key [count]`: takes the member with the lowest score, or the first few, out of a
/// sorted set, and replies with them and their scores.
pub(super) const ZPOPMIN: Command = Command {
    spec: Spec {
        name: "zpopmin",
        arity: Arity::AtLeast(2),
        flags: Flags::WRITE.and(Flags::FAST),
        categories: Categories::SORTEDSET,
        keys: &[KeySpec::one(1, KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::DELETE))],
        group: Group::SortedSet,
        since: "5.0.0",
        complexity: "O(M*log(N)): M members removed from N",
        summary: "Removes the members of a sorted set with the lowest scores and returns them.",
        syntax: "key [count:integer]",
        ..Spec::EMPTY
    },
    run: Run::Write(zpopmin),
};

/// `ZPOPMAX key [count]`: as `ZPOPMIN`, from the highest score down.
pub(super) const ZPOPMAX: Command = Command {
    spec: Spec {
        name: "zpopmax",
        summary: "Removes the members of a sorted set with the highest scores and returns them.",
        ..ZPOPMIN.spec
    },
    run: Run::Write(zpopmax),
};

fn zpopmin(ctx: &mut WriteCtx<'_>) -> Outcome {
    pop(ctx, End::Front)
}

fn zpopmax(ctx: &mut WriteCtx<'_>) -> Outcome {
    pop(ctx, End::Back)
}

fn pop(ctx: &mut WriteCtx<'_>, end: End) -> Outcome {
    let (key, proto) = (ctx.arg(1), ctx.reply.proto());
    // One that is asked for without a count is no pair even in RESP3.
    let (count, layout) = match ctx.request.len() {
        2 => (1, Layout::Flat),
        3 if proto == Proto::Three => (count(ctx.arg(2))?, Layout::Pairs),
        3 => (count(ctx.arg(2))?, Layout::Flat),
        _ => return Err(ReplyError::Syntax),
    };
    // A set that gives nothing is only looked at.
    if count == 0 {
        ctx.keys.look_as::<Zset>(key)?;
        ctx.reply.array(0);
        return Ok(Flow::Done);
    }
    let WriteCtx { keys, reply, .. } = ctx;
    let popped =
        keys.edit_as(key, |zset: &mut Zset, _| pop_into(reply, zset, end, count, layout))?;
    match popped {
        Some(popped) => {
            ctx.changed_times(popped as u64);
            notify(ctx, end, key);
        }
        None => ctx.reply.array(0),
    }
    Ok(Flow::Done)
}

fn count(text: &[u8]) -> Result<usize, ReplyError> {
    let count = number::parse_i64(text).and_then(|count| usize::try_from(count).ok());
    count.ok_or(ReplyError::text("value is out of range, must be positive"))
}

/// Makes the events of members that were popped off this end.
pub(super) fn notify(ctx: &mut WriteCtx<'_>, end: End, key: &[u8]) {
    let name = match end {
        End::Front => "zpopmin",
        End::Back => "zpopmax",
    };
    ctx.notify_taken(Class::Zset, name, key);
}

/// How members and their scores lie in an array.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Layout {
    /// One behind the other.
    Flat,
    /// In an array of two each.
    Pairs,
}

/// Takes up to `count` members out of a set at an end, replies with an array of them, and returns
/// how many there were.
pub(super) fn pop_into(
    reply: &mut Reply<'_>,
    zset: &mut Zset,
    end: End,
    count: usize,
    layout: Layout,
) -> usize {
    let count = count.min(zset.len());
    reply.array(if layout == Layout::Flat { count * 2 } else { count });
    zset.pop(end, count, |name, score| {
        if layout == Layout::Pairs {
            reply.array(2);
        }
        reply_element(reply, name);
        reply.double(score);
    })
}
