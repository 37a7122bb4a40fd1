//! `PSYNC replicationid offset` and `SYNC`

use crate::host::Follow;
use crate::{Command, ControlCtx, Outcome, ReplyError, Run};
use vesta_spec::{Arity, Flags, Group, Spec};
use vesta_types::{ascii, number};

/// What both are.
const FLAGS: Flags =
    Flags::ADMIN.and(Flags::NOSCRIPT).and(Flags::NO_ASYNC_LOADING).and(Flags::NO_MULTI);

/// `PSYNC replicationid offset [FAILOVER]`: the client is a replica from now on. It gets the stream
/// of effects from byte `offset` of the history on, or a snapshot and what comes behind it; `?` and
/// -1 ask for the latter. The reply comes when it is decided. With `FAILOVER`, who is asked is to
/// become the primary of who asks.
///
/// Source of the replies: redis-server 7.0.15.
pub(super) const PSYNC: Command = Command {
    spec: Spec {
        name: "psync",
        arity: Arity::AtLeast(3),
        flags: FLAGS,
        group: Group::Server,
        since: "2.8.0",
        complexity: "O(N) in the number of keys for a snapshot, else in the bytes that are lacking",
        summary: "Makes the client a replica that goes on where it is, if that is possible.",
        syntax: "replicationid offset:integer",
        ..Spec::EMPTY
    },
    run: Run::Control(psync),
};

/// `SYNC`: as `PSYNC ? -1`, without a reply in front of the snapshot.
pub(super) const SYNC: Command = Command {
    spec: Spec {
        name: "sync",
        flags: FLAGS,
        group: Group::Server,
        complexity: "O(N) in the number of keys",
        summary: "Makes the client a replica that gets a snapshot, as replicas of old ask.",
        ..Spec::EMPTY
    },
    run: Run::Control(sync),
};

fn psync(ctx: &mut ControlCtx<'_>) -> Outcome {
    let offset = number::parse_i64(ctx.arg(2)).ok_or(ReplyError::NotInteger)?;
    let takes_over = ctx.request.len() > 3 && ascii::is_word(ctx.arg(3), "failover");
    let asked = Follow::Psync { id: ctx.arg(1), offset, takes_over };
    ctx.host.follow(asked, ctx.keys.store(), ctx.propagation)
}

fn sync(ctx: &mut ControlCtx<'_>) -> Outcome {
    ctx.host.follow(Follow::Sync, ctx.keys.store(), ctx.propagation)
}
