//! What the process tells the node about itself.

use vesta_cmd::host::Process;
use vesta_rt::reactor::Reactor;
use vesta_rt::{alloc, process as system};

use super::boot::Booted;
use crate::version::BITS;

/// The facts that do not change while the process runs.
pub(super) fn process(booted: &Booted) -> Process {
    let executable = std::env::current_exe().unwrap_or_default();
    Process {
        pid: system::pid(),
        os: system::operating_system(),
        arch_bits: BITS,
        multiplexing: Reactor::mechanism().to_owned(),
        executable: executable.to_string_lossy().into_owned(),
        config_file: booted.from.main.clone().unwrap_or_default(),
        allocator: alloc::name(),
        system_memory_bytes: system::total_memory_bytes(),
        compiler: env!("CARGO_PKG_RUST_VERSION").to_owned(),
    }
}
