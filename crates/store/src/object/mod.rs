//! Values that are no strings.
//!
//! Each type has a small encoding, bytes in one allocation, and a large one with an index; a value
//! goes from the small to the large one by itself when it outgrows its [`Limits`], and never back,
//! but for lists. The bytes of the small encodings are those that Redis puts into snapshots.
//!
//! A value keeps count of the bytes it owns ([`Heap`]), because they are asked for before and after
//! every change. One of many elements is not dropped in one go: [`Object::drain_some`] frees it in
//! slices.

mod hash;
mod limits;
mod list;
pub(crate) mod packed;
mod set;
mod stream;
mod zset;

pub use hash::{FieldExpiry, Hash};
pub use limits::{Limits, Rules};
pub use list::{End, List, ListWalk, Side, Sought};
pub use packed::new_entry;
pub use set::Set;
pub use stream::Stream;
pub use zset::{Zset, ZsetWalk, algebra};

use crate::Entry;
use alloc::vec::Vec;
use vesta_ds::{Element, Heap, StrRef, Value};

/// Longest string in bytes that Redis keeps together with its header, and calls `embstr`.
const EMBSTR_BYTES_MAX: usize = 44;

/// A value that is no string.
#[derive(Clone, Debug)]
pub enum Object {
    /// Fields with values.
    Hash(Hash),
    /// Elements in order.
    List(List),
    /// Members without order.
    Set(Set),
    /// Entries under ids, and who reads them.
    Stream(Stream),
    /// Members in the order of their scores.
    Zset(Zset),
}

/// A type of value that [`Object`] has a variant for.
pub trait Kind: Sized {
    /// One without elements, in its smallest encoding.
    fn empty() -> Self;
    /// The value as one of this type, if it is.
    fn of(object: &Object) -> Option<&Self>;
    /// The value as one of this type, if it is, to be changed.
    fn of_mut(object: &mut Object) -> Option<&mut Self>;
    /// The value as an object.
    fn into_object(self) -> Object;
}

impl Object {
    /// The name of the type, as TYPE has it.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Hash(_) => "hash",
            Self::List(_) => "list",
            Self::Set(_) => "set",
            Self::Stream(_) => "stream",
            Self::Zset(_) => "zset",
        }
    }

    /// The name of the encoding, as OBJECT ENCODING has it.
    #[must_use]
    pub fn encoding_name(&self) -> &'static str {
        match self {
            Self::Hash(hash) => hash.encoding_name(),
            Self::List(list) => list.encoding_name(),
            Self::Set(set) => set.encoding_name(),
            Self::Stream(stream) => stream.encoding_name(),
            Self::Zset(zset) => zset.encoding_name(),
        }
    }

    /// Whether its key is deleted because nothing is left in it.
    #[must_use]
    pub fn is_spent(&self) -> bool {
        match self {
            Self::Hash(hash) => hash.is_empty(),
            Self::List(list) => list.is_empty(),
            Self::Set(set) => set.is_empty(),
            Self::Stream(_) => false,
            Self::Zset(zset) => zset.is_empty(),
        }
    }

    /// A time before which none of its fields is due; `None` when none expires.
    #[must_use]
    #[inline]
    pub fn fields_due(&self) -> Option<u64> {
        Hash::of(self).and_then(Hash::due_bound)
    }

    /// How many allocations dropping it frees, about; one in a small encoding counts as one.
    #[must_use]
    pub fn drop_cost(&self) -> usize {
        match self {
            Self::Hash(hash) => hash.drop_cost(),
            Self::List(list) => list.drop_cost(),
            Self::Set(set) => set.drop_cost(),
            Self::Stream(stream) => stream.drop_cost(),
            Self::Zset(zset) => zset.drop_cost(),
        }
    }

    /// Frees about `max` elements of what is left; a small encoding goes as a whole. Nothing but
    /// this, [`Heap::heap_bytes`], [`Object::drop_cost`] and dropping it is of use afterwards.
    pub fn drain_some(&mut self, max: usize) {
        match self {
            Self::Hash(hash) => hash.drain_some(max),
            Self::List(list) => list.drain_some(max),
            Self::Set(set) => set.drain_some(max),
            Self::Stream(stream) => stream.drain_some(max),
            Self::Zset(zset) => zset.drain_some(max),
        }
    }
}

impl Heap for Object {
    fn heap_bytes(&self) -> usize {
        match self {
            Self::Hash(hash) => hash.heap_bytes(),
            Self::List(list) => list.heap_bytes(),
            Self::Set(set) => set.heap_bytes(),
            Self::Stream(stream) => stream.heap_bytes(),
            Self::Zset(zset) => zset.heap_bytes(),
        }
    }
}

/// The name of the type of an entry's value, as TYPE has it.
#[must_use]
pub fn type_name(entry: &Entry) -> &'static str {
    match entry.value() {
        Value::String(_) => "string",
        Value::Object(object) => object.type_name(),
        Value::Packed(packed) => Object::unpacked(packed).type_name(),
    }
}

/// The name of the encoding that Redis would use for an entry's value, as OBJECT ENCODING has it.
#[must_use]
pub fn encoding_name(entry: &Entry) -> &'static str {
    match entry.value() {
        Value::String(StrRef::Int(_)) => "int",
        Value::String(StrRef::Bytes(bytes))
            if bytes.len() <= EMBSTR_BYTES_MAX && !entry.is_raw() =>
        {
            "embstr"
        }
        Value::String(StrRef::Bytes(_) | StrRef::Blob(_)) => "raw",
        Value::Object(object) => object.encoding_name(),
        Value::Packed(packed) => Object::unpacked(packed).encoding_name(),
    }
}

/// Whether no two of the elements have the same text. O(n log n); allocates once, 32 bytes for
/// each.
fn all_differ<'e>(elements: impl Iterator<Item = Element<'e>>) -> bool {
    // The two forms of an integer have the same key, and no key is that of another text.
    let key = |element: Element<'e>| match (element.int(), element) {
        (None, Element::Bytes(text)) => (None, text),
        (int, _) => (int, &b""[..]),
    };
    let mut keys: Vec<(Option<i64>, &[u8])> = elements.map(key).collect();
    keys.sort_unstable();
    keys.is_sorted_by(|a, b| a < b)
}
