//! Whole RDB files.
//!
//! ```text
//! magic     REDIS and four digits, or VALKEY and three: the dialect and its version
//! 250       name, value               what the writer says about itself
//! 245       text                      a library of functions
//! 247       module, when, parts | 0   what a module keeps beside the keys
//! 254       database                  the keys that follow are in this one
//! 251       keys, keys that expire    how large it is about to become
//! 244       slot, keys, keys that expire
//! 252 | 253 time                      when the next key expires: ms in 8 bytes, s in 4
//! 248 | 249 seconds | 1 byte          how long ago, or how often, the next key was used
//! type      key, value                a key
//! 255       checksum                  the end; 8 bytes since version 5, 0 if it was not counted
//! ```
//!
//! A [`FileDecoder`] is given bytes as they arrive and hands out one [`Item`] after the other. What
//! it has built of a value it keeps, so that bytes it took need not be there any more: it looks
//! ahead by one string, not by one value. A [`FileEncoder`] has ready what it wrote until somebody
//! takes it, and can wait between two items, and within a value, as long as it likes.

mod decode;
mod encode;
mod module;

pub use decode::{Decoded, FileDecoder, Item, LoadedKey};
pub use encode::{Effort, FileEncoder, KeyTraits};
pub use module::ModuleName;

const MODULE_AUX: u8 = 247;
const SLOT_INFO: u8 = 244;
const FUNCTION: u8 = 245;
const IDLE: u8 = 248;
const FREQUENCY: u8 = 249;
const AUX: u8 = 250;
const RESIZE: u8 = 251;
const EXPIRY_MS: u8 = 252;
const EXPIRY_S: u8 = 253;
const SELECT: u8 = 254;
const END: u8 = 255;

/// Bytes of the magic with the version.
const MAGIC_BYTES: usize = 9;
/// The first version whose files end with a checksum.
const CHECKSUM_SINCE: u16 = 5;
