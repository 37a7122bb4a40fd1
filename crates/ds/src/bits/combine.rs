//! Combining strings bit by bit.
//!
//! The result is made a stretch at a time, so that it stays in the first-level cache while every
//! source is folded into it, and each byte of a source is read from memory once and each byte of
//! the result written once.

use alloc::vec::Vec;

/// Bytes of the result that are made at a time.
const STRETCH: usize = 4096;

/// An operation on the bits at one place of several strings.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Combine {
    /// Set where it is set in all.
    And,
    /// Set where it is set in one or more.
    Or,
    /// Set where it is set in an odd number.
    Xor,
}

/// The combination of `sources`, as long as the longest of them; shorter ones count as continued
/// with zeros.
#[must_use]
pub fn combine(operation: Combine, sources: &[&[u8]]) -> Vec<u8> {
    let len = sources.iter().map(|source| source.len()).max().unwrap_or(0);
    let mut result = Vec::with_capacity(len);
    let Some((first, others)) = sources.split_first() else { return result };
    while result.len() < len {
        let (from, to) = (result.len(), len.min(result.len() + STRETCH));
        result.extend_from_slice(stretch(first, from, to));
        result.resize(to, 0);
        let made = result.get_mut(from..).unwrap_or_default();
        for other in others {
            fold(operation, made, stretch(other, from, to));
        }
    }
    result
}

/// The inverse of every bit.
#[must_use]
pub fn invert(source: &[u8]) -> Vec<u8> {
    source.iter().map(|byte| !byte).collect()
}

/// The bytes of `source` from `from` to `to`, as far as there are any.
fn stretch(source: &[u8], from: usize, to: usize) -> &[u8] {
    source.get(from..to.min(source.len())).unwrap_or_default()
}

/// Folds `other` into `made`, which is not shorter.
fn fold(operation: Combine, made: &mut [u8], other: &[u8]) {
    let (common, rest) = made.split_at_mut(other.len().min(made.len()));
    match operation {
        Combine::And => {
            common.iter_mut().zip(other).for_each(|(made, other)| *made &= other);
            rest.fill(0);
        }
        Combine::Or => common.iter_mut().zip(other).for_each(|(made, other)| *made |= other),
        Combine::Xor => common.iter_mut().zip(other).for_each(|(made, other)| *made ^= other),
    }
}
