//! `TTL`, `PTTL`, `EXPIRETIME`, `PEXPIRETIME`: `key`

use crate::{Command, Flow, Outcome, ReadCtx, Run};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};

/// `TTL key`: seconds until a key expires, rounded; -1 when it does not, -2 when there is none.
pub(super) const TTL: Command = Command {
    spec: Spec {
        name: "ttl",
        arity: Arity::Exactly(2),
        flags: Flags::READONLY.and(Flags::FAST),
        categories: Categories::KEYSPACE,
        keys: &[KeySpec::one(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        group: Group::Generic,
        summary: "Tells in how many seconds a key expires.",
        syntax: "key",
        tips: &["nondeterministic_output"],
        history: &[("2.8.0", "Replies -2 when the key does not exist.")],
        ..Spec::EMPTY
    },
    run: Run::Read(ttl),
};

/// `PTTL key`: as TTL, in milliseconds.
pub(super) const PTTL: Command = Command {
    spec: Spec {
        name: "pttl",
        since: "2.6.0",
        summary: "Tells in how many milliseconds a key expires.",
        ..TTL.spec
    },
    run: Run::Read(pttl),
};

/// `EXPIRETIME key`: the second since 1970 at which a key expires, rounded; -1 and -2 as TTL.
pub(super) const EXPIRETIME: Command = Command {
    spec: Spec {
        name: "expiretime",
        since: "7.0.0",
        summary: "Tells the Unix time in seconds at which a key expires.",
        tips: &[],
        history: &[],
        ..TTL.spec
    },
    run: Run::Read(expiretime),
};

/// `PEXPIRETIME key`: as EXPIRETIME, in milliseconds.
pub(super) const PEXPIRETIME: Command = Command {
    spec: Spec {
        name: "pexpiretime",
        summary: "Tells the Unix time in milliseconds at which a key expires.",
        ..EXPIRETIME.spec
    },
    run: Run::Read(pexpiretime),
};

fn ttl(ctx: &mut ReadCtx<'_>) -> Outcome {
    let now_ms = ctx.keys.now_ms();
    reply_time(ctx, |at_ms| rounded_seconds(at_ms.saturating_sub(now_ms)))
}

fn pttl(ctx: &mut ReadCtx<'_>) -> Outcome {
    let now_ms = ctx.keys.now_ms();
    reply_time(ctx, |at_ms| at_ms.saturating_sub(now_ms))
}

fn expiretime(ctx: &mut ReadCtx<'_>) -> Outcome {
    reply_time(ctx, rounded_seconds)
}

fn pexpiretime(ctx: &mut ReadCtx<'_>) -> Outcome {
    reply_time(ctx, |at_ms| at_ms)
}

/// Replies with what `shown` makes of the key's expiry in milliseconds since 1970.
fn reply_time(ctx: &mut ReadCtx<'_>, shown: impl Fn(u64) -> u64) -> Outcome {
    let reply = match ctx.keys.read_about(ctx.request.arg(1)) {
        None => -2,
        Some(entry) => match entry.expiry() {
            None => -1,
            Some(at_ms) => i64::try_from(shown(at_ms)).unwrap_or(i64::MAX),
        },
    };
    ctx.reply.int(reply);
    Ok(Flow::Done)
}

fn rounded_seconds(ms: u64) -> u64 {
    ms / 1000 + u64::from(ms % 1000 >= 500)
}
