//! The table of options: a file per group, an entry per option.
//!
//! To add one: a field with its default in `config.rs`, an entry in the file of its group here. An
//! entry begins live, visible and without effect; `.rim()`, `.start()`, `.works()` and the like say
//! otherwise.

use crate::Opt;

/// An option that is `yes` or `no`.
macro_rules! yes_no {
    ($name:literal, $field:ident) => {
        $crate::Opt::new(
            $name,
            |config, words| {
                config.$field = $crate::value::yes_no(words)?;
                Ok(())
            },
            |config| $crate::value::yes_no_text(config.$field),
        )
    };
}

/// An option that is a decimal number within bounds, both inclusive.
macro_rules! number {
    ($name:literal, $field:ident, $range:expr) => {
        $crate::Opt::new(
            $name,
            |config, words| {
                config.$field = $crate::value::number(words, $range)?;
                Ok(())
            },
            |config| $crate::value::shown(config.$field),
        )
    };
}

/// An option that is a number of bytes within bounds, both inclusive.
macro_rules! memory {
    ($name:literal, $field:ident, $range:expr) => {
        $crate::Opt::new(
            $name,
            |config, words| {
                config.$field = $crate::value::memory(words, $range)?;
                Ok(())
            },
            |config| $crate::value::shown(config.$field),
        )
        .memory()
    };
}

/// An option that is one word of a list.
macro_rules! choice {
    ($name:literal, $field:ident) => {
        $crate::Opt::new(
            $name,
            |config, words| {
                config.$field = $crate::value::choice(words)?;
                Ok(())
            },
            |config| $crate::Choice::word(config.$field).as_bytes().to_vec(),
        )
    };
}

/// An option that is a text.
macro_rules! text {
    ($name:literal, $field:ident) => {
        $crate::Opt::new(
            $name,
            |config, words| {
                config.$field = $crate::value::text(words)?;
                Ok(())
            },
            |config| config.$field.as_bytes().to_vec(),
        )
    };
}

/// An option that is a text or not set.
macro_rules! text_or_none {
    ($name:literal, $field:ident) => {
        $crate::Opt::new(
            $name,
            |config, words| {
                config.$field = $crate::value::text_or_none(words)?;
                Ok(())
            },
            |config| $crate::value::text_or_none_shown(config.$field.as_ref()),
        )
    };
}

/// An option that is a password or not set.
macro_rules! secret {
    ($name:literal, $field:ident) => {
        $crate::Opt::new(
            $name,
            |config, words| {
                config.$field = $crate::value::secret(words)?;
                Ok(())
            },
            |config| $crate::value::secret_shown(config.$field.as_ref()),
        )
    };
}

mod advanced;
mod aof;
mod clients;
mod cluster;
mod debug;
mod defrag;
mod events;
mod general;
mod latency;
mod lazyfree;
mod memory;
mod network;
mod oom;
mod replication;
mod scripting;
mod security;
mod shutdown;
mod snapshotting;
mod threads;
mod tls;

/// The greatest value of options that Redis keeps in a C `int`.
pub(crate) const INT_MAX: i64 = i32::MAX as i64;
/// The greatest number of bytes of options that Redis keeps in a signed 64-bit number.
pub(crate) const BYTES_MAX: u64 = i64::MAX as u64;

/// Options that belong together, under the heading they have in a stock file.
pub struct Group {
    /// The heading.
    pub title: &'static str,
    /// The entries.
    pub options: &'static [Opt],
}

/// All groups, in the order of a stock file.
pub const GROUPS: &[Group] = &[
    Group { title: "Network", options: network::OPTIONS },
    Group { title: "TLS", options: tls::OPTIONS },
    Group { title: "General", options: general::OPTIONS },
    Group { title: "Snapshotting", options: snapshotting::OPTIONS },
    Group { title: "Replication", options: replication::OPTIONS },
    Group { title: "Security", options: security::OPTIONS },
    Group { title: "Clients", options: clients::OPTIONS },
    Group { title: "Memory", options: memory::OPTIONS },
    Group { title: "Lazy freeing", options: lazyfree::OPTIONS },
    Group { title: "Threads", options: threads::OPTIONS },
    Group { title: "Out-of-memory killer", options: oom::OPTIONS },
    Group { title: "Append only file", options: aof::OPTIONS },
    Group { title: "Shutdown", options: shutdown::OPTIONS },
    Group { title: "Scripting", options: scripting::OPTIONS },
    Group { title: "Cluster", options: cluster::OPTIONS },
    Group { title: "Latency", options: latency::OPTIONS },
    Group { title: "Events", options: events::OPTIONS },
    Group { title: "Advanced", options: advanced::OPTIONS },
    Group { title: "Defragmentation", options: defrag::OPTIONS },
    Group { title: "Debugging", options: debug::OPTIONS },
];

/// Every option.
pub fn all() -> impl Iterator<Item = &'static Opt> {
    GROUPS.iter().flat_map(|group| group.options)
}

/// The option that `given` names, by its name or alias, in any mix of case.
#[must_use]
pub fn find(given: &[u8]) -> Option<&'static Opt> {
    all().find(|option| option.spelling(given).is_some())
}
