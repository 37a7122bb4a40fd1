//! ACL categories.

/// A set of ACL categories.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Categories(u32);

macro_rules! categories {
    ($($(#[$doc:meta])* $name:ident = $bit:literal $text:literal;)*) => {
        impl Categories {
            $($(#[$doc])* pub const $name: Self = Self(1 << $bit);)*
        }

        /// Every category with its name, in the order ACL CAT lists them.
        pub const CATEGORIES: &[(Categories, &str)] = &[$((Categories::$name, $text),)*];
    };
}

categories! {
    /// Commands on keys of any type.
    KEYSPACE = 0 "keyspace";
    /// Reads.
    READ = 1 "read";
    /// Writes.
    WRITE = 2 "write";
    /// Sets.
    SET = 3 "set";
    /// Sorted sets.
    SORTEDSET = 4 "sortedset";
    /// Lists.
    LIST = 5 "list";
    /// Hashes.
    HASH = 6 "hash";
    /// Strings.
    STRING = 7 "string";
    /// Bitmaps.
    BITMAP = 8 "bitmap";
    /// HyperLogLogs.
    HYPERLOGLOG = 9 "hyperloglog";
    /// Geospatial indexes.
    GEO = 10 "geo";
    /// Streams.
    STREAM = 11 "stream";
    /// Publish and subscribe.
    PUBSUB = 12 "pubsub";
    /// For operators.
    ADMIN = 13 "admin";
    /// Constant or logarithmic time.
    FAST = 14 "fast";
    /// All others.
    SLOW = 15 "slow";
    /// May wait.
    BLOCKING = 16 "blocking";
    /// Can harm the service.
    DANGEROUS = 17 "dangerous";
    /// About the client's connection.
    CONNECTION = 18 "connection";
    /// Transactions.
    TRANSACTION = 19 "transaction";
    /// Scripts and functions.
    SCRIPTING = 20 "scripting";
}

impl Categories {
    /// No category.
    pub const NONE: Self = Self(0);

    /// Both sets together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether any of `other` is in the set.
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}
