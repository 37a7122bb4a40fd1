//! Keys whose time has come are deleted by whoever meets them, and the deletion is handed on.

use crate::harness::{Harness, Session};
use vesta_config::{Config, Peer};

fn config(directive: &str, value: &str) -> Config {
    let pairs = [(directive.as_bytes(), value.as_bytes())];
    vesta_config::set(&Config::default(), &pairs, Peer::Local).unwrap().config
}

/// Sets `keys`, lets them expire, runs `words`, and gives what that propagated.
fn propagated_by(config: Config, keys: &[&str], words: &[&str]) -> Vec<String> {
    let (mut harness, mut session) = (Harness::new(config), Session::default());
    for key in keys {
        harness.ask(&mut session, &["SET", key, "v", "PX", "10"]).unwrap();
    }
    harness.take_stream();
    harness.advance(20);
    harness.ask(&mut session, words).unwrap();
    let stream = harness.take_stream();
    stream.iter().map(|words| String::from_utf8(words.join(&b' ')).unwrap()).collect()
}

#[test]
fn every_command_that_meets_an_expired_key_deletes_it() {
    for words in [
        &["GET", "k"][..],
        &["TTL", "k"],
        &["EXISTS", "k"],
        &["TYPE", "k"],
        &["TOUCH", "k"],
        &["OBJECT", "ENCODING", "k"],
        &["PERSIST", "k"],
        &["EXPIRE", "k", "100"],
        &["EXPIRE", "k", "-1"],
        &["DEL", "k"],
        &["UNLINK", "k"],
        &["COPY", "k", "other"],
        &["RENAME", "k", "other"],
        &["MOVE", "k", "1"],
        &["SCAN", "0"],
        &["RANDOMKEY"],
    ] {
        assert_eq!(propagated_by(Config::default(), &["k"], words), ["DEL k"], "{words:?}");
    }
}

#[test]
fn lazyfree_lazy_expire_makes_deletions_unlinks() {
    let lazy = || config("lazyfree-lazy-expire", "yes");
    assert_eq!(propagated_by(lazy(), &["k"], &["GET", "k"]), ["UNLINK k"]);
    let (mut harness, mut session) = (Harness::new(lazy()), Session::default());
    harness.ask(&mut session, &["SET", "k", "v"]).unwrap();
    harness.take_stream();
    harness.ask(&mut session, &["EXPIRE", "k", "0"]).unwrap();
    assert_eq!(harness.take_stream(), [[b"UNLINK".to_vec(), b"k".to_vec()]]);
}

#[test]
fn randomkey_deletes_expired_keys_until_it_finds_another_or_none() {
    let keys = ["a", "b", "c", "d", "e"];
    let mut deleted = propagated_by(Config::default(), &keys, &["RANDOMKEY"]);
    deleted.sort();
    assert_eq!(deleted, ["DEL a", "DEL b", "DEL c", "DEL d", "DEL e"]);
}

#[test]
fn a_thousand_expired_keys_do_not_hide_the_one_that_stays() {
    let (mut harness, mut session) = (Harness::new(Config::default()), Session::default());
    for number in 0..1000 {
        let key = format!("k:{number}");
        harness.ask(&mut session, &["SET", &key, "v", "PX", "10"]).unwrap();
    }
    harness.ask(&mut session, &["SET", "stays", "v"]).unwrap();
    harness.advance(20);
    let key = harness.ask(&mut session, &["RANDOMKEY"]).unwrap();
    assert_eq!(key.text(), Some(&b"stays"[..]));
}
