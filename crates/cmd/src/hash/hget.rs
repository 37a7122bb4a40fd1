//! `HGET key field`, `HMGET key field...`, `HEXISTS key field` and `HSTRLEN key field`

use crate::element::reply_element_or_null;
use crate::{Command, Flow, Outcome, ReadCtx, ReplyError, Run};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::{Element, Hash};

/// `HGET key field`: the value of a field.
pub(super) const HGET: Command = Command {
    spec: Spec {
        name: "hget",
        arity: Arity::Exactly(3),
        flags: Flags::READONLY.and(Flags::FAST),
        categories: Categories::HASH,
        keys: &[KeySpec::one(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        group: Group::Hash,
        since: "2.0.0",
        summary: "Returns the value of a field of a hash.",
        syntax: "key field",
        ..Spec::EMPTY
    },
    run: Run::Read(hget),
};

/// `HMGET key field...`: the values of fields.
pub(super) const HMGET: Command = Command {
    spec: Spec {
        name: "hmget",
        arity: Arity::AtLeast(3),
        complexity: "O(N) in the number of fields that are asked for",
        summary: "Returns the values of fields of a hash.",
        syntax: "key field...",
        ..HGET.spec
    },
    run: Run::Read(hmget),
};

/// `HEXISTS key field`: whether a hash has a field.
pub(super) const HEXISTS: Command = Command {
    spec: Spec {
        name: "hexists",
        keys: &[KeySpec::one(1, KeyFlags::RO)],
        summary: "Tells whether a hash has a field.",
        ..HGET.spec
    },
    run: Run::Read(hexists),
};

/// `HSTRLEN key field`: how long the value of a field is, in bytes.
pub(super) const HSTRLEN: Command = Command {
    spec: Spec {
        name: "hstrlen",
        since: "3.2.0",
        summary: "Returns the length of the value of a field of a hash, in bytes.",
        ..HEXISTS.spec
    },
    run: Run::Read(hstrlen),
};

fn hget(ctx: &mut ReadCtx<'_>) -> Outcome {
    let ReadCtx { request, keys, reply, .. } = ctx;
    let (key, name, now_ms) = (request.arg(1), request.arg(2), keys.now_ms());
    keys.expire_fields(key, [name].into_iter());
    let hash = keys.read_as::<Hash>(key)?;
    reply_element_or_null(reply, hash.and_then(|hash| hash.get(name, now_ms)));
    Ok(Flow::Done)
}

fn hmget(ctx: &mut ReadCtx<'_>) -> Outcome {
    let ReadCtx { request, keys, reply, .. } = ctx;
    let (key, now_ms) = (request.arg(1), keys.now_ms());
    keys.expire_fields(key, request.args_from(2));
    let hash = keys.read_as::<Hash>(key)?;
    reply.array(request.len() - 2);
    for name in request.args_from(2) {
        reply_element_or_null(reply, hash.and_then(|hash| hash.get(name, now_ms)));
    }
    Ok(Flow::Done)
}

fn hexists(ctx: &mut ReadCtx<'_>) -> Outcome {
    let length = value_len(ctx)?;
    ctx.reply.flag(length.is_some());
    Ok(Flow::Done)
}

fn hstrlen(ctx: &mut ReadCtx<'_>) -> Outcome {
    let length = value_len(ctx)?;
    ctx.reply.count(length.unwrap_or(0));
    Ok(Flow::Done)
}

/// The length of the value of the field in the request.
fn value_len(ctx: &mut ReadCtx<'_>) -> Result<Option<usize>, ReplyError> {
    let (key, name, now_ms) = (ctx.arg(1), ctx.arg(2), ctx.keys.now_ms());
    ctx.keys.expire_fields(key, [name].into_iter());
    let hash = ctx.keys.read_as::<Hash>(key)?;
    Ok(hash.and_then(|hash| hash.get(name, now_ms)).map(Element::text_len))
}
