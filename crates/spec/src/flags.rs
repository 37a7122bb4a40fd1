//! Properties of a command that gates, replication and tools go by.

/// A set of properties.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Flags(u32);

macro_rules! flags {
    ($($(#[$doc:meta])* $name:ident = $bit:literal $text:literal;)*) => {
        impl Flags {
            $($(#[$doc])* pub const $name: Self = Self(1 << $bit);)*
        }

        /// Every flag with the name COMMAND INFO gives it, in the order it lists them.
        pub const FLAG_NAMES: &[(Flags, &str)] = &[$((Flags::$name, $text),)*];
    };
}

flags! {
    /// May change the data set.
    WRITE = 0 "write";
    /// Reads keys and changes none.
    READONLY = 1 "readonly";
    /// Refused when memory is above `maxmemory`.
    DENYOOM = 2 "denyoom";
    /// For operators.
    ADMIN = 3 "admin";
    /// Publish and subscribe.
    PUBSUB = 4 "pubsub";
    /// Not callable from scripts.
    NOSCRIPT = 5 "noscript";
    /// May wait.
    BLOCKING = 6 "blocking";
    /// Allowed while the data set is loading.
    LOADING = 7 "loading";
    /// Allowed on a replica whose link is down.
    STALE = 8 "stale";
    /// Not shown to MONITOR.
    SKIP_MONITOR = 9 "skip_monitor";
    /// Not logged as slow.
    SKIP_SLOWLOG = 10 "skip_slowlog";
    /// Allowed on an importing slot.
    ASKING = 11 "asking";
    /// Constant or logarithmic time.
    FAST = 12 "fast";
    /// Allowed before authentication.
    NO_AUTH = 13 "no_auth";
    /// Works without keys in a cluster.
    NO_MANDATORY_KEYS = 15 "no_mandatory_keys";
    /// Not allowed between MULTI and EXEC.
    NO_MULTI = 16 "no_multi";
    /// Where the keys are depends on the arguments.
    MOVABLEKEYS = 17 "movablekeys";
    /// Allowed while a script is busy.
    ALLOW_BUSY = 18 "allow_busy";
    /// Not allowed during an asynchronous load.
    NO_ASYNC_LOADING = 19 "no_async_loading";
}

impl Flags {
    /// No property.
    pub const NONE: Self = Self(0);
    /// Only for whom a directive of its own admits (DEBUG, MODULE). COMMAND INFO does not tell.
    pub const PROTECTED: Self = Self(1 << 20);
    /// Replicates although it is not a write (EVAL, PFCOUNT, PUBLISH): CLIENT PAUSE WRITE holds it
    /// back. COMMAND INFO does not tell. Source: redis-server 7.0.15.
    pub const MAY_REPLICATE: Self = Self(1 << 21);

    /// Both sets together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both sets.
    #[must_use]
    pub const fn only(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// What is in this set and not in the other.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether any of `other` is set.
    #[must_use]
    #[inline]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}
