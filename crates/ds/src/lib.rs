//! The data structures under the keyspace: a hash table that never pauses and the entry it holds.
//!
//! [`Table`] maps a key to an 8-byte owned item; [`Entry`] is such an item: one allocation that
//! carries a key, a string value, an access clock and perhaps an expiry. Neither knows commands,
//! clients, the wire or the time: a caller hands in the time where expiry is concerned, the hash
//! where a key is concerned, and random numbers where an item is drawn.
#![no_std]
#![allow(unsafe_code, reason = "memory layout is this crate's work; see each SAFETY comment")]
#![deny(clippy::undocumented_unsafe_blocks)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod bytes;
mod entry;
mod hash;
mod table;

pub use entry::{Blob, BlobRef, Entry, INLINE_MAX, NewValue, StrRef};
pub use hash::KeyHasher;
pub use table::{DueScan, Item, Iter, Lookup, Stats, Table};
