//! `DEBUG`: for tests of servers and clients. A directive of its own says who may use it.

mod digest;
mod object;
mod populate;
mod protocol;
mod reload;

use crate::help::{misused, reply_help};
use crate::{Command, ControlCtx, Flow, Outcome, ReplyError, Run};
use vesta_spec::{Arity, Flags, Group, Spec};
use vesta_types::{ascii, glob, number};

/// `DEBUG subcommand [argument...]`.
///
/// Its sub-commands are no commands of their own: COMMAND knows only the whole, and all mistakes
/// have one error.
pub(super) const DEBUG: Command = Command {
    spec: Spec {
        name: "debug",
        arity: Arity::AtLeast(2),
        flags: Flags::ADMIN
            .and(Flags::NOSCRIPT)
            .and(Flags::LOADING)
            .and(Flags::STALE)
            .and(Flags::PROTECTED),
        group: Group::Server,
        complexity: "Depends on the sub-command",
        summary: "Holds the commands for tests of the server.",
        internal: true,
        ..Spec::EMPTY
    },
    run: Run::Control(debug),
};

/// A sub-command: its name, how many arguments may follow it, and what it does.
type Sub = (&'static str, core::ops::RangeInclusive<usize>, fn(&mut ControlCtx<'_>) -> Outcome);

const ANY: usize = usize::MAX;

const SUBS: [Sub; 13] = [
    ("change-repl-id", 0..=0, change_repl_id),
    ("digest", 0..=0, digest::digest),
    ("digest-value", 0..=ANY, digest::digest_value),
    ("help", 0..=0, help),
    ("loadaof", 0..=ANY, reload::load_log),
    ("object", 1..=1, object::object),
    ("populate", 1..=3, populate::populate),
    ("protocol", 1..=1, protocol::protocol),
    ("reload", 0..=ANY, reload::reload),
    ("replybuffer", 2..=2, replybuffer),
    ("set-active-expire", 1..=1, set_active_expire),
    ("sleep", 1..=1, sleep),
    ("stringmatch-len", 2..=2, stringmatch_len),
];

fn debug(ctx: &mut ControlCtx<'_>) -> Outcome {
    let (name, more) = (ctx.arg(1), ctx.request.len() - 2);
    let sub =
        SUBS.iter().find(|(known, takes, _)| ascii::is_word(name, known) && takes.contains(&more));
    match sub {
        Some((_, _, run)) => run(ctx),
        None => Err(misused(ctx.request)),
    }
}

fn change_repl_id(ctx: &mut ControlCtx<'_>) -> Outcome {
    let id = ctx.host.change_repl_id();
    ctx.propagation.set_history(id);
    ctx.reply.ok();
    Ok(Flow::Done)
}

/// `DEBUG SET-ACTIVE-EXPIRE 0 | 1`; anything but a number counts as 0, as in Redis.
fn set_active_expire(ctx: &mut ControlCtx<'_>) -> Outcome {
    let active = number::parse_i64(ctx.arg(2)).is_some_and(|wanted| wanted != 0);
    ctx.host.set_active_expire(active);
    ctx.reply.ok();
    Ok(Flow::Done)
}

/// `DEBUG SLEEP seconds`; anything but a positive number counts as 0, as in Redis.
fn sleep(ctx: &mut ControlCtx<'_>) -> Outcome {
    let seconds = number::parse_f64(ctx.arg(2)).unwrap_or(0.0);
    // The conversion saturates at both ends.
    ctx.host.sleep((seconds * 1e6) as u64)
}

/// `DEBUG STRINGMATCH-LEN pattern text`: whether the pattern matches.
fn stringmatch_len(ctx: &mut ControlCtx<'_>) -> Outcome {
    ctx.reply.flag(glob::matches(ctx.arg(2), ctx.arg(3), false));
    Ok(Flow::Done)
}

/// `DEBUG REPLYBUFFER PEAK-RESET-TIME never|reset|ms` and `RESIZING 0|1` tune buffers of Redis.
/// Ours shrink by themselves, so the words are understood and nothing needs to change.
fn replybuffer(ctx: &mut ControlCtx<'_>) -> Outcome {
    let (what, value) = (ctx.arg(2), ctx.arg(3));
    if ascii::is_word(what, "peak-reset-time") {
        let is_word = ["never", "reset"].into_iter().any(|word| ascii::is_word(value, word));
        if !is_word && number::parse_i64(value).is_none() {
            return Err(ReplyError::NotInteger);
        }
    } else if !ascii::is_word(what, "resizing") {
        return Err(misused(ctx.request));
    }
    ctx.reply.ok();
    Ok(Flow::Done)
}

fn help(ctx: &mut ControlCtx<'_>) -> Outcome {
    const LINES: &[&str] = &[
        "CHANGE-REPL-ID",
        "    Gives the history of the data a new name.",
        "DIGEST",
        "    Tells a digest of all data, the same for the same data on every server.",
        "DIGEST-VALUE <key> [<key> ...]",
        "    Tells a digest of the value of each key.",
        "LOADAOF",
        "    Writes what is to be written to the AOF, forgets all data, and loads the AOF.",
        "OBJECT <key>",
        "    Tells how a key and its value are kept.",
        "POPULATE <count> [<prefix>] [<size>]",
        "    Makes <count> keys named <prefix>:<num> ('key' if no prefix is given) that do",
        "    not exist yet, with a value of <size> bytes. Replicas do not learn of them.",
        "PROTOCOL <type>",
        "    Replies with a value of this type: string, integer, double, bignum, null,",
        "    array, set, map, attrib, push, verbatim, true, false.",
        "RELOAD [NOSAVE] [NOFLUSH] [MERGE]",
        "    Saves the data and loads it again. NOSAVE: loads the file that is there. NOFLUSH:",
        "    what is there stays. MERGE: keys of the file replace those that are there.",
        "REPLYBUFFER PEAK-RESET-TIME <NEVER|RESET|milliseconds>",
        "REPLYBUFFER RESIZING <0|1>",
        "    Understood for the sake of tests; buffers need no tuning here.",
        "SET-ACTIVE-EXPIRE <0|1>",
        "    Whether expired keys are deleted although nobody asks for them.",
        "SLEEP <seconds>",
        "    Serves nobody for so long. Decimals allowed.",
        "STRINGMATCH-LEN <pattern> <text>",
        "    Tells whether the glob-style pattern matches the text.",
    ];
    reply_help(&mut ctx.reply, "DEBUG", LINES);
    Ok(Flow::Done)
}
