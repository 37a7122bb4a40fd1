//! Thin items: byte strings behind an 8-byte pointer, for the tables inside large values.
//!
//! # Why this shape
//!
//! A set of a million members is a [`crate::Table`] of a million items, and what an item costs
//! beyond its bytes is paid a million times. A `Box<[u8]>` is two words and does not fit the
//! table's slot; a `Box<Vec<u8>>` is two allocations. A [`Block`] is one allocation that begins
//! with its own length:
//!
//! ```text
//! +------+----------------+--------------------+
//! | head | [length, wide] | bytes              |      allocated in steps of 8
//! +------+----------------+--------------------+
//! head: bit 7 mark, bits 0..7 the length up to 125,
//!       126: a 2-byte length follows, 127: an 8-byte length follows
//! ```
//!
//! [`Member`] is a block as it is: a member of 14 bytes takes 15, hence 16, and 14 to 15 more in
//! the table. [`Field`] is a field and its value in one block:
//!
//! ```text
//! +---------------------+-------+----------------------------+-------+
//! | field length, 1 / 9 | field | [expiry, 8 bytes, if mark] | value |
//! +---------------------+-------+----------------------------+-------+
//! field length: one byte up to 254, or 255 and 8 bytes
//! ```
//!
//! so that a field of 10 bytes with a value of 20 takes 32, where two strings and a node would take
//! three allocations. The value is last: it changes most, and what it grows or shrinks by moves
//! nothing else.

mod field;
mod member;
#[cfg(test)]
mod tests;

pub use field::Field;
pub use member::Member;

use alloc::alloc::{alloc, dealloc, handle_alloc_error, realloc};
use core::alloc::Layout;
use core::ptr::{self, NonNull};

const MARK: u8 = 0x80;
const LENGTH: u8 = 0x7f;
/// The length stands in the two bytes after the head.
const MEDIUM: u8 = 126;
/// The length stands in the eight bytes after the head.
const LONG: u8 = 127;
const STEP: usize = 8;

/// One allocation that holds bytes, their length, and one bit (the mark).
pub(crate) struct Block(NonNull<u8>);

// SAFETY: a block owns its allocation alone.
unsafe impl Send for Block {}
// SAFETY: `&Block` only reads.
unsafe impl Sync for Block {}

impl Block {
    /// A block that holds `parts` one after the other.
    pub(crate) fn concat(parts: &[&[u8]], mark: bool) -> Self {
        let len = parts.iter().map(|part| part.len()).sum();
        let layout = layout(len);
        // SAFETY: the layout is not of size 0.
        let address = unsafe { alloc(layout) };
        let mut block = Self(NonNull::new(address).unwrap_or_else(|| handle_alloc_error(layout)));
        // SAFETY: the allocation has room for the head of `len` bytes and for all parts behind it;
        // it is ours, so the parts lie elsewhere.
        unsafe {
            block.put_head(len, mark);
            let mut at = address.add(head_bytes(len));
            for part in parts {
                ptr::copy_nonoverlapping(part.as_ptr(), at, part.len());
                at = at.add(part.len());
            }
        }
        block
    }

    /// The bytes.
    #[inline(always)]
    pub(crate) fn bytes(&self) -> &[u8] {
        let (at, len) = self.span();
        // SAFETY: the bytes lie there, written when the block was made or changed.
        unsafe { core::slice::from_raw_parts(self.0.as_ptr().add(at), len) }
    }

    /// The bytes, to be changed.
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        let (at, len) = self.span();
        // SAFETY: the bytes lie there, and `&mut self` lends them alone.
        unsafe { core::slice::from_raw_parts_mut(self.0.as_ptr().add(at), len) }
    }

    /// The mark.
    #[inline(always)]
    pub(crate) fn mark(&self) -> bool {
        self.head() & MARK != 0
    }

    /// Puts `tail` in the place of everything from byte `from` on.
    ///
    /// # Panics
    /// When `from` is beyond the end.
    pub(crate) fn replace_tail(&mut self, from: usize, tail: &[u8]) {
        let (at, old) = self.span();
        let (kept, _) = self.bytes().split_at(from);
        let (mark, new) = (self.mark(), from + tail.len());
        if head_bytes(new) != at {
            *self = Self::concat(&[kept, tail], mark);
            return;
        }
        let (old, layout) = (layout(old), layout(new));
        // SAFETY: the block was allocated with the layout of its length; the new one has room for
        // the same head, the bytes kept, and the tail, which lies elsewhere.
        unsafe {
            if old.size() != layout.size() {
                let address = realloc(self.0.as_ptr(), old, layout.size());
                self.0 = NonNull::new(address).unwrap_or_else(|| handle_alloc_error(layout));
            }
            self.put_head(new, mark);
            ptr::copy_nonoverlapping(tail.as_ptr(), self.0.as_ptr().add(at + from), tail.len());
        }
    }

    /// Bytes asked of the allocator.
    pub(crate) fn alloc_bytes(&self) -> usize {
        let (at, len) = self.span();
        (at + len).next_multiple_of(STEP)
    }

    /// Where the block lies.
    #[inline(always)]
    pub(crate) fn address(&self) -> *const u8 {
        self.0.as_ptr()
    }

    #[inline(always)]
    fn head(&self) -> u8 {
        // SAFETY: every block begins with its head.
        unsafe { self.0.as_ptr().read() }
    }

    /// Where the bytes lie: offset and length.
    #[inline(always)]
    fn span(&self) -> (usize, usize) {
        // SAFETY: the head says whether a wide length follows, and in which width.
        unsafe {
            let wide = self.0.as_ptr().add(1);
            match self.head() & LENGTH {
                MEDIUM => (3, usize::from(wide.cast::<u16>().read_unaligned())),
                LONG => (9, wide.cast::<u64>().read_unaligned() as usize),
                short => (1, usize::from(short)),
            }
        }
    }

    /// Writes the head for `len` bytes.
    ///
    /// # Safety
    /// The allocation has room for `head_bytes(len)`.
    unsafe fn put_head(&mut self, len: usize, mark: bool) {
        let mark = if mark { MARK } else { 0 };
        // SAFETY: by contract; the widths are those of `head_bytes`.
        unsafe {
            let at = self.0.as_ptr();
            match head_bytes(len) {
                1 => at.write(mark | len as u8),
                3 => {
                    at.write(mark | MEDIUM);
                    at.add(1).cast::<u16>().write_unaligned(len as u16);
                }
                _ => {
                    at.write(mark | LONG);
                    at.add(1).cast::<u64>().write_unaligned(len as u64);
                }
            }
        }
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        let (_, len) = self.span();
        // SAFETY: the block was allocated with the layout of its length.
        unsafe { dealloc(self.0.as_ptr(), layout(len)) }
    }
}

/// Bytes of the head of a block of `len` bytes.
fn head_bytes(len: usize) -> usize {
    match len {
        0..126 => 1,
        126..65_536 => 3,
        _ => 9,
    }
}

fn layout(len: usize) -> Layout {
    let size = head_bytes(len).checked_add(len).expect("a block fits in memory");
    let size = size.checked_next_multiple_of(STEP).expect("a block fits in memory");
    Layout::from_size_align(size, STEP).expect("a block fits in memory")
}
