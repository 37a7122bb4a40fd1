//! `OBJECT HELP`

use crate::help::reply_help;
use crate::{Command, Flow, Outcome, ReadCtx, Run};
use vesta_spec::{Arity, Categories, Flags, Group, Spec};

/// `OBJECT HELP`: what the subcommands are.
pub(super) const HELP: Command = Command {
    spec: Spec {
        name: "help",
        arity: Arity::Exactly(2),
        flags: Flags::LOADING.and(Flags::STALE),
        categories: Categories::KEYSPACE,
        group: Group::Generic,
        since: "6.2.0",
        summary: "Lists the subcommands.",
        ..Spec::EMPTY
    },
    run: Run::Read(print),
};

fn print(ctx: &mut ReadCtx<'_>) -> Outcome {
    reply_help(
        &mut ctx.reply,
        "OBJECT",
        &[
            "ENCODING <key>",
            "    Tell in which internal encoding the value of <key> is kept.",
            "FREQ <key>",
            "    Tell how often <key> is used, as a counter that grows with the logarithm.",
            "    Needs an LFU maxmemory-policy.",
            "IDLETIME <key>",
            "    Tell how many seconds ago <key> was last used.",
            "    Needs a maxmemory-policy other than LFU.",
            "REFCOUNT <key>",
            "    Tell how many references there are to the value of <key>.",
        ],
    );
    Ok(Flow::Done)
}
