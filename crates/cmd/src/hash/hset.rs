//! `HSET key field value...` and `HMSET key field value...`

use crate::{Class, Command, Flow, Outcome, ReplyError, Run, WriteCtx};
use alloc::string::ToString;
use vesta_spec::{Arity, Categories, Deprecated, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::Hash;

/// `HSET key field value...`: sets fields; how many are new.
pub(super) const HSET: Command = Command {
    spec: Spec {
        name: "hset",
        arity: Arity::AtLeast(4),
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST),
        categories: Categories::HASH,
        keys: &[KeySpec::one(1, KeyFlags::RW.and(KeyFlags::UPDATE))],
        group: Group::Hash,
        since: "2.0.0",
        complexity: "O(N) in the number of fields that are set",
        summary: "Sets fields of a hash, which is made if there is none.",
        syntax: "key field_value=(field value)...",
        history: &[("4.0.0", "Accepts several `field` and `value` arguments.")],
        ..Spec::EMPTY
    },
    run: Run::Write(|ctx| {
        let created = set_fields(ctx, "hset")?;
        ctx.reply.count(created);
        Ok(Flow::Done)
    }),
};

/// `HMSET key field value...`: as HSET, with another reply.
pub(super) const HMSET: Command = Command {
    spec: Spec {
        name: "hmset",
        summary: "Sets fields of a hash.",
        history: &[],
        deprecated: Some(Deprecated {
            since: "4.0.0",
            replaced_by: "`HSET` with multiple field-value pairs",
        }),
        ..HSET.spec
    },
    run: Run::Write(hmset),
};

fn hmset(ctx: &mut WriteCtx<'_>) -> Outcome {
    set_fields(ctx, "hmset")?;
    ctx.reply.ok();
    Ok(Flow::Done)
}

/// Sets the fields of the request; how many are new.
fn set_fields(ctx: &mut WriteCtx<'_>, command: &str) -> Result<usize, ReplyError> {
    let request = ctx.request;
    let len = request.len();
    if len % 2 == 1 {
        return Err(ReplyError::WrongArity(command.to_string()));
    }
    let key = request.arg(1);
    ctx.keys.expire_fields(key, request.args_from(2).step_by(2));
    let created = ctx.keys.upsert_as::<Hash, _>(key, |hash, rules| {
        let places = (2..len).step_by(2);
        let new = places.filter(|at| hash.set(request.arg(*at), request.arg(at + 1), rules));
        new.count()
    })?;
    ctx.notify(Class::Hash, "hset", key);
    ctx.changed_times((len / 2 - 1) as u64);
    Ok(created)
}
