//! Positions of bits as commands state them.

use crate::ReplyError;
use vesta_config::Config;
use vesta_types::number;

/// The error for a position that is no number or lies beyond the longest string.
const OUT_OF_RANGE: ReplyError = ReplyError::text("bit offset is not an integer or out of range");

/// The position of a bit within the longest string that `proto-max-bulk-len` allows.
///
/// # Errors
/// When `text` is none.
pub(super) fn parse(text: &[u8], config: &Config) -> Result<u64, ReplyError> {
    within(number::parse_i64(text), config)
}

/// As [`parse`], where `#n` means the n-th field of `width` bits.
///
/// # Errors
/// When `text` is no such position.
pub(super) fn parse_field(text: &[u8], width: u8, config: &Config) -> Result<u64, ReplyError> {
    match text.strip_prefix(b"#") {
        Some(index) => {
            let index = number::parse_i64(index);
            within(index.and_then(|index| index.checked_mul(width.into())), config)
        }
        None => parse(text, config),
    }
}

fn within(position: Option<i64>, config: &Config) -> Result<u64, ReplyError> {
    position
        .and_then(|position| u64::try_from(position).ok())
        .filter(|position| position / 8 < config.proto_max_bulk_len_bytes)
        .ok_or(OUT_OF_RANGE)
}

/// Bytes of a string that holds the bit at `position`.
pub(super) fn length_with(position: u64) -> usize {
    usize::try_from(position / 8).unwrap_or(usize::MAX).saturating_add(1)
}
