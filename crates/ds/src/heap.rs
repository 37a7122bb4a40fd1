//! What a value owns beyond its own bytes.

use core::convert::Infallible;

/// A value that knows the bytes of its allocations.
pub trait Heap {
    /// Bytes of the allocations that the value owns, as requested and each rounded up to 8; the
    /// value itself is not counted. O(1): it is asked before and after every change.
    fn heap_bytes(&self) -> usize;
}

/// For entries that hold strings only: there is no such object.
impl Heap for Infallible {
    fn heap_bytes(&self) -> usize {
        match *self {}
    }
}
