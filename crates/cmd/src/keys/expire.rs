//! `EXPIRE`, `PEXPIRE`, `EXPIREAT`, `PEXPIREAT`: `key time [NX | XX | GT | LT]`

use super::deadline::TimeForm;
use crate::{Class, Command, Cursor, Flow, Outcome, ReplyError, Run, WriteCtx};
use alloc::format;
use alloc::vec::Vec;
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_types::{ascii, number};

/// `EXPIRE key seconds [NX | XX | GT | LT]`: has a key expire after a time.
///
/// Replicates as `PEXPIREAT` with the absolute time, and as the deletion of the key when the
/// time has passed already.
pub(super) const EXPIRE: Command = Command {
    spec: Spec {
        name: "expire",
        arity: Arity::AtLeast(3),
        flags: Flags::WRITE.and(Flags::FAST),
        categories: Categories::KEYSPACE,
        keys: &[KeySpec::one(1, KeyFlags::RW.and(KeyFlags::UPDATE))],
        group: Group::Generic,
        summary: "Sets after how many seconds a key expires.",
        syntax: "key seconds:integer [condition=<NX | XX | GT | LT>]",
        history: &[("7.0.0", "Added the `NX`, `XX`, `GT` and `LT` options.")],
        ..Spec::EMPTY
    },
    run: Run::Write(expire),
};

/// `PEXPIRE key milliseconds [NX | XX | GT | LT]`: as EXPIRE, in milliseconds.
pub(super) const PEXPIRE: Command = Command {
    spec: Spec {
        name: "pexpire",
        since: "2.6.0",
        summary: "Sets after how many milliseconds a key expires.",
        syntax: "key milliseconds:integer [condition=<NX | XX | GT | LT>]",
        ..EXPIRE.spec
    },
    run: Run::Write(pexpire),
};

/// `EXPIREAT key unix-time-seconds [NX | XX | GT | LT]`: as EXPIRE, with a time since 1970.
pub(super) const EXPIREAT: Command = Command {
    spec: Spec {
        name: "expireat",
        since: "1.2.0",
        summary: "Sets the Unix time in seconds at which a key expires.",
        syntax: "key unix-time-seconds:unix-time [condition=<NX | XX | GT | LT>]",
        ..EXPIRE.spec
    },
    run: Run::Write(expireat),
};

/// `PEXPIREAT key unix-time-milliseconds [NX | XX | GT | LT]`: as EXPIREAT, in milliseconds.
pub(super) const PEXPIREAT: Command = Command {
    spec: Spec {
        name: "pexpireat",
        since: "2.6.0",
        summary: "Sets the Unix time in milliseconds at which a key expires.",
        syntax: "key unix-time-milliseconds:unix-time [condition=<NX | XX | GT | LT>]",
        ..EXPIRE.spec
    },
    run: Run::Write(pexpireat),
};

fn expire(ctx: &mut WriteCtx<'_>) -> Outcome {
    set_expiry(ctx, TimeForm::SECONDS, "expire")
}

fn pexpire(ctx: &mut WriteCtx<'_>) -> Outcome {
    set_expiry(ctx, TimeForm::MILLISECONDS, "pexpire")
}

fn expireat(ctx: &mut WriteCtx<'_>) -> Outcome {
    set_expiry(ctx, TimeForm::UNIX_SECONDS, "expireat")
}

fn pexpireat(ctx: &mut WriteCtx<'_>) -> Outcome {
    set_expiry(ctx, TimeForm::UNIX_MILLISECONDS, "pexpireat")
}

fn set_expiry(ctx: &mut WriteCtx<'_>, form: TimeForm, command: &'static str) -> Outcome {
    let condition = Condition::parse(ctx.cursor(3))?;
    let given = number::parse_i64(ctx.arg(2)).ok_or(ReplyError::NotInteger)?;
    let at_ms = form.absolute_ms(given, ctx.now).ok_or(ReplyError::InvalidExpire(command))?;
    let (key, now_ms) = (ctx.arg(1), ctx.keys.now_ms());
    let future = u64::try_from(at_ms).ok().filter(|at| *at > now_ms);
    let applies = ctx.keys.edit(key, |entry| {
        let applies = condition.holds(entry.expiry(), at_ms);
        if applies && future.is_some() {
            entry.set_expiry(future);
        }
        applies
    });
    let applies = applies.unwrap_or(false);
    if applies && future.is_some() {
        ctx.notify(Class::Generic, "expire", key);
    }
    match future {
        _ if !applies => {}
        Some(_) if form == TimeForm::UNIX_MILLISECONDS => ctx.changed(),
        Some(at_ms) => changed_as_pexpireat(ctx, key, at_ms),
        None => {
            ctx.keys.delete(key);
            ctx.notify(Class::Generic, "del", key);
            let lazily = ctx.config.lazyfree_lazy_expire;
            ctx.changed_as(&[if lazily { b"UNLINK" } else { b"DEL" }, key]);
        }
    }
    ctx.reply.flag(applies);
    Ok(Flow::Done)
}

/// The effect of having `key` expire at `at_ms`, with the options of the request.
fn changed_as_pexpireat(ctx: &mut WriteCtx<'_>, key: &[u8], at_ms: u64) {
    let mut digits = itoa::Buffer::new();
    let effect = [&b"PEXPIREAT"[..], key, digits.format(at_ms).as_bytes()];
    if ctx.request.len() == 3 {
        ctx.changed_as(&effect);
    } else {
        let effect: Vec<&[u8]> = effect.into_iter().chain(ctx.request.args_from(3)).collect();
        ctx.changed_as(&effect);
    }
}

/// When the new time counts; everything that is set must hold.
#[derive(Clone, Copy, Default)]
struct Condition {
    /// The key has no expiry.
    none: bool,
    /// The key has one.
    some: bool,
    /// The new time is later; no expiry is later than any.
    later: bool,
    /// The new time is sooner.
    sooner: bool,
}

impl Condition {
    /// Reads all options.
    ///
    /// # Errors
    /// For an unknown one; then for those that exclude each other. Source of the texts:
    /// redis-server 7.0.15.
    fn parse(mut cursor: Cursor<'_>) -> Result<Self, ReplyError> {
        let mut condition = Self::default();
        while let Some(word) = cursor.pop() {
            let options = [
                ("nx", &mut condition.none),
                ("xx", &mut condition.some),
                ("gt", &mut condition.later),
                ("lt", &mut condition.sooner),
            ];
            match options.into_iter().find(|(name, _)| ascii::is_word(word, name)) {
                Some((_, wanted)) => *wanted = true,
                None => {
                    let text = format!("Unsupported option {}", ascii::lossy(word));
                    return Err(ReplyError::Generic(text.into()));
                }
            }
        }
        let Self { none, some, later, sooner } = condition;
        if none && (some || later || sooner) {
            return Err(ReplyError::text(
                "NX and XX, GT or LT options at the same time are not compatible",
            ));
        }
        if later && sooner {
            return Err(ReplyError::text("GT and LT options at the same time are not compatible"));
        }
        Ok(condition)
    }

    /// Whether a key that expires `before` is to expire at `at_ms`.
    fn holds(self, before: Option<u64>, at_ms: i64) -> bool {
        let Some(before) = before else { return !self.some && !self.later };
        let before = i64::try_from(before).unwrap_or(i64::MAX);
        !self.none && (!self.later || at_ms > before) && (!self.sooner || at_ms < before)
    }
}
