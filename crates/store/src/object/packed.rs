//! Small hashes inside the entries of their keys.
//!
//! Many hashes are records of a few short fields. Such a one is kept packed: the entry holds the
//! bytes of its listpack, and there is no object. Commands see a [`Hash`] all the same: the store
//! has one into which it copies the bytes when they are asked for, and out of which it takes them
//! after a change. A copy of some hundred bytes costs less than the two cache misses that the way
//! over an object would.
//!
//! Only hashes are packed, because the others are looked at several at a time.

use super::{Hash, Kind, Object, Rules};
use crate::Entry;
use alloc::boxed::Box;
use vesta_ds::{Heap, Listpack};

/// Longest listpack in bytes that is packed: the object that a longer one saves is less than a
/// tenth of it, and copying takes longer.
const PACKED_BYTES_MAX: usize = 400;

impl Object {
    /// What a packed value stands for.
    #[must_use]
    pub fn unpacked(packed: &[u8]) -> Self {
        let mut listpack = Listpack::new();
        listpack.assign(packed);
        Hash::from_small(listpack).into_object()
    }

    /// The bytes to be kept in the place of this object, if it is to be packed.
    fn packed(&self) -> Option<&[u8]> {
        let listpack = Hash::of(self)?.listpack()?;
        (listpack.total_bytes() <= PACKED_BYTES_MAX).then(|| listpack.bytes())
    }
}

/// Makes an entry that holds an object, packed if it may be. `expiry` is in unix milliseconds,
/// `clock` the access clock.
#[must_use]
pub fn new_entry(key: &[u8], object: Object, expiry: Option<u64>, clock: u32) -> Entry {
    match object.packed() {
        Some(packed) => Entry::with_packed(key, packed, expiry, clock),
        None => Entry::with_object(key, Box::new(object), expiry, clock),
    }
}

/// The hash that packed ones are copied into, and that keeps its memory from one to the next.
#[derive(Debug, Default)]
pub(crate) struct Unpacked(Option<Object>);

impl Unpacked {
    /// The object of an entry, if its value is one.
    #[inline]
    pub(crate) fn object<'a>(&'a mut self, entry: &'a Entry) -> Option<&'a Object> {
        match entry.packed() {
            Some(packed) => Some(self.take_in(packed)),
            None => entry.object(),
        }
    }

    /// Changes the object of an entry, if its value is one, and packs or unpacks the value as it
    /// has become short or long.
    #[inline]
    pub(crate) fn edit<R>(
        &mut self,
        entry: &mut Entry,
        rules: &Rules,
        change: impl FnOnce(&mut Object, &Rules) -> R,
    ) -> Option<R> {
        let Some(packed) = entry.packed() else {
            let object = entry.object_mut()?;
            let outcome = change(object, rules);
            if let Some(packed) = object.packed() {
                let object = self.take_in(packed);
                entry.set_packed(object.packed().unwrap_or_default());
            }
            return Some(outcome);
        };
        let object = self.take_in(packed);
        let outcome = change(object, rules);
        match object.packed() {
            Some(packed) => entry.set_packed(packed),
            // Ours stays for the next one; what leaves takes no more memory than it needs.
            None => match Hash::of(object).and_then(Hash::listpack) {
                Some(long) => entry.set_object(Box::new(Object::unpacked(long.bytes()))),
                None => entry.set_object(Box::new(self.0.take()?)),
            },
        }
        Some(outcome)
    }

    /// Bytes of the memory that is kept.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.0.as_ref().map_or(0, Heap::heap_bytes)
    }

    #[inline]
    fn take_in(&mut self, packed: &[u8]) -> &mut Object {
        let object = self.0.get_or_insert_with(|| Hash::empty().into_object());
        if let Some(hash) = Hash::of_mut(object) {
            hash.become_small(packed);
        }
        object
    }
}
