//! `SETEX key seconds value` and `PSETEX key milliseconds value`

use super::set::notify_set;
use crate::keys::deadline::{self, TimeForm};
use crate::string::expiration::Expiration;
use crate::{Command, Flow, Outcome, Run, WriteCtx};
use vesta_spec::{Arity, Categories, Deprecated, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::Deadline;

/// `SETEX key seconds value`: sets a string that expires.
///
/// Replicates as `SET` with an absolute expiry.
pub(super) const SETEX: Command = Command {
    spec: Spec {
        name: "setex",
        arity: Arity::Exactly(4),
        flags: Flags::WRITE.and(Flags::DENYOOM),
        categories: Categories::STRING,
        keys: &[KeySpec::one(1, KeyFlags::OW.and(KeyFlags::UPDATE))],
        group: Group::String,
        since: "2.0.0",
        summary: "Sets a key to a string that expires after some seconds.",
        syntax: "key seconds:integer value",
        deprecated: Some(Deprecated {
            since: "2.6.12",
            replaced_by: "`SET` with the `EX` argument",
        }),
        ..Spec::EMPTY
    },
    run: Run::Write(|ctx| set(ctx, TimeForm::SECONDS, "setex")),
};

/// `PSETEX key milliseconds value`: as SETEX, in milliseconds.
pub(super) const PSETEX: Command = Command {
    spec: Spec {
        name: "psetex",
        since: "2.6.0",
        summary: "Sets a key to a string that expires after some milliseconds.",
        syntax: "key milliseconds:integer value",
        deprecated: Some(Deprecated {
            since: "2.6.12",
            replaced_by: "`SET` with the `PX` argument",
        }),
        ..SETEX.spec
    },
    run: Run::Write(|ctx| set(ctx, TimeForm::MILLISECONDS, "psetex")),
};

fn set(ctx: &mut WriteCtx<'_>, form: TimeForm, name: &'static str) -> Outcome {
    let key = ctx.arg(1);
    let at = Expiration { form, text: ctx.arg(2) }.at_ms(ctx.now, name)?;
    let value = ctx.value(3);
    ctx.keys.set(key, value, Deadline::At(at));
    notify_set(ctx, key, Deadline::At(at));
    deadline::changed_as_set(ctx, key, ctx.request.arg(3), at);
    ctx.reply.ok();
    Ok(Flow::Done)
}
