//! Commands on strings.

mod append;
mod delex;
mod digest;
mod expiration;
pub(crate) mod get;
mod getdel;
mod getex;
mod getrange;
mod getset;
mod in_place;
mod incr;
mod incrbyfloat;
mod lcs;
mod limit;
mod mget;
mod mset;
mod msetex;
mod set;
mod setex;
mod setnx;
mod setrange;
mod strlen;
mod subsequence;

use crate::Command;
use alloc::borrow::Cow;
use vesta_store::StrRef;

pub(crate) use in_place::{edit_text, replace_raw, set_raw};

/// The family's commands.
pub const COMMANDS: &[&Command] = &[
    &append::APPEND,
    &incr::DECR,
    &incr::DECRBY,
    &delex::DELEX,
    &delex::DELIFEQ,
    &digest::DIGEST,
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
    &msetex::MSETEX,
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

/// The text of a string value; that of an integer is written into `digits`.
pub(crate) fn text_in<'t>(value: &StrRef<'t>, digits: &'t mut itoa::Buffer) -> &'t [u8] {
    match value {
        StrRef::Int(value) => digits.format(*value).as_bytes(),
        StrRef::Bytes(bytes) => bytes,
        StrRef::Blob(blob) => blob.bytes(),
    }
}
