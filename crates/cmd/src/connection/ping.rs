//! `PING [message]`

use crate::{Command, ControlCtx, Flow, Outcome, ReplyError, Run};
use alloc::string::ToString;
use vesta_resp::Proto;
use vesta_spec::{Arity, Categories, Flags, Group, Spec};

/// `PING [message]`: `PONG`, or the message. Where messages look like replies (a client that has
/// subscribed, in RESP2), it answers in their shape.
pub(super) const PING: Command = Command {
    spec: Spec {
        name: "ping",
        arity: Arity::AtLeast(1),
        flags: Flags::FAST,
        categories: Categories::CONNECTION,
        group: Group::Connection,
        summary: "Answers, so that the client knows the server is alive.",
        syntax: "[message]",
        tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
        ..Spec::EMPTY
    },
    run: Run::Control(ping),
};

fn ping(ctx: &mut ControlCtx<'_>) -> Outcome {
    let is_among_messages = ctx.host.session().subscriptions > 0 && ctx.reply.proto() == Proto::Two;
    match ctx.request.len() {
        1 | 2 if is_among_messages => {
            ctx.reply.array(2);
            ctx.reply.text("pong");
            ctx.reply.bulk(if ctx.request.len() == 2 { ctx.request.arg(1) } else { b"" });
        }
        1 => ctx.reply.simple("PONG"),
        2 => ctx.reply.bulk(ctx.request.arg(1)),
        _ => return Err(ReplyError::WrongArity("ping".to_string())),
    }
    Ok(Flow::Done)
}
