//! `SET key value [NX | XX] [GET] [EX | PX | EXAT | PXAT time | KEEPTTL]`

use crate::keys::deadline;
use crate::string::expiration::Expiration;
use crate::string::get::reply_value;
use crate::{Class, Command, Cursor, Flow, Outcome, ReplyError, Run, WriteCtx};
use alloc::vec::Vec;
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::Deadline;
use vesta_types::{Now, ascii};

/// `SET key value [options]`: sets a string, whatever the key held.
///
/// Replicates with an absolute expiry (`PXAT`), since a relative one would shift.
pub(super) const SET: Command = Command {
    spec: Spec {
        name: "set",
        arity: Arity::AtLeast(3),
        flags: Flags::WRITE.and(Flags::DENYOOM),
        categories: Categories::STRING,
        keys: &[KeySpec::one(
            1,
            KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::UPDATE).and(KeyFlags::VARIABLE_FLAGS),
        )
        .noted("Reads the key only with the option `GET`.")],
        flags_of_request: Some(key_flags),
        group: Group::String,
        summary: "Sets a key to a string, with conditions and an expiry if wanted.",
        syntax: "key value [condition=<NX | XX>] [GET] [expiration=<EX seconds:integer | \
                 PX milliseconds:integer | EXAT unix-time-seconds:unix-time | \
                 PXAT unix-time-milliseconds:unix-time | KEEPTTL>]",
        history: &[
            ("2.6.12", "Added the `EX`, `PX`, `NX` and `XX` options."),
            ("6.0.0", "Added the `KEEPTTL` option."),
            ("6.2.0", "Added the `GET`, `EXAT` and `PXAT` options."),
            ("7.0.0", "Allowed `NX` and `GET` together."),
        ],
        ..Spec::EMPTY
    },
    run: Run::Write(set),
};

/// Without GET the old value does not matter.
fn key_flags<'a>(len: usize, arg: &dyn Fn(usize) -> &'a [u8]) -> KeyFlags {
    if (3..len).any(|index| ascii::is_word(arg(index), "get")) {
        KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::UPDATE)
    } else {
        KeyFlags::OW.and(KeyFlags::UPDATE)
    }
}

/// When SET and MSETEX set.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Condition {
    Always,
    IfAbsent,
    IfPresent,
}

impl Condition {
    /// This and another one, which may only repeat it.
    pub(super) fn and(self, other: Self) -> Result<Self, ReplyError> {
        let is_free = self == Self::Always || self == other;
        if is_free { Ok(other) } else { Err(ReplyError::Syntax) }
    }
}

/// What becomes of the key's expiry.
#[derive(Clone, Copy)]
pub(super) enum Then<'a> {
    Persist,
    Keep,
    Expire(Expiration<'a>),
}

impl Then<'_> {
    /// The same with the time read; `command` is named in the error.
    ///
    /// # Errors
    /// When the time is none, or out of range.
    pub(super) fn deadline(self, now: Now, command: &'static str) -> Result<Deadline, ReplyError> {
        Ok(match self {
            Self::Persist => Deadline::Never,
            Self::Keep => Deadline::Keep,
            Self::Expire(expiration) => Deadline::At(expiration.at_ms(now, command)?),
        })
    }
}

struct Options<'a> {
    condition: Condition,
    get: bool,
    then: Then<'a>,
}

fn set(ctx: &mut WriteCtx<'_>) -> Outcome {
    let key = ctx.request.arg(1);
    if ctx.request.len() == 3 {
        let value = ctx.value(2);
        ctx.keys.set(key, value, Deadline::Never);
        ctx.notify(Class::String, "set", key);
        ctx.changed();
        ctx.reply.ok();
        return Ok(Flow::Done);
    }
    let options = parse(ctx.cursor(3))?;
    let deadline = options.then.deadline(ctx.now, "set")?;
    if options.get {
        let old = ctx.keys.read_string(key)?;
        reply_value(&mut ctx.reply, old);
    }
    let is_met = match options.condition {
        Condition::Always => true,
        Condition::IfAbsent => !ctx.keys.contains(key),
        Condition::IfPresent => ctx.keys.contains(key),
    };
    if is_met {
        let value = ctx.value(2);
        ctx.keys.set(key, value, deadline);
        notify_set(ctx, key, deadline);
        changed(ctx, key, deadline, options.get);
    }
    match (options.get, is_met) {
        (true, _) => {}
        (false, true) => ctx.reply.ok(),
        (false, false) => ctx.reply.null(),
    }
    Ok(Flow::Done)
}

/// The events of a key that was set: an expiry is one of its own.
pub(super) fn notify_set(ctx: &mut WriteCtx<'_>, key: &[u8], deadline: Deadline) {
    ctx.notify(Class::String, "set", key);
    if matches!(deadline, Deadline::At(_)) {
        ctx.notify(Class::Generic, "expire", key);
    }
}

/// Hands the effect on: an expiry as the time it falls on, and without `GET`.
fn changed(ctx: &mut WriteCtx<'_>, key: &[u8], deadline: Deadline, get: bool) {
    match deadline {
        Deadline::At(at) => deadline::changed_as_set(ctx, key, ctx.request.arg(2), at),
        Deadline::Keep | Deadline::Never if get && ctx.propagation.is_wanted() => {
            let options = ctx.request.args_from(3).filter(|word| !ascii::is_word(word, "get"));
            let all: Vec<&[u8]> = ctx.request.args_from(0).take(3).chain(options).collect();
            ctx.changed_as(&all);
        }
        Deadline::Keep | Deadline::Never => ctx.changed(),
    }
}

fn parse(mut cursor: Cursor<'_>) -> Result<Options<'_>, ReplyError> {
    let mut options = Options { condition: Condition::Always, get: false, then: Then::Persist };
    while !cursor.is_done() {
        if cursor.take("nx") {
            options.condition = options.condition.and(Condition::IfAbsent)?;
        } else if cursor.take("xx") {
            options.condition = options.condition.and(Condition::IfPresent)?;
        } else if cursor.take("get") {
            options.get = true;
        } else {
            options.then = parse_then(&mut cursor, options.then)?;
        }
    }
    Ok(options)
}

/// Reads an option about the expiry, `old` being what was read before it.
pub(super) fn parse_then<'a>(
    cursor: &mut Cursor<'a>,
    old: Then<'a>,
) -> Result<Then<'a>, ReplyError> {
    let new = if cursor.take("keepttl") {
        Some(Then::Keep)
    } else {
        Expiration::take(cursor).map(Then::Expire)
    };
    match (old, new) {
        (Then::Persist, Some(new)) => Ok(new),
        (Then::Keep, Some(Then::Keep)) => Ok(Then::Keep),
        (Then::Expire(old), Some(Then::Expire(new))) if old.form == new.form => {
            Ok(Then::Expire(new))
        }
        (_, _) => Err(ReplyError::Syntax),
    }
}
