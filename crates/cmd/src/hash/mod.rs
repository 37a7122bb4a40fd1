//! Commands on hashes.
//!
//! A field whose time has come is as good as gone: readers do not see it, and whoever names it
//! finds it deleted ([`vesta_store::Keyspace::expire_fields`]), which is handed on as `HDEL` before
//! the effect of the command itself.

mod fields;
mod hdel;
mod hexpire;
mod hget;
mod hgetall;
mod hgetdel;
mod hgetex;
mod hincrby;
mod hincrbyfloat;
mod hlen;
mod hpersist;
mod hrandfield;
mod hscan;
mod hset;
mod hsetex;
mod hsetnx;
mod httl;
mod lifetime;

use crate::Command;

/// The family's commands.
pub const COMMANDS: &[&Command] = &[
    &hdel::HDEL,
    &hget::HEXISTS,
    &hexpire::HEXPIRE,
    &hexpire::HEXPIREAT,
    &httl::HEXPIRETIME,
    &hget::HGET,
    &hgetall::HGETALL,
    &hgetdel::HGETDEL,
    &hgetex::HGETEX,
    &hincrby::HINCRBY,
    &hincrbyfloat::HINCRBYFLOAT,
    &hgetall::HKEYS,
    &hlen::HLEN,
    &hget::HMGET,
    &hset::HMSET,
    &hpersist::HPERSIST,
    &hexpire::HPEXPIRE,
    &hexpire::HPEXPIREAT,
    &httl::HPEXPIRETIME,
    &httl::HPTTL,
    &hrandfield::HRANDFIELD,
    &hscan::HSCAN,
    &hset::HSET,
    &hsetex::HSETEX,
    &hsetnx::HSETNX,
    &hget::HSTRLEN,
    &httl::HTTL,
    &hgetall::HVALS,
];
