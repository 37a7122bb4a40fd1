//! Which commands count as a use of a key.

use crate::harness::{Harness, Session};
use vesta_config::Config;

/// Seconds that OBJECT IDLETIME tells when `words` ran on a key that had been idle for 100.
fn idle_seconds_after(words: &[&str]) -> Option<i64> {
    let (mut harness, mut session) = (Harness::new(Config::default()), Session::default());
    harness.ask(&mut session, &["SET", "k", "v"]).unwrap();
    harness.advance(100_000);
    harness.ask(&mut session, words).unwrap();
    harness.ask(&mut session, &["OBJECT", "IDLETIME", "k"]).unwrap().int()
}

#[test]
fn asking_about_a_key_is_no_use_of_it() {
    for words in [
        &["EXISTS", "k"][..],
        &["TTL", "k"],
        &["PEXPIRETIME", "k"],
        &["TYPE", "k"],
        &["OBJECT", "ENCODING", "k"],
        &["OBJECT", "IDLETIME", "k"],
        &["KEYS", "*"],
        &["SCAN", "0"],
        &["RANDOMKEY"],
    ] {
        assert_eq!(idle_seconds_after(words), Some(100), "{words:?}");
    }
}

#[test]
fn working_with_a_key_is_a_use_of_it() {
    for words in [
        &["GET", "k"][..],
        &["TOUCH", "k"],
        &["EXPIRE", "k", "100"],
        &["PERSIST", "k"],
        &["COPY", "k", "other"],
        &["APPEND", "k", "x"],
    ] {
        assert_eq!(idle_seconds_after(words), Some(0), "{words:?}");
    }
}
