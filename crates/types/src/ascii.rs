//! Comparisons of bytes that ignore ASCII case, and text from bytes that may not be UTF-8.

use alloc::string::String;

/// Whether `given` is `lower` in any mix of case. `lower` is written in lower case.
#[must_use]
pub fn is_word(given: &[u8], lower: &str) -> bool {
    given.eq_ignore_ascii_case(lower.as_bytes())
}

/// Bytes as text for messages: what is not UTF-8 becomes the replacement character.
#[must_use]
pub fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
