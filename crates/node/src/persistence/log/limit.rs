//! How long rewrites that fail again and again are put off.
//!
//! Source: redis-server 7.0.15 with a disk on which a rewrite has no room.

use vesta_types::Mono;

/// Failures in a row after which it is waited.
const FAILURES_MAX: u32 = 3;
/// Minutes that are waited at most; they double with each failure from one.
const DELAY_MIN_MAX: u64 = 60;

/// The wait.
#[derive(Debug, Default)]
pub(super) struct Limit {
    /// How long the last one was, in minutes; 0: there was none.
    delay_min: u64,
    /// When it is over, while it is waited.
    until: Option<Mono>,
}

impl Limit {
    /// Whether a rewrite has to wait after so many failures in a row, and for how many minutes, if
    /// the wait has just begun.
    pub(super) fn ask(&mut self, now: Mono, failures: u32) -> (bool, Option<u64>) {
        if failures < FAILURES_MAX {
            *self = Self::default();
            return (false, None);
        }
        if let Some(until) = self.until {
            let is_over = now >= until;
            self.until = self.until.filter(|_| !is_over);
            return (!is_over, None);
        }
        self.delay_min = (self.delay_min * 2).clamp(1, DELAY_MIN_MAX);
        self.until = Some(now.plus_ms(self.delay_min * 60_000));
        (true, Some(self.delay_min))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_an_hour_and_ends_with_a_success() {
        let (mut limit, mut now) = (Limit::default(), Mono(5));
        assert_eq!(limit.ask(now, 2), (false, None));
        for minutes in [1, 2, 4, 8, 16, 32, 60, 60] {
            assert_eq!(limit.ask(now, 3), (true, Some(minutes)));
            now = now.plus_ms(minutes * 60_000 - 1);
            assert_eq!(limit.ask(now, 3), (true, None));
            now = now.plus_ms(1);
            // One attempt.
            assert_eq!(limit.ask(now, 3), (false, None));
        }
        assert_eq!(limit.ask(now, 0), (false, None));
        assert_eq!(limit.ask(now, 3), (true, Some(1)));
    }
}
