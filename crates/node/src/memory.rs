//! Keeping memory below `maxmemory` by evicting keys.

use crate::Node;
use vesta_config::MaxmemoryPolicy;
use vesta_store::{Candidates, Evict, Victims};
use vesta_types::Now;

/// Keys evicted before one command, at most: a large overshoot is worked off over many commands,
/// so that none of them waits long.
const EVICTIONS_PER_COMMAND: usize = 64;

/// What eviction remembers from command to command.
#[derive(Debug, Default)]
pub(crate) struct Eviction {
    candidates: Candidates,
    policy: Option<MaxmemoryPolicy>,
}

/// Which keys a policy lets go, and in which order.
fn plan(policy: MaxmemoryPolicy) -> Option<(Evict, Victims)> {
    Some(match policy {
        MaxmemoryPolicy::Noeviction => return None,
        MaxmemoryPolicy::AllkeysLru => (Evict::LeastRecent, Victims::All),
        MaxmemoryPolicy::AllkeysLfu => (Evict::LeastFrequent, Victims::All),
        MaxmemoryPolicy::AllkeysRandom => (Evict::Random, Victims::All),
        MaxmemoryPolicy::VolatileLru => (Evict::LeastRecent, Victims::Expiring),
        MaxmemoryPolicy::VolatileLfu => (Evict::LeastFrequent, Victims::Expiring),
        MaxmemoryPolicy::VolatileRandom => (Evict::Random, Victims::Expiring),
        MaxmemoryPolicy::VolatileTtl => (Evict::Soonest, Victims::Expiring),
    })
}

impl Node {
    /// Evicts keys while memory is above its limit; whether it is so although no key may go.
    ///
    /// While keys can still be evicted the command at hand goes on, as in Redis.
    pub(crate) fn make_room(&mut self, now: Now) -> bool {
        let limit = self.server.config.maxmemory_bytes;
        if limit == 0 {
            return false;
        }
        let mut used = self.evictable_bytes();
        if used <= limit {
            return false;
        }
        let policy = self.server.config.maxmemory_policy;
        let Some((evict, victims)) = plan(policy) else { return true };
        if self.eviction.policy.replace(policy) != Some(policy) {
            self.eviction.candidates.clear();
        }
        let samples = self.server.config.maxmemory_samples as usize;
        for _ in 0..EVICTIONS_PER_COMMAND {
            let candidates = &mut self.eviction.candidates;
            if self.store.evict_one(evict, victims, samples, now.unix, candidates).is_none() {
                self.hand_on_news(None);
                return true;
            }
            used = self.evictable_bytes();
            if used <= limit {
                break;
            }
        }
        self.hand_on_news(None);
        false
    }

    /// Memory that counts when keys are to be evicted, in bytes.
    fn evictable_bytes(&self) -> u64 {
        let kept_bytes = self.server.config.repl_backlog_size_bytes;
        let excess = self.server.replication.primary.excess_bytes(kept_bytes);
        self.server.used_bytes(self.store.bytes()).saturating_sub(excess)
    }
}
