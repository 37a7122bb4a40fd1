//! Commands on strings.

mod get;
mod set;

use crate::Command;
use alloc::borrow::Cow;
use vesta_store::StrRef;

/// The family's commands.
pub const COMMANDS: &[&Command] = &[&get::GET, &set::SET];

/// The text of a string value.
#[must_use]
pub fn text_of<'a>(value: &StrRef<'a>) -> Cow<'a, [u8]> {
    match value {
        StrRef::Int(value) => Cow::Owned(itoa::Buffer::new().format(*value).as_bytes().to_vec()),
        StrRef::Bytes(bytes) => Cow::Borrowed(bytes),
        StrRef::Blob(blob) => Cow::Borrowed(blob.bytes()),
    }
}
