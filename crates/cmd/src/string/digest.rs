//! `DIGEST key`, and the digest of a string

use super::text_in;
use crate::{Command, Flow, Outcome, ReadCtx, ReplyError, Run};
use alloc::format;
use twox_hash::XxHash3_64;
use vesta_spec::{Arity, Categories, Flags, Group, KeyFlags, KeySpec, Spec};
use vesta_store::StrRef;

/// `DIGEST key`: the XXH3 hash of a string, in 16 hexadecimal digits.
///
/// Source: documentation of Redis 8.4.
pub(super) const DIGEST: Command = Command {
    spec: Spec {
        name: "digest",
        arity: Arity::Exactly(2),
        flags: Flags::READONLY.and(Flags::FAST),
        categories: Categories::STRING,
        keys: &[KeySpec::one(1, KeyFlags::RO.and(KeyFlags::ACCESS))],
        group: Group::String,
        since: "8.4.0",
        complexity: "O(N) in the length of the string",
        summary: "Returns a digest of the string at a key, for comparisons by DELEX.",
        syntax: "key",
        ..Spec::EMPTY
    },
    run: Run::Read(digest),
};

/// Digits of a digest as text.
const DIGITS: usize = 16;

/// What a digest is compared with: `None` when the text is as long as one but is none.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Digest(Option<u64>);

impl Digest {
    /// Reads hexadecimal digits of either case.
    ///
    /// # Errors
    /// When there are not 16 characters. Other characters than digits are no error, but then the
    /// digest is that of no string.
    pub(super) fn parse(text: &[u8]) -> Result<Self, ReplyError> {
        if text.len() != DIGITS {
            return Err(ReplyError::text("must be exactly 16 hexadecimal characters"));
        }
        let digit = |byte: &u8| char::from(*byte).to_digit(16);
        let value =
            text.iter().try_fold(0, |value, byte| Some(value << 4 | u64::from(digit(byte)?)));
        Ok(Self(value))
    }
}

/// The digest of a string.
pub(super) fn of(string: &StrRef<'_>) -> Digest {
    Digest(Some(XxHash3_64::oneshot(text_in(string, &mut itoa::Buffer::new()))))
}

fn digest(ctx: &mut ReadCtx<'_>) -> Outcome {
    match ctx.keys.read_string(ctx.request.arg(1))?.and_then(|value| of(&value).0) {
        Some(digest) => ctx.reply.text(&format!("{digest:016x}")),
        None => ctx.reply.null(),
    }
    Ok(Flow::Done)
}
