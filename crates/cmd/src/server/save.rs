//! `SAVE`, `BGSAVE [SCHEDULE]`, `BGREWRITEAOF` and `LASTSAVE`

use crate::host::Begun;
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

/// `BGSAVE [SCHEDULE]`: begins to write all data to the disk. SCHEDULE: while the log is rewritten,
/// it begins after that; otherwise it is refused then.
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

/// `BGREWRITEAOF`: begins to rewrite the log, so that it holds no more than makes the data. While
/// the data is being saved, it begins after that.
pub(super) const BGREWRITEAOF: Command = Command {
    spec: Spec {
        name: "bgrewriteaof",
        arity: Arity::Exactly(1),
        summary: "Begins to rewrite the append-only file.",
        syntax: "",
        history: &[],
        ..BGSAVE.spec
    },
    run: Run::Control(bgrewriteaof),
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
    let point = ctx.propagation.point();
    ctx.host.save(ctx.keys.store(), point)
}

fn bgsave(ctx: &mut ControlCtx<'_>) -> Outcome {
    let mut cursor = ctx.cursor(1);
    let schedule = cursor.take("schedule");
    if !cursor.is_done() {
        return Err(ReplyError::Syntax);
    }
    let point = ctx.propagation.point();
    ctx.reply.simple(match ctx.host.save_in_background(ctx.keys.store(), point, schedule)? {
        Begun::Now => "Background saving started",
        Begun::Later => "Background saving scheduled",
    });
    Ok(Flow::Done)
}

fn bgrewriteaof(ctx: &mut ControlCtx<'_>) -> Outcome {
    let flow = ctx.host.rewrite_log()?;
    if flow == Flow::Done {
        ctx.reply.simple("Background append only file rewriting scheduled");
    }
    Ok(flow)
}

fn lastsave(ctx: &mut ControlCtx<'_>) -> Outcome {
    ctx.reply.int(i64::try_from(ctx.host.last_save_s()).unwrap_or(i64::MAX));
    Ok(Flow::Done)
}
