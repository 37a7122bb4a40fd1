//! Which keys go when memory runs short.
//!
//! Candidates are sampled, not sorted: some entries of each database are looked at and the best
//! of all that were seen lately are kept in a pool of sixteen, so that the choice gets close to
//! the true order at a bounded cost. Policies and their names: `maxmemory-policy` of Redis 7.2.

use crate::access::Access;
use crate::{Entry, Store};
use alloc::boxed::Box;
use alloc::vec::Vec;
use vesta_types::{DbIndex, Unix};

/// Entries looked at for one sample of those that expire, where few do.
const VISITS_PER_SAMPLE: usize = 256;

/// Candidates kept between evictions.
const POOL: usize = 16;

/// Elements of what waits to be freed that one call frees.
const REAPED_PER_CALL: usize = 64;

/// Buckets of what was flushed during a snapshot, or large entries deleted, that one call gives to
/// it and frees; of the latter a part worth so many buckets.
const BUCKETS_PER_CALL: usize = 8;

/// What makes a key the next to go.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Evict {
    /// Not used for the longest time.
    LeastRecent,
    /// Used least often.
    LeastFrequent,
    /// Expires soonest.
    Soonest,
    /// Chance.
    Random,
}

/// Which keys may go.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Victims {
    /// Any.
    All,
    /// Those that have an expiry.
    Expiring,
}

/// The best candidates seen so far. Empty it when the policy changes.
#[derive(Debug, Default)]
pub struct Candidates {
    /// In order of score, the best last.
    pool: Vec<Candidate>,
}

#[derive(Debug)]
struct Candidate {
    score: u64,
    db: DbIndex,
    key: Box<[u8]>,
}

impl Candidates {
    /// Forgets all candidates.
    pub fn clear(&mut self) {
        self.pool.clear();
    }

    fn offer(&mut self, score: u64, db: DbIndex, key: &[u8]) {
        let place = self.pool.partition_point(|other| other.score < score);
        if self.pool.len() == POOL && place == 0 {
            return;
        }
        if self.pool.iter().any(|other| other.db == db && *other.key == *key) {
            return;
        }
        self.pool.insert(place, Candidate { score, db, key: key.into() });
        if self.pool.len() > POOL {
            self.pool.remove(0);
        }
    }
}

impl Store {
    /// Deletes one key as the policy says; the bytes its entry gives back, or `None` when no key
    /// may go. `samples` entries of each database are looked at. What was deleted before and waits
    /// to be freed, by a snapshot too, is freed first, in slices, and then no key has to go.
    pub fn evict_one(
        &mut self,
        evict: Evict,
        victims: Victims,
        samples: usize,
        now: Unix,
        candidates: &mut Candidates,
    ) -> Option<usize> {
        if self.has_garbage() {
            let before = self.bytes();
            self.reap(REAPED_PER_CALL);
            return Some(before.saturating_sub(self.bytes()));
        }
        if self.ledger.snapshot.has_gone() {
            let before = self.bytes();
            self.give_gone(BUCKETS_PER_CALL);
            return Some(before.saturating_sub(self.bytes()));
        }
        if evict == Evict::Random {
            return self.evict_random(victims, samples);
        }
        // A candidate may be gone or used again since it was sampled: then look at others.
        for _ in 0..POOL + 1 {
            self.sample(evict, victims, samples, now, candidates);
            let best = candidates.pool.pop()?;
            let score = self.score_of(&best, evict, victims, now);
            if score.is_some_and(|score| score >= best.score) {
                return self.evict(best.db, &best.key);
            }
        }
        self.evict_random(victims, samples)
    }

    /// Offers some entries of every database to the pool.
    fn sample(
        &mut self,
        evict: Evict,
        victims: Victims,
        samples: usize,
        now: Unix,
        candidates: &mut Candidates,
    ) {
        let Self { dbs, rng, access, .. } = self;
        let count = u32::try_from(dbs.len()).unwrap_or(u32::MAX);
        for (raw, db) in dbs.iter().enumerate() {
            let Some(index) = DbIndex::new(raw as u64, count) else { continue };
            if victims == Victims::Expiring && db.expiring.keys == 0 {
                continue;
            }
            let mut offer = |entry: &Entry| {
                if let Some(score) = score(entry, evict, victims, access, now) {
                    candidates.offer(score, index, entry.key());
                }
            };
            let mut chance = || rng.bits();
            match victims {
                Victims::All => db.table.sample(samples, &mut chance, &mut offer),
                Victims::Expiring => {
                    let budget = samples.saturating_mul(VISITS_PER_SAMPLE);
                    db.table.sample_due(samples, budget, &mut chance, &mut offer)
                }
            };
        }
    }

    fn score_of(
        &self,
        candidate: &Candidate,
        evict: Evict,
        victims: Victims,
        now: Unix,
    ) -> Option<u64> {
        let hash = self.hash(&candidate.key);
        let entry = self.db(candidate.db).table.find(hash, &candidate.key)?;
        score(entry, evict, victims, &self.access, now)
    }

    /// Deletes a key by chance, taking the databases in turn.
    fn evict_random(&mut self, victims: Victims, samples: usize) -> Option<usize> {
        let count = self.dbs.len();
        for _ in 0..count {
            self.evict_turn = (self.evict_turn + 1) % count;
            let index = DbIndex::new(self.evict_turn as u64, self.databases())?;
            let Self { dbs, rng, .. } = &mut *self;
            let Some(db) = dbs.get(index.index()) else { continue };
            let key = match victims {
                Victims::All => db.table.random(&mut || rng.bits()),
                Victims::Expiring if db.expiring.keys == 0 => None,
                Victims::Expiring => {
                    let mut found = None;
                    // The first one that expires, from a random place on.
                    db.table.sample_due(samples, usize::MAX, &mut || rng.bits(), |entry| {
                        if found.is_none() && entry.expiry().is_some() {
                            found = Some(entry);
                        }
                    });
                    found.or_else(|| db.table.iter().find(|entry| entry.expiry().is_some()))
                }
            };
            let key: Option<Box<[u8]>> = key.map(|entry| entry.key().into());
            if let Some(key) = key {
                return self.evict(index, &key);
            }
        }
        None
    }
}

/// How much an entry deserves to go; `None` when it may not.
fn score(entry: &Entry, evict: Evict, victims: Victims, access: &Access, now: Unix) -> Option<u64> {
    if victims == Victims::Expiring && entry.expiry().is_none() {
        return None;
    }
    Some(match evict {
        Evict::LeastRecent => access.idle_seconds(entry.clock(), now),
        Evict::LeastFrequent => u64::from(255 - access.counter(entry.clock(), now)),
        Evict::Soonest => u64::MAX - entry.expiry()?,
        Evict::Random => 0,
    })
}
