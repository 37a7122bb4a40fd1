//! Finding the first bit of a kind.

use super::{BYTE, cut};
use core::ops::Range;

/// Bytes that are looked at before it is decided whether the bit is among them.
const BLOCK: usize = 64;

/// The first bit of `run` that is `wanted`, as far as `bytes` go.
#[must_use]
pub fn find(bytes: &[u8], wanted: bool, run: Range<u64>) -> Option<u64> {
    // Looking for a 0 is looking for a 1 in the inverse.
    let flip = if wanted { 0 } else { u8::MAX };
    let end = run.end.min((bytes.len() as u64).saturating_mul(BYTE));
    if run.start >= end {
        return None;
    }
    let parts = cut(bytes, run.start..end);
    let whole = run.start.div_ceil(BYTE);
    let inside = |at: u64| (run.start..end).contains(&at);
    // Masked bits of the edges are 0 and become 1 when flipped: what they give may lie outside.
    let edge = |byte: u8, at: u64| -> Option<u64> {
        let flipped = byte ^ flip;
        (0..BYTE)
            .map(|bit| at * BYTE + bit)
            .find(|bit| inside(*bit) && flipped & (0x80 >> (bit % BYTE)) != 0)
    };
    if let Some(found) = parts.head.and_then(|byte| edge(byte, run.start / BYTE)) {
        return Some(found);
    }
    if let Some((at, byte)) = find_byte(parts.whole, flip) {
        return Some((whole + at as u64) * BYTE + u64::from((byte ^ flip).leading_zeros()));
    }
    parts.tail.and_then(|byte| edge(byte, end / BYTE))
}

/// The first byte that is not `skip`, with its place.
fn find_byte(bytes: &[u8], skip: u8) -> Option<(usize, u8)> {
    let (blocks, _) = bytes.as_chunks::<BLOCK>();
    let differs = |block: &[u8; BLOCK]| block.iter().fold(0, |all, byte| all | (byte ^ skip)) != 0;
    let skipped = blocks.iter().position(differs).unwrap_or(blocks.len()) * BLOCK;
    let rest = bytes.get(skipped..).unwrap_or_default();
    let (at, byte) = rest.iter().enumerate().find(|(_, byte)| **byte != skip)?;
    Some((skipped + at, *byte))
}
