//! What a node counts, since start or CONFIG RESETSTAT.

use crate::latency::Histogram;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use vesta_types::Mono;

/// Kinds of errors counted one by one; more are counted together, so that no client can make
/// the table grow. Source: redis 7.2 has the same bound.
const ERROR_KINDS_MAX: usize = 128;

#[derive(Debug)]
pub(crate) struct Statistics {
    /// Full names of the commands by their number.
    pub(crate) names: Vec<String>,
    /// By number of the command.
    pub(crate) commands: Vec<CommandStatistics>,
    /// By code.
    pub(crate) errors: BTreeMap<String, u64>,
    pub(crate) connections: u64,
    pub(crate) refused_connections: u64,
    pub(crate) processed: u64,
    pub(crate) input_bytes: u64,
    pub(crate) output_bytes: u64,
    pub(crate) error_replies: u64,
    pub(crate) query_limit_disconnections: u64,
    pub(crate) output_limit_disconnections: u64,
    /// Clients disconnected for their memory.
    pub(crate) evicted_clients: u64,
    pub(crate) auth_denied: u64,
    pub(crate) protocol_errors: u64,
    pub(crate) reads: u64,
    pub(crate) writes: u64,
    pub(crate) rates: Rates,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct CommandStatistics {
    pub(crate) calls: u64,
    /// Time of all calls, in ticks of the meter.
    pub(crate) ticks: u64,
    pub(crate) rejected: u64,
    pub(crate) failed: u64,
    /// How long calls took; there from the first call on that is tracked.
    pub(crate) latency: Option<Histogram>,
}

impl Statistics {
    pub(crate) fn new(names: Vec<String>) -> Self {
        Self {
            commands: vec![CommandStatistics::default(); names.len()],
            names,
            errors: BTreeMap::new(),
            connections: 0,
            refused_connections: 0,
            processed: 0,
            input_bytes: 0,
            output_bytes: 0,
            error_replies: 0,
            query_limit_disconnections: 0,
            output_limit_disconnections: 0,
            evicted_clients: 0,
            auth_denied: 0,
            protocol_errors: 0,
            reads: 0,
            writes: 0,
            rates: Rates::default(),
        }
    }

    /// Counts from zero again.
    pub(crate) fn reset(&mut self) {
        *self = Self::new(core::mem::take(&mut self.names));
    }

    /// Counts a call of command number `leaf` that took `ticks`; `tracked`: in its histogram too.
    #[inline]
    pub(crate) fn note_call(&mut self, leaf: usize, ticks: u64, tracked: bool) {
        self.processed += 1;
        let Some(command) = self.commands.get_mut(leaf) else { return };
        command.calls += 1;
        command.ticks += ticks;
        if tracked {
            command.latency.get_or_insert_with(Histogram::new).note(ticks);
        }
    }

    /// Counts an error reply under its code, the first word of its text.
    pub(crate) fn count_error(&mut self, text: &str) {
        self.error_replies += 1;
        let code = text.split(' ').next().unwrap_or(text);
        if let Some(count) = self.errors.get_mut(code) {
            *count += 1;
        } else if self.errors.len() < ERROR_KINDS_MAX {
            self.errors.insert(code.to_string(), 1);
        }
    }
}

/// Samples of the last 1.6 seconds, for the figures per second.
#[derive(Debug, Default)]
pub(crate) struct Rates {
    samples: [Sample; 16],
    next: usize,
    last: Option<(Mono, Counts)>,
}

/// Counters whose growth per second is shown.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) commands: u64,
    pub(crate) input_bytes: u64,
    pub(crate) output_bytes: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Sample {
    us: u64,
    grown: Counts,
}

impl Rates {
    /// Takes a sample; called ten times a second.
    pub(crate) fn sample(&mut self, now: Mono, counts: Counts) {
        if let Some((then, before)) = self.last {
            let grown = Counts {
                commands: counts.commands.saturating_sub(before.commands),
                input_bytes: counts.input_bytes.saturating_sub(before.input_bytes),
                output_bytes: counts.output_bytes.saturating_sub(before.output_bytes),
            };
            if let Some(slot) = self.samples.get_mut(self.next) {
                *slot = Sample { us: now.since_us(then), grown };
            }
            self.next = (self.next + 1) % self.samples.len();
        }
        self.last = Some((now, counts));
    }

    /// Growth per second over the samples.
    pub(crate) fn per_second(&self) -> Counts {
        let us = self.samples.iter().map(|sample| sample.us).sum::<u64>().max(1);
        let rate = |of: fn(&Counts) -> u64| {
            let grown: u64 = self.samples.iter().map(|sample| of(&sample.grown)).sum();
            u64::try_from(u128::from(grown) * 1_000_000 / u128::from(us)).unwrap_or(u64::MAX)
        };
        Counts {
            commands: rate(|counts| counts.commands),
            input_bytes: rate(|counts| counts.input_bytes),
            output_bytes: rate(|counts| counts.output_bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_growth_per_second() {
        let mut rates = Rates::default();
        for step in 0..40_u64 {
            let counts = Counts { commands: step * 50, input_bytes: step, output_bytes: 0 };
            rates.sample(Mono(step * 100_000), counts);
        }
        let rate = rates.per_second();
        assert_eq!((rate.commands, rate.input_bytes, rate.output_bytes), (500, 10, 0));
    }

    #[test]
    fn kinds_of_errors_are_bounded() {
        let mut statistics = Statistics::new(Vec::new());
        for index in 0..1000 {
            statistics.count_error(&alloc::format!("E{index} text"));
        }
        statistics.count_error("E1 again");
        assert_eq!(statistics.errors.len(), ERROR_KINDS_MAX);
        assert_eq!(statistics.errors["E1"], 2);
        assert_eq!(statistics.error_replies, 1001);
    }
}
