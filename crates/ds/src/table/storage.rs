//! Where the root buckets lie: segments of 64, and a directory of segments.
//!
//! The array grows and shrinks at its end, one bucket at a time. The first segment grows in steps
//! (1 to 8 buckets one by one, then 10, 12, 14, 16, 20, .. 64: four to a doubling, as the allocator
//! has them), so that a table of a few items is small; the later ones are whole, 4096 bytes each,
//! and go back to the allocator as soon as their last bucket is dropped.

use super::bucket::{BUCKET_BYTES, Bucket};
use alloc::alloc::{alloc_zeroed, dealloc, handle_alloc_error};
use alloc::vec::Vec;
use core::alloc::Layout;
use core::hint::select_unpredictable;
use core::ptr::{self, NonNull};

/// log2 of [`SEGMENT`].
pub(super) const SEGMENT_SHIFT: usize = 6;
/// Buckets of a whole segment.
pub(super) const SEGMENT: usize = 1 << SEGMENT_SHIFT;

/// The array of root buckets.
pub(super) struct Buckets<T> {
    directory: Vec<NonNull<Bucket<T>>>,
    count: usize,
    /// `2^(level + 1) - 1`, where `2^level <= count`; 0 when there are no buckets.
    mask: usize,
}

impl<T> Buckets<T> {
    pub(super) const fn new() -> Self {
        Self { directory: Vec::new(), count: 0, mask: 0 }
    }

    /// Number of buckets.
    #[inline(always)]
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// `2^level`: the buckets of the last complete doubling. There must be a bucket.
    #[inline]
    pub(super) fn half(&self) -> usize {
        self.mask / 2 + 1
    }

    /// The bucket for a hash. There must be a bucket.
    #[inline(always)]
    pub(super) fn index_of(&self, hash: u64) -> usize {
        let index = hash as usize & self.mask;
        // The hash decides by chance, so no branch could be predicted.
        select_unpredictable(index < self.count, index, index & (self.mask >> 1))
    }

    /// How many low bits of a hash decide that it falls into bucket `index`.
    pub(super) fn depth_of(&self, index: usize) -> u32 {
        let half = self.half();
        let level = half.trailing_zeros();
        if index >= half || index + half < self.count { level + 1 } else { level }
    }

    /// The address of bucket `index`.
    ///
    /// # Safety
    /// `index` is below `count()`. The address is good until the next `push` or `pop`.
    #[inline(always)]
    pub(super) unsafe fn at(&self, index: usize) -> NonNull<Bucket<T>> {
        debug_assert!(index < self.count);
        // SAFETY: the directory has a segment for each index below the count, and the segment
        // (the first one included) has room for it.
        unsafe { self.directory.get_unchecked(index >> SEGMENT_SHIFT).add(index & (SEGMENT - 1)) }
    }

    /// Appends an empty bucket.
    pub(super) fn push(&mut self) {
        let index = self.count;
        if index == 0 {
            self.directory.reserve_exact(1);
            self.directory.push(new_segment(1));
        } else if index < SEGMENT {
            if first_room(index) < index + 1 {
                self.resize_first(first_room(index), first_room(index + 1));
            }
        } else if index.is_multiple_of(SEGMENT) {
            if self.directory.len() == self.directory.capacity() {
                self.directory.reserve_exact(self.directory.len() / 4 + 1);
            }
            self.directory.push(new_segment(SEGMENT));
        }
        self.set_count(index + 1);
    }

    /// Drops the last bucket, which must be empty (its items and children would leak).
    pub(super) fn pop(&mut self) {
        let index = self.count - 1;
        self.set_count(index);
        if index == 0 || (index >= SEGMENT && index.is_multiple_of(SEGMENT)) {
            let segment = self.directory.pop().expect("a bucket has a segment");
            // SAFETY: the segment was made with that many buckets and left the directory.
            unsafe { free_segment(segment, if index == 0 { 1 } else { SEGMENT }) };
            if self.directory.len() * 2 < self.directory.capacity() {
                self.directory.shrink_to(self.directory.len() + self.directory.len() / 4);
            }
        } else if index < SEGMENT && first_room(index) < index + 1 {
            self.resize_first(first_room(index + 1), first_room(index));
        }
    }

    /// Own allocations in bytes: segments and directory.
    pub(super) fn heap_bytes(&self) -> usize {
        let buckets = match self.count {
            0 => 0,
            1..=SEGMENT => first_room(self.count),
            _ => self.directory.len() * SEGMENT,
        };
        buckets * BUCKET_BYTES + self.directory.capacity() * size_of::<NonNull<Bucket<T>>>()
    }

    fn set_count(&mut self, count: usize) {
        self.count = count;
        self.mask = usize::MAX.checked_shr(count.leading_zeros()).unwrap_or(0);
    }

    /// Moves the first segment from `from` to `to` buckets; those within both are kept.
    fn resize_first(&mut self, from: usize, to: usize) {
        let old = self.directory.pop().expect("a bucket has a segment");
        let new = new_segment(to);
        // SAFETY: both allocations hold `from.min(to)` buckets and are distinct; the buckets'
        // content moves, the old memory is freed as it was made.
        unsafe {
            ptr::copy_nonoverlapping(old.as_ptr(), new.as_ptr(), from.min(to));
            free_segment(old, from);
        }
        self.directory.push(new);
    }
}

impl<T> Drop for Buckets<T> {
    /// Frees the segments; the table has taken the items out before.
    fn drop(&mut self) {
        while self.count > 0 {
            self.pop();
        }
    }
}

/// Buckets that the first segment has room for when `count` are in use, at most a whole segment.
fn first_room(count: usize) -> usize {
    count.next_multiple_of((count.next_power_of_two() / 8).max(1))
}

fn segment_layout<T>(buckets: usize) -> Layout {
    Layout::array::<Bucket<T>>(buckets).expect("a segment is at most 4096 bytes")
}

fn new_segment<T>(buckets: usize) -> NonNull<Bucket<T>> {
    let layout = segment_layout::<T>(buckets);
    // SAFETY: a segment has at least one bucket, so its size is not zero.
    let segment = unsafe { alloc_zeroed(layout) };
    NonNull::new(segment.cast()).unwrap_or_else(|| handle_alloc_error(layout))
}

/// # Safety
/// `segment` came from `new_segment(buckets)`, and nothing uses it afterwards.
unsafe fn free_segment<T>(segment: NonNull<Bucket<T>>, buckets: usize) {
    // SAFETY: by contract.
    unsafe { dealloc(segment.as_ptr().cast(), segment_layout::<T>(buckets)) }
}
