//! `PFDEBUG ENCODING | DECODE | GETREG | TODENSE key`

use super::{corrupt, view};
use crate::string::replace_raw;
use crate::{Command, Flow, Outcome, ReplyError, Run, WriteCtx};
use alloc::format;
use alloc::string::String;
use core::fmt::Write;
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::hll::{Form, Hll, Instruction, View};
use vesta_types::ascii;

/// `PFDEBUG subcommand key`: looks into a HyperLogLog, for tests.
pub(super) const PFDEBUG: Command = Command {
    spec: Spec {
        name: "pfdebug",
        arity: Arity::Exactly(3),
        flags: Flags::WRITE.and(Flags::DENYOOM).and(Flags::ADMIN),
        categories: Categories::HYPERLOGLOG,
        keys: &[KeySpec::one(2, KeyFlags::RW.and(KeyFlags::ACCESS))],
        group: Group::Hyperloglog,
        since: "2.8.9",
        complexity: "O(1), with a large constant",
        summary: "Shows the inside of a HyperLogLog.",
        syntax: "subcommand key",
        internal: true,
        ..Spec::EMPTY
    },
    run: Run::Write(pfdebug),
};

fn pfdebug(ctx: &mut WriteCtx<'_>) -> Outcome {
    let (name, key) = (ctx.arg(1), ctx.arg(2));
    let value = ctx.keys.look_string(key)?;
    let value = value.ok_or(ReplyError::text("The specified key does not exist"))?;
    let view = view(&value)?;
    if ascii::is_word(name, "encoding") {
        ctx.reply.simple(match view.form() {
            Form::Sparse => "sparse",
            Form::Dense => "dense",
        });
    } else if ascii::is_word(name, "decode") {
        let text = decode(view).ok_or(ReplyError::text("HLL encoding is not sparse"))?;
        ctx.reply.text(&text);
    } else if ascii::is_word(name, "getreg") {
        let registers = view.registers().map_err(corrupt)?;
        make_dense(ctx)?;
        ctx.reply.array(registers.len());
        registers.into_iter().for_each(|register| ctx.reply.int(register.into()));
    } else if ascii::is_word(name, "todense") {
        let is_made = make_dense(ctx)?;
        ctx.reply.flag(is_made);
    } else {
        let name = ascii::lossy(name);
        return Err(ReplyError::Generic(format!("Unknown PFDEBUG subcommand '{name}'").into()));
    }
    Ok(Flow::Done)
}

/// The instructions of a sparse one: `z` and `Z` for zeros in a byte and in two, `v:value,run`.
fn decode(view: View<'_>) -> Option<String> {
    let mut text = String::new();
    for instruction in view.instructions()? {
        let gap = if text.is_empty() { "" } else { " " };
        let written = match instruction {
            Instruction::Zeros(run) => write!(text, "{gap}z:{run}"),
            Instruction::ManyZeros(run) => write!(text, "{gap}Z:{run}"),
            Instruction::Value { value, run } => write!(text, "{gap}v:{value},{run}"),
        };
        written.expect("a string takes all that is written to it");
    }
    Some(text)
}

/// Makes the value dense; whether it was not.
fn make_dense(ctx: &mut WriteCtx<'_>) -> Result<bool, ReplyError> {
    let made = ctx.keys.edit_string(ctx.request.arg(2), |entry| {
        let string = entry.string().ok_or(ReplyError::WrongType)?;
        let mut hll = Hll::copy_of(view(&string)?);
        let is_made = hll.make_dense().map_err(corrupt)?;
        replace_raw(entry, hll.into_bytes());
        Ok::<_, ReplyError>(is_made)
    })?;
    let is_made = made.ok_or(ReplyError::NoSuchKey)??;
    if is_made {
        ctx.changed();
    }
    Ok(is_made)
}
