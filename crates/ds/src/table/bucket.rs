//! One bucket: a cache line of seven tagged slots, and the chain that hangs from it.
//!
//! The header word is read as a number, never byte by byte, so the layout does not depend on the
//! byte order: bits `8 * s .. 8 * s + 8` are the tag of slot `s`, bit 63 says that slot 6 holds a
//! child instead of an item. Three rules make everything here short:
//!
//! * a bucket's items lie in slots `0 .. count`, without holes;
//! * a bucket with a child holds exactly six items;
//! * a child holds at least two items.
//!
//! So a chain of `k` items has one possible number of buckets, and none is empty but a lone root.

use super::Item;
use crate::bytes::{prefetch, same};
use alloc::alloc::{alloc_zeroed, dealloc, handle_alloc_error};
use core::alloc::Layout;
use core::mem::ManuallyDrop;
use core::ptr::{self, NonNull};

/// Slots of a bucket.
pub(super) const SLOTS: usize = 7;
/// The slot that a child takes.
const LAST: usize = SLOTS - 1;
/// Bytes of a bucket, root or child.
pub(super) const BUCKET_BYTES: usize = 64;

const LANES: u64 = 0x0101_0101_0101_0101;
const LOW_BITS: u64 = 0x7f7f_7f7f_7f7f_7f7f;
const TAGS: u64 = 0x00ff_ffff_ffff_ffff;
const CHILD: u64 = 1 << 63;

/// A slot: an item, a child, or nothing. Which one, only the header knows.
#[repr(C)]
union Slot<T> {
    item: ManuallyDrop<T>,
    child: NonNull<Bucket<T>>,
}

/// A root or child bucket; all zero bytes are an empty one.
#[repr(C, align(64))]
pub(super) struct Bucket<T> {
    header: u64,
    slots: [Slot<T>; SLOTS],
}

/// Where an item lies. Valid until the table is changed.
pub(super) struct Place<T> {
    bucket: NonNull<Bucket<T>>,
    slot: usize,
}

impl<T> Place<T> {
    /// The item's address.
    #[inline(always)]
    pub(super) fn item(&self) -> NonNull<T> {
        // SAFETY: `bucket` is live while the place is valid and `slot` is below SLOTS; the field's
        // address is taken without a reference.
        unsafe {
            let slots = (&raw mut (*self.bucket.as_ptr()).slots).cast::<T>();
            NonNull::new_unchecked(slots.add(self.slot))
        }
    }
}

/// The tag for a hash: its high byte, with 0 (an empty slot) mapped to 1.
#[inline(always)]
pub(super) fn tag_of(hash: u64) -> u8 {
    ((hash >> 56) as u8).max(1)
}

/// A bucket chain, named by its root. Copies name the same chain.
///
/// Every method requires that the root is a live bucket made by this module, and that nobody else
/// holds a reference into the chain (the mutating ones) or mutates it (the reading ones). The
/// table gives that guarantee: it owns its buckets, and its methods take `&self` or `&mut self`
/// accordingly.
pub(super) struct Chain<T>(NonNull<Bucket<T>>);

impl<T> Clone for Chain<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Chain<T> {}

impl<T> Chain<T> {
    /// The chain rooted at `root`.
    #[inline(always)]
    pub(super) fn at(root: NonNull<Bucket<T>>) -> Self {
        const {
            assert!(size_of::<T>() == 8 && align_of::<T>() <= 8, "an item is one 8-byte word");
            assert!(size_of::<Bucket<T>>() == BUCKET_BYTES);
        }
        Self(root)
    }

    /// The root's address, for a prefetch.
    #[inline(always)]
    pub(super) fn address(self) -> *const u8 {
        self.0.as_ptr().cast()
    }

    /// The header word of this bucket.
    ///
    /// # Safety
    /// See [`Chain`].
    #[inline(always)]
    unsafe fn header(self) -> u64 {
        // SAFETY: the bucket is live.
        unsafe { (*self.0.as_ptr()).header }
    }

    /// Items in this bucket alone: its tags are dense from slot 0 on.
    ///
    /// # Safety
    /// See [`Chain`].
    #[inline(always)]
    pub(super) unsafe fn count(self) -> usize {
        // SAFETY: passed on.
        let tags = unsafe { self.header() } & TAGS;
        ((71 - tags.leading_zeros()) / 8) as usize
    }

    /// The chain below this bucket.
    ///
    /// # Safety
    /// See [`Chain`].
    #[inline(always)]
    pub(super) unsafe fn child(self) -> Option<Self> {
        // SAFETY: the bucket is live, and with the CHILD bit slot 6 holds a live child.
        unsafe {
            if self.header() & CHILD == 0 {
                return None;
            }
            Some(Self((*self.0.as_ptr()).slots.get_unchecked(LAST).child))
        }
    }

    /// Slots whose tag is `tag`, as bits 7, 15, 23, ... of a word. Exact: a slot that is empty
    /// or holds a child never matches, since `tag` is not 0.
    ///
    /// # Safety
    /// See [`Chain`].
    #[inline(always)]
    unsafe fn matches(self, tag: u8) -> u64 {
        // SAFETY: passed on.
        let header = unsafe { self.header() };
        let differ = header ^ LANES.wrapping_mul(u64::from(tag));
        !((differ & LOW_BITS).wrapping_add(LOW_BITS) | differ | LOW_BITS) & TAGS
    }

    /// The tag of `slot`.
    unsafe fn tag(self, slot: usize) -> u8 {
        // SAFETY: passed on.
        unsafe { (self.header() >> (8 * slot)) as u8 }
    }

    unsafe fn set_tag(self, slot: usize, tag: u8) {
        // SAFETY: the bucket is live and ours to change.
        let header = unsafe { &mut (*self.0.as_ptr()).header };
        *header = *header & !(0xff << (8 * slot)) | u64::from(tag) << (8 * slot);
    }

    fn place(self, slot: usize) -> Place<T> {
        Place { bucket: self.0, slot }
    }

    /// Writes an item into an empty slot.
    unsafe fn fill(self, slot: usize, tag: u8, item: T) {
        // SAFETY: the slot is a live one of ours, and holds nothing that would need a drop.
        unsafe {
            self.place(slot).item().write(item);
            self.set_tag(slot, tag);
        }
    }

    /// Reads an item out of its slot and marks the slot empty.
    unsafe fn empty(self, slot: usize) -> T {
        // SAFETY: the caller knows that the slot holds an item; it is owned by the result now.
        unsafe {
            self.set_tag(slot, 0);
            self.place(slot).item().read()
        }
    }

    /// Item `slot` of this bucket.
    ///
    /// # Safety
    /// See [`Chain`]; `slot` is below `count()`, and `'a` ends before the chain changes.
    #[inline(always)]
    pub(super) unsafe fn item<'a>(self, slot: usize) -> &'a T {
        // SAFETY: slots below the count hold items; lifetime by contract.
        unsafe { self.place(slot).item().as_ref() }
    }

    /// Calls `each` with every item of the chain.
    ///
    /// # Safety
    /// See [`Chain`].
    #[inline]
    pub(super) unsafe fn for_each<'a>(self, mut each: impl FnMut(&'a T))
    where
        T: 'a,
    {
        let mut here = Some(self);
        while let Some(bucket) = here {
            // SAFETY: slots below the count hold items; the chain is live.
            unsafe {
                for slot in 0..bucket.count() {
                    each(bucket.item(slot));
                }
                here = bucket.child();
            }
        }
    }

    /// Items in the whole chain.
    ///
    /// # Safety
    /// See [`Chain`].
    pub(super) unsafe fn len(self) -> usize {
        // SAFETY: passed on.
        unsafe { self.tail().2 + self.tail().1.count() }
    }

    /// The last bucket's parent, the last bucket, and the items in the buckets before it.
    unsafe fn tail(self) -> (Option<Self>, Self, usize) {
        let (mut parent, mut tail, mut before) = (None, self, 0);
        // SAFETY: the chain is live.
        while let Some(child) = unsafe { tail.child() } {
            (parent, tail, before) = (Some(tail), child, before + LAST);
        }
        (parent, tail, before)
    }

    /// Where the item at `position` of the chain lies, counted from the root.
    ///
    /// # Safety
    /// See [`Chain`].
    pub(super) unsafe fn nth(self, mut position: usize) -> Option<Place<T>> {
        let mut bucket = self;
        // SAFETY: the chain is live and the position is checked against the count.
        unsafe {
            loop {
                let count = bucket.count();
                if position < count {
                    return Some(bucket.place(position));
                }
                position -= count;
                bucket = bucket.child()?;
            }
        }
    }

    /// Adds an item at the chain's end and returns the chain's new length in items.
    /// `children` counts the child buckets of the table.
    ///
    /// # Safety
    /// See [`Chain`].
    #[inline]
    pub(super) unsafe fn push(self, tag: u8, item: T, children: &mut usize) -> usize {
        // SAFETY: the chain is live and ours. Only the tail has free slots; when it is full
        // without a child, its slot 6 holds an item, which moves before the child takes the slot.
        unsafe {
            let (_, tail, before) = self.tail();
            let count = tail.count();
            if count < SLOTS {
                tail.fill(count, tag, item);
                return before + count + 1;
            }
            let child = Self(new_bucket());
            *children += 1;
            child.fill(0, tail.tag(LAST), tail.empty(LAST));
            child.fill(1, tag, item);
            let bucket = tail.0.as_ptr();
            (*bucket).slots.get_unchecked_mut(LAST).child = child.0;
            (*bucket).header |= CHILD;
            before + SLOTS + 1
        }
    }

    /// Takes the item at `place` out; the chain's last item fills the hole.
    ///
    /// # Safety
    /// See [`Chain`]; `place` is an item of this very chain.
    pub(super) unsafe fn remove(self, place: &Place<T>, children: &mut usize) -> T {
        // SAFETY: the chain is live and ours; `last` is the tail's last item, so both slots hold
        // items. A child keeps two items at least, hence the tail is never empty here.
        unsafe {
            let (parent, tail, _) = self.tail();
            let last = tail.count() - 1;
            let hole = Self(place.bucket);
            let item = hole.empty(place.slot);
            if tail.0 != hole.0 || last != place.slot {
                hole.fill(place.slot, tail.tag(last), tail.empty(last));
            }
            if let (Some(parent), 1) = (parent, last) {
                (*parent.0.as_ptr()).header &= !CHILD;
                parent.fill(LAST, tail.tag(0), tail.empty(0));
                free_bucket(tail.0);
                *children -= 1;
            }
            item
        }
    }

    /// Empties the chain: hands every item with its tag to `each`, frees the children and returns
    /// how many they were. `each` may push to this chain again: the root is already empty then.
    ///
    /// # Safety
    /// See [`Chain`].
    #[inline]
    pub(super) unsafe fn dismantle(self, mut each: impl FnMut(u8, T)) -> usize {
        let mut freed = 0;
        // SAFETY: `copy` takes over the root's items, whose header forgets them at once; every
        // item is read once, and a child is freed once, after its content was copied.
        unsafe {
            let mut copy = ptr::read(self.0.as_ptr());
            (*self.0.as_ptr()).header = 0;
            loop {
                let bucket = Self(NonNull::from(&mut copy));
                let child = bucket.child();
                for slot in 0..bucket.count() {
                    each(bucket.tag(slot), bucket.place(slot).item().read());
                }
                let Some(child) = child else { return freed };
                copy = ptr::read(child.0.as_ptr());
                free_bucket(child.0);
                freed += 1;
            }
        }
    }
}

impl<T: Item> Chain<T> {
    /// Finds `key`, whose tag is `tag`.
    ///
    /// # Safety
    /// See [`Chain`].
    #[inline(always)]
    pub(super) unsafe fn locate(self, tag: u8, key: &[u8]) -> Option<Place<T>> {
        let mut bucket = self;
        // SAFETY: the chain is live, and a matching tag means that the slot holds an item.
        unsafe {
            loop {
                let mut matches = bucket.matches(tag);
                while matches != 0 {
                    let slot = (matches.trailing_zeros() / 8) as usize;
                    if same(bucket.item(slot).key(), key) {
                        return Some(bucket.place(slot));
                    }
                    matches &= matches - 1;
                }
                bucket = bucket.child()?;
            }
        }
    }

    /// Prefetches what the first item with `tag` points to, or the child if none is here.
    ///
    /// # Safety
    /// See [`Chain`].
    #[inline(always)]
    pub(super) unsafe fn prefetch_match(self, tag: u8) {
        // SAFETY: the chain is live, and a matching tag means that the slot holds an item.
        unsafe {
            let matches = self.matches(tag);
            if matches != 0 {
                prefetch(self.item((matches.trailing_zeros() / 8) as usize).address());
            } else if let Some(child) = self.child() {
                prefetch(child.0.as_ptr().cast());
            }
        }
    }

    /// Prefetches what all items of the chain point to.
    ///
    /// # Safety
    /// See [`Chain`].
    #[inline]
    pub(super) unsafe fn prefetch_items(self) {
        // SAFETY: passed on.
        unsafe { self.for_each(|item| prefetch(item.address())) }
    }
}

#[cfg(test)]
impl<T: Item> Chain<T> {
    /// Checks this module's three rules and that each tag is `tag_for` its item. Returns the
    /// number of items and of children.
    ///
    /// # Safety
    /// See [`Chain`].
    pub(super) unsafe fn check(self, mut tag_for: impl FnMut(&T) -> u8) -> (usize, usize) {
        let (mut items, mut children, mut bucket) = (0, 0, self);
        // SAFETY: passed on; slots below the count hold items.
        unsafe {
            loop {
                let count = bucket.count();
                for slot in 0..SLOTS {
                    if slot < count {
                        assert_eq!(bucket.tag(slot), tag_for(bucket.item(slot)), "tag");
                    } else {
                        assert_eq!(bucket.tag(slot), 0, "no tag beyond the count");
                    }
                }
                assert!(matches!(bucket.header() >> 56, 0 | 0x80), "meta byte");
                items += count;
                let Some(child) = bucket.child() else { return (items, children) };
                assert_eq!(count, LAST, "items beside a child");
                assert!(child.count() >= 2, "a child holds two items at least");
                children += 1;
                bucket = child;
            }
        }
    }
}

fn new_bucket<T>() -> NonNull<Bucket<T>> {
    let layout = Layout::new::<Bucket<T>>();
    // SAFETY: a bucket is not zero-sized.
    let bucket = unsafe { alloc_zeroed(layout) };
    NonNull::new(bucket.cast()).unwrap_or_else(|| handle_alloc_error(layout))
}

/// # Safety
/// `bucket` came from `new_bucket`, and nothing uses it afterwards.
unsafe fn free_bucket<T>(bucket: NonNull<Bucket<T>>) {
    // SAFETY: by contract.
    unsafe { dealloc(bucket.as_ptr().cast(), Layout::new::<Bucket<T>>()) }
}
