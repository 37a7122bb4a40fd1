//! Until when fields live, as requests state it and as it is handed on.

use crate::keys::deadline::TimeForm;
use crate::{Class, Cursor, ReplyError, WriteCtx};
use alloc::vec::Vec;
use vesta_types::{Now, ascii, number};

/// The last time that a field can expire at, in milliseconds since 1970: 46 bits.
/// Source: tests of Redis 7.4.
const AT_MS_MAX: i64 = (1 << 46) - 1;

/// The options of HSETEX and HGETEX that state a time.
const FORMS: [(&str, TimeForm); 4] = [
    ("ex", TimeForm::SECONDS),
    ("px", TimeForm::MILLISECONDS),
    ("exat", TimeForm::UNIX_SECONDS),
    ("pxat", TimeForm::UNIX_MILLISECONDS),
];

/// The time that `text` states in `form`, in milliseconds since 1970; `command` is named in the
/// error.
///
/// # Errors
/// When it is no integer, negative, or beyond the last time a field can have.
pub(super) fn at_ms(
    text: &[u8],
    form: TimeForm,
    now: Now,
    command: &'static str,
) -> Result<u64, ReplyError> {
    let given = number::parse_i64(text).ok_or(ReplyError::NotInteger)?;
    if given < 0 {
        return Err(ReplyError::text("invalid expire time, must be >= 0"));
    }
    let at = form.absolute_ms(given, now).filter(|at| *at <= AT_MS_MAX);
    at.and_then(|at| u64::try_from(at).ok()).ok_or(ReplyError::InvalidExpire(command))
}

/// Takes `EX`, `PX`, `EXAT` or `PXAT` if it comes next; its time follows.
pub(super) fn take_form(cursor: &mut Cursor<'_>) -> Option<TimeForm> {
    FORMS.into_iter().find(|(word, _)| cursor.take(word)).map(|(_, form)| form)
}

/// The error for an option without its time.
pub(super) const MISSING: ReplyError = ReplyError::text("missing expire time");

/// The error for an option that a command does not have.
#[cold]
pub(super) fn unknown(word: &[u8]) -> ReplyError {
    ReplyError::Generic(alloc::format!("unknown argument: {}", ascii::lossy(word)).into())
}

/// The effect of having the fields called `names` expire at `at_ms`, or deleting them when that is
/// over. None: nothing happened.
pub(super) fn changed_as_expiry(ctx: &mut WriteCtx<'_>, at_ms: u64, names: &[&[u8]]) {
    if at_ms <= ctx.keys.now_ms() {
        return changed_as_removal(ctx, names);
    }
    let key = ctx.request.arg(1);
    if !names.is_empty() {
        ctx.notify(Class::Hash, "hexpire", key);
    }
    let mut digits = itoa::Buffer::new();
    let at = digits.format(at_ms).as_bytes();
    changed_as_fields(ctx, &[b"HPEXPIREAT", key, at], names);
}

/// The effect of having the fields called `names` expire no longer. None: nothing happened.
pub(super) fn changed_as_persist(ctx: &mut WriteCtx<'_>, names: &[&[u8]]) {
    let key = ctx.request.arg(1);
    if !names.is_empty() {
        ctx.notify(Class::Hash, "hpersist", key);
    }
    changed_as_fields(ctx, &[b"HPERSIST", key], names);
}

/// The effect of deleting the fields called `names`. None: nothing happened.
pub(super) fn changed_as_removal(ctx: &mut WriteCtx<'_>, names: &[&[u8]]) {
    if names.is_empty() {
        return;
    }
    let key = ctx.request.arg(1);
    ctx.notify_taken(Class::Hash, "hdel", key);
    let head: [&[u8]; 2] = [b"HDEL", key];
    let effect: Vec<&[u8]> = head.into_iter().chain(names.iter().copied()).collect();
    ctx.changed_as(&effect);
}

/// The effect `head FIELDS numfields names...`. No names: nothing happened.
fn changed_as_fields(ctx: &mut WriteCtx<'_>, head: &[&[u8]], names: &[&[u8]]) {
    if names.is_empty() {
        return;
    }
    let mut digits = itoa::Buffer::new();
    let count: [&[u8]; 2] = [b"FIELDS", digits.format(names.len()).as_bytes()];
    let words = head.iter().chain(&count).chain(names);
    let effect: Vec<&[u8]> = words.copied().collect();
    ctx.changed_as(&effect);
}
