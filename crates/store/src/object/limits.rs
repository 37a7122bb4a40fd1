//! Up to where values keep their small encodings.

use vesta_ds::KeyHasher;

/// The settings that decide encodings, by their names in `redis.conf`. A change concerns values
/// when they are next changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// `hash-max-listpack-entries`: most fields of a small hash.
    pub hash_listpack_entries_max: usize,
    /// `hash-max-listpack-value`: longest field or value of a small hash, in bytes.
    pub hash_listpack_value_bytes_max: usize,
    /// `set-max-intset-entries`: most members of a set kept as sorted integers.
    pub set_intset_entries_max: usize,
    /// `set-max-listpack-entries`: most members of a small set that is not all integers.
    pub set_listpack_entries_max: usize,
    /// `set-max-listpack-value`: longest member of such a set, in bytes.
    pub set_listpack_value_bytes_max: usize,
}

/// The defaults of Redis 7.2.
impl Default for Limits {
    fn default() -> Self {
        Self {
            hash_listpack_entries_max: 512,
            hash_listpack_value_bytes_max: 64,
            set_intset_entries_max: 512,
            set_listpack_entries_max: 128,
            set_listpack_value_bytes_max: 64,
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
