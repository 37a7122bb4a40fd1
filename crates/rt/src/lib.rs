//! Mechanisms of the rim: sockets, clock, entropy, signals, processes, files, log lines, memory.
//!
//! This crate could serve any byte protocol. It knows nothing of RESP, commands or replication, and
//! it takes no decisions: the binary asks it to do things and hears what happened.
//!
//! There are no globals but two that the platform forces on us: the allocator's counters (a process
//! has one allocator, see [`alloc`]) and the dispositions of signals (see [`signals`]).
#![expect(
    clippy::disallowed_methods,
    reason = "the rim: the one crate that reads the clock, and its tests start processes"
)]

pub mod alloc;
pub mod bind;
pub mod clock;
pub mod entropy;
pub mod file_jobs;
pub mod file_reader;
pub mod file_shipper;
pub mod file_writer;
pub mod files;
pub mod log;
pub mod log_writer;
pub mod process;
pub mod reactor;
pub mod resolver;
pub mod signals;
pub mod socket;
mod sys;

/// The system's words for an error, without what std adds around them (`(os error 98)`).
///
/// Redis prints `strerror`, and tools match on it.
#[must_use]
pub fn errno_text(error: &std::io::Error) -> String {
    let text = error.to_string();
    let text = text.strip_prefix("failed to lookup address information: ").unwrap_or(&text);
    match text.rfind(" (os error ") {
        Some(at) => text.get(..at).unwrap_or(text).to_string(),
        None => text.to_string(),
    }
}
