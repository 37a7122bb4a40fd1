//! `HINCRBYFLOAT key field increment`

use crate::long_double::LongDouble;
use crate::{Class, Command, Flow, Outcome, ReplyError, Run, WriteCtx};
use alloc::string::String;
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::object::FieldExpiry;
use vesta_store::{Digits, Hash, Rules};

/// `HINCRBYFLOAT key field increment`: adds to the float in a field, in 64 significant bits.
///
/// Replicates as a HSET of the sum, so that arithmetic elsewhere does not matter; as HSETEX with
/// KEEPTTL when the field expires.
pub(super) const HINCRBYFLOAT: Command = Command {
    spec: Spec {
        name: "hincrbyfloat",
        arity: Arity::Exactly(4),
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        categories: Categories::HASH,
        keys: &[KeySpec::one(1, KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::UPDATE))],
        group: Group::Hash,
        since: "2.6.0",
        summary: "Adds to the float in a field of a hash; a missing field counts as 0.",
        syntax: "key field increment:double",
        ..Spec::EMPTY
    },
    run: Run::Write(hincrbyfloat),
};

fn hincrbyfloat(ctx: &mut WriteCtx<'_>) -> Outcome {
    let (key, name, now_ms) = (ctx.arg(1), ctx.arg(2), ctx.keys.now_ms());
    let increment = LongDouble::parse(ctx.arg(3)).ok_or(ReplyError::NotFloat)?;
    if !increment.is_finite() {
        return Err(ReplyError::text("value is NaN or Infinity"));
    }
    ctx.keys.expire_fields(key, [name].into_iter());
    let (sum, expires) = ctx.keys.upsert_as::<Hash, _>(key, |hash, rules| {
        let sum = add(hash, name, increment, now_ms, rules)?;
        Ok::<_, ReplyError>((sum, matches!(hash.expiry(name), FieldExpiry::At(_))))
    })??;
    ctx.notify(Class::Hash, "hincrbyfloat", key);
    let sum = sum.as_bytes();
    if expires {
        ctx.changed_as(&[b"HSETEX", key, b"KEEPTTL", b"FIELDS", b"1", name, sum]);
    } else {
        ctx.changed_as(&[b"HSET", key, name, sum]);
    }
    ctx.reply.bulk(sum);
    Ok(Flow::Done)
}

fn add(
    hash: &mut Hash,
    name: &[u8],
    increment: LongDouble,
    now_ms: u64,
    rules: &Rules,
) -> Result<String, ReplyError> {
    let old = match hash.get(name, now_ms) {
        Some(value) => LongDouble::parse(value.text(&mut Digits::new())),
        None => Some(LongDouble::from(0)),
    };
    let old = old.ok_or(ReplyError::text("hash value is not a float"))?;
    let not_finite = ReplyError::text("increment would produce NaN or Infinity");
    let sum = old.plus(increment).ok_or(not_finite)?.to_text();
    hash.set_keeping_expiry(name, sum.as_bytes(), rules);
    Ok(sum)
}
