//! `COPY source destination [DB destination-db] [REPLACE]`

use super::database;
use crate::{Class, Command, Flow, Outcome, ReplyError, Run, WriteCtx};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};

/// `COPY source destination [DB destination-db] [REPLACE]`: another key with the same value.
///
/// The expiry is copied too. A large value is shared until one of the keys is changed.
pub(super) const COPY: Command = Command {
    spec: Spec {
        name: "copy",
        arity: Arity::AtLeast(3),
        flags: Flags::WRITE.and(Flags::DENYOOM),
        categories: Categories::KEYSPACE,
        keys: &[
            KeySpec::one(1, KeyFlags::RO.and(KeyFlags::ACCESS)),
            KeySpec::one(2, KeyFlags::OW.and(KeyFlags::UPDATE)),
        ],
        group: Group::Generic,
        since: "6.2.0",
        complexity: "O(1) for strings, O(N) in the number of elements for other types",
        summary: "Copies the value and the expiry of a key to another key.",
        syntax: "source:key destination:key [DB destination-db:integer] [REPLACE]",
        ..Spec::EMPTY
    },
    run: Run::Write(copy),
};

fn copy(ctx: &mut WriteCtx<'_>) -> Outcome {
    let (from, to) = (ctx.arg(1), ctx.arg(2));
    let databases = ctx.keys.store().databases();
    let (mut db, mut replace) = (ctx.keys.db_index(), false);
    let mut cursor = ctx.cursor(3);
    while !cursor.is_done() {
        if cursor.take("replace") {
            replace = true;
        } else if cursor.take("db") {
            db = database::parse(cursor.need()?, databases)?;
        } else {
            return Err(ReplyError::Syntax);
        }
    }
    if db == ctx.keys.db_index() && from == to {
        return Err(ReplyError::SameObject);
    }
    let twin = ctx.keys.duplicate(from, to);
    let copied = match twin {
        // An expired key at the destination is deleted by looking, before it is replaced.
        Some(twin) if !ctx.keys.of(db).contains(to) || replace => {
            ctx.keys.of(db).put(twin);
            ctx.keys.of(db).notify(Class::Generic, "copy_to", to);
            ctx.changed();
            true
        }
        Some(_) | None => false,
    };
    ctx.reply.flag(copied);
    Ok(Flow::Done)
}
