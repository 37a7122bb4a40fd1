//! `PING [message]`

use crate::{Command, ControlCtx, Flow, Outcome, ReplyError, Run};
use alloc::string::ToString;
use vesta_spec::{Arity, Categories, Flags, Group, Spec};

/// `PING [message]`: `PONG`, or the message.
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
    match ctx.request.len() {
        1 => ctx.reply.simple("PONG"),
        2 => ctx.reply.bulk(ctx.request.arg(1)),
        _ => return Err(ReplyError::WrongArity("ping".to_string())),
    }
    Ok(Flow::Done)
}
