//! What every spec must say, whatever the command.

use std::collections::BTreeSet;
use vesta_cmd::{Command, Run, commands};
use vesta_spec::syntax::{self, Argument, Kind};
use vesta_spec::{Arity, Flags, KeyFlags, Spec};

/// All commands and sub-commands, with their full names.
fn everything() -> Vec<(String, &'static Command)> {
    let mut all = Vec::new();
    for command in commands() {
        all.push((command.spec.name.to_string(), command));
        for sub in command.within() {
            assert!(sub.within().is_empty(), "containers do not nest: {}", command.spec.name);
            all.push((format!("{}|{}", command.spec.name, sub.spec.name), sub));
        }
    }
    all
}

fn has_key(arguments: &[Argument]) -> bool {
    arguments.iter().any(|argument| argument.kind == Kind::Key || has_key(&argument.within))
}

fn is_version(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    parts.len() == 3 && parts.iter().all(|part| part.parse::<u32>().is_ok())
}

#[test]
fn names_are_unique_and_in_lower_case() {
    let all = everything();
    let names: BTreeSet<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names.len(), all.len());
    for name in names {
        assert_eq!(name, name.to_ascii_lowercase());
        assert!(name.split('|').all(|word| !word.is_empty()), "{name}");
    }
}

#[test]
fn documentation_is_complete() {
    for (name, command) in everything() {
        let spec = &command.spec;
        assert!(spec.summary.ends_with('.'), "{name}: a summary is a sentence");
        assert!(spec.summary.starts_with(|c: char| c.is_ascii_uppercase()), "{name}");
        assert!(is_version(spec.since), "{name}: since {}", spec.since);
        for (version, change) in spec.history {
            assert!(is_version(version) && change.ends_with('.'), "{name}: {version} {change}");
        }
        if let Some(deprecated) = spec.deprecated {
            assert!(is_version(deprecated.since), "{name}");
            assert!(!deprecated.replaced_by.is_empty(), "{name}");
        }
    }
}

/// How many words an argument takes at least when it is there.
fn least_words(argument: &Argument) -> usize {
    let token = usize::from(argument.token.is_some());
    match argument.kind {
        Kind::PureToken => 1,
        Kind::OneOf => token + argument.within.iter().map(least_words).min().unwrap_or(0),
        Kind::Block => token + needed_words(&argument.within),
        Kind::String
        | Kind::Integer
        | Kind::Double
        | Kind::Key
        | Kind::Pattern
        | Kind::UnixTime => token + 1,
    }
}

/// How many words must be there.
fn needed_words(arguments: &[Argument]) -> usize {
    arguments.iter().filter(|argument| !argument.optional).map(least_words).sum()
}

#[test]
fn syntax_lines_are_read_and_agree_with_keys_and_arity() {
    for (name, command) in everything() {
        let Spec { syntax, keys, arity, .. } = &command.spec;
        let arguments = syntax::parse(syntax).unwrap_or_else(|error| panic!("{name}: {error:?}"));
        // Shard channels are routed as keys, and are none.
        let has_keys = keys.iter().any(|keys| !keys.flags.has(KeyFlags::NOT_KEY));
        assert_eq!(has_key(&arguments), has_keys, "{name}: keys of `{syntax}`");
        let words = name.split('|').count() + needed_words(&arguments);
        let is_open = arguments.iter().any(|argument| argument.optional || argument.multiple);
        match arity {
            // Containers and DEBUG leave the rest to their sub-commands.
            _ if !command.within().is_empty() || command.spec.internal => {}
            Arity::Exactly(_) => {
                assert!(arity.accepts(words) && !is_open, "{name}: {arity:?} for `{syntax}`");
            }
            Arity::AtLeast(least) => {
                assert!(usize::from(*least) <= words, "{name}: {arity:?} for `{syntax}`");
            }
        }
    }
}

/// A read by its flags, as everywhere, that stores the count in the value.
const STORING_READ: &str = "pfcount";

#[test]
fn flags_follow_from_the_handler() {
    for (name, command) in everything() {
        let flags = command.spec.flags;
        let (reads, writes) = (flags.has(Flags::READONLY), flags.has(Flags::WRITE));
        match command.run {
            // HELP of a family of reads is none itself.
            Run::Read(_) => assert!(!writes, "{name}"),
            Run::Write(_) if name == STORING_READ => assert!(reads && !writes),
            Run::Write(_) => assert!(writes && !reads, "{name}"),
            Run::Control(_) | Run::Branching { .. } => assert!(!(reads && writes), "{name}"),
            Run::Container(_) => assert!(!reads && !writes && command.spec.keys.is_empty()),
        }
        let variable = command.spec.keys.iter().any(|k| k.flags.has(KeyFlags::VARIABLE_FLAGS));
        assert_eq!(variable, command.spec.flags_of_request.is_some(), "{name}");
        for keys in command.spec.keys.iter().filter(|_| reads && name != STORING_READ) {
            assert!(keys.flags.has(KeyFlags::RO), "{name}: a read does not change keys");
        }
    }
}
