//! What SPOP hands on: the members it drew.

use crate::harness::{Harness, Session};
use std::collections::BTreeSet;
use vesta_config::Config;

/// A set of so many members, and nothing propagated yet.
fn world(members: usize) -> (Harness, Session) {
    let (mut harness, mut session) = (Harness::new(Config::default()), Session::default());
    let names: Vec<String> = (0..members).map(|number| format!("m:{number}")).collect();
    let words: Vec<&str> =
        ["SADD", "s"].into_iter().chain(names.iter().map(String::as_str)).collect();
    harness.ask(&mut session, &words).unwrap();
    harness.take_stream();
    (harness, session)
}

/// The members in the reply to `words`.
fn popped(harness: &mut Harness, session: &mut Session, words: &[&str]) -> BTreeSet<Vec<u8>> {
    let reply = harness.ask(session, words).unwrap();
    reply.items().unwrap().iter().map(|member| member.text().unwrap().to_vec()).collect()
}

#[test]
fn members_that_went_are_removed_by_name() {
    // One by one while most stay, and the few that stay when most go.
    for (members, count) in [(100, 30), (1000, 30), (1000, 990), (100, 99)] {
        let (mut harness, mut session) = world(members);
        let gone = popped(&mut harness, &mut session, &["SPOP", "s", &count.to_string()]);
        assert_eq!(gone.len(), count);
        let stream = harness.take_stream();
        let [removal] = stream.as_slice() else { panic!("one command: {stream:?}") };
        let (name, names) = removal.split_at(2);
        assert_eq!(name, [b"SREM".to_vec(), b"s".to_vec()]);
        assert_eq!(names.iter().cloned().collect::<BTreeSet<_>>(), gone);
        let left = harness.ask(&mut session, &["SCARD", "s"]).unwrap().int().unwrap();
        assert_eq!(usize::try_from(left).unwrap(), members - count);
    }
}

#[test]
fn many_members_are_removed_together_by_several_commands() {
    let (mut harness, mut session) = world(5000);
    let gone = popped(&mut harness, &mut session, &["SPOP", "s", "2500"]);
    let stream = harness.take_stream();
    let names: Vec<&[u8]> = stream.iter().map(|words| words[0].as_slice()).collect();
    assert_eq!(names, [&b"MULTI"[..], b"SREM", b"SREM", b"SREM", b"EXEC"]);
    let removed: BTreeSet<Vec<u8>> =
        stream.iter().flat_map(|words| words.iter().skip(2)).cloned().collect();
    assert_eq!(removed, gone);
}
