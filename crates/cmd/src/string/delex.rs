//! `DELEX key [IFEQ | IFNE value | IFDEQ | IFDNE digest]` and `DELIFEQ key value`

use super::text_in;
use crate::string::digest::{self, Digest};
use crate::{Class, Command, Flow, Outcome, ReplyError, Run, WriteCtx};
use alloc::string::ToString;
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::StrRef;
use vesta_types::ascii;

/// `DELEX key [condition]`: removes a key if its string is, or is not, the one expected.
///
/// Without a condition the key may hold anything. Replicates as `DEL`.
///
/// Source: documentation of Redis 8.4; error texts as clients of that version report them.
pub(super) const DELEX: Command = Command {
    spec: Spec {
        name: "delex",
        arity: Arity::AtLeast(2),
        flags: Flags::WRITE.and(Flags::FAST),
        categories: Categories::STRING,
        keys: &[KeySpec::one(1, KeyFlags::RW.and(KeyFlags::DELETE).and(KeyFlags::VARIABLE_FLAGS))
            .noted("Reads the value only when there is a condition.")],
        flags_of_request: Some(key_flags),
        group: Group::String,
        since: "8.4.0",
        complexity: "O(1) for `IFEQ` and `IFNE`, O(N) in the length of the string for digests",
        summary: "Removes a key if its string, or the digest of it, is as expected.",
        syntax: "key [condition=<IFEQ ifeq-value | IFNE ifne-value | IFDEQ ifdeq-digest | \
                 IFDNE ifdne-digest>]",
        ..Spec::EMPTY
    },
    run: Run::Write(delex),
};

/// `DELIFEQ key value`: removes a key if its string is the one expected. Replicates as `DEL`.
///
/// Source: documentation of Valkey 9.0.
pub(super) const DELIFEQ: Command = Command {
    spec: Spec {
        name: "delifeq",
        arity: Arity::Exactly(3),
        keys: &[KeySpec::one(1, KeyFlags::RM.and(KeyFlags::DELETE))],
        flags_of_request: None,
        since: "9.0.0",
        complexity: "O(1)",
        summary: "Removes a key if its string is the one given.",
        syntax: "key value",
        ..DELEX.spec
    },
    run: Run::Write(delifeq),
};

fn key_flags<'a>(len: usize, _arg: &dyn Fn(usize) -> &'a [u8]) -> KeyFlags {
    if len > 2 {
        KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::DELETE)
    } else {
        KeyFlags::RM.and(KeyFlags::DELETE)
    }
}

fn delex(ctx: &mut WriteCtx<'_>) -> Outcome {
    if ctx.request.len() != 2 && ctx.request.len() != 4 {
        return Err(ReplyError::WrongArity("delex".to_string()));
    }
    let (key, word, wanted) = (ctx.arg(1), ctx.arg(2), ctx.arg(3));
    let has_condition = ctx.request.len() > 2;
    let is_met = match ctx.keys.look(key) {
        None => false,
        Some(_) if !has_condition => true,
        Some(entry) => {
            let string = entry.string().ok_or(ReplyError::text(
                "Key should be of string type if conditions are specified",
            ))?;
            holds(&string, word, wanted)?
        }
    };
    remove_if(ctx, is_met)
}

fn delifeq(ctx: &mut WriteCtx<'_>) -> Outcome {
    let (key, wanted) = (ctx.arg(1), ctx.arg(2));
    let value = ctx.keys.look_string(key)?;
    let is_met = value.is_some_and(|value| is_text(&value, wanted));
    remove_if(ctx, is_met)
}

/// Whether the condition holds for the string.
fn holds(string: &StrRef<'_>, word: &[u8], wanted: &[u8]) -> Result<bool, ReplyError> {
    let is_digest = |wanted| Ok::<_, ReplyError>(digest::of(string) == Digest::parse(wanted)?);
    if ascii::is_word(word, "ifeq") {
        Ok(is_text(string, wanted))
    } else if ascii::is_word(word, "ifne") {
        Ok(!is_text(string, wanted))
    } else if ascii::is_word(word, "ifdeq") {
        is_digest(wanted)
    } else if ascii::is_word(word, "ifdne") {
        is_digest(wanted).map(|is_equal| !is_equal)
    } else {
        Err(ReplyError::text("Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE"))
    }
}

fn is_text(string: &StrRef<'_>, wanted: &[u8]) -> bool {
    text_in(string, &mut itoa::Buffer::new()) == wanted
}

fn remove_if(ctx: &mut WriteCtx<'_>, is_met: bool) -> Outcome {
    let key = ctx.arg(1);
    if is_met && ctx.keys.delete(key) {
        ctx.notify(Class::Generic, "del", key);
        let lazily = ctx.config.lazyfree_lazy_user_del;
        ctx.changed_as(&[if lazily { b"UNLINK" } else { b"DEL" }, key]);
    }
    ctx.reply.flag(is_met);
    Ok(Flow::Done)
}
