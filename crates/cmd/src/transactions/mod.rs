//! Requests that are queued and executed in one go, and keys that must not change before.
//!
//! The queue, what is watched, and the execution are the node's; the handlers here only ask for it.

mod discard;
mod exec;
mod multi;
mod unwatch;
mod watch;

use crate::Command;
use vesta_spec::{Categories, Flags, Group, Spec};

/// All commands of the family.
pub const COMMANDS: &[&Command] =
    &[&multi::MULTI, &exec::EXEC, &discard::DISCARD, &watch::WATCH, &unwatch::UNWATCH];

/// What they have in common.
const TRANSACTION: Spec = Spec {
    flags: Flags::NOSCRIPT
        .and(Flags::LOADING)
        .and(Flags::STALE)
        .and(Flags::FAST)
        .and(Flags::ALLOW_BUSY),
    categories: Categories::TRANSACTION,
    group: Group::Transactions,
    ..Spec::EMPTY
};
