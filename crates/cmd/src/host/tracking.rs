//! What a client has asked for with CLIENT TRACKING.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;

/// Which keys a client keeps, and how it is told that they are no longer valid.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Tracking {
    /// Which keys it keeps.
    pub mode: TrackingMode,
    /// It is not told of what it does itself.
    pub no_loop: bool,
    /// Number of the client that is told in its place.
    pub redirect: Option<u64>,
    /// That client was gone when it was to be told.
    pub is_broken: bool,
    /// CLIENT CACHING makes an exception for the next command or transaction.
    pub caching: bool,
    /// Beginnings of the keys it is told of when it broadcasts. None begins with another, but for
    /// the empty one, which stands for all keys.
    pub prefixes: BTreeSet<Box<[u8]>>,
}

/// Which keys a client that tracks keeps.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum TrackingMode {
    /// All that it reads.
    #[default]
    Read,
    /// Those that it reads behind CLIENT CACHING YES.
    OptIn,
    /// Those that it reads, but for those behind CLIENT CACHING NO.
    OptOut,
    /// It is told of all keys below its prefixes.
    Broadcast,
}

impl Tracking {
    /// Whether it keeps what the next command reads.
    #[must_use]
    pub fn keeps_next(&self) -> bool {
        match self.mode {
            TrackingMode::Read => true,
            TrackingMode::OptIn => self.caching,
            TrackingMode::OptOut => !self.caching,
            TrackingMode::Broadcast => false,
        }
    }

    /// The number of the client that is told in its place, as commands show it; 0 when none is.
    #[must_use]
    pub fn redirect_number(&self) -> i64 {
        self.redirect.map_or(0, |id| i64::try_from(id).unwrap_or(i64::MAX))
    }

    /// Memory of the prefixes, in bytes.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.prefixes.iter().map(|prefix| prefix.len() + size_of_val(prefix)).sum()
    }
}
