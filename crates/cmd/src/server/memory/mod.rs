//! `MEMORY DOCTOR | HELP | MALLOC-STATS | PURGE | STATS | USAGE`

mod doctor;
mod malloc_stats;
mod purge;
mod stats;
mod usage;

use crate::help::reply_help;
use crate::{Command, ControlCtx, Flow, Outcome, Run};
use vesta_spec::{Arity, Flags, Group, Spec};

/// `MEMORY`: what memory is used for.
pub(super) const MEMORY: Command = Command {
    spec: Spec {
        name: "memory",
        arity: Arity::AtLeast(2),
        complexity: "Depends on the sub-command",
        summary: "Holds the commands about memory.",
        ..COMMON
    },
    run: Run::Container(&[
        doctor::DOCTOR,
        HELP,
        malloc_stats::MALLOC_STATS,
        purge::PURGE,
        stats::STATS,
        usage::USAGE,
    ]),
};

/// What the sub-commands have in common.
const COMMON: Spec = Spec { group: Group::Server, since: "4.0.0", ..Spec::EMPTY };

/// Tips of those that tell about one server only.
const PER_SERVER: &[&str] =
    &["nondeterministic_output", "request_policy:all_shards", "response_policy:special"];

const HELP: Command = Command {
    spec: Spec {
        name: "help",
        arity: Arity::Exactly(2),
        flags: Flags::LOADING.and(Flags::STALE),
        summary: "Explains the sub-commands.",
        ..COMMON
    },
    run: Run::Control(help),
};

fn help(ctx: &mut ControlCtx<'_>) -> Outcome {
    const LINES: &[&str] = &[
        "DOCTOR",
        "    Looks for trouble with memory and tells what it found.",
        "MALLOC-STATS",
        "    Tells what the allocator has handed out.",
        "PURGE",
        "    Gives free memory back to the system.",
        "STATS",
        "    Tells what memory is used for.",
        "USAGE <key> [SAMPLES <count>]",
        "    Tells the bytes that a key and its value take. Of nested values <count>",
        "    are looked at (default: 5, 0 means all).",
    ];
    reply_help(&mut ctx.reply, "MEMORY", LINES);
    Ok(Flow::Done)
}
