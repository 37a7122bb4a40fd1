//! Clocks: the reading that a turn of the loop passes down, and a counter cheap enough to read
//! twice per command.
//!
//! [`Clock::now`] is two vDSO calls, 70 ns together on the virtual machine this was written on:
//! nothing once per turn, too much twice per command. [`Ticks`] is the processor's time-stamp
//! counter where that runs at one rate in all power states (the kernel's `constant_tsc
//! nonstop_tsc`): 15 ns a reading there, so still to be read only when somebody asks for the time
//! of commands. Elsewhere it falls back to `CLOCK_MONOTONIC`.

use std::num::NonZeroU64;
use std::time::Duration;

use rustix::time::{ClockId, Timespec, clock_gettime};

use crate::sys::tsc;

/// One reading of both clocks, in microseconds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Reading {
    /// Since some fixed moment, most often the machine's start; never goes back.
    pub mono_us: u64,
    /// Since 1970-01-01 UTC; follows the wall clock, which may be set back.
    pub unix_us: u64,
}

/// The system's clocks.
#[derive(Clone, Copy, Debug)]
pub struct Clock(());

impl Clock {
    /// Hands out the right to read the clock; whoever holds no `Clock` is told the time.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "a clock should not appear by default")]
    pub const fn new() -> Self {
        Self(())
    }

    /// Reads both clocks. Meant for once per turn of the loop.
    #[must_use]
    pub fn now(&self) -> Reading {
        Reading {
            mono_us: micros(clock_gettime(ClockId::Monotonic)),
            unix_us: micros(clock_gettime(ClockId::Realtime)),
        }
    }
}

/// A time before 1970 reads as 0.
fn micros(time: Timespec) -> u64 {
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let micros = u64::try_from(time.tv_nsec / 1000).unwrap_or(0);
    seconds.saturating_mul(1_000_000).saturating_add(micros)
}

fn mono_ns() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanos = u64::try_from(time.tv_nsec).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(nanos)
}

/// A cheap counter for the time between two points of the code.
#[derive(Clone, Copy, Debug)]
pub struct Ticks {
    source: Source,
    per_us: f64,
}

#[derive(Clone, Copy, Debug)]
enum Source {
    TimeStampCounter,
    Monotonic,
}

/// How long the counter is compared with the clock: 2 ms make the rate exact to about 50 ppm.
const CALIBRATION_NS: u64 = 2_000_000;

impl Ticks {
    /// Chooses the counter and measures its rate, which takes 2 ms where it must be measured.
    #[must_use]
    pub fn calibrated() -> Self {
        if !tsc::is_invariant() {
            return Self { source: Source::Monotonic, per_us: 1000.0 };
        }
        let (began_ns, began) = (mono_ns(), tsc::read());
        let passed_ns = loop {
            let passed = mono_ns().saturating_sub(began_ns);
            if passed >= CALIBRATION_NS {
                break passed;
            }
            std::hint::spin_loop();
        };
        let ticks = tsc::read().wrapping_sub(began);
        Self { source: Source::TimeStampCounter, per_us: ticks as f64 * 1000.0 / passed_ns as f64 }
    }

    /// The counter now. Only differences mean anything.
    #[inline]
    #[must_use]
    pub fn read(&self) -> u64 {
        match self.source {
            Source::TimeStampCounter => tsc::read(),
            Source::Monotonic => mono_ns(),
        }
    }

    /// The bare function behind [`read`](Self::read), for whoever must not depend on this crate.
    #[must_use]
    pub fn reader(&self) -> fn() -> u64 {
        match self.source {
            Source::TimeStampCounter => tsc::read,
            Source::Monotonic => mono_ns,
        }
    }

    /// The microseconds that `ticks` last, rounded down.
    #[inline]
    #[must_use]
    pub fn micros(&self, ticks: u64) -> u64 {
        (ticks as f64 / self.per_us) as u64
    }

    /// How many ticks a microsecond lasts.
    #[must_use]
    pub const fn per_us(&self) -> f64 {
        self.per_us
    }

    /// What is read, in the words INFO uses for `monotonic_clock`.
    #[must_use]
    pub fn describe(&self) -> String {
        match self.source {
            Source::TimeStampCounter => format!("X86 TSC @ {:.0} ticks/us", self.per_us),
            Source::Monotonic => "POSIX clock_gettime".to_string(),
        }
    }
}

/// Lets the calling thread rest for a time below a millisecond that nobody can end early.
///
/// The kernel rounds it up by the thread's timer slack: see [`rest_precisely`].
#[expect(
    clippy::disallowed_methods,
    reason = "a bounded rest of the loop, not waiting for anything"
)]
pub fn rest(duration: Duration) {
    std::thread::sleep(duration);
}

/// Makes the timers of the calling thread, and of threads that it starts, exact to about a
/// microsecond instead of fifty.
pub fn rest_precisely() {
    // Where it is refused, rests are longer by the slack.
    let _ = rustix::thread::set_current_timer_slack(NonZeroU64::new(1_000));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clocks_agree_with_those_of_std() {
        let ours = Clock::new().now();
        let std =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_micros()
                as u64;
        assert!(std - ours.unix_us < 5_000_000, "{std} against {}", ours.unix_us);
        assert!(Clock::new().now().mono_us >= ours.mono_us);
    }

    #[test]
    fn ticks_measure_what_the_clock_measures() {
        let ticks = Ticks::calibrated();
        let clock = Clock::new();
        // Another process may take the core between two readings: the best of several counts.
        let closest = (0..20)
            .map(|_| {
                let (before, began) = (clock.now().mono_us, ticks.read());
                while clock.now().mono_us - before < 1000 {}
                let by_ticks = ticks.micros(ticks.read() - began);
                by_ticks.abs_diff(clock.now().mono_us - before)
            })
            .min();
        assert!(closest.unwrap() <= 20, "{closest:?} us apart over a millisecond");
    }
}
