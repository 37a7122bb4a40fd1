//! `DEBUG OBJECT key`

use crate::{ControlCtx, Flow, Outcome, ReplyError};
use alloc::format;
use vesta_store::{Entry, StrRef};

/// Tells how a key and its value are kept.
pub(super) fn object(ctx: &mut ControlCtx<'_>) -> Outcome {
    let access = *ctx.keys.store().access();
    let entry = ctx.keys.peek(ctx.request.arg(2)).ok_or(ReplyError::NoSuchKey)?;
    let text = format!(
        "Value at:{:p} refcount:1 encoding:{} serializedlength:{} lru:{} lru_seconds_idle:{}",
        entry.key().as_ptr(),
        encoding(entry),
        serialized_bytes(&entry.value()),
        entry.clock(),
        access.idle_seconds(entry.clock(), ctx.now.unix),
    );
    ctx.reply.simple(&text);
    Ok(Flow::Done)
}

/// The name that OBJECT ENCODING has for it.
fn encoding(entry: &Entry) -> &'static str {
    /// Longest string that Redis keeps in one piece with its head.
    const EMBSTR_MAX: usize = 44;
    match entry.value() {
        StrRef::Int(_) => "int",
        StrRef::Bytes(bytes) if bytes.len() <= EMBSTR_MAX && !entry.is_raw() => "embstr",
        StrRef::Bytes(_) | StrRef::Blob(_) => "raw",
    }
}

/// Bytes of the value in a snapshot, uncompressed: a small integer in one, two or four bytes
/// behind its kind, anything else as text behind its length.
fn serialized_bytes(value: &StrRef<'_>) -> usize {
    let text = match value {
        StrRef::Int(value) => match i32::try_from(*value) {
            Ok(value) if i8::try_from(value).is_ok() => return 2,
            Ok(value) if i16::try_from(value).is_ok() => return 3,
            Ok(_) => return 5,
            Err(_) => itoa::Buffer::new().format(*value).len(),
        },
        StrRef::Bytes(bytes) => bytes.len(),
        StrRef::Blob(blob) => blob.len(),
    };
    let head = match text {
        0..64 => 1,
        64..16384 => 2,
        _ => 5,
    };
    head + text
}
