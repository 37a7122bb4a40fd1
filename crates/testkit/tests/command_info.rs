//! What COMMAND INFO tells of our commands is what the reference tells, known differences aside.
//! `VESTA_BIN` names our server; without it there is nothing to compare.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of a test, which fails where a reply has another shape"
)]

use std::collections::BTreeMap;

use vesta_testkit::client::Client;
use vesta_testkit::process::{Oracle, Vesta};
use vesta_testkit::value::Value;

/// Positions of the ten facts that are compared, with their names.
const FACTS: [(usize, &str); 8] = [
    (1, "arity"),
    (2, "flags"),
    (3, "first key"),
    (4, "last key"),
    (5, "step"),
    (6, "categories"),
    (7, "tips"),
    (8, "key specs"),
];

/// What 7.2 changed: the command, the fact, and what it is now.
const CHANGED_IN_7_2: &[(&str, &str, &str)] = &[
    // Blocking commands are allowed in scripts.
    ("blmove", "flags", "blocking denyoom write"),
    ("blpop", "flags", "blocking write"),
    ("brpop", "flags", "blocking write"),
    ("brpoplpush", "flags", "blocking denyoom write"),
    ("bzpopmax", "flags", "blocking fast write"),
    ("bzpopmin", "flags", "blocking fast write"),
    ("client|setname", "tips", "request_policy:all_nodes response_policy:all_succeeded"),
    ("command|getkeys", "arity", ":-3"),
    ("command|getkeysandflags", "arity", ":-3"),
    (
        "randomkey",
        "tips",
        "nondeterministic_output request_policy:all_shards response_policy:special",
    ),
    ("scan", "tips", "nondeterministic_output request_policy:special response_policy:special"),
    ("zrank", "arity", ":-3"),
    ("zrevrank", "arity", ":-3"),
];

#[test]
fn command_info_agrees_with_the_reference() {
    let binary = std::env::var_os("VESTA_BIN").and_then(|_| Vesta::binary());
    let Some(binary) = binary else {
        eprintln!("SKIPPED: VESTA_BIN does not name the server to test");
        return;
    };
    if !Oracle::is_installed() {
        eprintln!("SKIPPED: redis-server is not installed, so nothing was compared with it");
        return;
    }
    let ours = Vesta::start(&binary, &[]).unwrap();
    let theirs = Oracle::start(&[]).unwrap();
    let ours = facts(&mut ours.client().unwrap());
    let theirs = facts(&mut theirs.client().unwrap());
    let mut compared = 0;
    let mut differences = Vec::new();
    for (name, ours) in &ours {
        // What is newer than the reference has nothing to be compared with.
        let Some(theirs) = theirs.get(name) else { continue };
        for ((fact, ours), (_, theirs)) in ours.iter().zip(theirs) {
            let known = CHANGED_IN_7_2.iter().find(|(of, what, _)| of == name && what == fact);
            let expected = known.map_or(theirs.as_str(), |(_, _, now)| *now);
            if ours != expected {
                differences.push(format!("{name}: {fact} is {ours}, should be {expected}"));
            }
            compared += 1;
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert!(compared > 100, "only {compared} facts were compared");
}

/// The facts of every command and sub-command by its full name.
fn facts(client: &mut Client) -> BTreeMap<String, Vec<(&'static str, String)>> {
    let reply = client.command(&["COMMAND"]).unwrap();
    let mut all = BTreeMap::new();
    collect(reply.items().unwrap_or_default(), &mut all);
    all
}

fn collect(commands: &[Value], all: &mut BTreeMap<String, Vec<(&'static str, String)>>) {
    for command in commands {
        let fields = command.items().unwrap_or_default();
        assert_eq!(fields.len(), 10, "{command}");
        let name = fields.first().and_then(Value::text).unwrap_or_default();
        let name = String::from_utf8_lossy(name).into_owned();
        let of = |(index, fact): (usize, &'static str)| (fact, normal(fact, &fields[index]));
        all.insert(name, FACTS.into_iter().map(of).collect());
        collect(fields[9].items().unwrap_or_default(), all);
    }
}

/// A fact as text; the order of flags and categories does not count, nor do notes for people.
fn normal(fact: &str, value: &Value) -> String {
    match (fact, value.items()) {
        ("flags" | "categories" | "tips", Some(items)) => {
            let texts = items.iter().map(|item| item.text().unwrap_or_default());
            let mut words: Vec<_> = texts.map(String::from_utf8_lossy).collect();
            words.sort();
            words.join(" ")
        }
        ("key specs", Some(specs)) => {
            let specs = specs.iter().map(|spec| {
                let fields = spec.pairs().unwrap_or_default();
                let fields = fields.iter().filter(|(name, _)| name.text() != Some(b"notes"));
                let fields = fields.map(|(name, value)| format!("{name} {value}"));
                fields.collect::<Vec<_>>().join(" ")
            });
            specs.collect::<Vec<_>>().join("; ")
        }
        _ => value.to_string(),
    }
}
