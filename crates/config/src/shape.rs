//! Values of options that are more than a number, a word or a text.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// A password. Its `Debug` form hides it, so that it reaches no log by accident.
#[derive(Clone, Eq, PartialEq)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Keeps `bytes` as a password.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The password.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// How much output may wait for one client of a class before it is disconnected. 0 is no limit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct OutputLimit {
    /// Above this, at once.
    pub hard_bytes: u64,
    /// Above this for longer than `soft_seconds`.
    pub soft_bytes: u64,
    /// How long `soft_bytes` may be exceeded.
    pub soft_seconds: u64,
}

/// One `save` rule: a snapshot is due after `seconds` with at least `changes` writes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SavePoint {
    /// Seconds since the last snapshot, at least 1.
    pub seconds: u64,
    /// Writes since the last snapshot.
    pub changes: u64,
}

/// An amount of memory, absolute or in relation to `maxmemory`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MemoryOrPercent {
    /// A number of bytes.
    Bytes(u64),
    /// Percent of `maxmemory`, 1 to 100.
    Percent(u8),
}

/// Where a replica finds its primary.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ReplicaOf {
    /// A host name or address.
    pub host: String,
    /// The primary's port.
    pub port: u16,
}

/// How a signal shuts the server down, as words of SHUTDOWN. All false: `default`, which saves if
/// there are save points.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ShutdownWish {
    /// Save even without save points.
    pub save: bool,
    /// Do not save. Never together with `save`.
    pub nosave: bool,
    /// Do not wait for replicas that lag behind.
    pub now: bool,
    /// Shut down even if saving fails.
    pub force: bool,
}

/// Which keyspace events are published: a set of classes, each with its letter.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct KeyspaceEvents(u16);

impl KeyspaceEvents {
    /// Classes in the order they are shown; those from `n` on are not part of `A`. Redis 7.2 does
    /// not show `n` beside `A`, and so forgets it in CONFIG REWRITE.
    const LETTERS: &'static [u8] = b"g$lshzxetdnKEm";
    /// The classes that the letter `A` stands for: `g` to `d`.
    const ALL: u16 = (1 << 10) - 1;

    /// The set that `letters` names, `None` if one of them is no class.
    #[must_use]
    pub fn from_letters(letters: &[u8]) -> Option<Self> {
        let mut set = 0;
        for letter in letters {
            set |= if *letter == b'A' { Self::ALL } else { Self::bit(*letter)? };
        }
        Some(Self(set))
    }

    /// The letters of the set, with `A` where all of its classes are in.
    #[must_use]
    pub fn letters(self) -> Vec<u8> {
        let all = self.0 & Self::ALL == Self::ALL;
        let shown = |letter: &u8| {
            let bit = Self::bit(*letter).unwrap_or(0);
            self.0 & bit != 0 && !(all && bit & Self::ALL != 0)
        };
        let rest = Self::LETTERS.iter().copied().filter(shown);
        all.then_some(b'A').into_iter().chain(rest).collect()
    }

    /// Whether the class of `letter` (one of `g$lshzxetdnKEm`) is in the set.
    #[must_use]
    pub fn has(self, letter: u8) -> bool {
        Self::bit(letter).is_some_and(|bit| self.0 & bit != 0)
    }

    fn bit(letter: u8) -> Option<u16> {
        Self::LETTERS.iter().position(|known| *known == letter).map(|at| 1 << at)
    }
}
