//! Commands about the client's own connection, and about other clients.

mod ping;
mod select;

use crate::Command;

/// The family's commands.
pub const COMMANDS: &[&Command] = &[&ping::PING, &select::SELECT];
