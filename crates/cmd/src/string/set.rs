//! `SET key value [NX | XX] [GET] [EX | PX | EXAT | PXAT time | KEEPTTL]`

use crate::keys::deadline::{self, Expiry};
use crate::string::get::reply_value;
use crate::{Command, Flow, Outcome, ReplyError, Run, WriteCtx};
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::Deadline;

/// `SET key value [options]`: sets a string, whatever the key held.
///
/// Replicates with an absolute expiry (`PXAT`), since a relative one would shift.
pub(super) const SET: Command = Command {
    spec: Spec {
        name: "set",
        arity: Arity::AtLeast(3),
        flags: Flags::WRITE.and(Flags::DENYOOM),
        categories: Categories::STRING,
        keys: &[KeySpec::one(
            1,
            KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::UPDATE).and(KeyFlags::VARIABLE_FLAGS),
        )],
        group: Group::String,
        summary: "Sets a key to a string, with conditions and an expiry if wanted.",
        syntax: "key value [condition=<NX | XX>] [GET] [expiration=<EX seconds:integer | \
                 PX milliseconds:integer | EXAT unix-time-seconds:unix-time | \
                 PXAT unix-time-milliseconds:unix-time | KEEPTTL>]",
        history: &[
            ("2.6.12", "Added the `EX`, `PX`, `NX` and `XX` options."),
            ("6.0.0", "Added the `KEEPTTL` option."),
            ("6.2.0", "Added the `GET`, `EXAT` and `PXAT` options."),
            ("7.0.0", "Allowed `NX` and `GET` together."),
        ],
        ..Spec::EMPTY
    },
    run: Run::Write(set),
};

/// When SET sets.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Condition {
    Always,
    IfAbsent,
    IfPresent,
}

struct Options {
    condition: Condition,
    get: bool,
    expiry: Expiry,
}

fn set(ctx: &mut WriteCtx<'_>) -> Outcome {
    let key = ctx.request.arg(1);
    if ctx.request.len() == 3 {
        let value = ctx.value(2);
        ctx.keys.set(key, value, Deadline::Never);
        ctx.changed();
        ctx.reply.ok();
        return Ok(Flow::Done);
    }
    let options = parse(ctx)?;
    let deadline = options.expiry.deadline();
    if options.get {
        let old = ctx.keys.look_string(key)?;
        reply_value(&mut ctx.reply, old);
    }
    let met = match options.condition {
        Condition::Always => true,
        Condition::IfAbsent => !ctx.keys.contains(key),
        Condition::IfPresent => ctx.keys.contains(key),
    };
    if !met {
        if !options.get {
            ctx.reply.null();
        }
        return Ok(Flow::Done);
    }
    let value = ctx.value(2);
    ctx.keys.set(key, value, deadline);
    match deadline {
        Deadline::At(at) => deadline::changed_as_set(ctx, key, ctx.request.arg(2), at),
        Deadline::Keep | Deadline::Never => ctx.changed(),
    }
    if !options.get {
        ctx.reply.ok();
    }
    Ok(Flow::Done)
}

fn parse(ctx: &WriteCtx<'_>) -> Result<Options, ReplyError> {
    let mut options = Options { condition: Condition::Always, get: false, expiry: Expiry::Unsaid };
    let mut cursor = ctx.cursor(3);
    while !cursor.is_done() {
        if cursor.take("nx") && options.condition != Condition::IfPresent {
            options.condition = Condition::IfAbsent;
        } else if cursor.take("xx") && options.condition != Condition::IfAbsent {
            options.condition = Condition::IfPresent;
        } else if cursor.take("get") {
            options.get = true;
        } else if cursor.take("keepttl") && options.expiry == Expiry::Unsaid {
            options.expiry = Expiry::Keep;
        } else if options.expiry == Expiry::Unsaid {
            options.expiry = Expiry::parse(&mut cursor, ctx.now, "set")?;
        } else {
            return Err(ReplyError::Syntax);
        }
    }
    Ok(options)
}
