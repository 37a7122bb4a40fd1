//! Commands about the server.

mod command;
mod config;
mod debug;
mod info;
mod lolwut;
mod memory;
mod shutdown;
mod time;

use crate::Command;

/// The family's commands.
pub const COMMANDS: &[&Command] = &[
    &command::COMMAND,
    &config::CONFIG,
    &debug::DEBUG,
    &info::INFO,
    &lolwut::LOLWUT,
    &memory::MEMORY,
    &shutdown::SHUTDOWN,
    &time::TIME,
];
