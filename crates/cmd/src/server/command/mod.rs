//! `COMMAND`, `COMMAND COUNT | DOCS | GETKEYS | GETKEYSANDFLAGS | HELP | INFO | LIST`
//!
//! Everything told here is derived from the specs.

mod count;
mod docs;
mod getkeys;
mod info;
mod list;

use crate::help::reply_help;
use crate::{Command, ControlCtx, Flow, Outcome, Run};
use alloc::format;
use alloc::string::{String, ToString};
use vesta_resp::Reply;
use vesta_spec::{Arity, Categories, Flags, Group, Spec};

/// `COMMAND`: what the server knows about its commands.
pub(super) const COMMAND: Command = Command {
    spec: Spec {
        name: "command",
        arity: Arity::AtLeast(1),
        complexity: "O(N) in the number of commands",
        summary: "Tells the facts of all commands.",
        tips: &["nondeterministic_output_order"],
        ..COMMON
    },
    run: Run::Branching {
        alone: info::all,
        within: &[
            count::COUNT,
            docs::DOCS,
            getkeys::GETKEYS,
            getkeys::GETKEYSANDFLAGS,
            HELP,
            info::INFO,
            list::LIST,
        ],
    },
};

/// What the sub-commands have in common.
const COMMON: Spec = Spec {
    flags: Flags::LOADING.and(Flags::STALE),
    categories: Categories::CONNECTION,
    group: Group::Server,
    since: "2.8.13",
    ..Spec::EMPTY
};

const HELP: Command = Command {
    spec: Spec {
        name: "help",
        arity: Arity::Exactly(2),
        since: "5.0.0",
        summary: "Explains the sub-commands.",
        ..COMMON
    },
    run: Run::Control(help),
};

fn help(ctx: &mut ControlCtx<'_>) -> Outcome {
    const LINES: &[&str] = &[
        "(no subcommand)",
        "    Tells the facts of all commands.",
        "COUNT",
        "    Tells how many commands there are.",
        "LIST",
        "    Tells the names of all commands.",
        "INFO [<command-name> ...]",
        "    Tells the facts of these commands, or of all.",
        "DOCS [<command-name> ...]",
        "    Tells the documentation of these commands, or of all.",
        "GETKEYS <full-command>",
        "    Tells the keys in a request.",
        "GETKEYSANDFLAGS <full-command>",
        "    Tells the keys in a request and what happens to each.",
    ];
    reply_help(&mut ctx.reply, "COMMAND", LINES);
    Ok(Flow::Done)
}

/// The name of a command, with that of its container in front (`config|get`).
fn full_name(container: Option<&Command>, command: &Command) -> String {
    match container {
        Some(container) => format!("{}|{}", container.spec.name, command.spec.name),
        None => command.spec.name.to_string(),
    }
}

/// Replies with a set of names, as simple strings, those whose flag `is_set`.
fn reply_flags<F: Copy>(
    reply: &mut Reply<'_>,
    named: &[(F, &'static str)],
    is_set: impl Fn(F) -> bool,
) {
    reply.set(named.iter().filter(|(flag, _)| is_set(*flag)).count());
    for (_, name) in named.iter().filter(|(flag, _)| is_set(*flag)) {
        reply.simple(name);
    }
}
