//! The keyspace entry: a key and its value in one allocation behind an 8-byte pointer.
//!
//! # Why this shape
//!
//! Most values are short, so a key, its value, its expiry and its access clock fit in one
//! allocation of some 40 bytes; separate objects would cost a header, a pointer and a cache miss
//! each. Fields are unaligned and packed; what is absent takes no byte.
//!
//! ```text
//!        +----------------+---------+-----------+------------------+---------------------+
//!        | meta, 4 bytes  | key len |    key    | [expiry 8 bytes] | value, by kind      |
//!        +----------------+---------+-----------+------------------+---------------------+
//! meta:    bits 0..24 clock, 24..28 kind, 28 expiry present, 29 raw, 30 long key,
//!          31 marked
//! key len: 1 byte, or 8 with "long key" (256 bytes and more)
//! value:   Int     8 bytes
//!          Inline  2 bytes length, then up to INLINE_MAX bytes
//!          Blob    8 bytes, a pointer that owns one count of an Arc<Vec<u8>>
//!          Object  8 bytes, a pointer that owns a Box<O>
//!          Packed  2 bytes length, then up to INLINE_MAX bytes that stand for an O
//! ```
//!
//! The key stands in front of everything optional, so that a lookup finds it at a fixed place
//! after one test. Sizes are rounded up to 8, the step of the allocator: a 16-byte key with a
//! 16-byte value takes 39 bytes, hence 40, and 48 with an expiry. A change that leaves the rounded
//! size as it is happens in place.
//!
//! # Blobs
//!
//! Values beyond [`INLINE_MAX`] lie in an `Arc<Vec<u8>>`, so that a reply can be sent from where
//! the value lies while the entry goes on living: a writer that finds the blob shared copies it
//! first. Appending to a blob grows it by its own length, by at most a megabyte at a time.
//!
//! # Objects
//!
//! What is no string (a list, a set, ..) is an object of the owner's type `O`, in a box of its own.
//! The entry moves the box about and drops it, and asks it for its bytes ([`Heap`]); nothing else.
//!
//! A small object can be kept *packed*, as bytes that mean something to the owner alone. The box
//! and what it owns would be two allocations more, each rounded up: a hash of ten fields of twenty
//! bytes takes 275 bytes in all instead of 337.

mod edit;
mod raw;
#[cfg(test)]
mod tests;

use crate::heap::Heap;
use crate::table::Item;
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ops::Deref;
use core::ptr::NonNull;
use raw::{Kind, Raw};

/// A long value, shared between the keyspace and replies under way.
pub type Blob = Arc<Vec<u8>>;

/// Longest value in bytes that is kept inside the entry; longer ones are blobs.
pub const INLINE_MAX: usize = 960;

/// A string to store.
#[derive(Clone, Debug)]
pub enum NewValue<'a> {
    /// An integer, kept as such.
    Int(i64),
    /// Bytes of any length; they become a blob beyond [`INLINE_MAX`].
    Bytes(&'a [u8]),
    /// A ready blob; it is stored as it is, even when short.
    Blob(Blob),
}

/// A stored value, borrowed.
#[derive(Debug)]
pub enum Value<'a, O> {
    /// A string.
    String(StrRef<'a>),
    /// Anything else.
    Object(&'a O),
    /// Anything else, packed by the owner.
    Packed(&'a [u8]),
}

/// A stored string, borrowed.
#[derive(Debug)]
pub enum StrRef<'a> {
    /// An integer; its text is its decimal form.
    Int(i64),
    /// Bytes inside the entry.
    Bytes(&'a [u8]),
    /// Bytes in a blob, which can be shared.
    Blob(BlobRef<'a>),
}

impl<'a> StrRef<'a> {
    /// The same value, to be stored elsewhere; a blob is shared.
    #[must_use]
    pub fn to_new(&self) -> NewValue<'a> {
        match self {
            Self::Int(number) => NewValue::Int(*number),
            Self::Bytes(bytes) => NewValue::Bytes(bytes),
            Self::Blob(blob) => NewValue::Blob(Blob::clone(blob)),
        }
    }

    /// Length of the value's text in bytes.
    #[must_use]
    pub fn text_len(&self) -> usize {
        match self {
            Self::Int(number) => itoa::Buffer::new().format(*number).len(),
            Self::Bytes(bytes) => bytes.len(),
            Self::Blob(blob) => blob.len(),
        }
    }
}

/// A blob borrowed from an entry; `Blob::clone(&blob_ref)` shares it.
pub struct BlobRef<'a> {
    /// One of the entry's counts, not ours: never dropped.
    blob: ManuallyDrop<Blob>,
    _entry: PhantomData<&'a Blob>,
}

impl<'a> BlobRef<'a> {
    /// The bytes, for as long as the entry is borrowed.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        let bytes: *const [u8] = self.blob.as_slice();
        // SAFETY: the entry is borrowed for 'a and keeps its count meanwhile, so the vector lives;
        // a shared vector is never changed.
        unsafe { &*bytes }
    }
}

impl Deref for BlobRef<'_> {
    type Target = Blob;

    fn deref(&self) -> &Blob {
        &self.blob
    }
}

impl fmt::Debug for BlobRef<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "blob of {} bytes", self.blob.len())
    }
}

/// A key with its value, its access clock and perhaps an expiry. `O` is what a value can be besides
/// a string.
pub struct Entry<O> {
    raw: Raw,
    _object: PhantomData<Box<O>>,
}

// SAFETY: an entry owns its allocation alone, its blob is an `Arc` of a `Send + Sync` type, and its
// object goes with it.
unsafe impl<O: Send> Send for Entry<O> {}
// SAFETY: `&Entry` only reads, and gives out bytes, shares of the blob, and `&O`.
unsafe impl<O: Sync> Sync for Entry<O> {}

impl<O> Entry<O> {
    /// Makes an entry that holds a string. `expiry` is in unix milliseconds, `clock` has 24 bits
    /// (higher ones are dropped) and means what the eviction policy says.
    #[must_use]
    pub fn new(key: &[u8], value: NewValue<'_>, expiry: Option<u64>, clock: u32) -> Self {
        Self::make(key, value.fit(), expiry, clock)
    }

    /// Makes an entry that holds an object; the rest as in [`Entry::new`].
    #[must_use]
    pub fn with_object(key: &[u8], object: Box<O>, expiry: Option<u64>, clock: u32) -> Self {
        Self::make(key, Fitted::Object(object), expiry, clock)
    }

    /// Makes an entry that holds a packed object, of at most [`INLINE_MAX`] bytes; the rest as in
    /// [`Entry::new`].
    #[must_use]
    pub fn with_packed(key: &[u8], packed: &[u8], expiry: Option<u64>, clock: u32) -> Self {
        Self::make(key, Fitted::packed(packed), expiry, clock)
    }

    /// The key.
    #[inline(always)]
    #[must_use]
    pub fn key(&self) -> &[u8] {
        self.raw.key()
    }

    /// The value.
    #[inline]
    #[must_use]
    pub fn value(&self) -> Value<'_, O> {
        Value::String(match self.raw.kind() {
            Kind::Int => StrRef::Int(self.raw.int()),
            Kind::Inline => StrRef::Bytes(self.raw.inline()),
            Kind::Blob => StrRef::Blob(BlobRef { blob: self.raw.blob(), _entry: PhantomData }),
            // SAFETY: the entry's object, which lives and is not changed while it is borrowed.
            Kind::Object => return Value::Object(unsafe { self.raw.object::<O>().as_ref() }),
            Kind::Packed => return Value::Packed(self.raw.inline()),
        })
    }

    /// The string, if the value is one.
    #[inline]
    #[must_use]
    pub fn string(&self) -> Option<StrRef<'_>> {
        match self.value() {
            Value::String(string) => Some(string),
            Value::Object(_) | Value::Packed(_) => None,
        }
    }

    /// The object, if the value is one.
    #[inline]
    #[must_use]
    pub fn object(&self) -> Option<&O> {
        match self.value() {
            Value::Object(object) => Some(object),
            Value::String(_) | Value::Packed(_) => None,
        }
    }

    /// The bytes of a packed object, if the value is one.
    #[inline]
    #[must_use]
    pub fn packed(&self) -> Option<&[u8]> {
        (self.raw.kind() == Kind::Packed).then(|| self.raw.inline())
    }

    /// The object, if the value is one, to be changed in place.
    #[inline]
    #[must_use]
    pub fn object_mut(&mut self) -> Option<&mut O> {
        // SAFETY: the entry's object, lent alone for as long as `&mut self` is held.
        (self.raw.kind() == Kind::Object).then(|| unsafe { self.raw.object::<O>().as_mut() })
    }

    /// Takes the object out, if the value is one; the entry then holds the integer 0.
    pub fn take_object(&mut self) -> Option<Box<O>> {
        if self.raw.kind() != Kind::Object {
            return None;
        }
        let object = self.raw.object::<O>();
        self.raw.forget_pointer();
        // SAFETY: the pointer came from a box of this type, and the entry has forgotten it.
        Some(unsafe { Box::from_raw(object.as_ptr()) })
    }

    /// A share of the value's blob, if it is one.
    #[must_use]
    pub fn blob(&self) -> Option<Blob> {
        match self.value() {
            Value::String(StrRef::Blob(blob)) => Some(Blob::clone(&blob)),
            Value::String(StrRef::Int(_) | StrRef::Bytes(_))
            | Value::Object(_)
            | Value::Packed(_) => None,
        }
    }

    /// When the key expires, in unix milliseconds.
    #[inline]
    #[must_use]
    pub fn expiry(&self) -> Option<u64> {
        self.raw.expiry()
    }

    /// Whether the key's time has come at `now` (unix milliseconds).
    #[inline]
    #[must_use]
    pub fn is_due(&self, now: u64) -> bool {
        self.expiry().is_some_and(|at| at <= now)
    }

    /// The 24 bits of the access clock.
    #[inline]
    #[must_use]
    pub fn clock(&self) -> u32 {
        self.raw.clock()
    }

    /// Sets the access clock; bits above the 24th are dropped.
    #[inline]
    pub fn set_clock(&mut self, clock: u32) {
        self.raw.set_clock(clock);
    }

    /// Whether the value was modified in place, for which OBJECT ENCODING says `raw` even when it
    /// is short. Cleared when a value is set as a whole.
    #[must_use]
    pub fn is_raw(&self) -> bool {
        self.raw.is_raw()
    }

    /// Sets what [`Entry::is_raw`] says.
    pub fn set_raw(&mut self, is_raw: bool) {
        self.raw.set_raw(is_raw);
    }

    /// Replaces the value by a string; key, expiry and clock stay.
    pub fn set_value(&mut self, value: NewValue<'_>) {
        self.set(value, self.expiry());
    }

    /// Replaces the value by a string, and the expiry, in one step; key and clock stay. An object
    /// is dropped: one that may be large is better taken out before.
    pub fn set(&mut self, value: NewValue<'_>, expiry: Option<u64>) {
        self.put(value.fit(), expiry);
    }

    /// Replaces the value by an object; key, expiry and clock stay.
    pub fn set_object(&mut self, object: Box<O>) {
        self.put(Fitted::Object(object), self.expiry());
    }

    /// Replaces the value by a packed object, of at most [`INLINE_MAX`] bytes; key, expiry and
    /// clock stay.
    pub fn set_packed(&mut self, packed: &[u8]) {
        self.put(Fitted::packed(packed), self.expiry());
    }

    /// Sets or removes the expiry (unix milliseconds). Moves the value when the field appears or
    /// goes.
    pub fn set_expiry(&mut self, expiry: Option<u64>) {
        self.raw.shift_value(expiry.is_some());
        if let Some(at) = expiry {
            self.raw.put_expiry(at);
        }
    }

    /// Whether the entry is marked. What a mark means is the owner's affair: whatever is done to
    /// the entry leaves it as it is, but a new entry has none, nor has a renamed one.
    #[inline]
    #[must_use]
    pub fn is_marked(&self) -> bool {
        self.raw.is_marked()
    }

    /// Sets or removes the mark.
    #[inline]
    pub fn set_marked(&mut self, is_marked: bool) {
        self.raw.set_marked(is_marked);
    }

    /// Gives the entry another key; everything else but the mark stays. It must not be in a table.
    pub fn rename(&mut self, key: &[u8]) {
        self.raw = self.raw.with_key(key);
    }

    fn put(&mut self, value: Fitted<'_, O>, expiry: Option<u64>) {
        self.drop_pointee();
        self.raw.relayout(expiry.is_some(), value.kind(), value.size());
        self.write(expiry, value);
    }

    fn make(key: &[u8], value: Fitted<'_, O>, expiry: Option<u64>, clock: u32) -> Self {
        let mut raw = Raw::new(key, expiry.is_some(), value.kind(), value.size());
        raw.set_clock(clock);
        let mut entry = Self { raw, _object: PhantomData };
        entry.write(expiry, value);
        entry
    }

    /// Writes expiry and value into fields that have been laid out for them.
    fn write(&mut self, expiry: Option<u64>, value: Fitted<'_, O>) {
        if let Some(at) = expiry {
            self.raw.put_expiry(at);
        }
        match value {
            Fitted::Int(number) => self.raw.put_int(number),
            Fitted::Inline(bytes) | Fitted::Packed(bytes) => self.raw.put_inline(bytes),
            Fitted::Blob(blob) => self.raw.put_blob(blob),
            Fitted::Object(object) => self.raw.put_object(NonNull::from(Box::leak(object))),
        }
    }

    /// Drops the blob's count or the object, if there is one; the value is the integer 0 then.
    fn drop_pointee(&mut self) {
        match self.raw.kind() {
            Kind::Int | Kind::Inline | Kind::Packed => {}
            Kind::Blob => {
                let blob = self.raw.blob();
                self.raw.forget_pointer();
                drop(ManuallyDrop::into_inner(blob));
            }
            Kind::Object => drop(self.take_object()),
        }
    }
}

impl<O: Heap> Entry<O> {
    /// Bytes of this entry's allocations as requested from the allocator, rounded up to 8: the
    /// entry itself, the object with all that it owns, and the blob, which counts in full even
    /// while it is shared.
    #[must_use]
    pub fn alloc_bytes(&self) -> usize {
        let pointee = match self.value() {
            // Two counts and the vector, then the vector's buffer.
            Value::String(StrRef::Blob(blob)) => {
                let head = 2 * size_of::<usize>() + size_of::<Vec<u8>>();
                head + blob.capacity().next_multiple_of(8)
            }
            Value::String(StrRef::Int(_) | StrRef::Bytes(_)) | Value::Packed(_) => 0,
            Value::Object(object) => size_of::<O>().next_multiple_of(8) + object.heap_bytes(),
        };
        self.raw.alloc_bytes() + pointee
    }
}

impl<O> Drop for Entry<O> {
    fn drop(&mut self) {
        self.drop_pointee();
    }
}

impl<O> Item for Entry<O> {
    #[inline(always)]
    fn key(&self) -> &[u8] {
        self.raw.key()
    }

    #[inline]
    fn due(&self) -> u64 {
        self.raw.expiry().unwrap_or(u64::MAX)
    }

    #[inline(always)]
    fn address(&self) -> *const u8 {
        self.raw.address()
    }
}

impl<O: fmt::Debug> fmt::Debug for Entry<O> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Entry")
            .field("key", &self.key())
            .field("value", &self.value())
            .field("expiry", &self.expiry())
            .field("clock", &self.clock())
            .finish_non_exhaustive()
    }
}

/// A value in the form in which it will be kept.
enum Fitted<'a, O> {
    Int(i64),
    /// At most [`INLINE_MAX`] bytes.
    Inline(&'a [u8]),
    Blob(Blob),
    Object(Box<O>),
    /// At most [`INLINE_MAX`] bytes.
    Packed(&'a [u8]),
}

impl<'a> NewValue<'a> {
    fn fit<O>(self) -> Fitted<'a, O> {
        match self {
            Self::Int(number) => Fitted::Int(number),
            Self::Bytes(bytes) if bytes.len() <= INLINE_MAX => Fitted::Inline(bytes),
            Self::Bytes(bytes) => Fitted::Blob(Arc::new(bytes.to_vec())),
            Self::Blob(blob) => Fitted::Blob(blob),
        }
    }
}

impl<'a, O> Fitted<'a, O> {
    fn packed(bytes: &'a [u8]) -> Self {
        assert!(bytes.len() <= INLINE_MAX, "a packed object is small");
        Self::Packed(bytes)
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Int(_) => Kind::Int,
            Self::Inline(_) => Kind::Inline,
            Self::Blob(_) => Kind::Blob,
            Self::Object(_) => Kind::Object,
            Self::Packed(_) => Kind::Packed,
        }
    }

    /// Bytes of the value field.
    fn size(&self) -> usize {
        match self {
            Self::Int(_) | Self::Blob(_) | Self::Object(_) => 8,
            Self::Inline(bytes) | Self::Packed(bytes) => 2 + bytes.len(),
        }
    }
}
