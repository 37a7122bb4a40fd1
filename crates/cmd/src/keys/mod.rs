//! Commands on keys of any type, and on whole databases.

pub(crate) mod deadline;
mod del;

use crate::Command;

/// The family's commands.
pub const COMMANDS: &[&Command] = &[&del::DEL, &del::UNLINK];
