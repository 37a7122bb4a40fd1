//! Strings that other families use as rows of bytes. What is made or changed so is raw, however
//! short, as in Redis.

use alloc::vec;
use alloc::vec::Vec;
use vesta_store::{Deadline, Entry, INLINE_MAX, Keyspace, NewValue, WrongType};
use vesta_types::Blob;

/// Strings from this length on are made in one zeroed allocation, in bytes.
const BIG_BYTES_MIN: usize = 16 * 1024;

/// Changes the text of the string at `key`, with zero bytes added until it has `length`, and made
/// if it is missing. `change` is told whether it has grown.
///
/// # Errors
/// [`WrongType`] when the value is no string; it stays as it is.
pub(crate) fn edit_text<R>(
    keys: &mut Keyspace<'_>,
    key: &[u8],
    length: usize,
    mut change: impl FnMut(&mut [u8], bool) -> R,
) -> Result<R, WrongType> {
    let edited = keys.edit_string(key, |entry| {
        let has_grown = entry.value_len() < length;
        change(entry.text_mut(length), has_grown)
    })?;
    if let Some(outcome) = edited {
        return Ok(outcome);
    }
    set_zeros(keys, key, length);
    let outcome = keys.edit(key, |entry| change(entry.text_mut(length), true));
    Ok(outcome.expect("the key has just been made"))
}

/// Sets `key` to so many zero bytes, whatever it held.
pub(super) fn set_zeros(keys: &mut Keyspace<'_>, key: &[u8], length: usize) {
    if length < BIG_BYTES_MIN {
        keys.set(key, NewValue::Bytes(b""), Deadline::Never);
        keys.edit(key, |entry| entry.text_mut(length).len());
    } else {
        keys.set(key, NewValue::Blob(Blob::new(vec![0; length])), Deadline::Never);
    }
}

/// Sets `key` to a string that is not to be read as an integer, whatever it held; it no longer
/// expires.
pub(crate) fn set_raw(keys: &mut Keyspace<'_>, key: &[u8], text: Vec<u8>) {
    if text.len() > INLINE_MAX {
        keys.set(key, NewValue::Blob(Blob::new(text)), Deadline::Never);
    } else {
        keys.set(key, NewValue::Bytes(&text), Deadline::Never);
    }
    keys.edit(key, |entry| entry.set_raw(true));
}

/// Gives `entry` a string that is not to be read as an integer; its expiry stays.
pub(crate) fn replace_raw(entry: &mut Entry, text: Vec<u8>) {
    if text.len() > INLINE_MAX {
        entry.set_value(NewValue::Blob(Blob::new(text)));
    } else {
        entry.set_value(NewValue::Bytes(&text));
    }
    entry.set_raw(true);
}
