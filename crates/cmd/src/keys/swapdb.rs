//! `SWAPDB index1 index2`

use super::database;
use crate::{Command, Flow, Outcome, ReplyError, Run, WriteCtx};
use vesta_spec::{Arity, Categories, Flags, Group, Spec};
use vesta_types::number;

/// `SWAPDB index1 index2`: exchanges the contents of two databases at once for all clients.
pub(super) const SWAPDB: Command = Command {
    spec: Spec {
        name: "swapdb",
        arity: Arity::Exactly(3),
        flags: Flags::WRITE.and(Flags::FAST),
        categories: Categories::KEYSPACE.and(Categories::DANGEROUS),
        group: Group::Server,
        since: "4.0.0",
        complexity: "O(N) in the number of clients that watch or wait for keys of the two",
        summary: "Exchanges the contents of two databases.",
        syntax: "index1:integer index2:integer",
        ..Spec::EMPTY
    },
    run: Run::Write(swapdb),
};

fn swapdb(ctx: &mut WriteCtx<'_>) -> Outcome {
    const FIRST: ReplyError = ReplyError::text("invalid first DB index");
    const SECOND: ReplyError = ReplyError::text("invalid second DB index");
    let left = parse(ctx.arg(1)).ok_or(FIRST)?;
    let right = parse(ctx.arg(2)).ok_or(SECOND)?;
    let now = ctx.now.unix;
    let store = ctx.keys.store();
    let count = store.databases();
    store.swap(database::in_range(left, count)?, database::in_range(right, count)?, now);
    ctx.changed();
    ctx.reply.ok();
    Ok(Flow::Done)
}

fn parse(argument: &[u8]) -> Option<i32> {
    i32::try_from(number::parse_i64(argument)?).ok()
}
