//! `GET key`

use crate::{Command, Flow, Outcome, ReadCtx, Run};
use vesta_resp::Reply;
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::StrRef;

/// `GET key`: the string at a key.
pub(super) const GET: Command = Command {
    spec: Spec {
        name: "get",
        arity: Arity::Exactly(2),
        flags: Flags::READONLY.and(Flags::FAST),
        categories: Categories::STRING,
        keys: &[KeySpec::one(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        group: Group::String,
        summary: "Returns the string at a key.",
        syntax: "key",
        ..Spec::EMPTY
    },
    run: Run::Read(get),
};

fn get(ctx: &mut ReadCtx<'_>) -> Outcome {
    let value = ctx.keys.read_string(ctx.request.arg(1))?;
    reply_value(&mut ctx.reply, value);
    Ok(Flow::Done)
}

/// Replies with a string value, or with null when there is none.
pub(crate) fn reply_value(reply: &mut Reply<'_>, value: Option<StrRef<'_>>) {
    match value {
        None => reply.null(),
        Some(StrRef::Int(value)) => reply.bulk_int(value),
        Some(StrRef::Bytes(bytes)) => reply.bulk(bytes),
        Some(StrRef::Blob(blob)) => reply.bulk_blob(&blob),
    }
}
