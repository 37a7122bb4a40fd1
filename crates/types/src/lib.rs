//! The words of the workspace: numbers that carry a meaning, time and chance as arguments.
//!
//! Everything here is a small value without behaviour of its own. A type lives in this crate when
//! two crates that do not know each other must agree on it.
#![no_std]
#![forbid(unsafe_code)]
extern crate alloc;

pub mod ascii;
pub mod db_index;
mod float;
pub mod glob;
pub mod number;
pub mod repl_id;
pub mod rng;
pub mod time;
pub mod words;

pub use db_index::DbIndex;
pub use repl_id::ReplId;
pub use rng::Rng;
pub use time::{Mono, Now, Unix};

/// Bytes that several owners may hold: a large value in the keyspace is the same allocation that
/// a reply on its way out reads from.
pub type Blob = alloc::sync::Arc<alloc::vec::Vec<u8>>;
