//! Commands about the server.

mod command;
mod config;
mod debug;
mod info;
mod lolwut;
mod memory;
mod save;
mod shutdown;
mod time;
mod waitaof;

pub use waitaof::NO_LOG;

use crate::Command;

/// The family's commands.
pub const COMMANDS: &[&Command] = &[
    &save::BGREWRITEAOF,
    &save::BGSAVE,
    &command::COMMAND,
    &config::CONFIG,
    &debug::DEBUG,
    &info::INFO,
    &save::LASTSAVE,
    &lolwut::LOLWUT,
    &memory::MEMORY,
    &save::SAVE,
    &shutdown::SHUTDOWN,
    &time::TIME,
    &waitaof::WAITAOF,
];
