//! AOF: the log of effects on disk, in several files that a manifest names.
//!
//! A log is one *base* (everything up to some moment, as RDB or as requests) and the *increments*
//! behind it, which are requests as clients send them. A rewrite opens the next increment, writes
//! a new base of what was there before it, and then makes the old files *history*, to be deleted.

pub mod annotation;
mod base;
mod fuzz;
mod manifest;
mod reader;
mod request;

pub use base::{BaseWriter, OpenKey};
pub use fuzz::{fuzz_base, fuzz_manifest};
pub use manifest::{BaseFormat, LogFile, Manifest, ManifestError, Problem};
pub use reader::{Item, ItemReader, fuzz_items};
pub use request::encode_request;
