//! `INCR key`, `DECR key`, `INCRBY key increment` and `DECRBY key decrement`

use crate::{Class, Command, Flow, Outcome, ReplyError, Run, WriteCtx};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::{Deadline, Entry, NewValue, StrRef};
use vesta_types::number;

/// `INCR key`: adds one to an integer.
pub(super) const INCR: Command = Command {
    spec: Spec {
        name: "incr",
        arity: Arity::Exactly(2),
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        categories: Categories::STRING,
        keys: &[KeySpec::one(1, KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::UPDATE))],
        group: Group::String,
        summary: "Adds one to the integer at a key; a missing key counts as 0.",
        syntax: "key",
        ..Spec::EMPTY
    },
    run: Run::Write(|ctx| add(ctx, 1)),
};

/// `DECR key`: subtracts one from an integer.
pub(super) const DECR: Command = Command {
    spec: Spec {
        name: "decr",
        summary: "Subtracts one from the integer at a key; a missing key counts as 0.",
        ..INCR.spec
    },
    run: Run::Write(|ctx| add(ctx, -1)),
};

/// `INCRBY key increment`: adds to an integer.
pub(super) const INCRBY: Command = Command {
    spec: Spec {
        name: "incrby",
        arity: Arity::Exactly(3),
        summary: "Adds to the integer at a key; a missing key counts as 0.",
        syntax: "key increment:integer",
        ..INCR.spec
    },
    run: Run::Write(|ctx| {
        let increment = number::parse_i64(ctx.arg(2)).ok_or(ReplyError::NotInteger)?;
        add(ctx, increment)
    }),
};

/// `DECRBY key decrement`: subtracts from an integer.
pub(super) const DECRBY: Command = Command {
    spec: Spec {
        name: "decrby",
        arity: Arity::Exactly(3),
        summary: "Subtracts from the integer at a key; a missing key counts as 0.",
        syntax: "key decrement:integer",
        ..INCR.spec
    },
    run: Run::Write(|ctx| {
        let decrement = number::parse_i64(ctx.arg(2)).ok_or(ReplyError::NotInteger)?;
        let increment = decrement.checked_neg();
        add(ctx, increment.ok_or(ReplyError::text("decrement would overflow"))?)
    }),
};

/// Adds to the integer in its place; expiry and key stay.
fn add(ctx: &mut WriteCtx<'_>, increment: i64) -> Outcome {
    let key = ctx.arg(1);
    let sum = match ctx.keys.edit_string(key, |entry| add_to(entry, increment))? {
        Some(sum) => sum?,
        None => {
            ctx.keys.set(key, NewValue::Int(increment), Deadline::Never);
            increment
        }
    };
    ctx.notify(Class::String, "incrby", key);
    ctx.changed();
    ctx.reply.int(sum);
    Ok(Flow::Done)
}

fn add_to(entry: &mut Entry, increment: i64) -> Result<i64, ReplyError> {
    let old = match entry.string() {
        Some(StrRef::Int(value)) => Some(value),
        Some(StrRef::Bytes(bytes)) => number::parse_i64(bytes),
        Some(StrRef::Blob(blob)) => number::parse_i64(blob.bytes()),
        None => None,
    };
    let old = old.ok_or(ReplyError::NotInteger)?;
    let sum = old.checked_add(increment).ok_or(ReplyError::Overflow)?;
    entry.set_int(sum);
    Ok(sum)
}
