//! `ROLE`

use crate::host::Role;
use crate::{Command, ControlCtx, Flow, Outcome, Run};
use alloc::string::ToString;
use vesta_spec::{Arity, Categories, Flags, Group, Spec};

/// `ROLE`: what the server is in replication. A primary tells its offset and its replicas that have
/// the data, each with address, port and the offset that it has acknowledged; a replica its
/// primary's address and port, the state of the link, and its offset.
pub(super) const ROLE: Command = Command {
    spec: Spec {
        name: "role",
        arity: Arity::Exactly(1),
        flags: Flags::NOSCRIPT.and(Flags::LOADING).and(Flags::STALE).and(Flags::FAST),
        categories: Categories::ADMIN.and(Categories::DANGEROUS),
        group: Group::Server,
        since: "2.8.12",
        complexity: "O(N) in the number of replicas",
        summary: "Returns what the server is in replication.",
        ..Spec::EMPTY
    },
    run: Run::Control(role),
};

fn role(ctx: &mut ControlCtx<'_>) -> Outcome {
    let offset = ctx.propagation.offset();
    let reply = &mut ctx.reply;
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    match ctx.host.role() {
        Role::Primary { replicas } => {
            reply.array(3);
            reply.bulk(b"master");
            reply.int(number(offset));
            reply.array(replicas.len());
            for (ip, port, acked) in replicas {
                reply.array(3);
                reply.bulk(ip.as_bytes());
                reply.bulk(port.to_string().as_bytes());
                reply.bulk(acked.to_string().as_bytes());
            }
        }
        Role::Replica { host, port, state, is_linked } => {
            reply.array(5);
            reply.bulk(b"slave");
            reply.bulk(host.as_bytes());
            reply.int(i64::from(port));
            reply.bulk(state.as_bytes());
            reply.int(if is_linked { number(offset) } else { -1 });
        }
    }
    Ok(Flow::Done)
}
