//! When the stream had which length: how old is what a replica lacks.
//!
//! A mark is an interval of the stream and the time of its first byte. The more marks there are,
//! the coarser they become: neighbours are joined, and what comes is joined over a longer time.
//! That makes what they cover seem older, never younger, by a small part of the longest lag.

use alloc::collections::VecDeque;
use vesta_types::Mono;

/// Marks that are kept at most.
const MARKS_MAX: usize = 512;
/// Growth within so many microseconds is one mark, at the least.
const GRAIN_US: u64 = 1000;

/// The times at which the stream grew.
#[derive(Debug)]
pub struct Marks {
    marks: VecDeque<Mark>,
    /// Growth within so many microseconds is one mark.
    grain_us: u64,
}

impl Default for Marks {
    fn default() -> Self {
        Self { marks: VecDeque::new(), grain_us: GRAIN_US }
    }
}

#[derive(Clone, Copy, Debug)]
struct Mark {
    /// The position behind the interval.
    end: u64,
    /// When its first byte came.
    since: Mono,
}

impl Marks {
    /// The stream has grown, up to this position.
    pub fn note(&mut self, end: u64, now: Mono) {
        if let Some(last) = self.marks.back_mut()
            && now.since_us(last.since) < self.grain_us
        {
            last.end = last.end.max(end);
            return;
        }
        if self.marks.len() >= MARKS_MAX {
            self.join();
        }
        self.marks.push_back(Mark { end, since: now });
    }

    /// Joins neighbours two by two.
    fn join(&mut self) {
        let joined = self.marks.len().div_ceil(2);
        for index in 0..joined {
            let first = self.marks.get(2 * index).copied();
            let second = self.marks.get(2 * index + 1).copied();
            if let (Some(first), Some(place)) = (first, self.marks.get_mut(index)) {
                place.end = second.map_or(first.end, |second| second.end);
                place.since = first.since;
            }
        }
        self.marks.truncate(joined);
        self.grain_us = self.grain_us.saturating_mul(2);
    }

    /// Nobody asks about what lies before this position any more.
    pub fn forget_before(&mut self, position: u64) {
        while self.marks.front().is_some_and(|mark| mark.end <= position) {
            self.marks.pop_front();
        }
        if self.marks.is_empty() {
            self.grain_us = GRAIN_US;
        }
    }

    /// For how many milliseconds somebody who has the stream up to this position has lacked
    /// something; 0 when nothing is lacking.
    #[must_use]
    pub fn lag_ms(&self, position: u64, now: Mono) -> u64 {
        let index = self.marks.partition_point(|mark| mark.end <= position);
        self.marks.get(index).map_or(0, |mark| now.since_us(mark.since) / 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Mono {
        Mono(ms * 1000)
    }

    #[test]
    fn the_lag_is_the_age_of_the_first_byte_that_is_lacking() {
        let mut marks = Marks::default();
        marks.note(10, ms(100));
        marks.note(20, ms(200));
        assert_eq!(marks.lag_ms(0, ms(250)), 150);
        assert_eq!(marks.lag_ms(9, ms(250)), 150);
        assert_eq!(marks.lag_ms(10, ms(250)), 50);
        assert_eq!(marks.lag_ms(20, ms(250)), 0);
        marks.forget_before(10);
        assert_eq!(marks.lag_ms(10, ms(250)), 50);
    }

    #[test]
    fn marks_become_coarser_and_never_make_younger() {
        let mut marks = Marks::default();
        for n in 1..=10_000 {
            marks.note(n, ms(n));
        }
        assert!(marks.marks.len() <= MARKS_MAX);
        let now = ms(10_000);
        for position in (0..10_000).step_by(37) {
            let (lag, truth) = (marks.lag_ms(position, now), 10_000 - (position + 1));
            assert!(lag >= truth && lag <= truth + 64, "{position}: {lag} {truth}");
        }
        marks.forget_before(10_000);
        marks.note(10_001, ms(10_000));
        marks.note(10_002, ms(10_001));
        assert_eq!(marks.lag_ms(10_001, ms(10_010)), 9, "they are fine again");
    }
}
