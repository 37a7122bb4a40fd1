//! `XINFO CONSUMERS key group`

use super::super::no_group_in;
use super::{ABOUT_KEY, reply_number};
use crate::{Command, Flow, Outcome, ReadCtx, ReplyError, Run};
use vesta_spec::{Arity, Spec};
use vesta_store::Stream;

/// `XINFO CONSUMERS key group`: the consumers of a group.
pub(super) const CONSUMERS: Command = Command {
    spec: Spec {
        name: "consumers",
        arity: Arity::Exactly(4),
        summary: "Lists the consumers of a consumer group.",
        syntax: "key group",
        tips: &["nondeterministic_output"],
        history: &[("7.2.0", "Added the field `inactive`.")],
        ..ABOUT_KEY
    },
    run: Run::Read(consumers),
};

fn consumers(ctx: &mut ReadCtx<'_>) -> Outcome {
    let now_ms = ctx.now.unix.ms();
    let ReadCtx { keys, reply, request, .. } = ctx;
    let (key, name) = (request.arg(2), request.arg(3));
    let stream = keys.read_as::<Stream>(key)?.ok_or(ReplyError::NoSuchKey)?;
    let group = stream.group(name).ok_or_else(|| no_group_in(key, name))?;
    reply.array(group.consumer_count());
    for (_, consumer) in group.consumers() {
        reply.map(4);
        reply.text("name");
        reply.bulk(consumer.name());
        reply.text("pending");
        reply.count(consumer.held_count());
        reply.text("idle");
        reply_number(reply, now_ms.saturating_sub(consumer.seen_ms));
        reply.text("inactive");
        match consumer.active_ms {
            Some(active_ms) => reply_number(reply, now_ms.saturating_sub(active_ms)),
            None => reply.int(-1),
        }
    }
    Ok(Flow::Done)
}
