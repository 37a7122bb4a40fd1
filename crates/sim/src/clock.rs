//! Virtual time: it stands still while something happens and jumps to when the next thing does.

use vesta_types::{Mono, Now, Unix};

/// Milliseconds since 1970 when a simulation starts.
const START_UNIX_MS: u64 = 1_700_000_000_000;
/// The monotonic clock at that time, in microseconds.
pub(crate) const START_MONO_US: u64 = 1_000_000;

/// The clocks of a machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    now: Now,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self { now: Now { mono: Mono(START_MONO_US), unix: Unix(START_UNIX_MS * 1000) } }
    }

    pub(crate) fn now(&self) -> Now {
        self.now
    }

    /// Lets time pass until `at`; does nothing when that is over.
    pub(crate) fn advance_to(&mut self, at: Mono) {
        self.pass_us(at.since_us(self.now.mono));
    }

    /// Lets `us` microseconds pass.
    pub(crate) fn pass_us(&mut self, us: u64) {
        self.now.mono.0 += us;
        self.now.unix.0 += us;
    }

    /// Microseconds since the start.
    pub(crate) fn elapsed_us(&self) -> u64 {
        self.now.mono.0 - START_MONO_US
    }
}
