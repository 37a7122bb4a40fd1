//! `INCRBYFLOAT key increment`

use crate::long_double::LongDouble;
use crate::{Class, Command, Flow, Outcome, ReplyError, Run, WriteCtx};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::{Deadline, NewValue, StrRef};

/// `INCRBYFLOAT key increment`: adds to a float, in 64 significant bits.
///
/// Replicates as a SET of the sum, so that arithmetic elsewhere does not matter.
pub(super) const INCRBYFLOAT: Command = Command {
    spec: Spec {
        name: "incrbyfloat",
        arity: Arity::Exactly(3),
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        categories: Categories::STRING,
        keys: &[KeySpec::one(1, KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::UPDATE))],
        group: Group::String,
        since: "2.6.0",
        summary: "Adds to the float at a key; a missing key counts as 0.",
        syntax: "key increment:double",
        ..Spec::EMPTY
    },
    run: Run::Write(incrbyfloat),
};

fn incrbyfloat(ctx: &mut WriteCtx<'_>) -> Outcome {
    let key = ctx.arg(1);
    let old = match ctx.keys.look_string(key)? {
        None => Some(LongDouble::from(0)),
        Some(StrRef::Int(value)) => Some(LongDouble::from(value)),
        Some(StrRef::Bytes(bytes)) => LongDouble::parse(bytes),
        Some(StrRef::Blob(blob)) => LongDouble::parse(blob.bytes()),
    };
    let old = old.ok_or(ReplyError::NotFloat)?;
    let increment = LongDouble::parse(ctx.arg(2)).ok_or(ReplyError::NotFloat)?;
    let not_finite = ReplyError::text("increment would produce NaN or Infinity");
    let sum = old.plus(increment).ok_or(not_finite)?.to_text();
    let sum = sum.as_bytes();
    ctx.keys.set(key, NewValue::Bytes(sum), Deadline::Keep);
    ctx.notify(Class::String, "incrbyfloat", key);
    ctx.changed_as(&[b"SET", key, sum, b"KEEPTTL"]);
    ctx.reply.bulk(sum);
    Ok(Flow::Done)
}
