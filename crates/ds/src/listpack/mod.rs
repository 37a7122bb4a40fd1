//! Listpack: a sequence of integers and byte strings in one run of bytes.
//!
//! # Why this shape
//!
//! A small collection is read whole, or searched from end to end, faster than a table is probed,
//! and without pointers it takes little more than the bytes of its elements. The bytes are those
//! of Redis's listpack: `DUMP` payloads, RDB files and replication links carry them as they are,
//! so that loading and saving a small collection is a copy.
//!
//! ```text
//! +-------------+-------------+----------------------------------------+------+--------+
//! | total bytes |    count    | entry: encoding, payload, length again | 0xff | unused |
//! |  u32, LE    |  u16, LE    |            as often as needed          |      |        |
//! +-------------+-------------+----------------------------------------+------+--------+
//! ```
//!
//! The length behind an entry (see `code`) lets the sequence be walked backwards. A count of 65535
//! means "that many or more": such a listpack is counted by walking it.
//!
//! # Costs
//!
//! Ends, next and previous: O(1). By index, and search: O(n) over adjacent bytes. An insertion or
//! removal moves the bytes behind it. The value itself is 16 bytes, its block is as long as the
//! allocator's size classes make it anyhow: steps of 8 bytes up to 64, then four steps to each
//! doubling; removals give back when a quarter is unused. No listpack grows past 1 GiB: an edit
//! that would is refused with [`Full`].
//!
//! # Positions
//!
//! A [`Pos`] is the place of an element (or the end) in the listpack that gave it, until that
//! listpack changes. After a change the positions in front of it still hold, and the edit says
//! where to go on. Reading at a position that does not hold any more gives wrong elements or none.

mod check;
mod code;
mod edit;
mod element;
mod iter;
#[cfg(test)]
mod tests;

pub use check::fuzz_listpack;
pub(crate) use code::Encoded;
pub use edit::Full;
pub use element::{Digits, Element};
pub use iter::{Iter, Pairs};

use alloc::boxed::Box;
use core::fmt;

/// Bytes in front of the first entry.
const HEADER: usize = 6;
/// The most bytes that edits make a listpack of: 1 GiB, and less where tests try it.
const BYTES_MAX: usize = if cfg!(test) { 1 << 23 } else { 1 << 30 };
/// The count that means "that many or more".
const UNKNOWN: u16 = u16::MAX;

/// The place of an element, or the end. See the notes on positions above.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Pos(u32);

impl Pos {
    fn new(at: usize) -> Self {
        Self(at as u32)
    }

    pub(crate) fn at(self) -> usize {
        self.0 as usize
    }
}

/// A sequence of integers and byte strings in one run of bytes, in the format of Redis.
pub struct Listpack {
    /// Header, entries and end mark in the first `total_bytes()`, zeros behind.
    block: Box<[u8]>,
}

impl Listpack {
    /// Bytes of a listpack without elements.
    pub(crate) const EMPTY_BYTES: usize = HEADER + 1;

    /// A listpack without elements.
    #[must_use]
    pub fn new() -> Self {
        Self::with_capacity(0)
    }

    /// Number of elements. O(1) below 65535 elements, else by walking them.
    #[must_use]
    pub fn len(&self) -> usize {
        match self.count() {
            UNKNOWN => iter::count(self.bytes(), HEADER),
            count => usize::from(count),
        }
    }

    /// Whether there is no element. O(1).
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.total_bytes() <= HEADER + 1
    }

    /// The listpack in the format of Redis.
    #[must_use]
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        let total = self.total_bytes();
        self.block.get(..total).unwrap_or_default()
    }

    /// Length of [`Listpack::bytes`].
    #[must_use]
    #[inline]
    pub fn total_bytes(&self) -> usize {
        match *self.block {
            [a, b, c, d, ..] => u32::from_le_bytes([a, b, c, d]) as usize,
            _ => 0,
        }
    }

    /// Bytes of the allocation behind this value, as requested.
    #[must_use]
    #[inline]
    pub fn heap_bytes(&self) -> usize {
        self.block.len()
    }

    /// The first element's place.
    #[must_use]
    #[inline]
    pub fn first(&self) -> Option<Pos> {
        self.element_at(Pos(HEADER as u32))
    }

    /// The last element's place.
    #[must_use]
    #[inline]
    pub fn last(&self) -> Option<Pos> {
        self.prev(self.end())
    }

    /// The place behind the last element: inserting there appends.
    #[must_use]
    #[inline]
    pub fn end(&self) -> Pos {
        Pos::new(self.total_bytes().saturating_sub(1))
    }

    /// The element behind `pos`.
    #[must_use]
    #[inline]
    pub fn next(&self, pos: Pos) -> Option<Pos> {
        self.element_at(self.after(pos))
    }

    /// The place behind the element at `pos`: the next element's, or the end.
    #[must_use]
    #[inline]
    pub fn after(&self, pos: Pos) -> Pos {
        let whole = self.bytes().get(pos.at()..).and_then(code::whole);
        whole.map_or(self.end(), |whole| Pos::new(pos.at().saturating_add(whole)))
    }

    /// The element in front of `pos`, which may be the end.
    #[must_use]
    #[inline]
    pub fn prev(&self, pos: Pos) -> Option<Pos> {
        let before = self.bytes().get(HEADER..pos.at())?;
        let start = pos.at().checked_sub(code::whole_before(before)?)?;
        (start >= HEADER).then_some(Pos::new(start))
    }

    /// The place of the element with this index: 0 is the first, -1 the last.
    #[must_use]
    pub fn seek(&self, index: i64) -> Option<Pos> {
        let count = match self.count() {
            UNKNOWN => None,
            count => Some(i64::from(count)),
        };
        // Counted from the nearer end: at or above zero from the front.
        let index = match count {
            Some(count) if index >= count || index < -count => return None,
            Some(count) if index >= 0 && index > count / 2 => index - count,
            Some(count) if index < 0 && index < -(count / 2) => index + count,
            _ => index,
        };
        if index >= 0 {
            let mut pos = self.first()?;
            for _ in 0..index {
                pos = self.next(pos)?;
            }
            Some(pos)
        } else {
            let mut pos = self.last()?;
            for _ in 1..index.unsigned_abs() {
                pos = self.prev(pos)?;
            }
            Some(pos)
        }
    }

    /// The element at `pos`; `None` at the end.
    #[must_use]
    #[inline]
    pub fn get(&self, pos: Pos) -> Option<Element<'_>> {
        Some(code::decode(self.bytes().get(pos.at()..)?)?.0)
    }

    /// The element with this index: 0 is the first, -1 the last.
    #[must_use]
    pub fn get_index(&self, index: i64) -> Option<Element<'_>> {
        self.get(self.seek(index)?)
    }

    /// `pos` if an element starts there, and not the end mark.
    #[inline]
    fn element_at(&self, pos: Pos) -> Option<Pos> {
        self.bytes().get(pos.at()).is_some_and(|byte| *byte != code::END).then_some(pos)
    }

    /// The count as the header has it.
    #[inline]
    fn count(&self) -> u16 {
        match *self.block {
            [_, _, _, _, a, b, ..] => u16::from_le_bytes([a, b]),
            _ => 0,
        }
    }
}

impl Default for Listpack {
    fn default() -> Self {
        Self::new()
    }
}

impl Clone for Listpack {
    /// A copy without unused bytes.
    fn clone(&self) -> Self {
        Self::of_valid(self.bytes())
    }
}

impl PartialEq for Listpack {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Eq for Listpack {}

impl fmt::Debug for Listpack {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_list().entries(self).finish()
    }
}
