//! `LMOVE source destination LEFT | RIGHT LEFT | RIGHT` and `RPOPLPUSH source destination`

use super::{place, popped, pushed};
use crate::element::reply_element;
use crate::{Class, Command, Flow, Outcome, ReplyError, Run, WriteCtx};
use alloc::vec::Vec;
use vesta_spec::{Arity, Categories, Deprecated, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::object::End;
use vesta_store::{Digits, Keyspace, List};

/// `LMOVE source destination LEFT | RIGHT LEFT | RIGHT`: moves an element from an end of a list to
/// an end of another, or of the same, and replies with it.
pub(super) const LMOVE: Command = Command {
    spec: Spec {
        name: "lmove",
        arity: Arity::Exactly(5),
        flags: Flags::WRITE.and(Flags::DENYOOM),
        categories: Categories::LIST,
        keys: &[
            KeySpec::one(1, KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::DELETE)),
            KeySpec::one(2, KeyFlags::RW.and(KeyFlags::INSERT)),
        ],
        group: Group::List,
        since: "6.2.0",
        summary: "Moves an element from a list to another one and returns it.",
        syntax: "source destination wherefrom=<LEFT | RIGHT> whereto=<LEFT | RIGHT>",
        ..Spec::EMPTY
    },
    run: Run::Write(lmove),
};

/// `RPOPLPUSH source destination`: LMOVE from the end to the front.
pub(super) const RPOPLPUSH: Command = Command {
    spec: Spec {
        name: "rpoplpush",
        arity: Arity::Exactly(3),
        since: "1.2.0",
        summary: "Moves the last element of a list to the front of another one and returns it.",
        syntax: "source destination",
        deprecated: Some(Deprecated {
            since: "6.2.0",
            replaced_by: "`LMOVE` with the `RIGHT` and `LEFT` arguments",
        }),
        ..LMOVE.spec
    },
    run: Run::Write(rpoplpush),
};

fn lmove(ctx: &mut WriteCtx<'_>) -> Outcome {
    let (from, to) = (place::end(ctx.arg(3))?, place::end(ctx.arg(4))?);
    move_or_null(ctx, from, to)
}

fn rpoplpush(ctx: &mut WriteCtx<'_>) -> Outcome {
    move_or_null(ctx, End::Back, End::Front)
}

fn move_or_null(ctx: &mut WriteCtx<'_>, from: End, to: End) -> Outcome {
    if move_element(ctx, from, to)? {
        ctx.changed();
    } else {
        ctx.reply.null();
    }
    Ok(Flow::Done)
}

/// Moves an element from the list at the first key to the one at the second and replies with it;
/// whether there was one. The effect is the caller's to hand on.
pub(super) fn move_element(ctx: &mut WriteCtx<'_>, from: End, to: End) -> Result<bool, ReplyError> {
    let WriteCtx { request, keys, reply, .. } = ctx;
    let (source, destination) = (request.arg(1), request.arg(2));
    if source == destination {
        let turned = keys.edit_as::<List, _>(source, |list, rules| {
            let element = list.peek(from).expect("a list that is there has an element");
            reply_element(reply, element);
            list.rotate(from, to, rules);
        })?;
        if turned.is_some() {
            notify_moved(keys, source, from, destination, to);
        }
        return Ok(turned.is_some());
    }
    if keys.look_as::<List>(source)?.is_none() {
        return Ok(false);
    }
    // A destination of another type leaves the source as it is.
    keys.look_as::<List>(destination)?;
    let mut text = Vec::new();
    keys.edit_as::<List, _>(source, |list, rules| {
        let element = list.peek(from).expect("a list that is there has an element");
        text.extend_from_slice(element.text(&mut Digits::new()));
        list.pop(from, rules);
    })?;
    keys.upsert_as::<List, _>(destination, |list, rules| list.push(to, &text, rules))?;
    notify_moved(keys, source, from, destination, to);
    reply.bulk(&text);
    Ok(true)
}

/// What came is told before what went, as in Redis.
fn notify_moved(keys: &mut Keyspace<'_>, source: &[u8], from: End, destination: &[u8], to: End) {
    keys.notify(Class::List, pushed(to), destination);
    keys.notify_taken(Class::List, popped(from), source);
}
