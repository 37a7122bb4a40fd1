//! Writing entries of a snapshot down as an RDB file.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use vesta_config::MaxmemoryPolicy;
use vesta_persist::Pieces;
use vesta_persist::rdb::{Effort, FileEncoder, KeyTraits, Target};
use vesta_store::{Access, DbSize, Entry, Keeper, Store};
use vesta_types::{DbIndex, Unix};

/// The lowest version that is written; 7.0 reads it.
const VERSION: u16 = 10;
/// The version that has fields of hashes that expire.
const VERSION_WITH_FIELD_EXPIRY: u16 = 12;

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
    file: File,
    /// The database that the reader of the file is in.
    selected: Option<DbIndex>,
    /// Sizes of the databases when the snapshot began.
    sizes: Vec<DbSize>,
    usage: Usage,
    access: Access,
    began: Unix,
    large_bytes: usize,
    kept: u64,
}

/// How far the file is.
enum File {
    Open(Box<FileEncoder>),
    /// What is left of it to be taken.
    Ended(Pieces),
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
    /// From how many bytes on an entry is written in pieces.
    pub(super) large_bytes: usize,
}

impl RdbKeeper {
    /// Begins a file for all that is in `store`.
    pub(super) fn new(store: &Store, facts: &Facts<'_>) -> Self {
        let expires = store.has_expiring_fields();
        let version = if expires { VERSION_WITH_FIELD_EXPIRY } else { VERSION };
        let (compresses, with_checksum) = (facts.compresses, facts.with_checksum);
        let mut encoder = FileEncoder::begin(version, Target::Redis70, compresses, with_checksum);
        for (name, value) in facts.aux {
            encoder.aux(name, value);
        }
        for source in facts.functions {
            encoder.function(source);
        }
        Self {
            file: File::Open(Box::new(encoder)),
            selected: None,
            sizes: store.indexes().map(|db| store.size(db)).collect(),
            usage: usage_of(facts.policy),
            access: *store.access(),
            began: facts.began,
            large_bytes: facts.large_bytes,
            kept: 0,
        }
    }
}

impl RdbKeeper {
    /// Has the reader of the file go on to a database.
    fn select(&mut self, db: DbIndex) {
        let File::Open(encoder) = &mut self.file else { return };
        if self.selected != Some(db) {
            self.selected = Some(db);
            let size = self.sizes.get(db.index()).copied();
            let size = size.unwrap_or(DbSize { keys: 0, expiring: 0 });
            encoder.select(u64::from(db.get()), size.keys as u64, size.expiring as u64);
        }
    }

    fn traits(&self, entry: &Entry) -> KeyTraits {
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
        traits
    }
}

impl Keeper for RdbKeeper {
    fn keep(&mut self, db: DbIndex, entry: &Entry) {
        let how = if self.is_large(entry) { Effort::Least } else { Effort::Usual };
        self.select(db);
        let traits = self.traits(entry);
        let File::Open(encoder) = &mut self.file else { return };
        encoder.key(entry.key(), &entry.value(), traits, how);
        self.kept += 1;
    }

    fn is_large(&self, entry: &Entry) -> bool {
        entry.alloc_bytes() >= self.large_bytes
    }

    fn keep_some(&mut self, db: DbIndex, entry: &Entry, budget: usize) -> bool {
        let value = entry.value();
        if !matches!(&self.file, File::Open(encoder) if encoder.is_open()) {
            self.select(db);
            let traits = self.traits(entry);
            if let File::Open(encoder) = &mut self.file {
                encoder.open_key(entry.key(), &value, traits);
            }
        }
        let File::Open(encoder) = &mut self.file else { return true };
        let how = if budget == usize::MAX { Effort::Least } else { Effort::Usual };
        let is_done = encoder.go_on(&value, budget, how);
        self.kept += u64::from(is_done);
        is_done
    }

    fn drain(&mut self) -> Vec<u8> {
        match &mut self.file {
            File::Open(encoder) => encoder.take(),
            File::Ended(rest) => rest.take(),
        }
    }

    fn finish(&mut self) {
        if let File::Open(encoder) =
            core::mem::replace(&mut self.file, File::Ended(Pieces::default()))
        {
            self.file = File::Ended(encoder.end());
        }
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
