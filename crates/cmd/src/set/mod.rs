//! Commands on sets.

mod combine;
mod sadd;
mod scard;
mod sdiff;
mod sinter;
mod sintercard;
mod sismember;
mod smembers;
mod smove;
mod spop;
mod srandmember;
mod srem;
mod sscan;
mod sunion;

use crate::Command;

/// The family's commands.
pub const COMMANDS: &[&Command] = &[
    &sadd::SADD,
    &scard::SCARD,
    &sdiff::SDIFF,
    &sdiff::SDIFFSTORE,
    &sinter::SINTER,
    &sintercard::SINTERCARD,
    &sinter::SINTERSTORE,
    &sismember::SISMEMBER,
    &sismember::SMISMEMBER,
    &smembers::SMEMBERS,
    &smove::SMOVE,
    &spop::SPOP,
    &srandmember::SRANDMEMBER,
    &srem::SREM,
    &sscan::SSCAN,
    &sunion::SUNION,
    &sunion::SUNIONSTORE,
];
