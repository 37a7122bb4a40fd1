//! Why a decoder does not go on.

use core::fmt;
use vesta_ds::CorruptError;

/// Why a decoder does not go on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// The bytes end before the element that has begun does. With so many more, or those that are
    /// still to come, decoding may go on; at the end of the input it is [`Fault::truncated`].
    Short {
        /// More bytes that are needed at least.
        more: usize,
    },
    /// Bytes that no honest writer makes.
    Corrupt(CorruptError),
}

impl Fault {
    /// The error that it is when nothing more will come behind byte `end`.
    #[must_use]
    pub fn truncated(self, end: u64) -> CorruptError {
        match self {
            Self::Short { .. } => CorruptError { at_byte: end, expected: "more bytes" },
            Self::Corrupt(error) => error,
        }
    }
}

impl From<CorruptError> for Fault {
    fn from(error: CorruptError) -> Self {
        Self::Corrupt(error)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short { more } => write!(out, "at least {more} more bytes are needed"),
            Self::Corrupt(error) => error.fmt(out),
        }
    }
}

impl core::error::Error for Fault {}
