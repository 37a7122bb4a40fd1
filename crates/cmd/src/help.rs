//! The replies of HELP sub-commands.

use vesta_resp::Reply;

/// Replies with the usage of a container (`name` in upper case), a line each: a sub-command with
/// its arguments, then what it does, indented by four blanks.
pub(crate) fn reply_help(reply: &mut Reply<'_>, name: &str, lines: &[&str]) {
    reply.array(lines.len() + 3);
    let first = alloc::format!("{name} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
    reply.simple(&first);
    for line in lines {
        reply.simple(line);
    }
    reply.simple("HELP");
    reply.simple("    Print this help.");
}
