//! `CONFIG GET | SET | RESETSTAT | REWRITE | HELP`

mod get;
mod resetstat;
mod rewrite;
mod set;

use crate::help::reply_help;
use crate::{Command, ControlCtx, Flow, Outcome, Run};
use vesta_spec::{Arity, Flags, Group, Spec};

/// `CONFIG`: the settings.
pub(super) const CONFIG: Command = Command {
    spec: Spec {
        name: "config",
        arity: Arity::AtLeast(2),
        group: Group::Server,
        since: "2.0.0",
        complexity: "Depends on the sub-command",
        summary: "Holds the commands about settings.",
        ..Spec::EMPTY
    },
    run: Run::Container(&[get::GET, HELP, resetstat::RESETSTAT, rewrite::REWRITE, set::SET]),
};

/// What the sub-commands for operators have in common.
const OPERATORS: Spec = Spec {
    flags: Flags::ADMIN.and(Flags::NOSCRIPT).and(Flags::LOADING).and(Flags::STALE),
    group: Group::Server,
    since: "2.0.0",
    ..Spec::EMPTY
};

const HELP: Command = Command {
    spec: Spec {
        name: "help",
        arity: Arity::Exactly(2),
        flags: Flags::LOADING.and(Flags::STALE),
        group: Group::Server,
        since: "5.0.0",
        summary: "Explains the sub-commands.",
        ..Spec::EMPTY
    },
    run: Run::Control(help),
};

fn help(ctx: &mut ControlCtx<'_>) -> Outcome {
    const LINES: &[&str] = &[
        "GET <pattern>",
        "    Tells the options whose names match, with their values.",
        "SET <directive> <value>",
        "    Changes an option at run time.",
        "RESETSTAT",
        "    Counts from zero what INFO shows.",
        "REWRITE",
        "    Writes the present settings to the configuration file.",
    ];
    reply_help(&mut ctx.reply, "CONFIG", LINES);
    Ok(Flow::Done)
}
