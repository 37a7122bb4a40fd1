//! What a decoder says about bytes from outside that are not what they claim to be.

use core::fmt;

/// Bytes that no honest writer makes; the payload they are part of is to be refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CorruptError {
    /// Place of the first byte that does not fit, counted from the start of the decoded bytes.
    pub at_byte: u64,
    /// What should have stood there.
    pub expected: &'static str,
}

impl CorruptError {
    /// Says that `expected` should have stood at byte `at`.
    pub(crate) fn new(at: usize, expected: &'static str) -> Self {
        Self { at_byte: at as u64, expected }
    }
}

impl fmt::Display for CorruptError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "byte {}: expected {}", self.at_byte, self.expected)
    }
}

impl core::error::Error for CorruptError {}
