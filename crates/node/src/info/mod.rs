//! INFO: what the server tells about itself, a file per section.
//!
//! Names and order of the fields are those of Redis 7.2. A field whose subject does not exist here
//! is given, with the value that says so, only where tools look for it.

mod clients;
mod commandstats;
mod cpu;
mod errorstats;
mod following;
mod human;
mod keyspace;
mod latencystats;
mod memory;
mod persistence;
mod replication;
mod server;
mod stats;

use crate::server::Server;
use alloc::string::String;
use core::fmt;
use vesta_cmd::StreamPoint;
use vesta_store::Store;
use vesta_types::{Now, ascii};

/// What a section is written from.
pub(crate) struct Facts<'a> {
    pub(crate) server: &'a Server,
    pub(crate) store: &'a Store,
    /// Where the stream of effects stands.
    pub(crate) point: StreamPoint,
    pub(crate) now: Now,
}

/// A section of INFO.
struct Section {
    /// The name it is asked for by, in lower case.
    name: &'static str,
    /// Its headline.
    title: &'static str,
    /// Whether it is among those given when none is asked for.
    by_default: bool,
    write: fn(&Facts<'_>, &mut Fields),
}

const fn section(
    name: &'static str,
    title: &'static str,
    write: fn(&Facts<'_>, &mut Fields),
) -> Section {
    Section { name, title, by_default: true, write }
}

const fn on_demand(
    name: &'static str,
    title: &'static str,
    write: fn(&Facts<'_>, &mut Fields),
) -> Section {
    Section { name, title, by_default: false, write }
}

/// All sections in the order they are given.
const SECTIONS: &[Section] = &[
    section("server", "Server", server::write),
    section("clients", "Clients", clients::write),
    section("memory", "Memory", memory::write),
    section("persistence", "Persistence", persistence::write),
    section("stats", "Stats", stats::write),
    section("replication", "Replication", replication::write),
    section("cpu", "CPU", cpu::write),
    // There are no modules to list.
    section("modules", "Modules", |_, _| {}),
    on_demand("commandstats", "Commandstats", commandstats::write),
    section("errorstats", "Errorstats", errorstats::write),
    on_demand("latencystats", "Latencystats", latencystats::write),
    section("cluster", "Cluster", |_, fields| fields.add("cluster_enabled", 0)),
    section("keyspace", "Keyspace", keyspace::write),
];

/// The fields of a section, as text.
struct Fields {
    text: String,
}

impl Fields {
    fn add(&mut self, name: impl fmt::Display, value: impl fmt::Display) {
        use fmt::Write as _;
        // Writing to a string cannot fail.
        let _ = write!(self.text, "{name}:{value}\r\n");
    }

    /// Several fields of one type.
    fn add_all<V: fmt::Display>(&mut self, fields: &[(&str, V)]) {
        for (name, value) in fields {
            self.add(name, value);
        }
    }
}

/// The text of the sections named; none named: those given by default.
pub(crate) fn text(facts: &Facts<'_>, named: &[&[u8]]) -> String {
    let is_named = |word: &str| named.iter().any(|name| ascii::is_word(name, word));
    let all = is_named("all") || is_named("everything");
    let default = named.is_empty() || is_named("default");
    let mut fields = Fields { text: String::new() };
    for section in SECTIONS {
        if all || (default && section.by_default) || is_named(section.name) {
            if !fields.text.is_empty() {
                fields.text.push_str("\r\n");
            }
            fields.text.push_str("# ");
            fields.text.push_str(section.title);
            fields.text.push_str("\r\n");
            (section.write)(facts, &mut fields);
        }
    }
    fields.text
}
