//! `HSETEX key [FNX | FXX] [EX | PX | EXAT | PXAT time | KEEPTTL] FIELDS numfields field value...`

use super::fields::first_after_options;
use super::lifetime;
use crate::{Class, Command, Cursor, Flow, Outcome, ReplyError, Run, WriteCtx};
use alloc::vec::Vec;
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::{Hash, Rules};

/// `HSETEX key [options] FIELDS numfields field value...`: sets fields and their expiry; whether it
/// did: all fields, or none of them, must be there with FXX or FNX.
///
/// Replicates as `HSETEX` with the absolute time or `KEEPTTL`, as `HSET` without an expiry, and as
/// `HDEL` when the time is over.
pub(super) const HSETEX: Command = Command {
    spec: Spec {
        name: "hsetex",
        arity: Arity::AtLeast(6),
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        categories: Categories::HASH,
        keys: &[KeySpec::one(1, KeyFlags::RW.and(KeyFlags::UPDATE))],
        group: Group::Hash,
        since: "8.0.0",
        complexity: "O(N) in the number of fields that are set",
        summary: "Sets fields of a hash and their expiry.",
        syntax: "key [condition=<FNX | FXX>] [expiration=<EX seconds:integer | \
                 PX milliseconds:integer | EXAT unix-time-seconds:unix-time | \
                 PXAT unix-time-milliseconds:unix-time | KEEPTTL>] \
                 fields=(FIELDS numfields:integer data=(field value)...)",
        ..Spec::EMPTY
    },
    run: Run::Write(hsetex),
};

/// When HSETEX sets.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Condition {
    Always,
    IfNone,
    IfAll,
}

/// What becomes of the fields' expiry.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Then {
    Persist,
    Keep,
    Expire(u64),
}

struct Options {
    condition: Condition,
    then: Then,
    /// The number of the first field's argument.
    first: usize,
}

fn hsetex(ctx: &mut WriteCtx<'_>) -> Outcome {
    let (key, request, now_ms) = (ctx.arg(1), ctx.request, ctx.keys.now_ms());
    let Options { condition, then, first } = parse(ctx)?;
    let names = || request.args_from(first).step_by(2);
    let pairs = || names().zip(request.args_from(first + 1).step_by(2));
    ctx.keys.expire_fields(key, names());
    let hash = ctx.keys.look_as::<Hash>(key)?;
    let mut there = names().map(|name| hash.is_some_and(|hash| hash.contains(name, now_ms)));
    let is_met = match condition {
        Condition::Always => true,
        Condition::IfNone => !there.any(|is_there| is_there),
        Condition::IfAll => there.all(|is_there| is_there),
    };
    ctx.reply.flag(is_met);
    if !is_met {
        return Ok(Flow::Done);
    }
    if let Then::Expire(at_ms) = then
        && at_ms <= now_ms
    {
        let removed = ctx.keys.edit_as::<Hash, _>(key, |hash, _| {
            names().filter(|name| hash.remove(name)).collect::<Vec<_>>()
        })?;
        lifetime::changed_as_removal(ctx, &removed.unwrap_or_default());
        return Ok(Flow::Done);
    }
    ctx.keys.upsert_as::<Hash, _>(key, |hash, rules| {
        pairs().for_each(|(name, value)| set(hash, name, value, then, rules));
    })?;
    changed(ctx, then, first);
    Ok(Flow::Done)
}

fn set(hash: &mut Hash, name: &[u8], value: &[u8], then: Then, rules: &Rules) {
    match then {
        Then::Persist => {
            hash.set(name, value, rules);
        }
        Then::Keep => {
            hash.set_keeping_expiry(name, value, rules);
        }
        Then::Expire(at_ms) => {
            hash.set(name, value, rules);
            hash.set_expiry(name, Some(at_ms), rules);
        }
    }
}

fn changed(ctx: &mut WriteCtx<'_>, then: Then, first: usize) {
    let (key, request) = (ctx.arg(1), ctx.request);
    ctx.notify(Class::Hash, "hset", key);
    if matches!(then, Then::Expire(_)) {
        ctx.notify(Class::Hash, "hexpire", key);
    }
    let mut digits = itoa::Buffer::new();
    let mut effect: Vec<&[u8]> = match then {
        Then::Persist => Vec::from([&b"HSET"[..], key]),
        Then::Keep => Vec::from([&b"HSETEX"[..], key, b"KEEPTTL"]),
        Then::Expire(at) => Vec::from([&b"HSETEX"[..], key, b"PXAT", digits.format(at).as_bytes()]),
    };
    // `FIELDS numfields` stands just before the fields; HSET goes without.
    let from = if then == Then::Persist { first } else { first - 2 };
    effect.extend(request.args_from(from));
    ctx.changed_as(&effect);
}

/// Reads the options up to `FIELDS`.
///
/// # Errors
/// In the order of the arguments. Source of the texts: tests of Redis 8.0.
fn parse(ctx: &WriteCtx<'_>) -> Result<Options, ReplyError> {
    let mut cursor = ctx.cursor(2);
    let (mut condition, mut then) = (Condition::Always, Then::Persist);
    while !cursor.take("fields") {
        let next = cursor.peek().ok_or(ReplyError::Syntax)?;
        if let Some(wanted) = take_condition(&mut cursor) {
            if condition != Condition::Always {
                return Err(ReplyError::text("Only one of FXX or FNX arguments can be specified"));
            }
            condition = wanted;
            continue;
        }
        let form = lifetime::take_form(&mut cursor);
        if form.is_none() && !cursor.take("keepttl") {
            return Err(lifetime::unknown(next));
        }
        if then != Then::Persist {
            return Err(ReplyError::text(
                "Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified",
            ));
        }
        then = match form {
            Some(form) => {
                let text = cursor.pop().ok_or(lifetime::MISSING)?;
                Then::Expire(lifetime::at_ms(text, form, ctx.now, "hsetex")?)
            }
            None => Then::Keep,
        };
    }
    let first = first_after_options(&ctx.request, cursor.position(), 2)?;
    Ok(Options { condition, then, first })
}

fn take_condition(cursor: &mut Cursor<'_>) -> Option<Condition> {
    if cursor.take("fnx") {
        Some(Condition::IfNone)
    } else if cursor.take("fxx") {
        Some(Condition::IfAll)
    } else {
        None
    }
}
