//! Commands on keys of any type, and on whole databases.

mod copy;
pub(crate) mod database;
mod dbsize;
pub(crate) mod deadline;
mod del;
mod dump;
mod exists;
mod expire;
mod flush;
mod listing;
mod move_key;
mod object;
mod persist;
mod randomkey;
mod rename;
mod restore;
mod scan;
mod sort;
mod swapdb;
mod touch;
mod ttl;
mod type_of;

use crate::Command;

/// The family's commands.
pub const COMMANDS: &[&Command] = &[
    &copy::COPY,
    &dbsize::DBSIZE,
    &del::DEL,
    &del::UNLINK,
    &dump::DUMP,
    &exists::EXISTS,
    &expire::EXPIRE,
    &expire::EXPIREAT,
    &expire::PEXPIRE,
    &expire::PEXPIREAT,
    &flush::FLUSHALL,
    &flush::FLUSHDB,
    &listing::KEYS,
    &move_key::MOVE,
    &object::OBJECT,
    &persist::PERSIST,
    &randomkey::RANDOMKEY,
    &rename::RENAME,
    &rename::RENAMENX,
    &restore::RESTORE,
    &restore::RESTORE_ASKING,
    &scan::SCAN,
    &sort::SORT,
    &sort::SORT_RO,
    &swapdb::SWAPDB,
    &touch::TOUCH,
    &ttl::EXPIRETIME,
    &ttl::PEXPIRETIME,
    &ttl::PTTL,
    &ttl::TTL,
    &type_of::TYPE,
];
