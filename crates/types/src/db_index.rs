//! Which of the numbered databases.

/// Index of a database, below the `databases` directive of the store that made it.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct DbIndex(u32);

impl DbIndex {
    /// Database 0, where every client starts.
    pub const ZERO: Self = Self(0);

    /// The index `raw` when it is below `count`.
    #[must_use]
    pub const fn new(raw: u64, count: u32) -> Option<Self> {
        if raw < count as u64 { Some(Self(raw as u32)) } else { None }
    }

    /// The number as clients write it.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The number as an index into a slice of databases.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}
