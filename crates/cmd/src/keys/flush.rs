//! `FLUSHALL [ASYNC | SYNC]` and `FLUSHDB [ASYNC | SYNC]`

use crate::{Command, Flow, Outcome, ReplyError, Run, WriteCtx};
use vesta_spec::{Arity, Categories, Flags, Group, Spec};

/// `FLUSHALL [ASYNC | SYNC]`: empties all databases.
pub(super) const FLUSHALL: Command = Command {
    spec: Spec {
        name: "flushall",
        arity: Arity::AtLeast(1),
        flags: Flags::WRITE,
        categories: Categories::KEYSPACE.and(Categories::DANGEROUS),
        group: Group::Server,
        complexity: "O(N) in the number of keys of all databases",
        summary: "Removes all keys from all databases.",
        syntax: "[flush-type=<ASYNC | SYNC>]",
        tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
        history: &[("4.0.0", "Added the `ASYNC` option."), ("6.2.0", "Added the `SYNC` option.")],
        ..Spec::EMPTY
    },
    run: Run::Write(flushall),
};

/// `FLUSHDB [ASYNC | SYNC]`: empties the selected database.
pub(super) const FLUSHDB: Command = Command {
    spec: Spec {
        name: "flushdb",
        complexity: "O(N) in the number of keys of the database",
        summary: "Removes all keys from the database.",
        ..FLUSHALL.spec
    },
    run: Run::Write(flushdb),
};

fn flushall(ctx: &mut WriteCtx<'_>) -> Outcome {
    let lazily = is_lazy(ctx)?;
    let store = ctx.keys.store();
    let mut removed = 0;
    for db in store.indexes() {
        removed += store.flush(db, lazily);
    }
    ctx.propagation.note_all_flushed();
    flushed(ctx, removed)
}

fn flushdb(ctx: &mut WriteCtx<'_>) -> Outcome {
    let (lazily, db) = (is_lazy(ctx)?, ctx.keys.db_index());
    let removed = ctx.keys.store().flush(db, lazily);
    flushed(ctx, removed)
}

/// Whether the memory is to be freed later, in slices, as it is unless the option asks for it to be
/// free when the reply comes: as with DEL, nobody waits for that who has not asked for it.
fn is_lazy(ctx: &WriteCtx<'_>) -> Result<bool, ReplyError> {
    let mut cursor = ctx.cursor(1);
    let at_once = cursor.take("sync");
    if !at_once && !cursor.is_done() && !cursor.take("async") {
        return Err(ReplyError::Syntax);
    }
    if cursor.is_done() { Ok(!at_once) } else { Err(ReplyError::Syntax) }
}

/// An empty database is flushed on replicas too: they may hold what they should not.
fn flushed(ctx: &mut WriteCtx<'_>, removed: usize) -> Outcome {
    ctx.changed_times(removed as u64);
    ctx.reply.ok();
    Ok(Flow::Done)
}
