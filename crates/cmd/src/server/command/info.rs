//! `COMMAND INFO [command-name...]`, and what it tells of one command.

use super::{COMMON, full_name, reply_flags};
use crate::{Command, ControlCtx, Flow, Outcome, Run};
use alloc::format;
use vesta_resp::Reply;
use vesta_spec::{
    Arity, BeginSearch, CATEGORIES, FLAG_NAMES, FindKeys, KEY_FLAG_NAMES, KeySpec, LegacyRange,
    Spec,
};

/// `COMMAND INFO [command-name...]`: the facts of commands, null for those that are not there.
pub(super) const INFO: Command = Command {
    spec: Spec {
        name: "info",
        arity: Arity::AtLeast(2),
        complexity: "O(N) in the number of commands asked for",
        summary: "Tells the facts of some commands, or of all.",
        syntax: "[command-name...]",
        tips: &["nondeterministic_output_order"],
        history: &[("7.0.0", "May be called without names, for all commands.")],
        ..COMMON
    },
    run: Run::Control(info),
};

/// The facts of all commands.
pub(super) fn all(ctx: &mut ControlCtx<'_>) -> Outcome {
    let commands = ctx.commands.iter();
    ctx.reply.array(commands.len());
    for (_, command) in commands {
        reply_command(&mut ctx.reply, None, command);
    }
    Ok(Flow::Done)
}

fn info(ctx: &mut ControlCtx<'_>) -> Outcome {
    if ctx.request.len() == 2 {
        return all(ctx);
    }
    ctx.reply.array(ctx.request.len() - 2);
    for name in ctx.request.args_from(2) {
        match ctx.commands.find_full(name) {
            Some((container, command)) => reply_command(&mut ctx.reply, container, command),
            None => ctx.reply.null(),
        }
    }
    Ok(Flow::Done)
}

/// The ten facts of a command; its sub-commands come last, each as the same ten.
fn reply_command(reply: &mut Reply<'_>, container: Option<&Command>, command: &Command) {
    let spec = &command.spec;
    let range = LegacyRange::of(spec.keys);
    reply.array(10);
    reply.text(&full_name(container, command));
    reply.int(spec.arity.number());
    reply_flags(reply, FLAG_NAMES, |flag| spec.flags.has(flag));
    reply.int(range.first);
    reply.int(range.last);
    reply.int(range.step);
    reply_categories(reply, spec);
    reply.set(spec.tips.len());
    for tip in spec.tips {
        reply.text(tip);
    }
    reply.set(spec.keys.len());
    for keys in spec.keys {
        reply_key_spec(reply, keys);
    }
    reply.set(command.within().len());
    for sub in command.within() {
        reply_command(reply, Some(command), sub);
    }
}

fn reply_categories(reply: &mut Reply<'_>, spec: &Spec) {
    let all = spec.acl_categories();
    let names = CATEGORIES.iter().filter(|(category, _)| all.has(*category));
    reply.set(names.clone().count());
    for (_, name) in names {
        reply.simple(&format!("@{name}"));
    }
}

fn reply_key_spec(reply: &mut Reply<'_>, keys: &KeySpec) {
    reply.map(if keys.notes.is_empty() { 3 } else { 4 });
    if !keys.notes.is_empty() {
        reply.text("notes");
        reply.text(keys.notes);
    }
    reply.text("flags");
    reply_flags(reply, KEY_FLAG_NAMES, |flag| keys.flags.has(flag));
    reply.text("begin_search");
    match keys.begin {
        BeginSearch::Index(index) => reply_step(reply, "index", &[("index", index.into())]),
        BeginSearch::Keyword { keyword, from } => {
            step_header(reply, "keyword", 2);
            reply.text("keyword");
            reply.text(keyword);
            reply.text("startfrom");
            reply.int(from.into());
        }
        BeginSearch::Option { .. } | BeginSearch::Unknown => {
            step_header(reply, "unknown", 0);
            reply.text("find_keys");
            return step_header(reply, "unknown", 0);
        }
    }
    reply.text("find_keys");
    match keys.find {
        FindKeys::Range { last, step, limit } => reply_step(
            reply,
            "range",
            &[("lastkey", last.into()), ("keystep", step.into()), ("limit", limit.into())],
        ),
        FindKeys::Count { count_at, first, step } => reply_step(
            reply,
            "keynum",
            &[("keynumidx", count_at.into()), ("firstkey", first.into()), ("keystep", step.into())],
        ),
    }
}

fn reply_step(reply: &mut Reply<'_>, kind: &str, numbers: &[(&str, i64)]) {
    step_header(reply, kind, numbers.len());
    for (name, number) in numbers {
        reply.text(name);
        reply.int(*number);
    }
}

/// A step of a key search up to its `fields` fields, which follow.
fn step_header(reply: &mut Reply<'_>, kind: &str, fields: usize) {
    reply.map(2);
    reply.text("type");
    reply.text(kind);
    reply.text("spec");
    reply.map(fields);
}
