//! Intset: a set of integers as one sorted array.
//!
//! # Why this shape
//!
//! A set of integers needs no hash and no pointer: sorted, it is searched in O(log n), and a
//! member takes 2, 4 or 8 bytes, whichever the widest one needs. The bytes are those of Redis's
//! intset, which `DUMP` payloads and RDB files carry.
//!
//! ```text
//! +------------------+------------------+------------------------------------------+--------+
//! | bytes per member | number of members| members in ascending order, signed, LE   | unused |
//! |     u32, LE      |     u32, LE      |                                          |        |
//! +------------------+------------------+------------------------------------------+--------+
//! ```
//!
//! # Costs
//!
//! Adding and removing move the members behind: O(n), a copy of some KB at the usual limit of 512
//! members. The first member that needs more bytes widens all of them; they stay wide. The value
//! is 16 bytes; its block grows and shrinks in the allocator's steps, as a listpack's does.

mod check;
#[cfg(test)]
mod tests;

pub use check::fuzz_intset;

use crate::block;
use alloc::boxed::Box;
use alloc::vec;
use core::fmt;
use core::iter::FusedIterator;

/// Bytes in front of the first member.
const HEADER: usize = 8;

/// Bytes that each member takes.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Width {
    Two = 2,
    Four = 4,
    Eight = 8,
}

impl Width {
    /// The least that `number` needs.
    fn of(number: i64) -> Self {
        if i16::try_from(number).is_ok() {
            Self::Two
        } else if i32::try_from(number).is_ok() {
            Self::Four
        } else {
            Self::Eight
        }
    }

    fn bytes(self) -> usize {
        self as usize
    }
}

/// A sorted set of integers in one run of bytes, in the format of Redis.
pub struct Intset {
    /// Header and members, zeros behind.
    block: Box<[u8]>,
}

impl Intset {
    /// The most members a set may have; Redis leaves the encoding at this number too.
    pub const LEN_MAX: usize = 1 << 30;

    /// A set without members.
    #[must_use]
    pub fn new() -> Self {
        let mut block = vec![0; HEADER].into_boxed_slice();
        if let Some(width) = block.first_mut() {
            *width = Width::Two as u8;
        }
        Self { block }
    }

    /// Number of members.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        match *self.block {
            [_, _, _, _, a, b, c, d, ..] => u32::from_le_bytes([a, b, c, d]) as usize,
            _ => 0,
        }
    }

    /// Whether there is no member.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The set in the format of Redis.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.block.get(..HEADER + self.len() * self.width().bytes()).unwrap_or_default()
    }

    /// Bytes of the allocation behind this value, as requested.
    #[must_use]
    #[inline]
    pub fn heap_bytes(&self) -> usize {
        self.block.len()
    }

    /// Whether `number` is a member.
    #[must_use]
    #[inline]
    pub fn contains(&self, number: i64) -> bool {
        self.search(number).is_ok()
    }

    /// The member with this index in ascending order. Members are drawn by a random index.
    #[must_use]
    #[inline]
    pub fn get(&self, index: usize) -> Option<i64> {
        let members = self.members();
        match self.width() {
            Width::Two => members.as_chunks().0.get(index).map(two),
            Width::Four => members.as_chunks().0.get(index).map(four),
            Width::Eight => members.as_chunks().0.get(index).map(eight),
        }
    }

    /// The least member.
    #[must_use]
    pub fn first(&self) -> Option<i64> {
        self.get(0)
    }

    /// The greatest member.
    #[must_use]
    pub fn last(&self) -> Option<i64> {
        self.get(self.len().checked_sub(1)?)
    }

    /// All members in ascending order.
    #[must_use]
    pub fn iter(&self) -> Iter<'_> {
        Iter { set: self, front: 0, back: self.len() }
    }

    /// Adds `number`, and says whether it was new.
    ///
    /// # Panics
    /// Past [`Intset::LEN_MAX`]: the caller goes over to another encoding before.
    pub fn add(&mut self, number: i64) -> bool {
        let Err(index) = self.search(number) else { return false };
        let len = self.len();
        assert!(len < Self::LEN_MAX, "an intset does not grow past its limit");
        if Width::of(number) > self.width() {
            self.widen(Width::of(number));
        }
        let width = self.width().bytes();
        let (at, end) = (HEADER + index * width, HEADER + len * width);
        if end + width > self.block.len() {
            block::resize(&mut self.block, block::capacity(end + width));
        }
        self.block.copy_within(at..end, at + width);
        self.put(index, number);
        self.put_len(len + 1);
        true
    }

    /// Removes `number`, and says whether it was a member.
    pub fn remove(&mut self, number: i64) -> bool {
        let Ok(index) = self.search(number) else { return false };
        let len = self.len();
        let width = self.width().bytes();
        let (at, end) = (HEADER + index * width, HEADER + len * width);
        self.block.copy_within(at + width..end, at);
        self.block.get_mut(end - width..end).unwrap_or_default().fill(0);
        self.put_len(len - 1);
        if let Some(len) = block::smaller(self.block.len(), end - width) {
            block::resize(&mut self.block, len);
        }
        true
    }

    fn width(&self) -> Width {
        match self.block.first() {
            Some(2) => Width::Two,
            Some(4) => Width::Four,
            _ => Width::Eight,
        }
    }

    fn members(&self) -> &[u8] {
        self.bytes().get(HEADER..).unwrap_or_default()
    }

    /// Where `number` is, or where it belongs.
    fn search(&self, number: i64) -> Result<usize, usize> {
        let members = self.members();
        match self.width() {
            Width::Two => members.as_chunks().0.binary_search_by_key(&number, two),
            Width::Four => members.as_chunks().0.binary_search_by_key(&number, four),
            Width::Eight => members.as_chunks().0.binary_search_by_key(&number, eight),
        }
    }

    /// Gives every member `width` bytes, and the block room for one more.
    fn widen(&mut self, width: Width) {
        let mut wide = Self::new();
        let bytes = HEADER + (self.len() + 1) * width.bytes();
        block::resize(&mut wide.block, block::capacity(bytes));
        if let Some(field) = wide.block.first_mut() {
            *field = width as u8;
        }
        for (index, number) in self.iter().enumerate() {
            wide.put(index, number);
        }
        wide.put_len(self.len());
        *self = wide;
    }

    /// Writes a member that the width is enough for; low bytes come first.
    fn put(&mut self, index: usize, number: i64) {
        let width = self.width().bytes();
        let at = HEADER + index * width;
        let place = self.block.get_mut(at..at + width).unwrap_or_default();
        place.iter_mut().zip(number.to_le_bytes()).for_each(|(to, from)| *to = from);
    }

    fn put_len(&mut self, len: usize) {
        if let [_, _, _, _, a, b, c, d, ..] = &mut *self.block {
            [*a, *b, *c, *d] = (len as u32).to_le_bytes();
        }
    }
}

impl Default for Intset {
    fn default() -> Self {
        Self::new()
    }
}

impl Clone for Intset {
    /// A copy without unused bytes.
    fn clone(&self) -> Self {
        Self::of_valid(self.bytes())
    }
}

impl PartialEq for Intset {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Eq for Intset {}

impl fmt::Debug for Intset {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_set().entries(self).finish()
    }
}

/// Members in ascending order, from either end.
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    set: &'a Intset,
    front: usize,
    back: usize,
}

impl Iterator for Iter<'_> {
    type Item = i64;

    #[inline]
    fn next(&mut self) -> Option<i64> {
        let number = (self.front < self.back).then(|| self.set.get(self.front))??;
        self.front += 1;
        Some(number)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.back - self.front, Some(self.back - self.front))
    }
}

impl DoubleEndedIterator for Iter<'_> {
    fn next_back(&mut self) -> Option<i64> {
        self.back = self.back.checked_sub(1).filter(|back| *back >= self.front)?;
        self.set.get(self.back)
    }
}

impl ExactSizeIterator for Iter<'_> {}
impl FusedIterator for Iter<'_> {}

impl<'a> IntoIterator for &'a Intset {
    type Item = i64;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl FromIterator<i64> for Intset {
    fn from_iter<I: IntoIterator<Item = i64>>(numbers: I) -> Self {
        let mut set = Self::new();
        for number in numbers {
            set.add(number);
        }
        set
    }
}

fn two(member: &[u8; 2]) -> i64 {
    i64::from(i16::from_le_bytes(*member))
}

fn four(member: &[u8; 4]) -> i64 {
    i64::from(i32::from_le_bytes(*member))
}

fn eight(member: &[u8; 8]) -> i64 {
    i64::from_le_bytes(*member)
}
