//! Commands on strings.

mod append;
mod expiration;
mod get;
mod getdel;
mod getex;
mod getrange;
mod getset;
mod incr;
mod incrbyfloat;
mod lcs;
mod limit;
mod mget;
mod mset;
mod set;
mod setex;
mod setnx;
mod setrange;
mod strlen;
mod subsequence;

use crate::Command;
use alloc::borrow::Cow;
use vesta_store::StrRef;

/// The family's commands.
pub const COMMANDS: &[&Command] = &[
    &append::APPEND,
    &incr::DECR,
    &incr::DECRBY,
    &get::GET,
    &getdel::GETDEL,
    &getex::GETEX,
    &getrange::GETRANGE,
    &getset::GETSET,
    &incr::INCR,
    &incr::INCRBY,
    &incrbyfloat::INCRBYFLOAT,
    &lcs::LCS,
    &mget::MGET,
    &mset::MSET,
    &mset::MSETNX,
    &setex::PSETEX,
    &set::SET,
    &setex::SETEX,
    &setnx::SETNX,
    &setrange::SETRANGE,
    &strlen::STRLEN,
    &getrange::SUBSTR,
];

/// The text of a string value.
#[must_use]
pub fn text_of<'a>(value: &StrRef<'a>) -> Cow<'a, [u8]> {
    match value {
        StrRef::Int(value) => Cow::Owned(itoa::Buffer::new().format(*value).as_bytes().to_vec()),
        StrRef::Bytes(bytes) => Cow::Borrowed(bytes),
        StrRef::Blob(blob) => Cow::Borrowed(blob.bytes()),
    }
}
