//! The replies of HELP sub-commands, and the error that points to them.

use crate::ReplyError;
use alloc::format;
use vesta_resp::{Reply, Request};
use vesta_types::ascii;

/// Bytes of the sub-command that the error shows, at most.
const SHOWN_BYTES: usize = 128;

/// The error about a sub-command that is none, or has not such arguments. It shows the words of
/// the request, the sub-command up to its first zero byte. Source: redis-server 7.0.15.
pub(crate) fn misused(request: Request<'_>) -> ReplyError {
    let container = ascii::lossy(request.arg(0)).to_ascii_uppercase();
    let sub = request.arg(1).split(|byte| *byte == 0).next().unwrap_or_default();
    let sub = ascii::lossy(sub.get(..SHOWN_BYTES).unwrap_or(sub));
    let text = format!(
        "unknown subcommand or wrong number of arguments for '{sub}'. Try {container} HELP."
    );
    ReplyError::Generic(text.into())
}

/// Replies with the usage of a container (`name` in upper case), a line each: a sub-command with
/// its arguments, then what it does, indented by four blanks.
pub(crate) fn reply_help(reply: &mut Reply<'_>, name: &str, lines: &[&str]) {
    reply.array(lines.len() + 3);
    let first = format!("{name} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
    reply.simple(&first);
    for line in lines {
        reply.simple(line);
    }
    reply.simple("HELP");
    reply.simple("    Print this help.");
}
