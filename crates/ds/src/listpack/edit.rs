//! Changing a listpack: one gap is opened or closed, then filled.

use super::code::{self, Encoded};
use super::{BYTES_MAX, Element, HEADER, Listpack, Pos, UNKNOWN, iter};
use crate::block;
use alloc::vec;
use core::fmt;

/// The listpack would have grown past 1 GiB and was left as it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Full;

impl fmt::Display for Full {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a listpack does not grow past 1 GiB")
    }
}

impl core::error::Error for Full {}

impl Listpack {
    /// Bytes that one element takes in a listpack.
    #[must_use]
    pub fn entry_bytes<'v>(value: impl Into<Element<'v>>) -> usize {
        Encoded::new(value.into()).whole()
    }

    /// A listpack without elements whose block has room for `total_bytes`, header and end mark
    /// included.
    #[must_use]
    pub fn with_capacity(total_bytes: usize) -> Self {
        let mut block = vec![0; total_bytes.max(HEADER + 1).next_multiple_of(8)].into_boxed_slice();
        if let [total, _, _, _, _, _, end, ..] = &mut *block {
            *total = HEADER as u8 + 1;
            *end = code::END;
        }
        Self { block }
    }

    /// Whether `bytes` more (of elements' texts, say) leave the listpack below 1 GiB. Redis asks
    /// this with the sum of the arguments' lengths before it adds to a small collection.
    #[must_use]
    pub fn has_room(&self, bytes: usize) -> bool {
        self.total_bytes().checked_add(bytes).is_some_and(|sum| sum <= BYTES_MAX)
    }

    /// Adds an element at the end, and returns its place.
    ///
    /// # Errors
    /// [`Full`] past 1 GiB; nothing changes.
    #[inline]
    pub fn push<'v>(&mut self, value: impl Into<Element<'v>>) -> Result<Pos, Full> {
        self.insert(self.end(), value)
    }

    /// Adds an element in front of all others.
    ///
    /// # Errors
    /// [`Full`] past 1 GiB; nothing changes.
    #[inline]
    pub fn push_front<'v>(&mut self, value: impl Into<Element<'v>>) -> Result<Pos, Full> {
        self.insert(Pos::new(HEADER), value)
    }

    /// Adds an element in front of the one at `pos`, or at the end, and returns its place.
    ///
    /// # Errors
    /// [`Full`] past 1 GiB; nothing changes.
    pub fn insert<'v>(&mut self, pos: Pos, value: impl Into<Element<'v>>) -> Result<Pos, Full> {
        self.insert_entry(pos, &Encoded::new(value.into()))
    }

    /// [`Listpack::insert`] of what is encoded already.
    pub(crate) fn insert_entry(&mut self, pos: Pos, entry: &Encoded<'_>) -> Result<Pos, Full> {
        entry.write(self.gap(pos.at(), 0, entry.whole())?);
        self.count_more(1);
        Ok(pos)
    }

    /// Puts another element in the place of the one at `pos`.
    ///
    /// # Errors
    /// [`Full`] past 1 GiB; nothing changes.
    pub fn replace<'v>(&mut self, pos: Pos, value: impl Into<Element<'v>>) -> Result<Pos, Full> {
        let old = self.after(pos).at().saturating_sub(pos.at());
        assert!(old > 0, "there is an element to replace");
        let entry = Encoded::new(value.into());
        entry.write(self.gap(pos.at(), old, entry.whole())?);
        Ok(pos)
    }

    /// Removes the element at `pos`; returns the place of the one that followed it.
    pub fn remove(&mut self, pos: Pos) -> Option<Pos> {
        self.remove_run(pos, 1);
        self.element_at(pos)
    }

    /// Removes up to `count` elements from `pos` on, and returns how many there were. What
    /// followed them is at `pos` then.
    pub fn remove_run(&mut self, pos: Pos, count: usize) -> usize {
        let mut run = self.iter_from(pos);
        let mut removed = 0;
        while removed < count && run.skip_one() {
            removed += 1;
        }
        let bytes = run.pos().at().saturating_sub(pos.at());
        self.close(pos.at(), bytes);
        self.count_less(removed);
        removed
    }

    /// Removes up to `count` elements from `index` on (negative from the end, -1 is the last), and
    /// returns how many there were.
    pub fn remove_range(&mut self, index: i64, count: usize) -> usize {
        self.seek(index).map_or(0, |pos| self.remove_run(pos, count))
    }

    /// Removes all elements and gives the memory back.
    pub fn clear(&mut self) {
        *self = Self::new();
    }

    /// Adds all elements of `other` at the end.
    ///
    /// # Errors
    /// [`Full`] past 1 GiB; nothing changes.
    pub fn append(&mut self, other: &Self) -> Result<(), Full> {
        self.take_in(self.end(), other)
    }

    /// Adds all elements of `other` at the front, in their order.
    ///
    /// # Errors
    /// [`Full`] past 1 GiB; nothing changes.
    pub fn prepend(&mut self, other: &Self) -> Result<(), Full> {
        self.take_in(Pos::new(HEADER), other)
    }

    /// Takes the elements from `pos` on out into a listpack of their own.
    #[must_use]
    pub fn split_off(&mut self, pos: Pos) -> Self {
        let end = self.end().at();
        let entries = self.bytes().get(pos.at()..end).unwrap_or_default();
        let mut tail = Self::with_capacity(HEADER + entries.len() + 1);
        // It is shorter than this listpack, so that it fits.
        if let Ok(gap) = tail.gap(HEADER, 0, entries.len()) {
            gap.copy_from_slice(entries);
        }
        let moved = iter::count(tail.bytes(), HEADER);
        tail.count_more(moved);
        self.close(pos.at(), end.saturating_sub(pos.at()));
        self.count_less(moved);
        tail
    }

    /// Gives back what the elements do not use.
    pub fn shrink_to_fit(&mut self) {
        let len = self.total_bytes().next_multiple_of(8);
        block::resize(&mut self.block, len);
    }

    /// Takes on the elements of another listpack, given as [`Listpack::bytes`] gave it.
    pub fn assign(&mut self, bytes: &[u8]) {
        if bytes.len() > self.block.len() {
            self.block = vec![0; block::capacity(bytes.len())].into_boxed_slice();
        }
        let (start, rest) = self.block.split_at_mut(bytes.len());
        start.copy_from_slice(bytes);
        rest.fill(0);
    }

    /// A listpack of bytes that are known to be one.
    pub(crate) fn of_valid(bytes: &[u8]) -> Self {
        let mut block = vec![0; bytes.len().next_multiple_of(8)].into_boxed_slice();
        if let Some(start) = block.get_mut(..bytes.len()) {
            start.copy_from_slice(bytes);
        }
        Self { block }
    }

    fn take_in(&mut self, pos: Pos, other: &Self) -> Result<(), Full> {
        let entries = other.bytes().get(HEADER..other.end().at()).unwrap_or_default();
        self.gap(pos.at(), 0, entries.len())?.copy_from_slice(entries);
        match other.count() {
            UNKNOWN => self.put_count(UNKNOWN),
            count => self.count_more(usize::from(count)),
        }
        Ok(())
    }

    /// Makes the `old` bytes at `at` into `new` ones, moves what follows, and gives the new ones
    /// to be filled. The count is the caller's.
    #[inline]
    fn gap(&mut self, at: usize, old: usize, new: usize) -> Result<&mut [u8], Full> {
        let total = self.total_bytes();
        assert!(at >= HEADER && at + old < total, "a position lies within its listpack");
        let after = total - old + new;
        if after > total {
            if after > BYTES_MAX {
                return Err(Full);
            }
            if after > self.block.len() {
                block::resize(&mut self.block, block::capacity(after));
            }
        }
        if old != new {
            self.block.copy_within(at + old..total, at + new);
            self.put_total(after);
            if after < total {
                self.block.get_mut(after..total).unwrap_or_default().fill(0);
                if let Some(len) = block::smaller(self.block.len(), after) {
                    block::resize(&mut self.block, len);
                }
            }
        }
        Ok(self.block.get_mut(at..at + new).unwrap_or_default())
    }

    /// Takes `bytes` bytes at `at` out.
    fn close(&mut self, at: usize, bytes: usize) {
        let shrunk = self.gap(at, bytes, 0);
        debug_assert!(shrunk.is_ok(), "taking out needs no room");
    }

    fn count_more(&mut self, by: usize) {
        let sum = usize::from(self.count()).saturating_add(by);
        self.put_count(u16::try_from(sum).unwrap_or(UNKNOWN));
    }

    /// An unknown count stays unknown, as it does in Redis.
    fn count_less(&mut self, by: usize) {
        if self.count() != UNKNOWN {
            let left = usize::from(self.count()).saturating_sub(by);
            self.put_count(u16::try_from(left).unwrap_or(UNKNOWN));
        }
    }

    fn put_total(&mut self, total: usize) {
        if let Some(field) = self.block.first_chunk_mut::<4>() {
            *field = (total as u32).to_le_bytes();
        }
    }

    fn put_count(&mut self, count: u16) {
        if let [_, _, _, _, a, b, ..] = &mut *self.block {
            [*a, *b] = count.to_le_bytes();
        }
    }
}
