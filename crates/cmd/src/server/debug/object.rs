//! `DEBUG OBJECT key`

use crate::{ControlCtx, Flow, Outcome, ReplyError};
use alloc::format;
use vesta_store::object::encoding_name;
use vesta_store::{Object, StrRef, Value};

/// Tells how a key and its value are kept.
pub(super) fn object(ctx: &mut ControlCtx<'_>) -> Outcome {
    let access = *ctx.keys.store().access();
    let entry = ctx.keys.peek(ctx.request.arg(2)).ok_or(ReplyError::NoSuchKey)?;
    let text = format!(
        "Value at:{:p} refcount:1 encoding:{} serializedlength:{} lru:{} lru_seconds_idle:{}",
        entry.key().as_ptr(),
        encoding_name(entry),
        serialized_bytes(&entry.value()),
        entry.clock(),
        access.idle_seconds(entry.clock(), ctx.now.unix),
    );
    ctx.reply.simple(&text);
    Ok(Flow::Done)
}

/// Bytes of the value in a snapshot, uncompressed.
fn serialized_bytes(value: &Value<'_, Object>) -> usize {
    match value {
        Value::String(string) => string_bytes(string),
        Value::Object(Object::Hash(hash)) => match hash.listpack() {
            Some(listpack) => text_bytes(listpack.total_bytes()),
            None => {
                let pairs = hash.iter(0).map(|(name, value)| {
                    text_bytes(name.text_len()) + text_bytes(value.text_len())
                });
                head_bytes(hash.len()) + pairs.sum::<usize>()
            }
        },
        Value::Object(Object::Set(set)) => match (set.intset(), set.listpack()) {
            (Some(intset), _) => text_bytes(intset.bytes().len()),
            (None, Some(listpack)) => text_bytes(listpack.total_bytes()),
            (None, None) => {
                let members = set.iter().map(|member| text_bytes(member.text_len()));
                head_bytes(set.len()) + members.sum::<usize>()
            }
        },
    }
}

/// Bytes of a string in a snapshot: a small integer in one, two or four bytes behind its kind,
/// anything else as text behind its length.
fn string_bytes(value: &StrRef<'_>) -> usize {
    match value {
        StrRef::Int(value) => match i32::try_from(*value) {
            Ok(value) if i8::try_from(value).is_ok() => 2,
            Ok(value) if i16::try_from(value).is_ok() => 3,
            Ok(_) => 5,
            Err(_) => text_bytes(itoa::Buffer::new().format(*value).len()),
        },
        StrRef::Bytes(bytes) => text_bytes(bytes.len()),
        StrRef::Blob(blob) => text_bytes(blob.len()),
    }
}

/// Bytes of a text of `len` bytes with the length before it.
fn text_bytes(len: usize) -> usize {
    head_bytes(len) + len
}

/// Bytes of a length.
fn head_bytes(len: usize) -> usize {
    match len {
        0..64 => 1,
        64..16384 => 2,
        _ => 5,
    }
}
