//! `HEXPIRE`, `HPEXPIRE`, `HEXPIREAT`, `HPEXPIREAT`:
//! `key time [NX | XX | GT | LT] FIELDS numfields field...`

use super::fields::first_field;
use super::lifetime;
use crate::keys::deadline::TimeForm;
use crate::{Command, Flow, Outcome, ReplyError, Run, WriteCtx};
use alloc::vec::Vec;
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::object::FieldExpiry;
use vesta_store::{Hash, Rules};
use vesta_types::ascii;

/// `HEXPIRE key seconds [NX | XX | GT | LT] FIELDS numfields field...`: has fields expire after a
/// time. For each: -2 when it is not there, 0 when the condition does not hold, 1, or 2 when it was
/// deleted because the time is over.
///
/// Replicates as `HPEXPIREAT` of the fields that it changed, or as `HDEL`.
pub(super) const HEXPIRE: Command = Command {
    spec: Spec {
        name: "hexpire",
        arity: Arity::AtLeast(6),
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        categories: Categories::HASH,
        keys: &[KeySpec::one(1, KeyFlags::RW.and(KeyFlags::UPDATE))],
        group: Group::Hash,
        since: "7.4.0",
        complexity: "O(N) in the number of fields that are named",
        summary: "Sets after how many seconds fields of a hash expire.",
        syntax: "key seconds:integer [condition=<NX | XX | GT | LT>] \
                 fields=(FIELDS numfields:integer field...)",
        ..Spec::EMPTY
    },
    run: Run::Write(|ctx| set_expiry(ctx, TimeForm::SECONDS, "hexpire")),
};

/// `HPEXPIRE`: as HEXPIRE, in milliseconds.
pub(super) const HPEXPIRE: Command = Command {
    spec: Spec {
        name: "hpexpire",
        summary: "Sets after how many milliseconds fields of a hash expire.",
        syntax: "key milliseconds:integer [condition=<NX | XX | GT | LT>] \
                 fields=(FIELDS numfields:integer field...)",
        ..HEXPIRE.spec
    },
    run: Run::Write(|ctx| set_expiry(ctx, TimeForm::MILLISECONDS, "hpexpire")),
};

/// `HEXPIREAT`: as HEXPIRE, with a time since 1970.
pub(super) const HEXPIREAT: Command = Command {
    spec: Spec {
        name: "hexpireat",
        summary: "Sets the Unix time in seconds at which fields of a hash expire.",
        syntax: "key unix-time-seconds:unix-time [condition=<NX | XX | GT | LT>] \
                 fields=(FIELDS numfields:integer field...)",
        ..HEXPIRE.spec
    },
    run: Run::Write(|ctx| set_expiry(ctx, TimeForm::UNIX_SECONDS, "hexpireat")),
};

/// `HPEXPIREAT`: as HEXPIREAT, in milliseconds.
pub(super) const HPEXPIREAT: Command = Command {
    spec: Spec {
        name: "hpexpireat",
        summary: "Sets the Unix time in milliseconds at which fields of a hash expire.",
        syntax: "key unix-time-milliseconds:unix-time [condition=<NX | XX | GT | LT>] \
                 fields=(FIELDS numfields:integer field...)",
        ..HEXPIRE.spec
    },
    run: Run::Write(|ctx| set_expiry(ctx, TimeForm::UNIX_MILLISECONDS, "hpexpireat")),
};

/// When the new time counts.
#[derive(Clone, Copy)]
enum Condition {
    Always,
    /// The field does not expire.
    Nx,
    /// It does.
    Xx,
    /// The new time is later; no expiry is later than any.
    Gt,
    /// The new time is sooner.
    Lt,
}

impl Condition {
    fn parse(word: &[u8]) -> Option<Self> {
        let words = [("nx", Self::Nx), ("xx", Self::Xx), ("gt", Self::Gt), ("lt", Self::Lt)];
        words.into_iter().find(|(name, _)| ascii::is_word(word, name)).map(|(_, found)| found)
    }

    fn holds(self, before: Option<u64>, at_ms: u64) -> bool {
        match (self, before) {
            (Self::Always, _) | (Self::Nx | Self::Lt, None) | (Self::Xx, Some(_)) => true,
            (Self::Nx, Some(_)) | (Self::Xx | Self::Gt, None) => false,
            (Self::Gt, Some(before)) => at_ms > before,
            (Self::Lt, Some(before)) => at_ms < before,
        }
    }
}

fn set_expiry(ctx: &mut WriteCtx<'_>, form: TimeForm, command: &'static str) -> Outcome {
    let (key, request, now_ms) = (ctx.arg(1), ctx.request, ctx.keys.now_ms());
    // A key of another type is refused before a bad argument is.
    ctx.keys.look_as::<Hash>(key)?;
    let at_ms = lifetime::at_ms(ctx.arg(2), form, ctx.now, command)?;
    let condition = Condition::parse(ctx.arg(3));
    let place = if condition.is_some() { 4 } else { 3 };
    let bad_number = ReplyError::text("Parameter `numFields` should be greater than 0");
    let first = first_field(&request, place, bad_number)?;
    let condition = condition.unwrap_or(Condition::Always);
    ctx.keys.expire_fields(key, request.args_from(first));
    let WriteCtx { keys, reply, .. } = ctx;
    reply.array(request.len() - first);
    let changed = keys.edit_as::<Hash, _>(key, |hash, rules| {
        let mut changed = Vec::new();
        for name in request.args_from(first) {
            let code = expire(hash, name, at_ms, condition, now_ms, rules);
            if code > 0 {
                changed.push(name);
            }
            reply.int(code);
        }
        changed
    })?;
    match changed {
        Some(changed) => lifetime::changed_as_expiry(ctx, at_ms, &changed),
        None => request.args_from(first).for_each(|_| reply.int(-2)),
    }
    Ok(Flow::Done)
}

/// Has one field expire, or deletes it when the time is over; the code that says what was done.
fn expire(
    hash: &mut Hash,
    name: &[u8],
    at_ms: u64,
    condition: Condition,
    now_ms: u64,
    rules: &Rules,
) -> i64 {
    let before = match hash.expiry(name) {
        FieldExpiry::Absent => return -2,
        FieldExpiry::Never => None,
        FieldExpiry::At(before) => Some(before),
    };
    if !condition.holds(before, at_ms) {
        0
    } else if at_ms <= now_ms {
        hash.remove(name);
        2
    } else {
        hash.set_expiry(name, Some(at_ms), rules);
        1
    }
}
