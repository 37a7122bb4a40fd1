//! A string as a row of bits: counting, finding and combining them.
//!
//! # Why it looks like this
//!
//! Bit 0 is the highest of the first byte, as in Redis. A run of bits therefore is a run of whole
//! bytes, of which the first and the last may count in part:
//!
//! ```text
//! bits 5..29    00000111 11111111 11111111 11111000
//!               ^head    ^----- whole -----^ ^tail
//! ```
//!
//! The whole bytes are where the time goes, and they are read in blocks of fixed size by loops
//! without exits, which compilers turn into vector code of whatever width they may use (two words
//! at a time on every x86-64). Counting adds blocks like columns of digits: see `count`.
//!
//! # Costs
//!
//! All are O(n) in the bytes that are read and allocate nothing. Counting runs at some bytes a
//! cycle, finding and combining at the speed of memory.

mod combine;
mod count;
mod find;
#[cfg(test)]
mod tests;

pub use combine::{Combine, combine, invert};
pub use count::count;
pub use find::find;

use core::ops::Range;

/// Bits of a byte.
const BYTE: u64 = u8::BITS as u64;

/// A run of bits cut at the bytes: `head` and `tail` have the bits outside of the run cleared.
struct Cut<'a> {
    /// The first byte, if the run does not take it whole.
    head: Option<u8>,
    /// The bytes that the run takes whole.
    whole: &'a [u8],
    /// The last byte, if the run does not take it whole and it is not the first.
    tail: Option<u8>,
}

/// Cuts the part of `run` that lies within `bytes`.
fn cut(bytes: &[u8], run: Range<u64>) -> Cut<'_> {
    let end = run.end.min((bytes.len() as u64).saturating_mul(BYTE));
    let none = Cut { head: None, whole: &[], tail: None };
    if run.start >= end {
        return none;
    }
    let byte = |at: u64| bytes.get(at as usize).copied().unwrap_or(0);
    let (first, last) = (run.start / BYTE, end / BYTE);
    // Of the first byte what is behind the start, of the last what is before the end.
    let (behind, before) = (u8::MAX >> (run.start % BYTE), !(u8::MAX >> (end % BYTE)));
    if first == last {
        return Cut { head: Some(byte(first) & behind & before), ..none };
    }
    let head = (!run.start.is_multiple_of(BYTE)).then(|| byte(first) & behind);
    let tail = (!end.is_multiple_of(BYTE)).then(|| byte(last) & before);
    let from = first as usize + usize::from(head.is_some());
    Cut { head, whole: bytes.get(from..last as usize).unwrap_or_default(), tail }
}
