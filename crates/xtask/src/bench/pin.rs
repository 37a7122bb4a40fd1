//! Which core a thread, and the processes it starts, run on.

use rustix::thread::{CpuSet, sched_setaffinity};

/// Where the servers run.
pub(super) const SERVER_CORE: usize = 0;
/// Where everything that makes load runs.
pub(super) const LOAD_CORE: usize = 1;

/// Pins the calling thread; says so and goes on where the machine does not have that core.
pub(super) fn to_core(core: usize) {
    let mut set = CpuSet::new();
    set.set(core);
    if let Err(error) = sched_setaffinity(None, &set) {
        eprintln!("cannot pin to core {core} ({error}): the figures are worth less");
    }
}
