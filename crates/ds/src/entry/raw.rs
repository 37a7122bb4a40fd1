//! The bytes of an entry: the one place that knows where a field lies.
//!
//! [`Raw`] owns the allocation but not the blob or object it points to. Its methods keep this
//! invariant: `meta`, the key length and, for a value inside, the value length describe fields
//! that lie within the allocation, whose size follows from them ([`Raw::size`]).

use super::{Blob, INLINE_MAX};
use alloc::alloc::{alloc, dealloc, handle_alloc_error, realloc};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::alloc::Layout;
use core::mem::ManuallyDrop;
use core::ptr::{self, NonNull};

/// What the value field holds. The other numbers of the 4-bit field are free.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Int = 0,
    Inline = 1,
    Blob = 2,
    Object = 3,
    Packed = 4,
}

const CLOCK: u32 = 0x00ff_ffff;
const KIND_SHIFT: u32 = 24;
const KIND: u32 = 0xf << KIND_SHIFT;
const HAS_EXPIRY: u32 = 1 << 28;
const RAW: u32 = 1 << 29;
const LONG_KEY: u32 = 1 << 30;
const MARKED: u32 = 1 << 31;

/// Where the key length stands.
const KEY_LEN_AT: usize = 4;
/// Where a key of up to 255 bytes begins.
const SHORT_KEY_AT: usize = KEY_LEN_AT + 1;
/// Where a longer key begins.
const LONG_KEY_AT: usize = KEY_LEN_AT + 8;
/// Bytes of the length before an inline value.
const INLINE_LEN: usize = 2;
const STEP: usize = 8;

/// An entry's allocation.
pub(super) struct Raw(NonNull<u8>);

impl Raw {
    /// Allocates an entry with `key`; clock 0, not raw, not marked. The caller puts expiry and
    /// value next.
    pub(super) fn new(key: &[u8], has_expiry: bool, kind: Kind, value_size: usize) -> Self {
        let long = key.len() > usize::from(u8::MAX);
        let key_at = if long { LONG_KEY_AT } else { SHORT_KEY_AT };
        let expiry = if has_expiry { 8 } else { 0 };
        let layout = layout(key_at + key.len() + expiry + value_size);
        // SAFETY: the layout is not of size 0, and it has room for all the fields written here:
        // meta, key length, key and the head of an inline value.
        unsafe {
            let block = alloc(layout);
            let mut raw = Self(NonNull::new(block).unwrap_or_else(|| handle_alloc_error(layout)));
            raw.put(0, if long { LONG_KEY } else { 0 });
            if long {
                raw.put(KEY_LEN_AT, key.len() as u64);
            } else {
                raw.put(KEY_LEN_AT, key.len() as u8);
            }
            ptr::copy_nonoverlapping(key.as_ptr(), block.add(key_at), key.len());
            raw.describe(has_expiry, kind, value_size);
            raw
        }
    }

    /// Makes room for another expiry and value; key, clock and mark stay, raw is cleared, the old
    /// value is gone (a pointer must have been taken out). The caller puts expiry and value next.
    pub(super) fn relayout(&mut self, has_expiry: bool, kind: Kind, value_size: usize) {
        let expiry = if has_expiry { 8 } else { 0 };
        self.resize(self.size(), self.key_end() + expiry + value_size);
        self.set_flag(RAW, false);
        // SAFETY: the allocation now has room for a value of that size.
        unsafe { self.describe(has_expiry, kind, value_size) }
    }

    /// Makes the expiry field appear or go, keeping all the others.
    pub(super) fn shift_value(&mut self, has_expiry: bool) {
        if has_expiry == self.flag(HAS_EXPIRY) {
            return;
        }
        let (size, from) = (self.size(), self.value_at());
        let bytes = size - from;
        if has_expiry {
            self.resize(size, size + 8);
            // SAFETY: both ranges lie within the grown allocation.
            unsafe { ptr::copy(self.at(from), self.at(from + 8), bytes) };
            self.set_flag(HAS_EXPIRY, true);
        } else {
            // SAFETY: both ranges lie within the allocation, which shrinks afterwards only.
            unsafe { ptr::copy(self.at(from), self.at(from - 8), bytes) };
            self.resize(size, size - 8);
            self.set_flag(HAS_EXPIRY, false);
        }
    }

    /// Changes the length of an inline value (at most [`INLINE_MAX`]), filling up with zeros.
    pub(super) fn resize_inline(&mut self, len: usize) {
        debug_assert!(self.kind() == Kind::Inline && len <= INLINE_MAX);
        let (from, old) = (self.value_at() + INLINE_LEN, self.inline().len());
        self.resize(from + old, from + len);
        // SAFETY: the allocation has room for `len` bytes from `from` on.
        unsafe {
            if len > old {
                ptr::write_bytes(self.at(from + old), 0, len - old);
            }
            self.put(from - INLINE_LEN, len as u16);
        }
    }

    /// The same entry under another key, not marked. Takes over the blob or object, if there is
    /// one.
    pub(super) fn with_key(&self, key: &[u8]) -> Self {
        let (from, has_expiry) = (self.key_end(), self.flag(HAS_EXPIRY));
        let value_size = self.size() - self.value_at();
        let mut new = Self::new(key, has_expiry, self.kind(), value_size);
        // SAFETY: expiry and value have the same sizes in both entries, and lie after the key.
        unsafe {
            ptr::copy_nonoverlapping(self.at(from), new.at(new.key_end()), self.size() - from);
        }
        new.set_clock(self.clock());
        new.set_raw(self.is_raw());
        new
    }

    /// The key.
    #[inline(always)]
    pub(super) fn key(&self) -> &[u8] {
        let (at, len) = self.key_span();
        // SAFETY: the key lies there, by the invariant.
        unsafe { core::slice::from_raw_parts(self.at(at), len) }
    }

    #[inline(always)]
    pub(super) fn kind(&self) -> Kind {
        match (self.meta() & KIND) >> KIND_SHIFT {
            0 => Kind::Int,
            1 => Kind::Inline,
            2 => Kind::Blob,
            3 => Kind::Object,
            4 => Kind::Packed,
            other => unreachable!("no entry is made with kind {other}"),
        }
    }

    #[inline]
    pub(super) fn expiry(&self) -> Option<u64> {
        // SAFETY: with the flag, the field lies after the key.
        self.flag(HAS_EXPIRY).then(|| unsafe { self.get(self.key_end()) })
    }

    /// Sets the expiry, whose field must be there.
    pub(super) fn put_expiry(&mut self, at: u64) {
        assert!(self.flag(HAS_EXPIRY), "the entry has an expiry field");
        // SAFETY: with the flag, the field lies after the key.
        unsafe { self.put(self.key_end(), at) }
    }

    #[inline]
    pub(super) fn clock(&self) -> u32 {
        self.meta() & CLOCK
    }

    #[inline]
    pub(super) fn set_clock(&mut self, clock: u32) {
        self.set_meta(self.meta() & !CLOCK | clock & CLOCK);
    }

    pub(super) fn is_raw(&self) -> bool {
        self.flag(RAW)
    }

    pub(super) fn set_raw(&mut self, is_raw: bool) {
        self.set_flag(RAW, is_raw);
    }

    #[inline]
    pub(super) fn is_marked(&self) -> bool {
        self.flag(MARKED)
    }

    #[inline]
    pub(super) fn set_marked(&mut self, is_marked: bool) {
        self.set_flag(MARKED, is_marked);
    }

    /// The integer of an `Int` entry.
    #[inline]
    pub(super) fn int(&self) -> i64 {
        assert!(self.kind() == Kind::Int, "the value is an integer");
        // SAFETY: that kind has 8 bytes there.
        unsafe { self.get(self.value_at()) }
    }

    #[inline]
    pub(super) fn put_int(&mut self, number: i64) {
        assert!(self.kind() == Kind::Int, "the value is an integer");
        // SAFETY: that kind has 8 bytes there.
        unsafe { self.put(self.value_at(), number) }
    }

    /// The bytes of an `Inline` or `Packed` entry.
    #[inline]
    pub(super) fn inline(&self) -> &[u8] {
        let (at, len) = self.inline_span();
        // SAFETY: the value lies there, by the invariant.
        unsafe { core::slice::from_raw_parts(self.at(at), len) }
    }

    /// The bytes of an `Inline` entry, to be changed.
    pub(super) fn inline_mut(&mut self) -> &mut [u8] {
        let (at, len) = self.inline_span();
        // SAFETY: the value lies there, by the invariant, and `&mut self` lends it alone.
        unsafe { core::slice::from_raw_parts_mut(self.at(at), len) }
    }

    /// Fills an `Inline` or `Packed` value that was laid out for just as many bytes.
    pub(super) fn put_inline(&mut self, bytes: &[u8]) {
        let (at, len) = self.inline_span();
        assert!(len == bytes.len(), "the value was laid out for its length");
        // SAFETY: the value has `len` bytes there; they are ours, so `bytes` lies elsewhere. They
        // may be uninitialised, hence no slice is made of them.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), self.at(at), len) }
    }

    /// The blob of a `Blob` entry: the entry's own count, to be borrowed or taken over.
    #[inline]
    pub(super) fn blob(&self) -> ManuallyDrop<Blob> {
        assert!(self.kind() == Kind::Blob, "the value is a blob");
        // SAFETY: that kind has a pointer there, from `Arc::into_raw`, with one count.
        unsafe { ManuallyDrop::new(Arc::from_raw(self.get::<*const Vec<u8>>(self.value_at()))) }
    }

    /// Stores a blob's count; what was there is forgotten, not dropped.
    pub(super) fn put_blob(&mut self, blob: Blob) {
        assert!(self.kind() == Kind::Blob, "the value is a blob");
        // SAFETY: that kind has room for a pointer there.
        unsafe { self.put(self.value_at(), Arc::into_raw(blob)) }
    }

    /// The object of an `Object` entry, whose type the entry's owner knows.
    #[inline]
    pub(super) fn object<O>(&self) -> NonNull<O> {
        assert!(self.kind() == Kind::Object, "the value is an object");
        // SAFETY: that kind has a pointer there.
        unsafe { self.get(self.value_at()) }
    }

    /// Stores a pointer to an object; what was there is forgotten, not dropped.
    pub(super) fn put_object<O>(&mut self, object: NonNull<O>) {
        assert!(self.kind() == Kind::Object, "the value is an object");
        // SAFETY: that kind has room for a pointer there.
        unsafe { self.put(self.value_at(), object) }
    }

    /// Makes a `Blob` or `Object` entry the integer 0; what it pointed to now belongs to whoever
    /// asked for it before.
    pub(super) fn forget_pointer(&mut self) {
        assert!(matches!(self.kind(), Kind::Blob | Kind::Object), "the value is a pointer");
        self.set_kind(Kind::Int);
        self.put_int(0);
    }

    /// Bytes asked of the allocator.
    pub(super) fn alloc_bytes(&self) -> usize {
        self.size().next_multiple_of(STEP)
    }

    #[inline(always)]
    pub(super) fn address(&self) -> *const u8 {
        self.0.as_ptr()
    }

    /// Bytes in use.
    #[inline(always)]
    fn size(&self) -> usize {
        match self.kind() {
            Kind::Int | Kind::Blob | Kind::Object => self.value_at() + 8,
            Kind::Inline | Kind::Packed => {
                let (at, len) = self.inline_span();
                at + len
            }
        }
    }

    /// Changes the allocation from room for `from` bytes, its present size, to room for `to`. The
    /// bytes up to the smaller of both stay; the caller then makes the fields describe `to`.
    fn resize(&mut self, from: usize, to: usize) {
        let (old, new) = (layout(from), layout(to));
        if old.size() != new.size() {
            // SAFETY: the block was allocated with the layout of its size, and neither layout is of
            // size 0.
            let block = unsafe { realloc(self.0.as_ptr(), old, new.size()) };
            self.0 = NonNull::new(block).unwrap_or_else(|| handle_alloc_error(new));
        }
    }

    /// Sets the flags and, for a value inside the entry, the length that `size` describes.
    ///
    /// # Safety
    /// The allocation has the size that follows from these values.
    unsafe fn describe(&mut self, has_expiry: bool, kind: Kind, value_size: usize) {
        self.set_flag(HAS_EXPIRY, has_expiry);
        self.set_kind(kind);
        if matches!(kind, Kind::Inline | Kind::Packed) {
            // SAFETY: by contract.
            unsafe { self.put(self.value_at(), (value_size - INLINE_LEN) as u16) }
        }
    }

    /// Where the key lies: offset and length.
    #[inline(always)]
    fn key_span(&self) -> (usize, usize) {
        // SAFETY: the key length lies there, in one of two sizes.
        unsafe {
            if self.flag(LONG_KEY) {
                (LONG_KEY_AT, self.get::<u64>(KEY_LEN_AT) as usize)
            } else {
                (SHORT_KEY_AT, usize::from(self.get::<u8>(KEY_LEN_AT)))
            }
        }
    }

    #[inline(always)]
    fn key_end(&self) -> usize {
        let (at, len) = self.key_span();
        at + len
    }

    #[inline(always)]
    fn value_at(&self) -> usize {
        self.key_end() + if self.flag(HAS_EXPIRY) { 8 } else { 0 }
    }

    /// Where the bytes of an `Inline` or `Packed` value lie: offset and length.
    #[inline(always)]
    fn inline_span(&self) -> (usize, usize) {
        assert!(matches!(self.kind(), Kind::Inline | Kind::Packed), "the value is inside");
        let at = self.value_at();
        // SAFETY: that kind has its length there.
        (at + INLINE_LEN, usize::from(unsafe { self.get::<u16>(at) }))
    }

    #[inline(always)]
    fn meta(&self) -> u32 {
        // SAFETY: every entry begins with its meta word.
        unsafe { self.get(0) }
    }

    fn set_meta(&mut self, meta: u32) {
        // SAFETY: every entry begins with its meta word.
        unsafe { self.put(0, meta) }
    }

    #[inline(always)]
    fn flag(&self, flag: u32) -> bool {
        self.meta() & flag != 0
    }

    fn set_flag(&mut self, flag: u32, on: bool) {
        self.set_meta(if on { self.meta() | flag } else { self.meta() & !flag });
    }

    fn set_kind(&mut self, kind: Kind) {
        self.set_meta(self.meta() & !KIND | (kind as u32) << KIND_SHIFT);
    }

    /// # Safety
    /// `at` is within the allocation.
    #[inline(always)]
    unsafe fn at(&self, at: usize) -> *mut u8 {
        // SAFETY: by contract.
        unsafe { self.0.as_ptr().add(at) }
    }

    /// # Safety
    /// A `V` was put at `at`.
    #[inline(always)]
    unsafe fn get<V: Copy>(&self, at: usize) -> V {
        // SAFETY: by contract; the field may be unaligned.
        unsafe { self.at(at).cast::<V>().read_unaligned() }
    }

    /// # Safety
    /// A `V` has room at `at`.
    #[inline(always)]
    unsafe fn put<V: Copy>(&mut self, at: usize, value: V) {
        // SAFETY: by contract; the field may be unaligned.
        unsafe { self.at(at).cast::<V>().write_unaligned(value) }
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // SAFETY: the block was allocated with the layout of its size.
        unsafe { dealloc(self.0.as_ptr(), layout(self.size())) }
    }
}

fn layout(size: usize) -> Layout {
    Layout::from_size_align(size.next_multiple_of(STEP), STEP).expect("an entry fits in memory")
}
