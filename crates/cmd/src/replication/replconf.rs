//! `REPLCONF option value [option value ...]`

use crate::host::Introduce;
use crate::{Command, ControlCtx, Flow, Outcome, ReplyError, Run};
use alloc::format;
use vesta_spec::{Arity, Flags, Group, Spec};
use vesta_types::{ascii, number};

/// `REPLCONF option value [...]`: what the two ends of a replication link tell each other besides
/// the data.
///
/// | option | who says it | meaning |
/// |---|---|---|
/// | `listening-port`, `ip-address` | replica | where it is to be found |
/// | `capa` | replica | what it understands; what is unknown is ignored |
/// | `version` | replica | of its program |
/// | `rdb-only`, `rdb-filter-only` | replica | what it wants of a snapshot |
/// | `ack`, `fack` | replica | how far it has applied the stream, and has it on its disk |
/// | `getack` | primary | a wish for that |
///
/// Source: redis-server 7.0.15, which knows neither `version` (of Valkey) nor `fack` (of 7.2).
pub(super) const REPLCONF: Command = Command {
    spec: Spec {
        name: "replconf",
        arity: Arity::AtLeast(1),
        flags: Flags::ADMIN
            .and(Flags::NOSCRIPT)
            .and(Flags::LOADING)
            .and(Flags::STALE)
            .and(Flags::ALLOW_BUSY),
        group: Group::Server,
        since: "3.0.0",
        summary: "Tells the other end of a replication link something about this one.",
        internal: true,
        ..Spec::EMPTY
    },
    run: Run::Control(replconf),
};

fn replconf(ctx: &mut ControlCtx<'_>) -> Outcome {
    if ctx.request.len().is_multiple_of(2) {
        return Err(ReplyError::Syntax);
    }
    for at in (1..ctx.request.len()).step_by(2) {
        let (option, value) = (ctx.arg(at), ctx.arg(at + 1));
        let is = |word| ascii::is_word(option, word);
        if is("listening-port") {
            ctx.host.introduce(Introduce::Port(integer(value)?))?;
        } else if is("ip-address") {
            ctx.host.introduce(Introduce::Ip(value))?;
        } else if is("capa") {
            ctx.host.introduce(Introduce::Capability(value))?;
        } else if is("version") {
            ctx.host.introduce(Introduce::Version(value))?;
        } else if is("ack") {
            return acknowledged(ctx, at);
        } else if is("getack") {
            ctx.host.report_acknowledged();
            return Ok(Flow::Done);
        } else if is("rdb-only") {
            let only = match integer(value)? {
                0 => false,
                1 => true,
                _ => return Err(NOT_BOOLEAN),
            };
            ctx.host.introduce(Introduce::SnapshotOnly(only))?;
        } else if is("rdb-filter-only") {
            ctx.host.introduce(wanted(value)?)?;
        } else {
            let text = format!("Unrecognized REPLCONF option: {}", ascii::lossy(option));
            return Err(ReplyError::Generic(text.into()));
        }
    }
    ctx.reply.ok();
    Ok(Flow::Done)
}

const NOT_BOOLEAN: ReplyError =
    ReplyError::text("value is out of range, value must between 0 and 1");

fn integer(value: &[u8]) -> Result<i64, ReplyError> {
    number::parse_i64(value).ok_or(ReplyError::NotInteger)
}

/// A replica says how far it is, from argument `at` on. Nobody replies to that, nor to what of it
/// cannot be understood.
fn acknowledged(ctx: &mut ControlCtx<'_>, at: usize) -> Outcome {
    let place = |index: usize| number::parse_u64(ctx.arg(index));
    let has_more = ctx.request.len() > at + 3 && ascii::is_word(ctx.arg(at + 2), "fack");
    let fsynced = if has_more { place(at + 3) } else { None };
    if let Some(applied) = place(at + 1) {
        ctx.host.acknowledged(applied, fsynced);
    }
    Ok(Flow::Done)
}

/// The parts of a snapshot that are named; nothing named is nothing wanted.
fn wanted(value: &[u8]) -> Result<Introduce<'_>, ReplyError> {
    let mut functions = false;
    for word in value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()) {
        if !ascii::is_word(word, "functions") {
            let text = format!("Unsupported rdb-filter-only option: {}", ascii::lossy(word));
            return Err(ReplyError::Generic(text.into()));
        }
        functions = true;
    }
    Ok(Introduce::Only { functions })
}
