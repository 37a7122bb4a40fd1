//! `XINFO HELP`

use super::super::STREAM;
use crate::help::reply_help;
use crate::{Command, Flow, Outcome, ReadCtx, Run};
use vesta_spec::{Arity, Flags, Spec};

/// `XINFO HELP`: what the subcommands are.
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
        "XINFO",
        &[
            "CONSUMERS <key> <group>",
            "    List the consumers of a group.",
            "GROUPS <key>",
            "    List the groups of a stream.",
            "STREAM <key> [FULL [COUNT <count>]]",
            "    Tell about a stream; with FULL also its first entries, its groups and what is",
            "    pending.",
        ],
    );
    Ok(Flow::Done)
}
