//! `COMMAND GETKEYS command [arg...]` and `COMMAND GETKEYSANDFLAGS command [arg...]`

use super::{COMMON, reply_flags};
use crate::{Command, ControlCtx, Flow, Outcome, ReplyError, Run};
use alloc::vec::Vec;
use vesta_spec::{Arity, Flags, KEY_FLAG_NAMES, KeyPosition, Spec, positions};

/// `COMMAND GETKEYS command [arg...]`: the keys in a request.
pub(super) const GETKEYS: Command = Command {
    spec: Spec {
        name: "getkeys",
        arity: Arity::AtLeast(3),
        complexity: "O(N) in the number of arguments",
        summary: "Tells the keys in a request.",
        syntax: "command [arg...]",
        ..COMMON
    },
    run: Run::Control(getkeys),
};

/// `COMMAND GETKEYSANDFLAGS command [arg...]`: the keys in a request and what happens to each.
pub(super) const GETKEYSANDFLAGS: Command = Command {
    spec: Spec {
        name: "getkeysandflags",
        since: "7.0.0",
        summary: "Tells the keys in a request and what happens to each.",
        ..GETKEYS.spec
    },
    run: Run::Control(getkeysandflags),
};

fn getkeys(ctx: &mut ControlCtx<'_>) -> Outcome {
    let places = places(ctx)?;
    ctx.reply.array(places.len());
    for place in places {
        ctx.reply.bulk(ctx.request.arg(place.index + 2));
    }
    Ok(Flow::Done)
}

fn getkeysandflags(ctx: &mut ControlCtx<'_>) -> Outcome {
    let places = places(ctx)?;
    ctx.reply.array(places.len());
    for place in places {
        ctx.reply.array(2);
        ctx.reply.bulk(ctx.request.arg(place.index + 2));
        reply_flags(&mut ctx.reply, KEY_FLAG_NAMES, |flag| place.flags.has(flag));
    }
    Ok(Flow::Done)
}

/// Where the keys of the request that follows the sub-command's name are.
fn places(ctx: &ControlCtx<'_>) -> Result<Vec<KeyPosition>, ReplyError> {
    const UNKNOWN: ReplyError = ReplyError::text("Invalid command specified");
    const NO_KEYS: ReplyError = ReplyError::text("The command has no key arguments");
    let len = ctx.request.len() - 2;
    let name = ctx.arg(2);
    let second = (len > 1).then(|| ctx.arg(3));
    let spec = match (ctx.commands.find(name, second), second) {
        (Ok(Some(found)), _) => &found.command.spec,
        // A container without a sub-command has no keys.
        (Err(_), None) => return Err(NO_KEYS),
        (Ok(None) | Err(_), _) => return Err(UNKNOWN),
    };
    if spec.keys.is_empty() {
        return Err(NO_KEYS);
    }
    if !spec.arity.accepts(len) {
        return Err(ReplyError::text("Invalid number of arguments specified for command"));
    }
    match positions(spec, len, |index| ctx.arg(index + 2)) {
        Ok(places) if !places.is_empty() => Ok(places),
        Ok(_) | Err(_) if spec.flags.has(Flags::NO_MANDATORY_KEYS) => Ok(Vec::new()),
        Ok(_) | Err(_) => Err(ReplyError::text("Invalid arguments specified for command")),
    }
}
