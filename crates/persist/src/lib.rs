//! The formats in which data is written down: bytes in, bytes out.
//!
//! [`rdb`] is the format of values, as `DUMP` payloads and RDB files carry them. Nothing here opens
//! a file or knows where its bytes come from or go to: a decoder is given what has arrived and says
//! when it needs more, an encoder has its bytes ready until they are taken.
//!
//! This crate depends on `store` and `ds`, not the other way round: the small encodings of values
//! *are* the bytes of the format (a listpack is copied, not taken apart), so an encoder has to see
//! the encoding of a value and a decoder has to make one. A model of values in between would be
//! built and thrown away for each key of each file.
#![no_std]
#![forbid(unsafe_code)]
extern crate alloc;

pub mod aof;
mod pieces;
pub mod rdb;

pub use pieces::Pieces;
