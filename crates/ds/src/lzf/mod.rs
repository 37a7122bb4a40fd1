//! LZF: the compression of RDB strings and of the inner nodes of lists.
//!
//! # The format
//!
//! A sequence of two kinds of runs; nothing says where it ends or how long the result is, both are
//! told by whoever carries it.
//!
//! ```text
//! 000lllll                          l + 1 bytes follow and are taken as they are (1 to 32)
//! lllooooo oooooooo                 the l + 2 bytes (3 to 8) that begin o + 1 bytes back
//! 111ooooo llllllll oooooooo        the same with l + 9 bytes (9 to 264)
//! ```
//!
//! A copy may reach into itself: "one byte back, 100 bytes" repeats one byte a hundred times.
//!
//! Source: the format of liblzf, as seen in payloads of `DUMP` of redis-server 7.0.15.

mod compress;
#[cfg(test)]
mod tests;

pub use compress::{Compressor, Packed, Packing};

use crate::CorruptError;
use alloc::vec::Vec;

/// How far back a copy reaches.
const REACH: usize = 1 << 13;
/// The longest copy.
const COPY_MAX: usize = 264;
/// The longest run of plain bytes.
const PLAIN_MAX: usize = 32;

/// Compresses `input`; `None` unless the result is at most `bytes_max` bytes. Inputs of 4 GiB and
/// more are not taken. Whoever compresses many keeps a [`Compressor`].
#[must_use]
pub fn compress(input: &[u8], bytes_max: usize) -> Option<Vec<u8>> {
    let mut compressor = Compressor::default();
    let mut packing = compressor.begin(input.len(), bytes_max)?;
    let outcome = compressor.advance(&mut packing, input, usize::MAX);
    (outcome == Packed::All).then(|| packing.take_packed())
}

/// Decompresses what must become exactly `len` bytes. Never allocates more than the input could
/// stand for, whatever `len` says.
///
/// # Errors
/// A run that ends behind the input, a copy from before the beginning, another length.
pub fn decompress(input: &[u8], len: usize) -> Result<Vec<u8>, CorruptError> {
    // Three bytes stand for 264 at most.
    if len > input.len().saturating_mul(COPY_MAX / 3) {
        return Err(CorruptError::new(0, "a compressed string that is long enough"));
    }
    let mut out = Vec::with_capacity(len);
    let mut rest = input;
    while let [control, behind @ ..] = rest {
        let at = input.len() - rest.len();
        let cut = CorruptError::new(at, "a whole run of a compressed string");
        let run = usize::from(*control);
        let length = if run < PLAIN_MAX {
            let (plain, behind) = behind.split_at_checked(run + 1).ok_or(cut)?;
            fits(&out, plain.len(), len, at)?;
            out.extend_from_slice(plain);
            rest = behind;
            continue;
        } else if run >> 5 < 7 {
            rest = behind;
            (run >> 5) + 2
        } else {
            let [more, behind @ ..] = behind else { return Err(cut) };
            rest = behind;
            usize::from(*more) + 9
        };
        let [low, behind @ ..] = rest else { return Err(cut) };
        rest = behind;
        let back = ((run & 0x1f) << 8 | usize::from(*low)) + 1;
        fits(&out, length, len, at)?;
        let from = out
            .len()
            .checked_sub(back)
            .ok_or(CorruptError::new(at, "a copy of bytes that were there"))?;
        repeat(&mut out, from, length);
    }
    if out.len() == len {
        Ok(out)
    } else {
        Err(CorruptError::new(input.len(), "a compressed string of the length it claims"))
    }
}

/// Feeds any bytes to [`decompress`], and what comes out back through [`compress`].
///
/// # Panics
/// When something is lost on the way.
pub fn fuzz_lzf(data: &[u8]) {
    let Some(([a, b], input)) = data.split_first_chunk::<2>() else { return };
    let len = usize::from(u16::from_le_bytes([*a, *b]));
    if let Ok(text) = decompress(input, len) {
        assert_eq!(text.len(), len, "the length is the one asked for");
    }
    if let Some(packed) = compress(input, usize::MAX) {
        let text = decompress(&packed, input.len());
        assert!(text.as_deref() == Ok(input), "what was compressed comes out again");
    }
}

/// Adds `length` bytes that begin at `from` and may reach into themselves.
fn repeat(out: &mut Vec<u8>, from: usize, mut length: usize) {
    while length > 0 {
        let step = length.min(out.len() - from);
        out.extend_from_within(from..from + step);
        length -= step;
    }
}

fn fits(out: &[u8], more: usize, len: usize, at: usize) -> Result<(), CorruptError> {
    if out.len() + more > len {
        return Err(CorruptError::new(at, "the end of a compressed string"));
    }
    Ok(())
}
