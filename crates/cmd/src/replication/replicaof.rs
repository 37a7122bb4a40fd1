//! `REPLICAOF host port | NO ONE` and `SLAVEOF host port | NO ONE`

use crate::{Command, ControlCtx, Flow, Outcome, ReplyError, Run};
use vesta_config::ReplicaOf;
use vesta_spec::{Arity, Deprecated, Flags, Group, Spec};
use vesta_types::{ascii, number};

/// `REPLICAOF host port`: the server is a replica of that one from now on, and gets its data in the
/// place of what it has; the reply does not wait for that. `REPLICAOF NO ONE`: it is a primary,
/// with the data it has.
///
/// Source of the replies: redis-server 7.0.15.
pub(super) const REPLICAOF: Command = Command {
    spec: Spec {
        name: "replicaof",
        arity: Arity::Exactly(3),
        flags: Flags::ADMIN.and(Flags::NOSCRIPT).and(Flags::STALE).and(Flags::NO_ASYNC_LOADING),
        group: Group::Server,
        since: "5.0.0",
        summary: "Makes the server a replica of another one, or a primary.",
        syntax: "args=<host-port=(host port:integer) | no-one=(NO ONE)>",
        ..Spec::EMPTY
    },
    run: Run::Control(replicaof),
};

/// `SLAVEOF host port | NO ONE`: the old name of REPLICAOF.
pub(super) const SLAVEOF: Command = Command {
    spec: Spec {
        name: "slaveof",
        since: "1.0.0",
        deprecated: Some(Deprecated { since: "5.0.0", replaced_by: "`REPLICAOF`" }),
        ..REPLICAOF.spec
    },
    ..REPLICAOF
};

fn replicaof(ctx: &mut ControlCtx<'_>) -> Outcome {
    let (host, port) = (ctx.arg(1), ctx.arg(2));
    let primary = if ascii::is_word(host, "no") && ascii::is_word(port, "one") {
        None
    } else {
        let port = number::parse_u64(port).and_then(|port| u16::try_from(port).ok());
        let port = port.ok_or(ReplyError::text("Invalid master port"))?;
        let host = core::str::from_utf8(host);
        let host = host.map_err(|_| ReplyError::text("Invalid master host"))?;
        Some(ReplicaOf { host: host.into(), port })
    };
    if ctx.host.set_primary(primary)? {
        ctx.reply.ok();
    } else {
        ctx.reply.simple("OK Already connected to specified master");
    }
    Ok(Flow::Done)
}
