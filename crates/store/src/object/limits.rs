//! Up to where values keep their small encodings.

use vesta_ds::{Fill, KeyHasher};

/// The settings that decide encodings, by their names in `redis.conf`. A change concerns values
/// when they are next changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// `hash-max-listpack-entries`: most fields of a small hash.
    pub hash_listpack_entries_max: usize,
    /// `hash-max-listpack-value`: longest field or value of a small hash, in bytes.
    pub hash_listpack_value_bytes_max: usize,
    /// `list-max-listpack-size`: most bytes or elements of a small list, and of a node of a large
    /// one.
    pub list_fill: Fill,
    /// `list-compress-depth`: nodes at each end of a large list that are not compressed; 0
    /// compresses none.
    pub list_compress_depth: u16,
    /// `set-max-intset-entries`: most members of a set kept as sorted integers.
    pub set_intset_entries_max: usize,
    /// `set-max-listpack-entries`: most members of a small set that is not all integers.
    pub set_listpack_entries_max: usize,
    /// `set-max-listpack-value`: longest member of such a set, in bytes.
    pub set_listpack_value_bytes_max: usize,
    /// `stream-node-max-bytes`: most bytes of a stream's node; 0 means no limit.
    pub stream_node_bytes_max: usize,
    /// `stream-node-max-entries`: most entries of a stream's node; 0 means no limit.
    pub stream_node_entries_max: u64,
    /// `zset-max-listpack-entries`: most members of a small sorted set.
    pub zset_listpack_entries_max: usize,
    /// `zset-max-listpack-value`: longest member of a small sorted set, in bytes.
    pub zset_listpack_value_bytes_max: usize,
}

/// The defaults of Redis 7.2.
impl Default for Limits {
    fn default() -> Self {
        Self {
            hash_listpack_entries_max: 512,
            hash_listpack_value_bytes_max: 64,
            list_fill: Fill::DEFAULT,
            list_compress_depth: 0,
            set_intset_entries_max: 512,
            set_listpack_entries_max: 128,
            set_listpack_value_bytes_max: 64,
            stream_node_bytes_max: 4096,
            stream_node_entries_max: 100,
            zset_listpack_entries_max: 128,
            zset_listpack_value_bytes_max: 64,
        }
    }
}

/// What a value needs to know when it is changed: up to where it stays small, and what hashes its
/// elements when it does not.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Up to where values stay small.
    pub limits: Limits,
    /// The hasher of all tables of the store.
    pub hasher: KeyHasher,
}

impl Rules {
    /// The default limits, and a hasher of this seed.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self { limits: Limits::default(), hasher: KeyHasher::new(seed) }
    }
}
