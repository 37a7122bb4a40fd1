//! Commands on streams.

mod group;
mod id;
mod info;
mod pending;
mod reading;
mod reply;
mod trim;
mod xack;
mod xadd;
mod xautoclaim;
mod xclaim;
mod xdel;
mod xlen;
mod xpending;
mod xrange;
mod xread;
mod xreadgroup;
mod xsetid;
mod xtrim;

use crate::{Command, ReplyError};
use alloc::format;
use alloc::string::String;
use vesta_spec::{Categories, Group, Spec};
use vesta_store::{Keyspace, Kind, Stream};
use vesta_types::ascii;

/// Every command of the family.
pub const COMMANDS: &[&Command] = &[
    &xack::XACK,
    &xadd::XADD,
    &xautoclaim::XAUTOCLAIM,
    &xclaim::XCLAIM,
    &xdel::XDEL,
    &group::XGROUP,
    &info::XINFO,
    &xlen::XLEN,
    &xpending::XPENDING,
    &xrange::XRANGE,
    &xread::XREAD,
    &xreadgroup::XREADGROUP,
    &xrange::XREVRANGE,
    &xsetid::XSETID,
    &xtrim::XTRIM,
];

/// What all of them have in common.
const STREAM: Spec =
    Spec { categories: Categories::STREAM, group: Group::Stream, since: "5.0.0", ..Spec::EMPTY };

/// The stream at `key`, which the command has looked up before; nothing is counted or marked.
fn peek<'k>(keys: &'k mut Keyspace<'_>, key: &[u8]) -> Option<&'k Stream> {
    keys.peek(key)?.object().and_then(<Stream as Kind>::of)
}

/// The error of a command that needs a group, when there is none or not even a key.
fn no_group(key: &[u8], group: &[u8]) -> ReplyError {
    let (key, group) = (shown(key), shown(group));
    ReplyError::Coded(format!("NOGROUP No such key '{key}' or consumer group '{group}'").into())
}

/// The error of XGROUP and XINFO, when the key is there and the group is not.
fn no_group_in(key: &[u8], group: &[u8]) -> ReplyError {
    let (key, group) = (shown(key), shown(group));
    let text = format!("NOGROUP No such consumer group '{group}' for key name '{key}'");
    ReplyError::Coded(text.into())
}

/// A name for an error text: up to its first zero byte, as in Redis.
fn shown(name: &[u8]) -> String {
    ascii::lossy(name.split(|byte| *byte == 0).next().unwrap_or(name))
}
