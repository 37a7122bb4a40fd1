//! `CLIENT SETINFO LIB-NAME name | LIB-VER version`

use super::{OWN, is_printable};
use crate::{Command, ControlCtx, Flow, Outcome, ReplyError, Run};
use alloc::format;
use vesta_spec::{Arity, Spec};
use vesta_types::ascii;

/// `CLIENT SETINFO`: which library, in which version, holds the connection.
pub(super) const SETINFO: Command = Command {
    spec: Spec {
        name: "setinfo",
        arity: Arity::Exactly(4),
        since: "7.2.0",
        summary: "Notes the name or version of the client's library.",
        syntax: "attr=<LIB-NAME libname | LIB-VER libver>",
        tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
        ..OWN
    },
    run: Run::Control(setinfo),
};

fn setinfo(ctx: &mut ControlCtx<'_>) -> Outcome {
    let (option, value) = (ctx.arg(2), ctx.arg(3));
    let session = ctx.host.session();
    let field = if ascii::is_word(option, "lib-name") {
        &mut session.lib_name
    } else if ascii::is_word(option, "lib-ver") {
        &mut session.lib_version
    } else {
        let text = format!("Unrecognized option '{}'", ascii::lossy(option));
        return Err(ReplyError::Generic(text.into()));
    };
    if !is_printable(value) {
        let text = format!(
            "{} cannot contain spaces, newlines or special characters.",
            ascii::lossy(option)
        );
        return Err(ReplyError::Generic(text.into()));
    }
    *field = value.into();
    ctx.reply.ok();
    Ok(Flow::Done)
}
