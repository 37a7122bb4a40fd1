//! The compressor.
//!
//! One pass with a table that knows for each hash of three bytes where such bytes were seen last;
//! a match is taken greedily. Searching is left to better formats: this one is for speed.
//!
//! The table is kept from one input to the next and never cleared: it remembers places in all
//! inputs one behind the other, and what lies in front of the present one is no place for it.

use super::{COPY_MAX, PLAIN_MAX, REACH};
use alloc::boxed::Box;
use alloc::vec::Vec;

/// Places that the table remembers, as a power of two.
const TABLE_BITS: u32 = 13;
/// The shortest copy that is made.
const COPY_MIN: usize = 3;

type Table = [u32; 1 << TABLE_BITS];

/// Compresses one input after another.
#[derive(Clone, Default)]
pub struct Compressor {
    /// For each hash one more than the last place with it, counted over all inputs. It is made for
    /// the first input.
    table: Option<Box<Table>>,
    /// Where the next input begins in that count.
    next: u32,
    /// What [`Compressor::compress`] gives.
    packed: Vec<u8>,
}

/// An input of which a part has been compressed.
#[derive(Clone, Debug)]
pub struct Packing {
    /// Where the input begins in the table's count.
    base: u32,
    /// The next place to look at.
    at: usize,
    /// Where what is not in `packed` begins.
    plain_from: usize,
    packed: Vec<u8>,
    bytes_max: usize,
}

/// How far compressing an input has come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Packed {
    /// There is more of it.
    Some,
    /// It is compressed.
    All,
    /// It takes too many bytes; what was done is of no use.
    TooLong,
}

impl Compressor {
    /// Compresses `input`; `None` unless the result is at most `bytes_max` bytes. Inputs of 4 GiB
    /// and more are not taken.
    pub fn compress(&mut self, input: &[u8], bytes_max: usize) -> Option<&[u8]> {
        let mut packing = self.begin(input.len(), bytes_max)?;
        packing.packed = core::mem::take(&mut self.packed);
        packing.packed.clear();
        let outcome = self.advance(&mut packing, input, usize::MAX);
        self.packed = packing.packed;
        (outcome == Packed::All).then_some(&self.packed)
    }

    /// Begins with an input of `len` bytes, to be compressed piece by piece to at most `bytes_max`
    /// bytes. Other inputs may be compressed between the pieces. `None` for 4 GiB and more.
    pub fn begin(&mut self, len: usize, bytes_max: usize) -> Option<Packing> {
        let len = u32::try_from(len).ok()?;
        if self.next.checked_add(len).is_none() {
            // The count is over, and a new one begins.
            self.table = None;
            self.next = 0;
        }
        let base = self.next;
        self.next += len;
        Some(Packing { base, at: 0, plain_from: 0, packed: Vec::new(), bytes_max })
    }

    /// Compresses about `bytes` bytes more of `input`, which is the same for all pieces.
    pub fn advance(&mut self, packing: &mut Packing, input: &[u8], bytes: usize) -> Packed {
        let table = self.table.get_or_insert_with(|| Box::new([0; 1 << TABLE_BITS]));
        let until = packing.at.saturating_add(bytes);
        packing.advance(table, input, until)
    }
}

impl Packing {
    /// Has room made for the whole result, so that it does not move while it grows.
    #[must_use]
    pub fn with_room(mut self) -> Self {
        self.packed.reserve_exact(self.bytes_max);
        self
    }

    /// Takes the result, when all of the input is compressed.
    #[must_use]
    pub fn take_packed(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.packed)
    }

    fn advance(&mut self, table: &mut Table, input: &[u8], until: usize) -> Packed {
        let Self { base, bytes_max, .. } = *self;
        let (mut at, mut plain_from) = (self.at, self.plain_from);
        while at < until {
            let Some(word) = four(input, at) else {
                put_plain(&mut self.packed, input.get(plain_from..).unwrap_or_default());
                return if self.packed.len() <= bytes_max { Packed::All } else { Packed::TooLong };
            };
            let slot = slot(table, word);
            // Places of inputs before this one, and behind it, are far out of reach.
            let from = slot.wrapping_sub(base).wrapping_sub(1) as usize;
            *slot = base.wrapping_add(at as u32).wrapping_add(1);
            let is_near = from < at && at - from <= REACH;
            if !(is_near && four(input, from).is_some_and(|seen| (seen ^ word) << 8 == 0)) {
                at += 1;
                continue;
            }
            let length = COPY_MIN + common(input, from + COPY_MIN, at + COPY_MIN);
            put_plain(&mut self.packed, input.get(plain_from..at).unwrap_or_default());
            put_copy(&mut self.packed, at - from - 1, length);
            if self.packed.len() > bytes_max {
                return Packed::TooLong;
            }
            // The last place inside the copy is worth remembering, the others are not.
            let last = at + length - 1;
            if let Some(word) = four(input, last) {
                *self::slot(table, word) = base.wrapping_add(last as u32).wrapping_add(1);
            }
            at += length;
            plain_from = at;
        }
        (self.at, self.plain_from) = (at, plain_from);
        Packed::Some
    }
}

/// The four bytes from `at` on, the first of them lowest.
#[inline(always)]
fn four(input: &[u8], at: usize) -> Option<u32> {
    input.get(at..)?.first_chunk().copied().map(u32::from_le_bytes)
}

/// The place in the table for what begins with the three low bytes of a word.
#[inline(always)]
fn slot(table: &mut Table, word: u32) -> &mut u32 {
    let hash = (word & 0xff_ffff).wrapping_mul(0x9e37_79b1) >> (u32::BITS - TABLE_BITS);
    table.get_mut(hash as usize).expect("the hash has as many bits as the table")
}

/// How many bytes are the same from `a` and from `b` on, of those that a copy may still have.
#[inline]
fn common(input: &[u8], a: usize, b: usize) -> usize {
    const MAX: usize = COPY_MAX - COPY_MIN;
    let (a, b) = (input.get(a..).unwrap_or_default(), input.get(b..).unwrap_or_default());
    let b = b.get(..MAX).unwrap_or(b);
    let a = a.get(..b.len()).unwrap_or(a);
    let ((a8, a1), (b8, b1)) = (a.as_chunks(), b.as_chunks());
    for (at, (a, b)) in a8.iter().zip(b8).enumerate() {
        let difference = u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b);
        if difference != 0 {
            return at * 8 + difference.trailing_zeros() as usize / 8;
        }
    }
    a8.len() * 8 + a1.iter().zip(b1).take_while(|(a, b)| a == b).count()
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
