//! Time as an argument: the rim reads the clocks once per turn and hands the reading down.

/// Microseconds since an arbitrary start; never goes back. Timers use it.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct Mono(pub u64);

impl Mono {
    /// A deadline that never comes.
    pub const NEVER: Self = Self(u64::MAX);

    /// This instant plus `ms` milliseconds; stays at [`Mono::NEVER`] rather than wrap.
    #[must_use]
    pub const fn plus_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms.saturating_mul(1000)))
    }

    /// Microseconds from `earlier` to this instant; 0 when `earlier` is later.
    #[must_use]
    pub const fn since_us(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// Microseconds since 1970-01-01 UTC. Clients and expiry see it; it may jump either way.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct Unix(pub u64);

impl Unix {
    /// Whole milliseconds since 1970.
    #[must_use]
    pub const fn ms(self) -> u64 {
        self.0 / 1000
    }

    /// Whole seconds since 1970.
    #[must_use]
    pub const fn secs(self) -> u64 {
        self.0 / 1_000_000
    }
}

/// One reading of both clocks.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Now {
    /// For timers and durations.
    pub mono: Mono,
    /// For expiry and for what clients are told.
    pub unix: Unix,
}
