//! `XINFO GROUPS key`

use super::super::reply::reply_id;
use super::{ABOUT_KEY, reply_progress};
use crate::{Command, Flow, Outcome, ReadCtx, ReplyError, Run};
use vesta_spec::{Arity, Spec};
use vesta_store::Stream;

/// `XINFO GROUPS key`: the groups of a stream.
pub(super) const GROUPS: Command = Command {
    spec: Spec {
        name: "groups",
        arity: Arity::Exactly(3),
        summary: "Lists the consumer groups of a stream.",
        syntax: "key",
        history: &[("7.0.0", "Added the fields `entries-read` and `lag`.")],
        ..ABOUT_KEY
    },
    run: Run::Read(groups),
};

fn groups(ctx: &mut ReadCtx<'_>) -> Outcome {
    let ReadCtx { keys, reply, request, .. } = ctx;
    let stream = keys.read_as::<Stream>(request.arg(2))?.ok_or(ReplyError::NoSuchKey)?;
    reply.array(stream.group_count());
    for (name, group) in stream.groups() {
        reply.map(6);
        reply.text("name");
        reply.bulk(name);
        reply.text("consumers");
        reply.count(group.consumer_count());
        reply.text("pending");
        reply.count(group.pending_count());
        reply.text("last-delivered-id");
        reply_id(reply, group.position().last_id);
        reply_progress(reply, stream.log(), group);
    }
    Ok(Flow::Done)
}
