//! A member of a large set.

use super::Block;
use crate::table::Item;
use core::fmt;

/// A byte string in one allocation, behind an 8-byte pointer.
pub struct Member(Block);

impl Member {
    /// A member that is `bytes`.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        Self(Block::concat(&[bytes], false))
    }

    /// The bytes.
    #[inline(always)]
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.0.bytes()
    }

    /// Bytes of the allocation as requested, rounded up to 8.
    #[must_use]
    pub fn alloc_bytes(&self) -> usize {
        self.0.alloc_bytes()
    }
}

impl Clone for Member {
    fn clone(&self) -> Self {
        Self::new(self.bytes())
    }
}

impl Item for Member {
    #[inline(always)]
    fn key(&self) -> &[u8] {
        self.0.bytes()
    }

    #[inline(always)]
    fn address(&self) -> *const u8 {
        self.0.address()
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Member({})", self.bytes().escape_ascii())
    }
}
