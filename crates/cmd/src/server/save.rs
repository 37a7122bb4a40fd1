//! `SAVE`, `BGSAVE [SCHEDULE]` and `LASTSAVE`

use crate::{Command, ControlCtx, Flow, Outcome, ReplyError, Run};
use vesta_spec::{Arity, Categories, Flags, Group, Spec};

/// `SAVE`: writes all data to the disk. The client waits for it, others are served.
///
/// Redis serves nobody meanwhile. Here the file holds the data as it was when the command ran,
/// whatever is changed until it is written.
pub(super) const SAVE: Command = Command {
    spec: Spec {
        name: "save",
        arity: Arity::Exactly(1),
        flags: Flags::ADMIN.and(Flags::NOSCRIPT).and(Flags::NO_ASYNC_LOADING).and(Flags::NO_MULTI),
        group: Group::Server,
        complexity: "O(N) in the number of keys of all databases",
        summary: "Writes all data to the disk and waits until it is there.",
        ..Spec::EMPTY
    },
    run: Run::Control(save),
};

/// `BGSAVE [SCHEDULE]`: begins to write all data to the disk.
///
/// Nothing else can be under way that it would have to wait for, so that SCHEDULE changes nothing.
pub(super) const BGSAVE: Command = Command {
    spec: Spec {
        name: "bgsave",
        arity: Arity::AtLeast(1),
        flags: Flags::ADMIN.and(Flags::NOSCRIPT).and(Flags::NO_ASYNC_LOADING),
        complexity: "O(1)",
        summary: "Begins to write all data to the disk.",
        syntax: "[SCHEDULE]",
        history: &[("3.2.2", "Added the `SCHEDULE` option.")],
        ..SAVE.spec
    },
    run: Run::Control(bgsave),
};

/// `LASTSAVE`: when the data was last written to the disk; at first, when the server started.
pub(super) const LASTSAVE: Command = Command {
    spec: Spec {
        name: "lastsave",
        arity: Arity::Exactly(1),
        flags: Flags::LOADING.and(Flags::STALE).and(Flags::FAST),
        categories: Categories::ADMIN.and(Categories::DANGEROUS),
        complexity: "O(1)",
        summary: "Tells when the data was last written to the disk, in seconds since 1970.",
        tips: &["nondeterministic_output"],
        ..SAVE.spec
    },
    run: Run::Control(lastsave),
};

fn save(ctx: &mut ControlCtx<'_>) -> Outcome {
    let changes = ctx.propagation.changes();
    ctx.host.save(ctx.keys.store(), changes)
}

fn bgsave(ctx: &mut ControlCtx<'_>) -> Outcome {
    let mut cursor = ctx.cursor(1);
    if !(cursor.is_done() || cursor.take("schedule") && cursor.is_done()) {
        return Err(ReplyError::Syntax);
    }
    let changes = ctx.propagation.changes();
    ctx.host.save_in_background(ctx.keys.store(), changes)?;
    ctx.reply.simple("Background saving started");
    Ok(Flow::Done)
}

fn lastsave(ctx: &mut ControlCtx<'_>) -> Outcome {
    ctx.reply.int(i64::try_from(ctx.host.last_save_s()).unwrap_or(i64::MAX));
    Ok(Flow::Done)
}
