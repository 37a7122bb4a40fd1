//! `COMMAND DOCS [command-name...]`

use super::{COMMON, full_name};
use crate::{Command, ControlCtx, Flow, Outcome, Run};
use alloc::vec::Vec;
use vesta_resp::Reply;
use vesta_spec::syntax::{self, Argument, Kind};
use vesta_spec::{Arity, Spec};

/// `COMMAND DOCS [command-name...]`: documentation; names that are no command are passed over.
pub(super) const DOCS: Command = Command {
    spec: Spec {
        name: "docs",
        arity: Arity::AtLeast(2),
        since: "7.0.0",
        complexity: "O(N) in the number of commands asked for",
        summary: "Tells the documentation of some commands, or of all.",
        syntax: "[command-name...]",
        tips: &["nondeterministic_output_order"],
        ..COMMON
    },
    run: Run::Control(docs),
};

fn docs(ctx: &mut ControlCtx<'_>) -> Outcome {
    let found: Vec<(Option<&Command>, &Command)> = if ctx.request.len() == 2 {
        ctx.commands.iter().map(|(_, command)| (None, command)).collect()
    } else {
        let names = ctx.request.args_from(2);
        names.filter_map(|name| ctx.commands.find_full(name)).collect()
    };
    reply_all(&mut ctx.reply, &found);
    Ok(Flow::Done)
}

fn reply_all(reply: &mut Reply<'_>, commands: &[(Option<&Command>, &Command)]) {
    reply.map(commands.len());
    for (container, command) in commands {
        reply.text(&full_name(*container, command));
        reply_command(reply, command);
    }
}

fn reply_command(reply: &mut Reply<'_>, command: &Command) {
    let spec = &command.spec;
    let arguments =
        syntax::parse(spec.syntax).expect("a test reads the syntax line of every command");
    let flags: Vec<&str> = [("deprecated", spec.deprecated.is_some()), ("syscmd", spec.internal)]
        .into_iter()
        .filter_map(|(name, is_set)| is_set.then_some(name))
        .collect();
    let optional = [
        !spec.complexity.is_empty(),
        !flags.is_empty(),
        spec.deprecated.is_some(),
        spec.deprecated.is_some(),
        !spec.history.is_empty(),
        !arguments.is_empty(),
        !command.within().is_empty(),
    ];
    reply.map(3 + optional.into_iter().filter(|given| *given).count());
    text_field(reply, "summary", spec.summary);
    text_field(reply, "since", spec.since);
    text_field(reply, "group", spec.group.name());
    if !spec.complexity.is_empty() {
        text_field(reply, "complexity", spec.complexity);
    }
    if !flags.is_empty() {
        reply.text("doc_flags");
        reply.set(flags.len());
        flags.iter().for_each(|flag| reply.simple(flag));
    }
    if let Some(deprecated) = spec.deprecated {
        text_field(reply, "deprecated_since", deprecated.since);
        text_field(reply, "replaced_by", deprecated.replaced_by);
    }
    if !spec.history.is_empty() {
        reply.text("history");
        reply.set(spec.history.len());
        for (version, change) in spec.history {
            reply.array(2);
            reply.text(version);
            reply.text(change);
        }
    }
    if !arguments.is_empty() {
        reply.text("arguments");
        reply_arguments(reply, &arguments, &mut KeyNumbers { specs: spec.keys.len(), next: 0 });
    }
    if !command.within().is_empty() {
        reply.text("subcommands");
        let within: Vec<_> = command.within().iter().map(|sub| (Some(command), sub)).collect();
        reply_all(reply, &within);
    }
}

/// Numbers the key arguments after the key specs: one after the other, the last spec taking all
/// that are left.
struct KeyNumbers {
    specs: usize,
    next: usize,
}

impl KeyNumbers {
    fn take(&mut self) -> Option<usize> {
        let last = self.specs.checked_sub(1)?;
        let number = self.next.min(last);
        self.next += 1;
        Some(number)
    }
}

fn reply_arguments(reply: &mut Reply<'_>, arguments: &[Argument], keys: &mut KeyNumbers) {
    reply.array(arguments.len());
    for argument in arguments {
        reply_argument(reply, argument, keys);
    }
}

fn reply_argument(reply: &mut Reply<'_>, argument: &Argument, keys: &mut KeyNumbers) {
    let is_leaf = !matches!(argument.kind, Kind::OneOf | Kind::Block);
    let key_number = if argument.kind == Kind::Key { keys.take() } else { None };
    let flags: Vec<&str> = [
        ("optional", argument.optional),
        ("multiple", argument.multiple),
        ("multiple_token", argument.multiple_token),
    ]
    .into_iter()
    .filter_map(|(name, is_set)| is_set.then_some(name))
    .collect();
    let optional = [
        is_leaf,
        key_number.is_some(),
        argument.token.is_some(),
        !flags.is_empty(),
        !argument.within.is_empty(),
    ];
    reply.map(2 + optional.into_iter().filter(|given| *given).count());
    text_field(reply, "name", &argument.name);
    text_field(reply, "type", argument.kind.name());
    if is_leaf {
        text_field(reply, "display_text", &argument.name);
    }
    if let Some(number) = key_number {
        reply.text("key_spec_index");
        reply.count(number);
    }
    if let Some(token) = &argument.token {
        text_field(reply, "token", token);
    }
    if !flags.is_empty() {
        reply.text("flags");
        reply.set(flags.len());
        flags.iter().for_each(|flag| reply.simple(flag));
    }
    if !argument.within.is_empty() {
        reply.text("arguments");
        reply_arguments(reply, &argument.within, keys);
    }
}

fn text_field(reply: &mut Reply<'_>, name: &str, text: &str) {
    reply.text(name);
    reply.text(text);
}
