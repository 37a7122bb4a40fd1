//! `XGROUP HELP`

use super::super::STREAM;
use crate::help::reply_help;
use crate::{Command, Flow, Outcome, ReadCtx, Run};
use vesta_spec::{Arity, Flags, Spec};

/// `XGROUP HELP`: what the subcommands are.
pub(super) const HELP: Command = Command {
    spec: Spec {
        name: "help",
        arity: Arity::Exactly(2),
        flags: Flags::LOADING.and(Flags::STALE),
        summary: "Lists the subcommands.",
        ..STREAM
    },
    run: Run::Read(print),
};

fn print(ctx: &mut ReadCtx<'_>) -> Outcome {
    reply_help(
        &mut ctx.reply,
        "XGROUP",
        &[
            "CREATE <key> <group> <id|$> [MKSTREAM] [ENTRIESREAD <entries-read>]",
            "    Create a group that has read up to <id>, or up to the last entry. Options:",
            "    * MKSTREAM",
            "      Make an empty stream if there is no key.",
            "    * ENTRIESREAD <entries-read>",
            "      Set how many entries the group has read (for tools).",
            "CREATECONSUMER <key> <group> <consumer>",
            "    Create a consumer in a group.",
            "DELCONSUMER <key> <group> <consumer>",
            "    Remove a consumer and what is pending with it.",
            "DESTROY <key> <group>",
            "    Remove a group.",
            "SETID <key> <group> <id|$> [ENTRIESREAD <entries-read>]",
            "    Set up to where a group has read.",
        ],
    );
    Ok(Flow::Done)
}
