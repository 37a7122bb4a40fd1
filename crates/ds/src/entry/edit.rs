//! Changing a string in place: APPEND, SETRANGE, INCR and others of their kind.
//!
//! All but [`Entry::set_int`] are for entries that hold a string, as the caller has made sure.

use super::raw::Kind;
use super::{Entry, INLINE_MAX, NewValue};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::mem::ManuallyDrop;

/// The most bytes that a growing blob reserves beyond what it needs.
const SPARE_MAX: usize = 1 << 20;

impl<O> Entry<O> {
    /// Length of the string's text in bytes.
    ///
    /// # Panics
    /// When the value is an object.
    #[must_use]
    pub fn value_len(&self) -> usize {
        self.string().expect("the value is a string").text_len()
    }

    /// Sets the value to an integer, in place when it is one already. Not raw afterwards.
    #[inline]
    pub fn set_int(&mut self, number: i64) {
        if self.raw.kind() == Kind::Int {
            self.raw.put_int(number);
            self.raw.set_raw(false);
        } else {
            self.set_value(NewValue::Int(number));
        }
    }

    /// Adds `tail` to the value's end and returns the new length in bytes. The value is raw
    /// afterwards. The caller has checked the length against its limit.
    pub fn append(&mut self, tail: &[u8]) -> usize {
        let old = self.value_len();
        let text = self.text_mut(old + tail.len());
        if let Some(end) = text.get_mut(old..) {
            end.copy_from_slice(tail);
        }
        text.len()
    }

    /// Overwrites the value from byte `offset` on, with zero bytes between the old end and
    /// `offset`, and returns the new length. The value is raw afterwards. The caller has checked
    /// `offset + bytes.len()` against its limit.
    pub fn set_range(&mut self, offset: usize, bytes: &[u8]) -> usize {
        let text = self.text_mut(offset + bytes.len());
        if let Some(range) = text.get_mut(offset..offset + bytes.len()) {
            range.copy_from_slice(bytes);
        }
        text.len()
    }

    /// The value's text, to be changed; zero bytes are added until it has at least `min_len`. An
    /// integer becomes its decimal text first; a shared blob is copied. The value is raw
    /// afterwards.
    pub fn text_mut(&mut self, min_len: usize) -> &mut [u8] {
        if self.raw.kind() == Kind::Int {
            let number = self.raw.int();
            self.set_value(NewValue::Bytes(itoa::Buffer::new().format(number).as_bytes()));
        }
        if self.raw.kind() == Kind::Inline && min_len > INLINE_MAX {
            let mut bytes = Vec::with_capacity(roomy(min_len));
            bytes.extend_from_slice(self.raw.inline());
            self.set_value(NewValue::Blob(Arc::new(bytes)));
        }
        self.raw.set_raw(true);
        if self.raw.kind() == Kind::Inline {
            if min_len > self.raw.inline().len() {
                self.raw.resize_inline(min_len);
            }
            return self.raw.inline_mut();
        }
        self.blob_mut(min_len)
    }

    /// The bytes of a blob that is not shared (any more), at least `min_len`.
    fn blob_mut(&mut self, min_len: usize) -> &mut [u8] {
        let mut blob = self.raw.blob();
        if Arc::get_mut(&mut blob).is_none() {
            let len = blob.len().max(min_len);
            let capacity = if min_len > blob.len() { roomy(len) } else { len };
            let mut bytes = Vec::with_capacity(capacity);
            bytes.extend_from_slice(&blob);
            self.raw.put_blob(Arc::new(bytes));
            drop(ManuallyDrop::into_inner(blob));
            blob = self.raw.blob();
        }
        let bytes = Arc::get_mut(&mut blob).expect("nobody else has a share of the blob");
        if min_len > bytes.len() {
            if min_len > bytes.capacity() {
                bytes.reserve_exact(roomy(min_len) - bytes.len());
            }
            bytes.resize(min_len, 0);
        }
        let bytes: *mut [u8] = bytes.as_mut_slice();
        // SAFETY: the vector lives as long as the entry keeps its blob, that is, for the borrow of
        // `self`; nobody else has a share, and none can be made while `self` is borrowed.
        unsafe { &mut *bytes }
    }
}

/// The capacity for a value of `len` bytes that grows.
fn roomy(len: usize) -> usize {
    len + len.min(SPARE_MAX)
}
