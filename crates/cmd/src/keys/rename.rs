//! `RENAME key newkey` and `RENAMENX key newkey`

use crate::{Class, Command, Flow, Outcome, ReplyError, Run, WriteCtx};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};

const SOURCE: KeySpec = KeySpec::one(1, KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::DELETE));

/// `RENAME key newkey`: gives a key another name, in place of the key that had it.
pub(super) const RENAME: Command = Command {
    spec: Spec {
        name: "rename",
        arity: Arity::Exactly(3),
        flags: Flags::WRITE,
        categories: Categories::KEYSPACE,
        keys: &[SOURCE, KeySpec::one(2, KeyFlags::OW.and(KeyFlags::UPDATE))],
        group: Group::Generic,
        summary: "Renames a key and overwrites the one that had the new name.",
        syntax: "key newkey:key",
        ..Spec::EMPTY
    },
    run: Run::Write(rename),
};

/// `RENAMENX key newkey`: gives a key another name if that name is free; whether it was.
pub(super) const RENAMENX: Command = Command {
    spec: Spec {
        name: "renamenx",
        flags: Flags::WRITE.and(Flags::FAST),
        keys: &[SOURCE, KeySpec::one(2, KeyFlags::OW.and(KeyFlags::INSERT))],
        summary: "Renames a key if the new name is free.",
        history: &[("3.2.0", "Renaming a key to its own name is no longer an error.")],
        ..RENAME.spec
    },
    run: Run::Write(renamenx),
};

fn rename(ctx: &mut WriteCtx<'_>) -> Outcome {
    give_name(ctx, true)?;
    ctx.reply.ok();
    Ok(Flow::Done)
}

fn renamenx(ctx: &mut WriteCtx<'_>) -> Outcome {
    let renamed = give_name(ctx, false)?;
    ctx.reply.flag(renamed);
    Ok(Flow::Done)
}

/// Gives the key its new name, if that is free or may be taken from another; whether it did.
fn give_name(ctx: &mut WriteCtx<'_>, replace: bool) -> Result<bool, ReplyError> {
    let (from, to) = (ctx.arg(1), ctx.arg(2));
    if ctx.keys.look(from).is_none() {
        return Err(ReplyError::NoSuchKey);
    }
    // An expired key in the way is deleted by looking.
    if from == to || (ctx.keys.contains(to) && !replace) {
        return Ok(false);
    }
    let mut entry = ctx.keys.remove(from).expect("the key was there a moment ago");
    entry.rename(to);
    ctx.keys.put(entry);
    ctx.notify(Class::Generic, "rename_from", from);
    ctx.notify(Class::Generic, "rename_to", to);
    ctx.changed();
    Ok(true)
}
