//! `MOVE key db`

use super::database;
use crate::{Class, Command, Flow, Outcome, ReplyError, Run, WriteCtx};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};

/// `MOVE key db`: takes a key to another database, unless one of that name is there.
pub(super) const MOVE: Command = Command {
    spec: Spec {
        name: "move",
        arity: Arity::Exactly(3),
        flags: Flags::WRITE.and(Flags::FAST),
        categories: Categories::KEYSPACE,
        keys: &[KeySpec::one(1, KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::UPDATE))],
        group: Group::Generic,
        summary: "Moves a key to another database.",
        syntax: "key db:integer",
        ..Spec::EMPTY
    },
    run: Run::Write(move_key),
};

fn move_key(ctx: &mut WriteCtx<'_>) -> Outcome {
    let key = ctx.arg(1);
    let db = database::parse(ctx.arg(2), ctx.keys.store().databases())?;
    if db == ctx.keys.db_index() {
        return Err(ReplyError::SameObject);
    }
    let is_free = ctx.keys.contains(key) && !ctx.keys.of(db).contains(key);
    let entry = if is_free { ctx.keys.remove(key) } else { None };
    let moved = entry.is_some();
    if let Some(entry) = entry {
        ctx.keys.of(db).put(entry);
        ctx.notify(Class::Generic, "move_from", key);
        ctx.keys.of(db).notify(Class::Generic, "move_to", key);
        ctx.changed();
    }
    ctx.reply.flag(moved);
    Ok(Flow::Done)
}
