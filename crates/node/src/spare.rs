//! When memory that is free goes back to the system.
//!
//! The allocator keeps what is free until it is told to give it back, which is done when there is
//! much of it: so much more than the last time has left behind, in pages that are partly used, that
//! giving it back is worth the page faults of using it again.

use vesta_cmd::host::Usage;
use vesta_types::Mono;

/// Least number of bytes that are worth it.
const WORTH_BYTES: u64 = 8 << 20;
/// Least part of what is in use that is worth it.
const WORTH_PART: u64 = 8;
/// Time from one wish to the next, in milliseconds: the first must have had its effect.
const GAP_MS: u64 = 1000;

/// Follows how much is free.
#[derive(Debug)]
pub(crate) struct Spare {
    /// Free bytes that are not expected to go.
    left: u64,
    /// The wish to give memory back whose outcome is not known yet.
    asked: Option<Asked>,
}

#[derive(Debug)]
struct Asked {
    at: Mono,
    /// Bytes that were in use then.
    allocated_bytes: u64,
}

impl Spare {
    pub(crate) fn new() -> Self {
        Self { left: 0, asked: None }
    }

    /// Takes a measurement in; whether memory is to be given back now.
    pub(crate) fn wants_purge(&mut self, now: Mono, usage: &Usage) -> bool {
        let free = usage.resident_bytes.saturating_sub(usage.allocated_bytes);
        if let Some(asked) = &self.asked {
            if now.since_us(asked.at) < GAP_MS * 1000 {
                return false;
            }
            // What has become free since then may still go.
            self.left =
                free - free.min(asked.allocated_bytes.saturating_sub(usage.allocated_bytes));
            self.asked = None;
        }
        self.left = self.left.min(free);
        let is_worth_it = free - self.left >= WORTH_BYTES.max(usage.allocated_bytes / WORTH_PART);
        if is_worth_it {
            self.asked = Some(Asked { at: now, allocated_bytes: usage.allocated_bytes });
        }
        is_worth_it
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MB: u64 = 1 << 20;

    fn usage(allocated_mb: u64, resident_mb: u64) -> Usage {
        Usage {
            allocated_bytes: allocated_mb * MB,
            resident_bytes: resident_mb * MB,
            ..Usage::default()
        }
    }

    #[test]
    fn much_free_memory_goes_and_little_stays() {
        let mut spare = Spare::new();
        assert!(!spare.wants_purge(Mono(0), &usage(4, 10)));
        assert!(!spare.wants_purge(Mono(0), &usage(1000, 1100)), "less than an eighth");
        assert!(spare.wants_purge(Mono(0), &usage(100, 1100)));
    }

    #[test]
    fn what_does_not_go_is_not_asked_for_again() {
        let mut spare = Spare::new();
        assert!(spare.wants_purge(Mono(0), &usage(100, 1100)));
        assert!(!spare.wants_purge(Mono(500_000), &usage(100, 1100)), "it is under way");
        assert!(!spare.wants_purge(Mono(1_000_000), &usage(100, 600)), "the rest stays");
        assert!(!spare.wants_purge(Mono(1_100_000), &usage(100, 605)));
        assert!(spare.wants_purge(Mono(1_200_000), &usage(100, 620)), "there is more again");
        // Once the blocks that were in the way are gone, it counts from there.
        assert!(!spare.wants_purge(Mono(3_000_000), &usage(10, 15)));
        assert!(spare.wants_purge(Mono(3_100_000), &usage(10, 40)));
    }

    #[test]
    fn what_became_free_too_late_is_asked_for_again() {
        let mut spare = Spare::new();
        assert!(spare.wants_purge(Mono(0), &usage(500, 1000)));
        assert!(spare.wants_purge(Mono(1_000_000), &usage(10, 510)), "490 MB are free since then");
        assert!(!spare.wants_purge(Mono(2_000_000), &usage(10, 20)));
    }
}
