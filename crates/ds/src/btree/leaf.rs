//! A leaf: up to 62 sorted items in one allocation, with a 32-bit hint beside each.
//!
//! A hint is `(weight - base) >> shift`, clamped to 32 bits. As a function of the weight it never
//! falls, whatever `base` and `shift` are, so it is always right to trust two hints that differ
//! and to ask the items where they are equal. A bad `base` or `shift` costs time only. They are
//! chosen anew when hints were clamped or have become coarse, which reads all the leaf's items and
//! happens seldom: a leaf's span halves with each split, and 32 bits are a lot of halves.
//!
//! Head, hints and items are one raw allocation: as two vectors they would be 40 bytes and a cache
//! miss more for each leaf, and it is leaves that a search misses the cache for.

use super::{Ordered, Probe};
use alloc::alloc::{alloc, dealloc, handle_alloc_error};
use core::alloc::Layout;
use core::marker::PhantomData;
use core::ptr::{self, NonNull};
use core::slice;

/// Items of a full leaf.
pub(super) const MAX_ITEMS: usize = 62;
/// Items that leaves have room for. The allocations fill size classes of common allocators.
const CAPACITIES: [u8; 11] = [4, 8, 12, 16, 20, 24, 30, 36, 40, 52, MAX_ITEMS as u8];
/// A leaf that was given its hints anew uses `2^30` of them, and has room below and above.
const SPAN_BITS: u32 = 30;
/// Hints that span less than this are coarse, if the weights would allow a finer shift.
const COARSE: u32 = 1 << 16;
const HEAD_BYTES: usize = size_of::<Head>();

#[repr(C)]
struct Head {
    base: u64,
    len: u8,
    /// Index into `CAPACITIES`.
    class: u8,
    shift: u8,
}

/// An owned leaf. The items are copies of what the caller owns; the leaf never drops them.
pub(super) struct Leaf<T> {
    head: NonNull<Head>,
    _items: PhantomData<T>,
}

impl<T: Ordered> Leaf<T> {
    /// A leaf of these items, which are sorted and at most [`MAX_ITEMS`].
    pub(super) fn of(items: &[T]) -> Self {
        let mut leaf = Self::with_class(class_for(items.len()));
        for (pos, item) in items.iter().enumerate() {
            leaf.put(pos, *item, 0);
        }
        leaf.rehint();
        leaf
    }

    #[inline(always)]
    pub(super) fn len(&self) -> usize {
        usize::from(self.head().len)
    }

    /// The items in order.
    #[inline(always)]
    pub(super) fn items(&self) -> &[T] {
        // SAFETY: the first `len` items are initialised.
        unsafe { slice::from_raw_parts(self.items_at(), self.len()) }
    }

    /// Bytes of the allocation.
    pub(super) fn bytes(&self) -> usize {
        layout_of(self.capacity()).size()
    }

    /// How many items from the start `probe` passes.
    #[inline]
    pub(super) fn partition(&self, probe: &Probe<impl Fn(T) -> bool>) -> usize {
        let items = self.items();
        let (mut low, mut high) = (0, items.len());
        if let Some(weight) = probe.weight {
            let hint = self.hint_of(weight);
            low = self.hints().partition_point(|other| *other < hint);
            let rest = self.hints().get(low..).unwrap_or_default();
            high = low + rest.partition_point(|other| *other <= hint);
        }
        let ties = items.get(low..high).unwrap_or_default();
        low + ties.partition_point(|item| probe.passes_item(*item))
    }

    /// Inserts `item` before the item at `pos`. The leaf must not be full.
    pub(super) fn insert(&mut self, pos: usize, item: T) {
        let len = self.len();
        assert!(len < MAX_ITEMS && pos <= len, "an insert has room and a place in the leaf");
        if len == self.capacity() {
            if self.is_clamped() {
                self.rehint();
            }
            self.resize(class_for(len + 1));
        }
        let hint = self.hint_of(item.weight());
        // SAFETY: `len` is below the capacity, so items and hints have room for one more each.
        unsafe {
            let (items, hints) = (self.items_at().add(pos), self.hints_at().add(pos));
            ptr::copy(items, items.add(1), len - pos);
            ptr::copy(hints, hints.add(1), len - pos);
        }
        self.put(pos, item, hint);
        if len == 0 {
            self.rehint();
        }
    }

    /// Takes the item at `pos` out, and gives memory back when much of it is unused.
    pub(super) fn remove(&mut self, pos: usize) -> T {
        let len = self.len();
        let item = *self.items().get(pos).expect("a removal names an item of the leaf");
        // SAFETY: `pos` is below `len`; what lies behind it moves down by one.
        unsafe {
            let (items, hints) = (self.items_at().add(pos), self.hints_at().add(pos));
            ptr::copy(items.add(1), items, len - pos - 1);
            ptr::copy(hints.add(1), hints, len - pos - 1);
        }
        self.head_mut().len -= 1;
        let class = self.head().class;
        let roomy = class.checked_sub(2).is_some_and(|below| len <= capacity_of(below));
        if roomy {
            self.resize(class - 1);
        }
        item
    }

    /// Splits the items from `at` on off into a leaf of their own, which may be empty.
    pub(super) fn split_off(&mut self, at: usize) -> Self {
        let moved = self.len() - at;
        let mut right = Self::with_class(class_for(moved));
        right.head_mut().base = self.head().base;
        right.head_mut().shift = self.head().shift;
        // SAFETY: `at + moved` items and hints are initialised here, and the new leaf has room
        // for `moved` of them.
        unsafe {
            ptr::copy_nonoverlapping(self.items_at().add(at), right.items_at(), moved);
            ptr::copy_nonoverlapping(self.hints_at().add(at), right.hints_at(), moved);
        }
        right.head_mut().len = moved as u8;
        self.head_mut().len = at as u8;
        for leaf in [&mut *self, &mut right] {
            if leaf.is_clamped() || leaf.is_coarse() {
                leaf.rehint();
            }
        }
        if class_for(at) < self.head().class {
            self.resize(class_for(at));
        }
        right
    }

    /// Gives the item at `pos` the hint of `weight`, unless its place among its neighbours could
    /// then be another, as far as hints can tell. Returns whether it was done.
    pub(super) fn reweigh(&mut self, pos: usize, weight: u64) -> bool {
        let hint = self.hint_of(weight);
        let Some(before) = pos.checked_sub(1) else { return false };
        let stays = match self.hints().get(before..) {
            Some([left, _, right, ..]) => *left < hint && hint < *right,
            _ => false,
        };
        if stays {
            // SAFETY: the pattern says that `pos` is an item of the leaf.
            unsafe { self.hints_at().add(pos).write(hint) };
        }
        stays
    }

    /// Asks for the cache lines that a search will read first: head and hints.
    #[inline(always)]
    pub(super) fn prefetch(&self) {
        for line in 0..4 {
            crate::bytes::prefetch(self.head.as_ptr().cast::<u8>().wrapping_add(line * 64));
        }
    }

    /// Chooses base and shift for the present items and gives all of them their hints.
    fn rehint(&mut self) {
        let (Some(first), Some(last)) = (self.items().first(), self.items().last()) else { return };
        self.items().iter().for_each(|item| item.prefetch());
        let (low, high) = (first.weight(), last.weight());
        let bits = u64::BITS - (high - low).leading_zeros();
        let shift = bits.saturating_sub(SPAN_BITS);
        let room = 1u64.checked_shl(SPAN_BITS + shift).unwrap_or(u64::MAX);
        self.head_mut().base = low.saturating_sub(room);
        self.head_mut().shift = shift as u8;
        for pos in 0..self.len() {
            // SAFETY: `pos` is below `len`: the item is initialised and the hint is ours.
            unsafe {
                let hint = self.hint_of((*self.items_at().add(pos)).weight());
                self.hints_at().add(pos).write(hint);
            }
        }
    }

    /// Whether some hint may stand for weights out of range.
    fn is_clamped(&self) -> bool {
        self.hints().first() == Some(&0) || self.hints().last() == Some(&u32::MAX)
    }

    /// Whether other parameters would tell the items apart better.
    fn is_coarse(&self) -> bool {
        match self.hints() {
            [first, .., last] => self.head().shift > 0 && last - first < COARSE,
            _ => false,
        }
    }

    #[inline(always)]
    fn hint_of(&self, weight: u64) -> u32 {
        let above = weight.saturating_sub(self.head().base) >> self.head().shift;
        above.min(u64::from(u32::MAX)) as u32
    }

    #[inline(always)]
    fn hints(&self) -> &[u32] {
        // SAFETY: the first `len` hints are initialised.
        unsafe { slice::from_raw_parts(self.hints_at(), self.len()) }
    }

    /// Writes a new item with its hint at `pos`, and counts it. There must be room.
    fn put(&mut self, pos: usize, item: T, hint: u32) {
        assert!(self.len() < self.capacity() && pos <= self.len(), "the leaf has room");
        // SAFETY: `pos` is below the capacity.
        unsafe {
            self.items_at().add(pos).write(item);
            self.hints_at().add(pos).write(hint);
        }
        self.head_mut().len += 1;
    }

    /// Moves the leaf into an allocation of another class, which has room for the items.
    fn resize(&mut self, class: u8) {
        let (mut new, len) = (Self::with_class(class), self.len());
        assert!(len <= new.capacity(), "a leaf is not resized below its items");
        // SAFETY: `len` items and hints are initialised here and have room there.
        unsafe {
            ptr::copy_nonoverlapping(self.items_at(), new.items_at(), len);
            ptr::copy_nonoverlapping(self.hints_at(), new.hints_at(), len);
        }
        *new.head_mut() = Head { class, ..*self.head() };
        *self = new;
    }

    /// An empty leaf.
    fn with_class(class: u8) -> Self {
        const { assert!(size_of::<T>() == 8 && align_of::<T>() <= 8) };
        let layout = layout_of(capacity_of(class));
        // SAFETY: the layout has a head at least, so its size is not zero; the head is written
        // before anybody reads it.
        unsafe {
            let block = alloc(layout).cast::<Head>();
            let head = NonNull::new(block).unwrap_or_else(|| handle_alloc_error(layout));
            head.write(Head { base: 0, len: 0, class, shift: 0 });
            Self { head, _items: PhantomData }
        }
    }

    #[inline(always)]
    fn items_at(&self) -> *mut T {
        // SAFETY: the items lie behind the hints in the same allocation. Capacities are even, so
        // this is aligned to 8.
        unsafe { self.hints_at().add(self.capacity()).cast() }
    }

    #[inline(always)]
    fn hints_at(&self) -> *mut u32 {
        // SAFETY: the hints lie behind the head in the same allocation.
        unsafe { self.head.as_ptr().cast::<u8>().add(HEAD_BYTES).cast() }
    }
}

impl<T> Leaf<T> {
    #[inline(always)]
    fn head(&self) -> &Head {
        // SAFETY: the leaf owns its allocation, whose head is initialised.
        unsafe { self.head.as_ref() }
    }

    #[inline(always)]
    fn head_mut(&mut self) -> &mut Head {
        // SAFETY: as above, and `&mut self` lends it alone.
        unsafe { self.head.as_mut() }
    }

    /// Items that there is room for.
    #[inline(always)]
    fn capacity(&self) -> usize {
        capacity_of(self.head().class)
    }
}

impl<T> Drop for Leaf<T> {
    fn drop(&mut self) {
        let layout = layout_of(self.capacity());
        // SAFETY: the allocation was made with this layout, and nothing uses it afterwards.
        unsafe { dealloc(self.head.as_ptr().cast(), layout) }
    }
}

#[cfg(test)]
impl<T: Ordered> Leaf<T> {
    /// Checks what the module doc says.
    pub(super) fn check(&self) {
        assert_eq!(self.items().len(), self.hints().len());
        assert!((1..=MAX_ITEMS).contains(&self.len()) && self.len() <= self.capacity());
        for (item, hint) in self.items().iter().zip(self.hints()) {
            assert_eq!(self.hint_of(item.weight()), *hint, "hint");
        }
        assert!(self.hints().is_sorted(), "hints never fall");
    }
}

#[inline(always)]
fn capacity_of(class: u8) -> usize {
    usize::from(*CAPACITIES.get(usize::from(class)).expect("a leaf has one of the classes"))
}

/// The smallest class with room for `items`.
fn class_for(items: usize) -> u8 {
    CAPACITIES.partition_point(|capacity| usize::from(*capacity) < items) as u8
}

/// Head, hints and items, without padding: capacities are even.
fn layout_of(capacity: usize) -> Layout {
    let bytes = HEAD_BYTES + capacity * (size_of::<u32>() + size_of::<u64>());
    Layout::from_size_align(bytes, align_of::<Head>()).expect("a leaf is below 768 bytes")
}
