//! The seeded hash of keys.
//!
//! rapidhash with secrets drawn from the seed: fast on short keys, and a client that does not know
//! the seed cannot prepare keys that fall together. The table takes its bucket from the low bits
//! and its tag from the high byte, so the final mixing step is kept.

use alloc::sync::Arc;
use rapidhash::v3::{RapidSecrets, rapidhash_v3_micro_inline};

/// Hashes keys under one seed. Clones are cheap and share the seed's tables.
///
/// Tables between which items or hashes travel must hold clones of one hasher.
#[derive(Clone, Debug)]
pub struct KeyHasher(Arc<RapidSecrets>);

impl KeyHasher {
    /// A hasher for `seed`, which should be random per process and unknown to clients.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(RapidSecrets::seed(seed)))
    }

    /// The 64-bit hash of `key`; all bits are well mixed.
    #[inline]
    #[must_use]
    pub fn hash(&self, key: &[u8]) -> u64 {
        rapidhash_v3_micro_inline::<true, false>(key, &self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::KeyHasher;

    #[test]
    fn the_seed_decides_the_hash() {
        let (one, two) = (KeyHasher::new(1), KeyHasher::new(2));
        for len in [0usize, 1, 5, 8, 16, 33, 200] {
            let key = &[b'k'; 200][..len];
            assert_eq!(one.hash(key), one.clone().hash(key));
            assert_ne!(one.hash(key), two.hash(key), "length {len}");
        }
    }
}
