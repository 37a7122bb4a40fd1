//! Commands about the server.

use crate::Command;

/// The family's commands.
pub const COMMANDS: &[&Command] = &[];
