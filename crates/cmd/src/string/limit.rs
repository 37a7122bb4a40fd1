//! How long a string may become.

use crate::ReplyError;
use vesta_config::Config;

/// The length of a string of `length` bytes after `added` bytes more.
///
/// # Errors
/// [`ReplyError::StringTooLong`] beyond `proto-max-bulk-len`.
pub(super) fn grown(config: &Config, length: usize, added: usize) -> Result<usize, ReplyError> {
    let total = length.checked_add(added).ok_or(ReplyError::StringTooLong)?;
    match u64::try_from(total) {
        Ok(bytes) if bytes <= config.proto_max_bulk_len_bytes => Ok(total),
        Ok(_) | Err(_) => Err(ReplyError::StringTooLong),
    }
}
