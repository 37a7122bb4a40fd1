//! Fields that expire: whoever asks finds them gone, and the round that nobody asks for finds them.

use vesta_store::{Access, Deadline, Deleted, Field, Hash, Keyspace, NewValue, Store, Why};
use vesta_types::{DbIndex, Mono, Now, Unix};

const DB: DbIndex = DbIndex::ZERO;
const START_MS: u64 = 1_700_000_000_000;

/// The time `ms` after the start.
fn at(ms: u64) -> Now {
    Now { mono: Mono(0), unix: Unix((START_MS + ms) * 1000) }
}

fn store() -> Store {
    let mut store = Store::new(4, Access::default(), 1);
    store.record_deleted(true);
    store
}

/// Sets `count` fields of the hash at `key` that expire `ms` after the start.
fn fill(store: &mut Store, key: &[u8], count: usize, ms: u64) {
    Keyspace::new(store, DB, at(0))
        .upsert_as(key, |hash: &mut Hash, rules| {
            for number in 0..count {
                let name = format!("{ms}:{number}");
                hash.set(name.as_bytes(), b"value", rules);
                hash.set_expiry(name.as_bytes(), Some(START_MS + ms), rules);
            }
        })
        .expect("the key is free or holds a hash");
}

/// The fields of the hash at `key`; `None` without the key.
fn len(store: &mut Store, key: &[u8]) -> Option<usize> {
    let mut keys = Keyspace::new(store, DB, at(0));
    keys.peek_as::<Hash>(key).expect("a hash").map(Hash::len)
}

/// Expires until nothing is due `ms` after the start, `visits` at a time: how many slices it took.
fn expire(store: &mut Store, ms: u64, visits: usize) -> usize {
    (1..).find(|_| store.expire_some(at(ms).unix, visits).done).expect("it comes to an end")
}

/// The names of the fields on record as deleted, by key.
fn expired(store: &mut Store) -> Vec<(Vec<u8>, usize)> {
    let named = |deleted: Deleted| {
        assert_eq!(deleted.why, Why::Expired);
        (deleted.key.to_vec(), deleted.fields.len())
    };
    store.take_deleted().into_iter().map(named).collect()
}

#[test]
fn a_round_deletes_what_is_due_and_the_hash_with_its_last_field() {
    let mut store = store();
    fill(&mut store, b"some", 3, 100);
    fill(&mut store, b"some", 2, 200);
    fill(&mut store, b"all", 4, 100);
    assert_eq!(expire(&mut store, 99, 1000), 1);
    assert!(expired(&mut store).is_empty());
    expire(&mut store, 100, 1000);
    let mut record = expired(&mut store);
    record.sort();
    assert_eq!(record, [(b"all".to_vec(), 4), (b"some".to_vec(), 3)]);
    assert_eq!((len(&mut store, b"all"), len(&mut store, b"some")), (None, Some(2)));
    expire(&mut store, 200, 1000);
    assert_eq!(expired(&mut store), [(b"some".to_vec(), 2)]);
    assert_eq!(store.size(DB).keys, 0);
    assert_eq!((store.stats().expired_fields, store.stats().expired), (9, 0));
    assert_eq!(store.bytes(), 0, "the accounts are even");
}

#[test]
fn a_large_hash_takes_as_many_slices_as_it_needs() {
    let mut store = store();
    fill(&mut store, b"large", 20_000, 100);
    for number in 0..200 {
        fill(&mut store, format!("small:{number}").as_bytes(), 1, 100);
    }
    let slices = expire(&mut store, 100, 512);
    assert!((40..400).contains(&slices), "{slices}");
    assert_eq!(store.size(DB).keys, 0);
    assert_eq!(store.stats().expired_fields, 20_200);
    assert_eq!(store.bytes(), 0, "the accounts are even");
}

#[test]
fn whoever_names_a_due_field_deletes_it() {
    let mut store = store();
    fill(&mut store, b"h", 2, 100);
    fill(&mut store, b"h", 1, 200);
    let mut keys = Keyspace::new(&mut store, DB, at(100));
    keys.expire_fields(b"h", [&b"100:0"[..], b"200:0", b"none"].into_iter());
    keys.expire_fields(b"none", [&b"100:0"[..]].into_iter());
    let deleted = store.take_deleted();
    let names: Vec<&[u8]> =
        deleted.iter().flat_map(|one| one.fields.iter().map(Field::name)).collect();
    assert_eq!(names, [b"100:0"]);
    assert_eq!(len(&mut store, b"h"), Some(2));
    let mut keys = Keyspace::new(&mut store, DB, at(200));
    keys.expire_fields(b"h", [&b"100:1"[..], b"200:0"].into_iter());
    assert_eq!(len(&mut store, b"h"), None);
    assert_eq!(store.bytes(), 0, "the accounts are even");
}

#[test]
fn a_paused_client_finds_the_fields_left_in_place() {
    let mut store = store();
    fill(&mut store, b"h", 2, 100);
    let mut keys = Keyspace::new(&mut store, DB, at(100)).frozen(true);
    keys.expire_fields(b"h", [&b"100:0"[..]].into_iter());
    assert_eq!(len(&mut store, b"h"), Some(2));
}

#[test]
fn hashes_are_found_wherever_they_went_and_forgotten_when_they_go() {
    let mut store = store();
    for key in [&b"renamed"[..], b"copied", b"moved", b"deleted", b"set", b"persisted"] {
        fill(&mut store, key, 1, 100);
    }
    let other = DbIndex::new(2, 4).expect("there are four databases");
    let mut keys = Keyspace::new(&mut store, DB, at(0));
    let mut entry = keys.remove(b"renamed").expect("it is there");
    entry.rename(b"name");
    keys.put(entry);
    let twin = keys.duplicate(b"copied", b"copy").expect("it is there");
    keys.put(twin);
    let entry = keys.remove(b"moved").expect("it is there");
    keys.of(other).put(entry);
    keys.delete(b"deleted");
    keys.set(b"set", NewValue::Int(1), Deadline::Never);
    keys.edit_as(b"persisted", |hash: &mut Hash, rules| hash.set_expiry(b"100:0", None, rules))
        .expect("it is a hash");
    expire(&mut store, 100, 1000);
    let mut record = expired(&mut store);
    record.sort();
    let expected = [&b"copied"[..], b"copy", b"moved", b"name"].map(|key| (key.to_vec(), 1));
    assert_eq!(record, expected);
    assert_eq!((store.size(DB).keys, store.size(other).keys), (2, 0));
    fill(&mut store, b"flushed", 1, 100);
    store.flush(DB, false);
    expire(&mut store, 200, 1000);
    assert!(expired(&mut store).is_empty());
    assert_eq!(store.bytes(), 0, "the accounts are even");
}
