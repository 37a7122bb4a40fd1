//! Commands about replication.

mod failover;
mod psync;
mod replconf;
mod replicaof;
mod role;
mod wait;

use crate::Command;

/// The family's commands.
pub const COMMANDS: &[&Command] = &[
    &failover::FAILOVER,
    &psync::PSYNC,
    &replconf::REPLCONF,
    &replicaof::REPLICAOF,
    &role::ROLE,
    &replicaof::SLAVEOF,
    &psync::SYNC,
    &wait::WAIT,
];
