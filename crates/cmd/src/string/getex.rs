//! `GETEX key [EX | PX | EXAT | PXAT time | PERSIST]`

use crate::string::expiration::Expiration;
use crate::string::get::reply_value;
use crate::{Class, Command, Cursor, Flow, Outcome, ReplyError, Run, WriteCtx};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};

/// `GETEX key [option]`: replies with a string and sets or removes the expiry of its key.
///
/// Replicates as `PEXPIREAT`, `PERSIST`, or the removal of the key when the time has passed.
pub(super) const GETEX: Command = Command {
    spec: Spec {
        name: "getex",
        arity: Arity::AtLeast(2),
        flags: Flags::WRITE.and(Flags::FAST),
        categories: Categories::STRING,
        keys: &[KeySpec::one(1, KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::UPDATE))
            .noted("Changes the expiry, not the value.")],
        group: Group::String,
        since: "6.2.0",
        summary: "Returns the string at a key and sets or removes the key's expiry.",
        syntax: "key [expiration=<EX seconds:integer | PX milliseconds:integer | \
                 EXAT unix-time-seconds:unix-time | PXAT unix-time-milliseconds:unix-time | \
                 PERSIST>]",
        ..Spec::EMPTY
    },
    run: Run::Write(getex),
};

/// What becomes of the key's expiry.
#[derive(Clone, Copy)]
enum Then<'a> {
    Nothing,
    Persist,
    Expire(Expiration<'a>),
}

fn getex(ctx: &mut WriteCtx<'_>) -> Outcome {
    let key = ctx.arg(1);
    let then = parse(ctx.cursor(2))?;
    let Some(value) = ctx.keys.read_string(key)? else {
        ctx.reply.null();
        return Ok(Flow::Done);
    };
    match then {
        Then::Nothing => reply_value(&mut ctx.reply, Some(value)),
        Then::Persist => {
            reply_value(&mut ctx.reply, Some(value));
            if ctx.keys.peek(key).is_some_and(|entry| entry.expiry().is_some()) {
                ctx.keys.set_expiry(key, None);
                ctx.notify(Class::Generic, "persist", key);
                ctx.changed_as(&[b"PERSIST", key]);
            }
        }
        Then::Expire(expiration) => {
            let at = expiration.at_ms(ctx.now, "getex")?;
            reply_value(&mut ctx.reply, Some(value));
            expire(ctx, key, at);
        }
    }
    Ok(Flow::Done)
}

/// Lets `key` expire at `at`, which may be over.
fn expire(ctx: &mut WriteCtx<'_>, key: &[u8], at: u64) {
    if at > ctx.keys.now_ms() {
        ctx.keys.set_expiry(key, Some(at));
        ctx.notify(Class::Generic, "expire", key);
        let mut digits = itoa::Buffer::new();
        ctx.changed_as(&[b"PEXPIREAT", key, digits.format(at).as_bytes()]);
        return;
    }
    ctx.keys.delete(key);
    ctx.notify(Class::Generic, "del", key);
    let name: &[u8] = if ctx.config.lazyfree_lazy_expire { b"UNLINK" } else { b"DEL" };
    ctx.changed_as(&[name, key]);
}

fn parse(mut cursor: Cursor<'_>) -> Result<Then<'_>, ReplyError> {
    let mut then = Then::Nothing;
    while !cursor.is_done() {
        let next = if cursor.take("persist") {
            Some(Then::Persist)
        } else {
            Expiration::take(&mut cursor).map(Then::Expire)
        };
        then = match (then, next) {
            (Then::Nothing, Some(next)) => next,
            (Then::Persist, Some(Then::Persist)) => Then::Persist,
            (Then::Expire(old), Some(Then::Expire(new))) if old.form == new.form => {
                Then::Expire(new)
            }
            (_, _) => return Err(ReplyError::Syntax),
        };
    }
    Ok(then)
}
