//! Which watched keys count as modified, and what a store tells of single keys.

use vesta_store::{
    Access, AccessPolicy, Candidates, Class, Deadline, Evict, Keyspace, NewValue, Store, Victims,
};
use vesta_types::{DbIndex, Mono, Now, Unix};

const START_MS: u64 = 1_700_000_000_000;

fn at(ms: u64) -> Now {
    Now { mono: Mono(ms * 1000), unix: Unix((START_MS + ms) * 1000) }
}

fn db(index: u64) -> DbIndex {
    DbIndex::new(index, 4).expect("there are four")
}

fn store() -> Store {
    Store::new(4, Access { policy: AccessPolicy::Lru, log_factor: 10, decay_minutes: 1 }, 1)
}

fn set(store: &mut Store, now: Now, index: u64, key: &str, deadline: Deadline) {
    let value = NewValue::Bytes(b"v");
    Keyspace::new(store, db(index), now).set(key.as_bytes(), value, deadline);
}

/// The watched keys that were modified, with their databases.
fn modified(store: &mut Store) -> Vec<(u32, String)> {
    let all = store.take_modified().into_iter();
    all.map(|it| (it.db.get(), String::from_utf8(it.key.into_vec()).expect("text"))).collect()
}

#[test]
fn only_watched_keys_are_marked_and_as_long_as_they_are_watched() {
    let mut store = store();
    store.watch(db(0), b"k");
    store.watch(db(0), b"k");
    for key in ["k", "other"] {
        Keyspace::new(&mut store, db(0), at(0)).notify(Class::String, "set", key.as_bytes());
        Keyspace::new(&mut store, db(1), at(0)).notify(Class::String, "set", key.as_bytes());
    }
    assert_eq!(modified(&mut store), [(0, "k".to_owned())]);
    store.unwatch(db(0), b"k");
    Keyspace::new(&mut store, db(0), at(0)).mark(b"k");
    assert_eq!(modified(&mut store), [(0, "k".to_owned())]);
    store.unwatch(db(0), b"k");
    Keyspace::new(&mut store, db(0), at(0)).mark(b"k");
    assert!(!store.has_modified());
}

#[test]
fn an_event_alone_is_no_modification() {
    let mut store = store();
    store.watch(db(0), b"k");
    store.record_events(Class::ALL.into_iter().collect());
    Keyspace::new(&mut store, db(0), at(0)).tell(Class::Stream, "xsetid", b"k");
    assert!(!store.has_modified());
    assert_eq!(store.take_events().len(), 1);
}

#[test]
fn a_key_that_expires_is_modified_whoever_finds_it() {
    for active in [false, true] {
        let mut store = store();
        set(&mut store, at(0), 0, "k", Deadline::At(START_MS + 10));
        store.watch(db(0), b"k");
        assert!(!store.has_modified());
        if active {
            assert_eq!(store.expire_some(at(20).unix, 100).expired, 1);
        } else {
            assert!(Keyspace::new(&mut store, db(0), at(20)).read(b"k").is_none());
        }
        assert_eq!(modified(&mut store), [(0, "k".to_owned())], "active: {active}");
    }
}

#[test]
fn an_expired_key_that_a_frozen_view_leaves_is_not_modified() {
    let mut store = store();
    set(&mut store, at(0), 0, "k", Deadline::At(START_MS + 10));
    store.watch(db(0), b"k");
    assert!(Keyspace::new(&mut store, db(0), at(20)).frozen(true).read(b"k").is_none());
    assert!(!store.has_modified());
}

#[test]
fn an_evicted_key_is_modified() {
    let mut store = store();
    set(&mut store, at(0), 0, "k", Deadline::Never);
    store.watch(db(0), b"k");
    let mut candidates = Candidates::default();
    let gone =
        store.evict_one(Evict::Random, Victims::All, 5, at(0).unix, &mut candidates).is_some();
    assert!(gone);
    assert_eq!(modified(&mut store), [(0, "k".to_owned())]);
}

#[test]
fn a_flush_modifies_what_was_there() {
    let mut store = store();
    set(&mut store, at(0), 0, "there", Deadline::Never);
    set(&mut store, at(0), 1, "there", Deadline::Never);
    for key in [&b"there"[..], b"absent"] {
        store.watch(db(0), key);
    }
    store.flush(db(1), false);
    assert!(!store.has_modified());
    store.flush(db(0), true);
    assert_eq!(modified(&mut store), [(0, "there".to_owned())]);
    store.flush(db(0), true);
    assert!(!store.has_modified());
}

#[test]
fn an_exchange_modifies_what_is_there_before_or_after() {
    let mut store = store();
    set(&mut store, at(0), 0, "left", Deadline::Never);
    set(&mut store, at(0), 1, "right", Deadline::Never);
    set(&mut store, at(0), 1, "late", Deadline::At(START_MS + 10));
    for key in [&b"left"[..], b"right", b"late", b"absent"] {
        store.watch(db(0), key);
    }
    store.swap(db(0), db(0), at(20).unix);
    store.swap(db(2), db(3), at(20).unix);
    assert!(!store.has_modified());
    store.swap(db(0), db(1), at(20).unix);
    assert_eq!(modified(&mut store), [(0, "left".to_owned()), (0, "right".to_owned())]);
}

#[test]
fn what_happens_by_itself_is_told_in_order() {
    let mut store = store();
    store.record_events(Class::ALL.into_iter().collect());
    set(&mut store, at(0), 2, "k", Deadline::At(START_MS + 10));
    set(&mut store, at(20), 2, "k", Deadline::Never);
    let mut keys = Keyspace::new(&mut store, db(2), at(20));
    assert!(keys.read(b"gone").is_none() && keys.inspect(b"gone").is_none());
    assert!(keys.look(b"gone").is_none() && !keys.contains(b"gone"));
    let told: Vec<(u32, &str, Vec<u8>)> = store
        .take_events()
        .into_iter()
        .map(|event| (event.db.get(), event.name, event.key.into_vec()))
        .collect();
    let expected = [
        (2, "new", b"k".to_vec()),
        (2, "expired", b"k".to_vec()),
        (2, "new", b"k".to_vec()),
        (2, "keymiss", b"gone".to_vec()),
    ];
    assert_eq!(told, expected);
    store.record_events([Class::Expired].into_iter().collect());
    set(&mut store, at(20), 2, "l", Deadline::Never);
    assert!(!store.has_news());
}

#[test]
fn all_keys_are_marked_while_all_are_followed() {
    let mut store = store();
    store.follow_all(true);
    Keyspace::new(&mut store, db(0), at(0)).notify(Class::String, "set", b"a");
    Keyspace::new(&mut store, db(1), at(0)).mark(b"b");
    assert_eq!(modified(&mut store), [(0, "a".into()), (1, "b".into())]);
    assert!(!store.take_flood(), "no database changed as a whole");
    store.flush(db(1), false);
    assert!(store.take_flood());
    store.swap(db(0), db(1), at(0).unix);
    assert!(store.take_flood());
    store.follow_all(false);
    Keyspace::new(&mut store, db(0), at(0)).notify(Class::String, "set", b"c");
    store.flush(db(0), true);
    assert!(!store.has_news(), "nobody follows any more");
}
