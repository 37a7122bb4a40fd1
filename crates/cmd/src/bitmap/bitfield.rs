//! `BITFIELD key [operation...]` and `BITFIELD_RO key [GET encoding offset]...`

use super::field::{Encoding, Overflow};
use super::offset;
use crate::string::{edit_text, text_in};
use crate::{Class, Command, Cursor, Flow, Outcome, ReadCtx, ReplyError, Run, WriteCtx};
use vesta_config::Config;
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_types::ascii;

/// `BITFIELD key operation...`: reads and changes integers of any width in a string.
///
/// The string grows to hold all fields that are to be written. Redis does not tell its replicas
/// of that when no write takes place, which leaves them with a shorter string; here it is told.
pub(super) const BITFIELD: Command = Command {
    spec: Spec {
        name: "bitfield",
        arity: Arity::AtLeast(2),
        flags: Flags::WRITE.and(Flags::DENYOOM),
        categories: Categories::BITMAP,
        keys: &[KeySpec::one(1, WRITES.and(KeyFlags::VARIABLE_FLAGS))
            .noted("Only reads the key when all operations are `GET`.")],
        flags_of_request: Some(key_flags),
        group: Group::Bitmap,
        since: "3.2.0",
        complexity: "O(1) for each operation",
        summary: "Reads, sets and increments integers of any width in the string at a key.",
        syntax: "key [operation=<GET get-block=(encoding offset:integer) | write=(\
                 [OVERFLOW overflow-block=<WRAP | SAT | FAIL>] \
                 write-operation=<SET set-block=(encoding offset:integer value:integer) | \
                 INCRBY incrby-block=(encoding offset:integer increment:integer)>)>...]",
        ..Spec::EMPTY
    },
    run: Run::Write(bitfield),
};

/// `BITFIELD_RO key [GET encoding offset]...`: reads integers of any width in a string.
pub(super) const BITFIELD_RO: Command = Command {
    spec: Spec {
        name: "bitfield_ro",
        flags: Flags::READONLY.and(Flags::FAST),
        keys: &[KeySpec::one(1, READS)],
        flags_of_request: None,
        since: "6.0.0",
        summary: "Reads integers of any width in the string at a key.",
        syntax: "key [GET get-block=(encoding offset:integer) ...]",
        ..BITFIELD.spec
    },
    run: Run::Read(bitfield_ro),
};

const READS: KeyFlags = KeyFlags::RO.and(KeyFlags::ACCESS);
const WRITES: KeyFlags = KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::UPDATE);

/// A request that writes has one of the words that say so.
fn key_flags<'a>(len: usize, arg: &dyn Fn(usize) -> &'a [u8]) -> KeyFlags {
    let writes = |word: &[u8]| ascii::is_word(word, "set") || ascii::is_word(word, "incrby");
    if (2..len).any(|index| writes(arg(index))) { WRITES } else { READS }
}

/// What is done to a field.
#[derive(Clone, Copy)]
enum Action {
    Get,
    Set(i64, Overflow),
    Add(i64, Overflow),
}

/// One operation of a request.
#[derive(Clone, Copy)]
struct Operation {
    action: Action,
    encoding: Encoding,
    /// The field's first bit.
    at: u64,
}

/// The operations of a request, read one by one.
#[derive(Clone)]
struct Operations<'a> {
    cursor: Cursor<'a>,
    config: &'a Config,
    /// Holds for what follows.
    overflow: Overflow,
}

impl<'a> Operations<'a> {
    fn new(cursor: Cursor<'a>, config: &'a Config) -> Self {
        Self { cursor, config, overflow: Overflow::Wrap }
    }

    fn read(&mut self) -> Result<Option<Operation>, ReplyError> {
        loop {
            let left = self.cursor.left();
            let Some(word) = self.cursor.pop() else { return Ok(None) };
            // The words that may begin an operation, with what must follow them at least.
            if ascii::is_word(word, "get") && left > 2 {
                let (encoding, at) = self.field()?;
                return Ok(Some(Operation { action: Action::Get, encoding, at }));
            } else if ascii::is_word(word, "set") && left > 3 {
                let (encoding, at) = self.field()?;
                let action = Action::Set(self.cursor.need_i64()?, self.overflow);
                return Ok(Some(Operation { action, encoding, at }));
            } else if ascii::is_word(word, "incrby") && left > 3 {
                let (encoding, at) = self.field()?;
                let action = Action::Add(self.cursor.need_i64()?, self.overflow);
                return Ok(Some(Operation { action, encoding, at }));
            } else if ascii::is_word(word, "overflow") && left > 1 {
                self.overflow = overflow(self.cursor.need()?)?;
            } else {
                return Err(ReplyError::Syntax);
            }
        }
    }

    fn field(&mut self) -> Result<(Encoding, u64), ReplyError> {
        let encoding = Encoding::parse(self.cursor.need()?)?;
        let at = offset::parse_field(self.cursor.need()?, encoding.width(), self.config)?;
        Ok((encoding, at))
    }

    /// Reads all, to see whether they make sense and what they need.
    fn survey(mut self) -> Result<Survey, ReplyError> {
        let mut survey = Survey { replies: 0, length: None };
        while let Some(Operation { action, encoding, at }) = self.read()? {
            survey.replies += 1;
            if !matches!(action, Action::Get) {
                let last = at.saturating_add(u64::from(encoding.width()) - 1);
                survey.length = survey.length.max(Some(offset::length_with(last)));
            }
        }
        Ok(survey)
    }
}

impl Iterator for Operations<'_> {
    type Item = Operation;

    /// The next operation; all must have been surveyed.
    fn next(&mut self) -> Option<Operation> {
        self.read().ok().flatten()
    }
}

/// What a request needs.
struct Survey {
    replies: usize,
    /// Bytes of a string that holds all fields to be written; `None` when there are none.
    length: Option<usize>,
}

fn overflow(word: &[u8]) -> Result<Overflow, ReplyError> {
    let named = [("wrap", Overflow::Wrap), ("sat", Overflow::Saturate), ("fail", Overflow::Fail)];
    let found = named.into_iter().find(|(known, _)| ascii::is_word(word, known));
    let unknown = ReplyError::text("Invalid OVERFLOW type specified");
    found.map(|(_, overflow)| overflow).ok_or(unknown)
}

fn bitfield_ro(ctx: &mut ReadCtx<'_>) -> Outcome {
    let operations = Operations::new(ctx.cursor(2), ctx.config);
    let Survey { replies, length } = operations.clone().survey()?;
    if length.is_some() {
        return Err(ReplyError::text("BITFIELD_RO only supports the GET subcommand"));
    }
    let value = ctx.keys.read_string(ctx.request.arg(1))?;
    let mut digits = itoa::Buffer::new();
    let text = value.map_or(&[][..], |value| text_in(&value, &mut digits));
    ctx.reply.array(replies);
    for Operation { encoding, at, .. } in operations {
        ctx.reply.int(encoding.read(text, at));
    }
    Ok(Flow::Done)
}

fn bitfield(ctx: &mut WriteCtx<'_>) -> Outcome {
    let operations = Operations::new(ctx.cursor(2), ctx.config);
    let Survey { replies, length } = operations.clone().survey()?;
    let WriteCtx { request, keys, reply, .. } = ctx;
    let key = request.arg(1);
    let Some(length) = length else {
        let value = keys.read_string(key)?;
        let mut digits = itoa::Buffer::new();
        let text = value.map_or(&[][..], |value| text_in(&value, &mut digits));
        reply.array(replies);
        operations.for_each(|operation| reply.int(operation.encoding.read(text, operation.at)));
        return Ok(Flow::Done);
    };
    // A value that grows has changed, even when every operation on it fails; of that Redis tells
    // nobody, not even its replicas.
    let (changes, has_grown) = edit_text(keys, key, length, |text, has_grown| {
        let mut changes = 0;
        reply.array(replies);
        for operation in operations.clone() {
            let (value, is_change) = operation.apply(text);
            match value {
                Some(value) => reply.int(value),
                None => reply.null(),
            }
            let is_write = !matches!(operation.action, Action::Get);
            changes += u64::from(is_change || (has_grown && is_write && value.is_some()));
        }
        (changes, has_grown)
    })?;
    if changes > 0 {
        ctx.notify(Class::String, "setbit", key);
    }
    if changes > 0 || has_grown {
        ctx.changed_times(changes.max(1));
    }
    Ok(Flow::Done)
}

impl Operation {
    /// Does it; gives the value to reply with, `None` for a failure, and whether bits changed.
    fn apply(self, text: &mut [u8]) -> (Option<i64>, bool) {
        let old = self.encoding.read(text, self.at);
        let new = match self.action {
            Action::Get => return (Some(old), false),
            Action::Set(value, overflow) => self.encoding.set(value, overflow),
            Action::Add(increment, overflow) => self.encoding.add(old, increment, overflow),
        };
        let Some(new) = new else { return (None, false) };
        self.encoding.write(text, self.at, new);
        let shown = if matches!(self.action, Action::Set(..)) { old } else { new };
        (Some(shown), old != new)
    }
}
