//! What expires in one database: how many keys, and which hashes have fields that do.
//!
//! Keys that expire are found by the bounds that their own table keeps. A hash with fields that
//! expire is remembered here under the name of its key, with a time before which none of them is
//! due ([`Hash::due_bound`]), in a table of the same kind: its bounds lead to the hashes that have
//! something due, and the bounds within the hash to the fields.
//!
//! [`Hash::due_bound`]: crate::Hash::due_bound

use crate::{Entry, Object};
use vesta_ds::{DueScan, Field, KeyHasher, Table};

/// The keys and hashes of a database that something in them expires.
#[derive(Debug)]
pub(crate) struct Expiring {
    /// How many keys have an expiry.
    pub(crate) keys: usize,
    /// A field without a value for each hash: the name of its key, and the bound as its expiry.
    hashes: Table<Field>,
    /// Bytes of the fields' allocations.
    hash_bytes: usize,
}

impl Expiring {
    pub(crate) fn new(hasher: &KeyHasher) -> Self {
        Self { keys: 0, hashes: Table::new(hasher.clone()), hash_bytes: 0 }
    }

    /// How many hashes have fields that expire.
    pub(crate) fn hashes(&self) -> usize {
        self.hashes.len()
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.hashes.heap_bytes() + self.hash_bytes
    }

    /// An entry came, whose key has this hash.
    #[inline]
    pub(crate) fn learn(&mut self, hash: u64, entry: &Entry) {
        self.keys += usize::from(entry.expiry().is_some());
        if let Some(due) = fields_due(entry) {
            self.set_hash(hash, entry.key(), Some(due));
        }
    }

    /// An entry went.
    #[inline]
    pub(crate) fn forget(&mut self, entry: &Entry) {
        self.keys -= usize::from(entry.expiry().is_some());
        if fields_due(entry).is_some() {
            let hash = self.hashes.hasher().hash(entry.key());
            self.set_hash(hash, entry.key(), None);
        }
    }

    /// The bound of the hash at `key` is this now; `None` when none of its fields expires.
    pub(crate) fn set_hash(&mut self, hash: u64, key: &[u8], due: Option<u64>) {
        if let Some(old) = self.hashes.remove(hash, key) {
            self.hash_bytes -= old.alloc_bytes();
        }
        if due.is_some() {
            let item = Field::new(key, b"", due);
            self.hash_bytes += item.alloc_bytes();
            self.hashes.insert_new(hash, item);
        }
    }

    /// Whether the hash at `key` may have a field that is due at `now_ms`.
    #[inline]
    pub(crate) fn may_be_due(&self, hash: u64, key: &[u8], now_ms: u64) -> bool {
        let item = self.hashes.find(hash, key);
        item.and_then(Field::expiry).is_some_and(|due| due <= now_ms)
    }

    /// Frees what is remembered of about `max` hashes.
    pub(crate) fn drain_some(&mut self, max: usize) {
        let bytes = &mut self.hash_bytes;
        self.hashes.drain_some(max, |item| *bytes -= item.alloc_bytes());
    }

    /// Takes out the hashes that may have fields due at `now_ms`, as fields with the names of
    /// their keys, looking at about `budget` of them. The caller puts them back.
    pub(crate) fn take_due(
        &mut self,
        now_ms: u64,
        budget: usize,
        mut each: impl FnMut(Field),
    ) -> DueScan {
        let bytes = &mut self.hash_bytes;
        self.hashes.take_due(now_ms, budget, |item| {
            *bytes -= item.alloc_bytes();
            each(item);
        })
    }
}

/// A time before which none of the fields in an entry's hash is due; `None` when none expires or
/// the value is no hash.
#[inline]
pub(crate) fn fields_due(entry: &Entry) -> Option<u64> {
    entry.object().and_then(Object::fields_due)
}
