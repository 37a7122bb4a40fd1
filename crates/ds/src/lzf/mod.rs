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
//! # This compressor
//!
//! One pass with a table that knows for each hash of three bytes where such bytes were seen last;
//! a match is taken greedily. Searching is left to better formats: this one is for speed.
//!
//! Source: the format of liblzf, as seen in payloads of `DUMP` of redis-server 7.0.15.

#[cfg(test)]
mod tests;

use crate::CorruptError;
use alloc::vec::Vec;

/// How far back a copy reaches.
const REACH: usize = 1 << 13;
/// The longest copy.
const COPY_MAX: usize = 264;
/// The longest run of plain bytes.
const PLAIN_MAX: usize = 32;
/// Places that the table remembers, as a power of two.
const TABLE_BITS: u32 = 13;

/// Compresses `input`; `None` unless the result is at most `bytes_max` bytes. Inputs of 4 GiB and
/// more are not taken.
#[must_use]
pub fn compress(input: &[u8], bytes_max: usize) -> Option<Vec<u8>> {
    if u32::try_from(input.len()).is_err() {
        return None;
    }
    // A place in the table is one more than a place in the input; 0 says there was none.
    let mut table = [0u32; 1 << TABLE_BITS];
    let mut out = Vec::with_capacity(bytes_max.min(input.len()));
    let mut plain_from = 0;
    let mut at = 0;
    while let Some([a, b, c]) = three(input, at) {
        let hash = hash(a, b, c);
        let seen = table.get_mut(hash)?;
        let before = (*seen as usize).checked_sub(1);
        *seen = at as u32 + 1;
        let from =
            before.filter(|from| at - from <= REACH && three(input, *from) == Some([a, b, c]));
        let Some(from) = from else {
            at += 1;
            continue;
        };
        let length = 3 + common(input, from + 3, at + 3).min(COPY_MAX - 3);
        put_plain(&mut out, input.get(plain_from..at)?);
        put_copy(&mut out, at - from - 1, length);
        if out.len() > bytes_max {
            return None;
        }
        // The last place inside the copy is worth remembering, the others are not.
        let last = at + length - 1;
        if let Some([a, b, c]) = three(input, last) {
            *table.get_mut(self::hash(a, b, c))? = last as u32 + 1;
        }
        at += length;
        plain_from = at;
    }
    put_plain(&mut out, input.get(plain_from..)?);
    (out.len() <= bytes_max).then_some(out)
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

/// The three bytes from `at` on.
#[inline]
fn three(input: &[u8], at: usize) -> Option<[u8; 3]> {
    input.get(at..)?.first_chunk::<3>().copied()
}

fn hash(a: u8, b: u8, c: u8) -> usize {
    let word = u32::from_le_bytes([a, b, c, 0]);
    (word.wrapping_mul(0x9e37_79b1) >> (u32::BITS - TABLE_BITS)) as usize
}

/// How many bytes are the same from `a` and from `b` on, up to the longest copy.
fn common(input: &[u8], a: usize, b: usize) -> usize {
    let (a, b) = (input.get(a..).unwrap_or_default(), input.get(b..).unwrap_or_default());
    a.iter().zip(b).take(COPY_MAX).take_while(|(a, b)| a == b).count()
}

fn put_plain(out: &mut Vec<u8>, bytes: &[u8]) {
    for run in bytes.chunks(PLAIN_MAX) {
        out.push(run.len() as u8 - 1);
        out.extend_from_slice(run);
    }
}

/// A copy of `length` bytes (3 to 264) from `back + 1` bytes back.
fn put_copy(out: &mut Vec<u8>, back: usize, length: usize) {
    let [low, high, ..] = back.to_le_bytes();
    if length < 9 {
        out.extend([((length - 2) as u8) << 5 | high, low]);
    } else {
        out.extend([7 << 5 | high, (length - 9) as u8, low]);
    }
}
