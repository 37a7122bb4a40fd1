//! INFO: what the server tells about itself, a file per section.

mod server;

use crate::server::Server;
use alloc::string::String;
use vesta_store::Store;
use vesta_types::{Now, ascii};

/// What a section is written from.
struct Facts<'a> {
    server: &'a Server,
    store: &'a Store,
    now: Now,
}

/// A section of INFO.
struct Section {
    /// The name it is asked for by, in lower case.
    name: &'static str,
    /// Whether it is among those given when none is asked for.
    by_default: bool,
    write: fn(&Facts<'_>, &mut String),
}

/// All sections in the order they are given.
const SECTIONS: &[Section] = &[Section { name: "server", by_default: true, write: server::write }];

/// The text of the sections named; none named: those given by default.
pub(crate) fn text(server: &Server, store: &Store, now: Now, named: &[&[u8]]) -> String {
    let facts = Facts { server, store, now };
    let is_named = |word: &str| named.iter().any(|name| ascii::is_word(name, word));
    let all = is_named("all") || is_named("everything");
    let default = named.is_empty() || is_named("default");
    let mut text = String::new();
    for section in SECTIONS {
        if all || (default && section.by_default) || is_named(section.name) {
            if !text.is_empty() {
                text.push_str("\r\n");
            }
            (section.write)(&facts, &mut text);
        }
    }
    text
}
