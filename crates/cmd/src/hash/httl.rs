//! `HTTL`, `HPTTL`, `HEXPIRETIME`, `HPEXPIRETIME`: `key FIELDS numfields field...`

use super::fields::{NOT_POSITIVE, first_field};
use crate::{Command, Flow, Outcome, ReadCtx, Run};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::Hash;
use vesta_store::object::FieldExpiry;

/// `HTTL key FIELDS numfields field...`: for each field, in how many seconds it expires, rounded
/// up; -1 when it does not, -2 when it is not there.
pub(super) const HTTL: Command = Command {
    spec: Spec {
        name: "httl",
        arity: Arity::AtLeast(5),
        flags: Flags::READONLY.and(Flags::FAST),
        categories: Categories::HASH,
        keys: &[KeySpec::one(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        group: Group::Hash,
        since: "7.4.0",
        complexity: "O(N) in the number of fields that are named",
        summary: "Tells in how many seconds fields of a hash expire.",
        syntax: "key fields=(FIELDS numfields:integer field...)",
        tips: &["nondeterministic_output"],
        ..Spec::EMPTY
    },
    run: Run::Read(|ctx| {
        let now_ms = ctx.keys.now_ms();
        reply_times(ctx, |at_ms| at_ms.saturating_sub(now_ms).div_ceil(1000))
    }),
};

/// `HPTTL`: as HTTL, in milliseconds.
pub(super) const HPTTL: Command = Command {
    spec: Spec {
        name: "hpttl",
        summary: "Tells in how many milliseconds fields of a hash expire.",
        ..HTTL.spec
    },
    run: Run::Read(|ctx| {
        let now_ms = ctx.keys.now_ms();
        reply_times(ctx, |at_ms| at_ms.saturating_sub(now_ms))
    }),
};

/// `HEXPIRETIME`: for each field the second since 1970 at which it expires, rounded up; -1 and -2
/// as HTTL.
pub(super) const HEXPIRETIME: Command = Command {
    spec: Spec {
        name: "hexpiretime",
        summary: "Tells the Unix time in seconds at which fields of a hash expire.",
        tips: &[],
        ..HTTL.spec
    },
    run: Run::Read(|ctx| reply_times(ctx, |at_ms| at_ms.div_ceil(1000))),
};

/// `HPEXPIRETIME`: as HEXPIRETIME, in milliseconds.
pub(super) const HPEXPIRETIME: Command = Command {
    spec: Spec {
        name: "hpexpiretime",
        summary: "Tells the Unix time in milliseconds at which fields of a hash expire.",
        ..HEXPIRETIME.spec
    },
    run: Run::Read(|ctx| reply_times(ctx, |at_ms| at_ms)),
};

/// Replies with what `shown` makes of each field's expiry in milliseconds since 1970.
fn reply_times(ctx: &mut ReadCtx<'_>, shown: impl Fn(u64) -> u64) -> Outcome {
    let ReadCtx { request, keys, reply, .. } = ctx;
    let key = request.arg(1);
    // A key of another type is refused before a bad argument is.
    keys.read_as::<Hash>(key)?;
    let first = first_field(request, 2, NOT_POSITIVE)?;
    keys.expire_fields(key, request.args_from(first));
    let now_ms = keys.now_ms();
    let hash = keys.peek_as::<Hash>(key)?;
    reply.array(request.len() - first);
    for name in request.args_from(first) {
        reply.int(match hash.map_or(FieldExpiry::Absent, |hash| hash.expiry(name)) {
            FieldExpiry::Absent => -2,
            FieldExpiry::At(at_ms) if at_ms <= now_ms => -2,
            FieldExpiry::Never => -1,
            FieldExpiry::At(at_ms) => i64::try_from(shown(at_ms)).unwrap_or(i64::MAX),
        });
    }
    Ok(Flow::Done)
}
