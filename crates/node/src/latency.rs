//! How long calls of a command took: a histogram of bounded size.
//!
//! Buckets are one tick wide up to 64 ticks; from there every power of two is divided into 32
//! buckets of equal width, so that a bucket is at most 3 % wide of what it counts. Counting is a
//! shift and an increment, in ticks of the meter: nothing is converted until somebody asks.

use alloc::boxed::Box;
use alloc::vec;

/// Buckets of a power of two, as a power of two.
const PART_BITS: u32 = 5;
const PARTS: usize = 1 << PART_BITS;
/// Longer calls count as this long: some seconds, whatever the meter.
const TICKS_MAX: u64 = (1 << 34) - 1;
const BUCKETS: usize = bucket_of(TICKS_MAX) + 1;

/// How many calls took how long.
#[derive(Clone, Debug)]
pub(crate) struct Histogram {
    counts: Box<[u64]>,
}

impl Histogram {
    pub(crate) fn new() -> Self {
        Self { counts: vec![0; BUCKETS].into_boxed_slice() }
    }

    /// Counts a call.
    #[inline]
    pub(crate) fn note(&mut self, ticks: u64) {
        if let Some(count) = self.counts.get_mut(bucket_of(ticks)) {
            *count += 1;
        }
    }

    /// The time in ticks that `percent` of all calls did not exceed; 0 without calls.
    pub(crate) fn percentile(&self, percent: f64) -> u64 {
        let all: u64 = self.counts.iter().sum();
        // Rounded to the nearest call; at least the first.
        let rank = ((percent / 100.0 * all as f64 + 0.5) as u64).clamp(1, all.max(1));
        let mut seen = 0;
        let reached = self.counts.iter().position(|count| {
            seen += count;
            seen >= rank
        });
        reached.map_or(0, longest_of)
    }
}

/// The bucket that counts calls of so many ticks.
#[inline]
const fn bucket_of(ticks: u64) -> usize {
    let ticks = if ticks < TICKS_MAX { ticks } else { TICKS_MAX };
    let bits = u64::BITS - ticks.leading_zeros();
    let shift = bits.saturating_sub(PART_BITS + 1);
    ((shift as usize) << PART_BITS) + (ticks >> shift) as usize
}

/// The longest time that a bucket counts, in ticks.
fn longest_of(bucket: usize) -> u64 {
    let shift = (bucket / PARTS).saturating_sub(1);
    let part = (bucket - shift * PARTS) as u64;
    ((part + 1) << shift) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_follow_each_other_without_gap_and_are_narrow() {
        let mut next = 0;
        for bucket in 0..BUCKETS {
            let longest = longest_of(bucket);
            assert_eq!((bucket_of(next), bucket_of(longest)), (bucket, bucket));
            assert!((longest - next) * 32 <= next, "{next}..={longest}");
            next = longest + 1;
        }
        assert_eq!(next - 1, TICKS_MAX);
        assert_eq!(bucket_of(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn percentiles_are_those_of_the_calls() {
        let mut histogram = Histogram::new();
        assert_eq!(histogram.percentile(50.0), 0);
        for ticks in 1..=1000 {
            histogram.note(ticks);
        }
        for (percent, exact) in [(0.0, 1), (50.0, 500), (99.0, 990), (99.9, 999), (100.0, 1000)] {
            let found = histogram.percentile(percent);
            assert!(found >= exact && found * 32 <= exact * 33, "{percent}: {found}");
        }
    }
}
