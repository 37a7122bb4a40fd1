//! `HELLO [protover [AUTH username password] [SETNAME clientname]]`

use super::auth::{ANYBODY, WRONG_PASSWORD};
use super::client::checked_name;
use crate::{Command, ControlCtx, Flow, Outcome, REDIS_VERSION, ReplyError, Run};
use alloc::format;
use vesta_resp::Proto;
use vesta_spec::{Arity, Categories, Group, Spec};
use vesta_types::{ascii, number};

/// `HELLO`: agrees on a version of the protocol, with credentials and a name on the way, and
/// tells about the server. All or nothing.
pub(super) const HELLO: Command = Command {
    spec: Spec {
        name: "hello",
        arity: Arity::AtLeast(1),
        flags: ANYBODY,
        categories: Categories::CONNECTION,
        group: Group::Connection,
        since: "6.0.0",
        summary: "Opens a conversation: version of the protocol, credentials, name.",
        syntax: "[arguments=(protover:integer [AUTH auth=(username password)] \
                 [SETNAME clientname])]",
        history: &[("6.2.0", "Without arguments it tells about the present connection.")],
        ..Spec::EMPTY
    },
    run: Run::Control(hello),
};

const NOT_AUTHENTICATED: &str = "NOAUTH HELLO must be called with the client already \
     authenticated, otherwise the HELLO AUTH <user> <pass> option can be used to authenticate the \
     client and select the RESP protocol version at the same time";

fn hello(ctx: &mut ControlCtx<'_>) -> Outcome {
    let mut cursor = ctx.cursor(1);
    let proto = cursor.pop().map(version).transpose()?;
    let (mut credentials, mut name) = (None, None);
    while let Some(option) = cursor.pop() {
        if ascii::is_word(option, "auth") && cursor.left() >= 2 {
            credentials = cursor.pop().zip(cursor.pop());
        } else if ascii::is_word(option, "setname") && cursor.left() >= 1 {
            name = cursor.pop().map(checked_name).transpose()?;
        } else {
            let text = format!("Syntax error in HELLO option '{}'", ascii::lossy(option));
            return Err(ReplyError::Generic(text.into()));
        }
    }
    if let Some((user, password)) = credentials {
        if !ctx.host.authenticate(user, password) {
            return Err(WRONG_PASSWORD);
        }
        ctx.host.session().authenticated = true;
    }
    let session = ctx.host.session();
    if !session.authenticated {
        return Err(ReplyError::Coded(NOT_AUTHENTICATED.into()));
    }
    if let Some(name) = name {
        session.name = name.into();
    }
    session.proto = proto.unwrap_or(session.proto);
    let (proto, id) = (session.proto, session.id);
    greet(ctx, proto, id);
    Ok(Flow::Done)
}

fn version(text: &[u8]) -> Result<Proto, ReplyError> {
    match number::parse_i64(text) {
        Some(2) => Ok(Proto::Two),
        Some(3) => Ok(Proto::Three),
        Some(_) => Err(ReplyError::Coded("NOPROTO unsupported protocol version".into())),
        None => Err(ReplyError::text("Protocol version is not an integer or out of range")),
    }
}

/// The answer, in the version just agreed on. Client libraries read `server` and `role`; the
/// name of the server is the one they know.
fn greet(ctx: &mut ControlCtx<'_>, proto: Proto, id: u64) {
    let reply = &mut ctx.reply;
    reply.set_proto(proto);
    reply.map(7);
    reply.text("server");
    reply.text("redis");
    reply.text("version");
    reply.text(REDIS_VERSION);
    reply.text("proto");
    reply.int(proto.number());
    reply.text("id");
    reply.int(i64::try_from(id).unwrap_or(i64::MAX));
    reply.text("mode");
    reply.text("standalone");
    reply.text("role");
    reply.text("master");
    reply.text("modules");
    reply.array(0);
}
