//! What a command is, apart from what it does: name, arity, flags, key positions, categories.
//!
//! A [`Spec`] is data. COMMAND and its sub-commands, ACL categories, key extraction and the
//! generated tables are all derived from it, so that a fact about a command stands in one place,
//! the command's own file.
#![no_std]
#![forbid(unsafe_code)]
extern crate alloc;

mod category;
mod flags;
mod keys;
pub mod syntax;

pub use category::{CATEGORIES, Categories};
pub use flags::{FLAG_NAMES, Flags};
pub use keys::{
    BeginSearch, FindKeys, FlagsOfRequest, KEY_FLAG_NAMES, KeyFlags, KeyPosition, KeySpec,
    KeysError, LegacyRange, positions,
};

/// How many arguments a command takes, its own name (and that of its container) included.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Arity {
    /// Exactly so many.
    Exactly(u8),
    /// So many or more.
    AtLeast(u8),
}

impl Arity {
    /// Whether `count` arguments will do.
    #[must_use]
    #[inline]
    pub const fn accepts(self, count: usize) -> bool {
        match self {
            Self::Exactly(exact) => count == exact as usize,
            Self::AtLeast(least) => count >= least as usize,
        }
    }

    /// The number COMMAND INFO gives: negative for a minimum.
    #[must_use]
    pub const fn number(self) -> i64 {
        match self {
            Self::Exactly(exact) => exact as i64,
            Self::AtLeast(least) => -(least as i64),
        }
    }
}

/// The family a command is documented under.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Group {
    /// Commands on keys of any type.
    Generic,
    /// Commands on strings.
    String,
    /// Commands on the bits of strings.
    Bitmap,
    /// Commands on HyperLogLogs.
    Hyperloglog,
    /// Commands on places.
    Geo,
    /// Commands on hashes.
    Hash,
    /// Commands on lists.
    List,
    /// Commands on sets.
    Set,
    /// Commands on sorted sets.
    SortedSet,
    /// Commands on streams.
    Stream,
    /// Commands about channels and patterns.
    Pubsub,
    /// Commands that make several into one.
    Transactions,
    /// Commands about the client's own connection.
    Connection,
    /// Commands about the server.
    Server,
}

impl Group {
    /// The name COMMAND DOCS gives.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Generic => "generic",
            Self::String => "string",
            Self::Bitmap => "bitmap",
            Self::Hyperloglog => "hyperloglog",
            Self::Geo => "geo",
            Self::Hash => "hash",
            Self::List => "list",
            Self::Set => "set",
            Self::SortedSet => "sorted-set",
            Self::Stream => "stream",
            Self::Pubsub => "pubsub",
            Self::Transactions => "transactions",
            Self::Connection => "connection",
            Self::Server => "server",
        }
    }
}

/// Why a command should no longer be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Deprecated {
    /// The version that deprecated it.
    pub since: &'static str,
    /// What to use in its place, in Markdown.
    pub replaced_by: &'static str,
}

/// A command's facts. For a sub-command, `name` is the second word alone.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// Lower case.
    pub name: &'static str,
    /// Accepted numbers of arguments.
    pub arity: Arity,
    /// What the gates and the tools must know.
    pub flags: Flags,
    /// The categories it declares; see [`Spec::acl_categories`] for those that its flags imply.
    pub categories: Categories,
    /// Where its keys are and what it does with them.
    pub keys: &'static [KeySpec],
    /// What it does with its keys where that depends on the request.
    pub flags_of_request: Option<FlagsOfRequest>,
    /// The family it is documented under.
    pub group: Group,
    /// The version of Redis that brought it.
    pub since: &'static str,
    /// Time complexity, for people.
    pub complexity: &'static str,
    /// One sentence in our own words.
    pub summary: &'static str,
    /// Its arguments in the notation of [`syntax`].
    pub syntax: &'static str,
    /// Hints for clients and proxies (`nondeterministic_output`, `request_policy:all_shards`).
    pub tips: &'static [&'static str],
    /// What changed in which version.
    pub history: &'static [(&'static str, &'static str)],
    /// Set when another command should be used.
    pub deprecated: Option<Deprecated>,
    /// Not meant for applications (`syscmd` in COMMAND DOCS).
    pub internal: bool,
}

impl Spec {
    /// A spec with nothing said; a starting point for `..Spec::EMPTY`.
    pub const EMPTY: Self = Self {
        name: "",
        arity: Arity::Exactly(1),
        flags: Flags::NONE,
        categories: Categories::NONE,
        keys: &[],
        flags_of_request: None,
        group: Group::Generic,
        since: "1.0.0",
        complexity: "O(1)",
        summary: "",
        syntax: "",
        tips: &[],
        history: &[],
        deprecated: None,
        internal: false,
    };

    /// The declared categories and those that follow from the flags: `write`, `read` (unless
    /// scripting), `admin` and `dangerous`, `pubsub`, `fast` or `slow`, `blocking`.
    ///
    /// Source: `COMMAND INFO` of redis-server 7.0.15.
    #[must_use]
    pub const fn acl_categories(&self) -> Categories {
        let mut all = self.categories;
        if self.flags.has(Flags::WRITE) {
            all = all.and(Categories::WRITE);
        }
        if self.flags.has(Flags::READONLY) && !all.has(Categories::SCRIPTING) {
            all = all.and(Categories::READ);
        }
        if self.flags.has(Flags::ADMIN) {
            all = all.and(Categories::ADMIN).and(Categories::DANGEROUS);
        }
        if self.flags.has(Flags::PUBSUB) {
            all = all.and(Categories::PUBSUB);
        }
        if self.flags.has(Flags::BLOCKING) {
            all = all.and(Categories::BLOCKING);
        }
        all.and(if self.flags.has(Flags::FAST) { Categories::FAST } else { Categories::SLOW })
    }
}
