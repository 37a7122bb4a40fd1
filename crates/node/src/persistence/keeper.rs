//! Writing entries of a snapshot down as an RDB file.

use alloc::vec::Vec;
use core::fmt;
use vesta_config::MaxmemoryPolicy;
use vesta_persist::rdb::{FileEncoder, KeyTraits, Target};
use vesta_store::{Access, DbSize, Entry, Keeper, Store};
use vesta_types::{DbIndex, Unix};

/// The lowest version that is written; 7.0 reads it.
const VERSION: u16 = 10;
/// The version that has fields of hashes that expire.
const VERSION_WITH_FIELD_EXPIRY: u16 = 12;
/// Bytes that are had ready for what comes next.
const READY_BYTES: usize = 64 * 1024;

/// What is written down of the clock that says how recently, or how often, a key was used.
#[derive(Clone, Copy, Debug)]
enum Usage {
    /// Nothing: no policy in force asks for it.
    Unwritten,
    Idle,
    Frequency,
}

/// Writes an RDB file, piece by piece.
pub(super) struct RdbKeeper {
    /// `None` once the end was written.
    encoder: Option<FileEncoder>,
    bytes: Vec<u8>,
    /// The database that the reader of the file is in.
    selected: Option<DbIndex>,
    /// Sizes of the databases when the snapshot began.
    sizes: Vec<DbSize>,
    usage: Usage,
    access: Access,
    began: Unix,
    kept: u64,
}

/// What a file is written from besides the entries.
pub(super) struct Facts<'a> {
    pub(super) policy: MaxmemoryPolicy,
    pub(super) compresses: bool,
    pub(super) with_checksum: bool,
    /// What the file says about its writer.
    pub(super) aux: &'a [(&'a str, Vec<u8>)],
    pub(super) functions: &'a [Vec<u8>],
    pub(super) began: Unix,
}

impl RdbKeeper {
    /// Begins a file for all that is in `store`.
    pub(super) fn new(store: &Store, facts: &Facts<'_>) -> Self {
        let expires = store.has_expiring_fields();
        let version = if expires { VERSION_WITH_FIELD_EXPIRY } else { VERSION };
        let mut bytes = Vec::with_capacity(READY_BYTES);
        let (compresses, with_checksum) = (facts.compresses, facts.with_checksum);
        let mut encoder =
            FileEncoder::begin(&mut bytes, version, Target::Redis70, compresses, with_checksum);
        for (name, value) in facts.aux {
            encoder.aux(&mut bytes, name, value);
        }
        for source in facts.functions {
            encoder.function(&mut bytes, source);
        }
        Self {
            encoder: Some(encoder),
            bytes,
            selected: None,
            sizes: store.indexes().map(|db| store.size(db)).collect(),
            usage: usage_of(facts.policy),
            access: *store.access(),
            began: facts.began,
            kept: 0,
        }
    }
}

impl Keeper for RdbKeeper {
    fn keep(&mut self, db: DbIndex, entry: &Entry) {
        let Self { encoder: Some(encoder), bytes, .. } = self else { return };
        if self.selected != Some(db) {
            self.selected = Some(db);
            let size = self.sizes.get(db.index()).copied();
            let size = size.unwrap_or(DbSize { keys: 0, expiring: 0 });
            encoder.select(bytes, u64::from(db.get()), size.keys as u64, size.expiring as u64);
        }
        let mut traits = KeyTraits { expiry: entry.expiry(), ..KeyTraits::default() };
        match self.usage {
            Usage::Unwritten => {}
            Usage::Idle => {
                traits.idle_s = Some(self.access.idle_seconds(entry.clock(), self.began));
            }
            Usage::Frequency => {
                let counter = self.access.counter(entry.clock(), self.began);
                traits.frequency = Some(u8::try_from(counter).unwrap_or(u8::MAX));
            }
        }
        encoder.key(bytes, entry.key(), &entry.value(), traits);
        self.kept += 1;
    }

    fn drain(&mut self) -> Vec<u8> {
        if self.bytes.is_empty() {
            return Vec::new();
        }
        core::mem::replace(&mut self.bytes, Vec::with_capacity(READY_BYTES))
    }

    fn finish(&mut self) -> Vec<u8> {
        if let Some(encoder) = self.encoder.take() {
            encoder.end(&mut self.bytes);
        }
        core::mem::take(&mut self.bytes)
    }

    fn kept(&self) -> u64 {
        self.kept
    }
}

impl fmt::Debug for RdbKeeper {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "RdbKeeper({} entries)", self.kept)
    }
}

fn usage_of(policy: MaxmemoryPolicy) -> Usage {
    match policy {
        MaxmemoryPolicy::AllkeysLru | MaxmemoryPolicy::VolatileLru => Usage::Idle,
        MaxmemoryPolicy::AllkeysLfu | MaxmemoryPolicy::VolatileLfu => Usage::Frequency,
        MaxmemoryPolicy::Noeviction
        | MaxmemoryPolicy::AllkeysRandom
        | MaxmemoryPolicy::VolatileRandom
        | MaxmemoryPolicy::VolatileTtl => Usage::Unwritten,
    }
}
