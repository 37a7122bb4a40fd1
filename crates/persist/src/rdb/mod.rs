//! RDB: the format of values in `DUMP` payloads and snapshot files.
//!
//! # What is written down
//!
//! A value is one byte that says how it is written ([`ValueType`]), and its body: lengths, strings,
//! doubles and blobs (a listpack, an intset, a node of a stream), see [`Reader`]. A file puts the
//! key between the two. Redis has got a new type code whenever an encoding changed; all of them are
//! read, those of Valkey too where they differ ([`Dialect`]).
//!
//! # The lowest code that does
//!
//! [`Target`] says which servers shall be able to read what is written. For [`Target::Redis70`]
//! everything is written with the type codes of RDB version 10, but for hashes whose fields expire:
//! those need version 12. What is lost that way is when a consumer of a stream was last active, if
//! that was not when it was last seen.
//!
//! # Look-ahead
//!
//! Decoding goes element by element: a [`ValueDecoder`] takes what is whole, keeps what it has
//! built, and asks for more when an element is cut ([`Fault::Short`]). So a decoder never needs
//! more bytes at a time than one element has (a string, a listpack), whatever the size of the
//! value, and a whole payload in one slice is the same case with nothing left to wait for.
//!
//! # Writing in pieces
//!
//! Encoding goes in pieces where it is asked to: a [`ValueEncoder`] remembers a place in the value
//! that means the same as long as the value is not changed, and a [`FileEncoder`] puts aside what
//! comes meanwhile. A long string is compressed in pieces, too; a long element of a collection is
//! not compressed.
//!
//! # What is refused
//!
//! A decoded value is one that commands could have made: no collection without elements (streams
//! aside), none with an element twice, no score that is no number, members of small sorted sets in
//! order, nodes and groups of streams whole and consistent. What is allocated is a small multiple
//! of the payload's length (of what it decompresses to, which is 88 times as much at most).
//!
//! Source: payloads of redis-server 7.0.15 and the public descriptions of the format; the codes
//! from 20 on as Redis 7.2, 7.4 and Valkey 9 document them.

mod checksum;
mod fault;
mod file;
mod fuzz;
mod payload;
mod reader;
mod value;
mod value_type;
mod writer;
mod zipped;

pub use checksum::Checksum;
pub use fault::Fault;
pub use file::{Decoded, Effort, FileDecoder, FileEncoder, Item, KeyTraits, LoadedKey, ModuleName};
pub use fuzz::{fuzz_file, fuzz_payload, fuzz_value};
pub use payload::{PayloadError, decode_payload, encode_payload, seal_payload};
pub use reader::{Reader, Text};
pub use value::{Loaded, ValueDecoder, ValueEncoder, encode_value};
pub use value_type::{Dialect, Target, ValueType};
pub use vesta_ds::CorruptError;
pub use writer::Writer;
