//! The table of directives for the documentation.

use alloc::string::String;
use alloc::vec::Vec;

use vesta_types::ascii::lossy;

use crate::{Config, Effect, Takes, options};

/// One row.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DocsRow {
    /// The heading the directive stands under.
    pub group: &'static str,
    /// Its name.
    pub name: &'static str,
    /// An older name that works as well.
    pub alias: Option<&'static str>,
    /// Its default as CONFIG GET shows it.
    pub default: String,
    /// When a new value takes effect.
    pub takes: Takes,
    /// Whether it does something in this version.
    pub effect: Effect,
}

/// All directives. `include` comes first: it is part of the grammar and has no entry of its own.
#[must_use]
pub fn docs_table() -> Vec<DocsRow> {
    let config = Config::default();
    let include = DocsRow {
        group: "Includes",
        name: "include",
        alias: None,
        default: String::new(),
        takes: Takes::Start,
        effect: Effect::Yes,
    };
    let row = |(group, option): (&'static str, &'static crate::Opt)| DocsRow {
        group,
        name: option.name,
        alias: option.alias,
        default: lossy(&option.value(&config)),
        takes: option.takes,
        effect: option.effect,
    };
    let entries = options::GROUPS
        .iter()
        .flat_map(|group| group.options.iter().map(|option| (group.title, option)));
    core::iter::once(include).chain(entries.map(row)).collect()
}
