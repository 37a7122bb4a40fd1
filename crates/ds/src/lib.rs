//! The data structures under the keyspace: a hash table that never pauses and the entry it holds.
//!
//! [`Table`] maps a key to an 8-byte owned item; [`Entry`] is such an item: one allocation that
//! carries a key, a string value or an object, an access clock and perhaps an expiry. Neither knows
//! commands, clients, the wire or the time: a caller hands in the time where expiry is concerned,
//! the hash where a key is concerned, and random numbers where an item is drawn.
#![no_std]
#![allow(unsafe_code, reason = "memory layout is this crate's work; see each SAFETY comment")]
#![deny(clippy::undocumented_unsafe_blocks)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod bits;
mod block;
mod btree;
mod bytes;
mod corrupt;
mod entry;
mod hash;
mod heap;
pub mod hll;
mod intset;
mod listpack;
pub mod lzf;
mod quicklist;
pub mod stream;
mod table;
mod thin;
mod zset;

pub use corrupt::CorruptError;
pub use entry::{Blob, BlobRef, Entry, INLINE_MAX, NewValue, StrRef, Value};
pub use hash::KeyHasher;
pub use heap::Heap;
pub use intset::{Intset, Iter as IntsetIter, fuzz_intset};
pub use listpack::{
    Digits, Element, Full, Iter as ListpackIter, Listpack, Pairs, Pos, fuzz_listpack,
};
pub use quicklist::{Direction, Fill, NodeRef, Quicklist, Verdict, Walk};
pub use table::{DueScan, Item, Iter, Lookup, Stats, Table, TableWalk};
pub use thin::{Field, Member};
pub use zset::{Bulk, LexBound, Members, Placed, ScoreBound, Scored, Zset};
