//! A member of a sorted set: score and name in one allocation behind an 8-byte pointer.
//!
//! ```text
//! +--------------+-----+-----------+        +--------------+-----+-------------+-----------+
//! | score, 8 B   | len |   name    |   or   | score, 8 B   | 255 | len, 8 B    |   name    |
//! +--------------+-----+-----------+        +--------------+-----+-------------+-----------+
//!   names up to 254 bytes                     longer names
//! ```
//!
//! The table owns the [`Scored`]; the tree holds its [`View`], a copy of the pointer. The one rule
//! is that *a view is in the tree only while its member is in the table*: the set takes a view out
//! of the tree before it takes the member out of the table.

use crate::btree::Ordered;
use crate::bytes::prefetch;
use crate::table::Item;
use alloc::alloc::{alloc, dealloc, handle_alloc_error};
use core::alloc::Layout;
use core::fmt;
use core::ptr::{self, NonNull};
use core::slice;

const LEN_AT: usize = size_of::<f64>();
/// Where a short name begins; where the length of a long one stands.
const SHORT_AT: usize = LEN_AT + 1;
/// Where a long name begins.
const LONG_AT: usize = SHORT_AT + size_of::<usize>();
/// The length byte of a long name.
const LONG: u8 = 255;
const ALIGN: usize = align_of::<f64>();

/// A member of a [`Zset`](super::Zset) that was taken out of it, with its score.
pub struct Scored(View);

// SAFETY: a member owns its allocation alone, which is plain bytes.
unsafe impl Send for Scored {}
// SAFETY: `&Scored` only reads.
unsafe impl Sync for Scored {}

impl Scored {
    pub(super) fn new(name: &[u8], score: f64) -> Self {
        let long = name.len() >= usize::from(LONG);
        let at = if long { LONG_AT } else { SHORT_AT };
        let layout = layout(at + name.len());
        // SAFETY: the layout is not of size 0 and has room for all that is written: the score,
        // which is aligned, the length in its form, and the name.
        unsafe {
            let block = alloc(layout);
            let start = NonNull::new(block).unwrap_or_else(|| handle_alloc_error(layout));
            start.cast::<f64>().write(score);
            start.add(LEN_AT).write(if long { LONG } else { name.len() as u8 });
            if long {
                start.add(SHORT_AT).cast::<usize>().write_unaligned(name.len());
            }
            ptr::copy_nonoverlapping(name.as_ptr(), block.add(at), name.len());
            Self(View(start))
        }
    }

    /// The member's name.
    #[inline]
    #[must_use]
    pub fn name(&self) -> &[u8] {
        // SAFETY: the member lives as long as it is borrowed.
        unsafe { self.0.name() }
    }

    /// Its score; never NaN.
    #[inline]
    #[must_use]
    pub fn score(&self) -> f64 {
        self.0.score()
    }

    /// Bytes of the allocation as requested, a multiple of 8.
    #[must_use]
    pub fn alloc_bytes(&self) -> usize {
        let (at, len) = self.0.name_span();
        layout(at + len).size()
    }

    /// A copy of the pointer, for the tree.
    ///
    /// # Safety
    /// The view and its copies are not used after the member was dropped.
    #[inline]
    pub(super) unsafe fn view(&self) -> View {
        self.0
    }
}

impl Drop for Scored {
    fn drop(&mut self) {
        let layout = layout(self.alloc_bytes());
        // SAFETY: the allocation was made with this layout; views are not used any more.
        unsafe { dealloc(self.0.0.as_ptr(), layout) }
    }
}

impl Item for Scored {
    #[inline(always)]
    fn key(&self) -> &[u8] {
        self.name()
    }

    #[inline(always)]
    fn address(&self) -> *const u8 {
        self.0.0.as_ptr()
    }
}

impl fmt::Debug for Scored {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} -> {}", self.name().escape_ascii(), self.score())
    }
}

/// A borrowed member, without a lifetime: whoever made it ([`Scored::view`]) has promised that
/// the member outlives it.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) struct View(NonNull<u8>);

impl View {
    #[inline(always)]
    pub(super) fn score(self) -> f64 {
        // SAFETY: the member lives, and begins with its score.
        unsafe { self.0.cast::<f64>().read() }
    }

    /// Changes the score.
    ///
    /// # Safety
    /// The set that owns the member is borrowed mutably, and the tree knows of the change.
    #[inline]
    pub(super) unsafe fn set_score(self, score: f64) {
        // SAFETY: the member lives, and nobody else looks at it, by contract.
        unsafe { self.0.cast::<f64>().write(score) }
    }

    /// # Safety
    /// The member lives for `'a`.
    #[inline(always)]
    pub(super) unsafe fn name<'a>(self) -> &'a [u8] {
        let (at, len) = self.name_span();
        // SAFETY: the name lies there; it never changes, and the member lives by contract.
        unsafe { slice::from_raw_parts(self.0.as_ptr().add(at), len) }
    }

    /// Where the name lies, and its length.
    #[inline(always)]
    fn name_span(self) -> (usize, usize) {
        // SAFETY: the member lives; a length byte of LONG is followed by a length.
        unsafe {
            match self.0.add(LEN_AT).read() {
                LONG => (LONG_AT, self.0.add(SHORT_AT).cast::<usize>().read_unaligned()),
                len => (SHORT_AT, usize::from(len)),
            }
        }
    }
}

impl Ordered for View {
    #[inline(always)]
    fn weight(self) -> u64 {
        weight_of(self.score())
    }

    #[inline(always)]
    fn prefetch(self) {
        prefetch(self.0.as_ptr());
    }
}

/// Maps scores to integers in the same order; both zeros are one.
#[inline(always)]
pub(super) fn weight_of(score: f64) -> u64 {
    const SIGN: u64 = 1 << 63;
    let bits = if score == 0.0 { 0 } else { score.to_bits() };
    if bits & SIGN == 0 { bits | SIGN } else { !bits }
}

/// The layout for `bytes` bytes, rounded up to the step of the allocator.
fn layout(bytes: usize) -> Layout {
    Layout::from_size_align(bytes.next_multiple_of(ALIGN), ALIGN)
        .expect("a name is at most as long as a request")
}

#[cfg(test)]
mod tests {
    use super::{Scored, weight_of};

    #[test]
    fn weights_are_in_the_order_of_scores() {
        let scores = [
            f64::NEG_INFINITY,
            f64::MIN,
            -1.5,
            -1.0,
            -f64::MIN_POSITIVE,
            -5e-324,
            0.0,
            5e-324,
            1.0,
            f64::MAX,
            f64::INFINITY,
        ];
        assert!(scores.map(weight_of).is_sorted_by(|a, b| a < b));
        assert_eq!(weight_of(0.0), weight_of(-0.0));
    }

    #[test]
    fn names_of_every_length_come_back() {
        for len in [0, 1, 6, 7, 8, 253, 254, 255, 256, 257, 1000, 70_000] {
            let name = &[b'm'; 70_000][..len];
            let member = Scored::new(name, -0.0);
            assert_eq!(member.name(), name);
            assert!(member.score() == 0.0 && member.score().is_sign_negative());
            let head = if len < 255 { 9 } else { 17 };
            assert_eq!(member.alloc_bytes(), (head + len).next_multiple_of(8));
        }
    }
}
