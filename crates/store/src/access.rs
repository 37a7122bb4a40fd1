//! The access clock of an entry: 24 bits that say how long ago, or how often, it was used.
//!
//! LRU: seconds modulo 2^24 (194 days). LFU: sixteen bits of minutes, eight bits of a counter
//! that grows with the logarithm of the accesses and decays with time. Facts: `OBJECT IDLETIME`
//! and `OBJECT FREQ` of redis-server 7.0.15, and the directives `lfu-log-factor` and
//! `lfu-decay-time`.

use vesta_types::{Rng, Unix};

/// Which of the two clocks entries carry.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum AccessPolicy {
    /// Time of the last access.
    #[default]
    Lru,
    /// Frequency of accesses.
    Lfu,
}

/// How access clocks are kept.
#[derive(Clone, Copy, Debug)]
pub struct Access {
    /// Which clock.
    pub policy: AccessPolicy,
    /// `lfu-log-factor`: how slowly the counter saturates.
    pub log_factor: u32,
    /// `lfu-decay-time`: minutes after which the counter loses one; 0 for never.
    pub decay_minutes: u32,
}

impl Default for Access {
    fn default() -> Self {
        Self { policy: AccessPolicy::Lru, log_factor: 10, decay_minutes: 1 }
    }
}

const CLOCK_MASK: u64 = 0xff_ffff;
/// The counter of a new entry, so that it is not the first to be evicted.
const LFU_INITIAL: u32 = 5;

impl Access {
    /// The clock of an entry that is made now.
    #[must_use]
    pub fn fresh(&self, now: Unix) -> u32 {
        match self.policy {
            AccessPolicy::Lru => seconds(now),
            AccessPolicy::Lfu => (minutes(now) << 8) | LFU_INITIAL,
        }
    }

    /// The clock of an entry that is used now and had `clock`.
    #[must_use]
    pub fn touched(&self, clock: u32, now: Unix, rng: &mut Rng) -> u32 {
        match self.policy {
            AccessPolicy::Lru => seconds(now),
            AccessPolicy::Lfu => {
                let counter = self.counter(clock, now);
                (minutes(now) << 8) | self.counted(counter, rng)
            }
        }
    }

    /// Seconds since the last access, for a clock kept as LRU.
    #[must_use]
    pub fn idle_seconds(&self, clock: u32, now: Unix) -> u64 {
        u64::from(seconds(now).wrapping_sub(clock)) & CLOCK_MASK
    }

    /// The decayed counter, for a clock kept as LFU.
    #[must_use]
    pub fn counter(&self, clock: u32, now: Unix) -> u32 {
        let counter = clock & 0xff;
        if self.decay_minutes == 0 {
            return counter;
        }
        let elapsed = minutes(now).wrapping_sub(clock >> 8) & 0xffff;
        counter.saturating_sub(elapsed / self.decay_minutes)
    }

    /// A clock that is `seconds` old (LRU), for RESTORE and tests.
    #[must_use]
    pub fn aged(&self, seconds_idle: u64, now: Unix) -> u32 {
        seconds(now).wrapping_sub(u32::try_from(seconds_idle & CLOCK_MASK).unwrap_or(0)) & 0xff_ffff
    }

    /// The clock of a value that was written down with what it says, if the policy in force keeps
    /// that; else that of a new entry.
    #[must_use]
    pub fn known(&self, idle_s: Option<u64>, frequency: Option<u8>, now: Unix) -> u32 {
        match (self.policy, idle_s, frequency) {
            (AccessPolicy::Lru, Some(idle_s), _) => self.aged(idle_s, now),
            (AccessPolicy::Lfu, _, Some(frequency)) => self.counted_at(frequency, now),
            (AccessPolicy::Lru | AccessPolicy::Lfu, _, _) => self.fresh(now),
        }
    }

    /// A clock with this counter (LFU), for RESTORE.
    #[must_use]
    pub fn counted_at(&self, counter: u8, now: Unix) -> u32 {
        (minutes(now) << 8) | u32::from(counter)
    }

    /// A higher counter is less likely to grow: with chance 1 / ((counter - 5) * factor + 1).
    fn counted(&self, counter: u32, rng: &mut Rng) -> u32 {
        if counter >= 255 {
            return 255;
        }
        let base = u64::from(counter.saturating_sub(LFU_INITIAL));
        let odds = base * u64::from(self.log_factor) + 1;
        if rng.below(odds) == 0 { counter + 1 } else { counter }
    }
}

fn seconds(now: Unix) -> u32 {
    u32::try_from(now.secs() & CLOCK_MASK).unwrap_or(0)
}

fn minutes(now: Unix) -> u32 {
    u32::try_from((now.secs() / 60) & 0xffff).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_time_survives_the_wrap_of_the_clock() {
        let access = Access::default();
        let before = Unix(((1 << 24) - 10) * 1_000_000);
        let clock = access.fresh(before);
        assert_eq!(access.idle_seconds(clock, Unix(before.0 + 30_000_000)), 30);
        assert_eq!(access.idle_seconds(access.aged(77, before), before), 77);
    }

    #[test]
    fn the_counter_grows_ever_slower_and_decays_by_the_minute() {
        let access = Access { policy: AccessPolicy::Lfu, ..Access::default() };
        let (now, mut rng) = (Unix(9_000_000_000), Rng::new(1));
        assert_eq!(access.counter(access.fresh(now), now), 5);
        let mut clock = 0;
        let mut sums = [0; 3];
        for _ in 0..50 {
            clock = access.fresh(now);
            for (sum, accesses) in sums.iter_mut().zip([100, 900, 9000]) {
                for _ in 0..accesses {
                    clock = access.touched(clock, now, &mut rng);
                }
                *sum += access.counter(clock, now);
            }
        }
        // The documented saturation for factor 10: about 10 after 100 accesses, 18 after 1000; it
        // grows with their square root.
        let mean = sums.map(|sum| sum / 50);
        assert!((8..=12).contains(&mean[0]), "{mean:?}");
        assert!((16..=21).contains(&mean[1]), "{mean:?}");
        assert!((42..=55).contains(&mean[2]), "{mean:?}");
        let counter = access.counter(clock, now);
        let later = Unix(now.0 + 3 * 60_000_000);
        assert_eq!(access.counter(clock, later), counter - 3);
    }
}
