//! SCAN's promise: what is there from the first call to the last is returned at least once.

use crate::harness::{Harness, Session};
use proptest::prelude::*;
use std::collections::BTreeSet;
use vesta_config::Config;
use vesta_testkit::value::Value;

/// Something that happens between two calls of SCAN.
#[derive(Clone, Debug)]
enum Step {
    /// Keys `from..from + count` come, some of them about to expire.
    Come { from: u32, count: u32 },
    /// Keys `from..from + count` go.
    Go { from: u32, count: u32 },
    /// Time passes, so that keys expire.
    Wait,
}

fn step() -> impl Strategy<Value = Step> {
    let range = || (0..2000_u32, 1..400_u32);
    prop_oneof![
        3 => range().prop_map(|(from, count)| Step::Come { from, count }),
        3 => range().prop_map(|(from, count)| Step::Go { from, count }),
        1 => Just(Step::Wait),
    ]
}

struct Scanned {
    harness: Harness,
    session: Session,
    cursor: Vec<u8>,
    seen: BTreeSet<Vec<u8>>,
}

impl Scanned {
    fn new() -> Self {
        Self {
            harness: Harness::new(Config::default()),
            session: Session::default(),
            cursor: b"0".to_vec(),
            seen: BTreeSet::new(),
        }
    }

    fn ask(&mut self, words: &[&str]) -> Value {
        self.harness.ask(&mut self.session, words).unwrap()
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Come { from, count } => {
                for number in from..from + count {
                    let key = format!("other:{number}");
                    if number % 3 == 0 {
                        self.ask(&["SET", &key, "v", "PX", "50"]);
                    } else {
                        self.ask(&["SET", &key, "v"]);
                    }
                }
            }
            Step::Go { from, count } => {
                for number in from..from + count {
                    self.ask(&["DEL", &format!("other:{number}")]);
                }
            }
            Step::Wait => self.harness.advance(100),
        }
    }

    /// One call; whether it was the last.
    fn scan(&mut self, options: &[&str]) -> bool {
        let cursor = String::from_utf8(self.cursor.clone()).unwrap();
        let words = [&["SCAN", &cursor], options].concat();
        let reply = self.ask(&words);
        let [next, keys] = reply.items().unwrap() else { panic!("{reply:?}") };
        self.cursor = next.text().unwrap().to_vec();
        for key in keys.items().unwrap() {
            self.seen.insert(key.text().unwrap().to_vec());
        }
        self.cursor == b"0"
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 48,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn keys_that_stay_are_returned_whatever_comes_and_goes(
        staying in 0..300_u32,
        before in prop::collection::vec(step(), 0..4),
        steps in prop::collection::vec(step(), 0..24),
        count in 1..60_u32,
        matching in any::<bool>(),
    ) {
        let mut scanned = Scanned::new();
        let stays: BTreeSet<Vec<u8>> =
            (0..staying).map(|number| format!("stays:{number}").into_bytes()).collect();
        for key in &stays {
            scanned.ask(&["SET", std::str::from_utf8(key).unwrap(), "v"]);
        }
        before.iter().for_each(|step| scanned.take(step));
        let count = count.to_string();
        let mut options = vec!["COUNT", &count, "TYPE", "string"];
        if matching {
            options.extend(["MATCH", "stays:*"]);
        }
        let mut done = scanned.scan(&options);
        for step in &steps {
            if done {
                break;
            }
            scanned.take(step);
            done = scanned.scan(&options);
        }
        // Without further changes the scan ends: it never visits a bucket twice.
        for _ in 0..3000 {
            if done {
                break;
            }
            done = scanned.scan(&options);
        }
        prop_assert!(done, "the scan does not end");
        prop_assert!(scanned.seen.is_superset(&stays));
        if matching {
            prop_assert_eq!(scanned.seen, stays);
        }
    }
}

#[test]
fn a_call_looks_at_about_as_many_keys_as_it_was_asked_for() {
    let mut scanned = Scanned::new();
    for number in 0..10_000 {
        scanned.ask(&["SET", &format!("k:{number}"), "v"]);
    }
    let mut calls = 1;
    let mut largest = 0;
    while !scanned.scan(&["COUNT", "100"]) {
        largest = largest.max(scanned.seen.len());
        calls += 1;
        assert!(scanned.seen.len() <= calls * 150, "{} in {calls}", scanned.seen.len());
    }
    assert_eq!(scanned.seen.len(), 10_000);
    assert!(largest < 10_000 && calls <= 100, "{calls} calls");
}

#[test]
fn a_call_that_matches_nothing_ends_all_the_same() {
    let mut scanned = Scanned::new();
    for number in 0..10_000 {
        scanned.ask(&["SET", &format!("k:{number}"), "v"]);
    }
    assert!(!scanned.scan(&["MATCH", "nothing"]));
    assert!(scanned.seen.is_empty());
}
