//! Keys that hold objects: wrong types, accounts, keys that go, memory that is freed in slices.
#![expect(unsafe_code, reason = "counting allocations needs an allocator")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use vesta_store::object::{encoding_name, type_name};
use vesta_store::{
    Access, Candidates, Deadline, Entry, Evict, Hash, Keeper, Keyspace, Kind, NewValue, Rules, Set,
    SnapshotPhase, Store, Victims, WrongType,
};
use vesta_types::{DbIndex, Mono, Now, Rng, Unix};

/// Counts the bytes that the current thread has allocated and not freed, rounded up to 8.
struct Counting;

thread_local! {
    static BYTES: Cell<usize> = const { Cell::new(0) };
}

fn count(change: impl Fn(usize) -> usize) {
    BYTES.with(|bytes| bytes.set(change(bytes.get())));
}

// SAFETY: every call is handed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(|bytes| bytes.wrapping_add(layout.size().next_multiple_of(8)));
        // SAFETY: by the caller's contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        count(|bytes| bytes.wrapping_sub(layout.size().next_multiple_of(8)));
        // SAFETY: by the caller's contract.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const DB: DbIndex = DbIndex::ZERO;
const NOW: Now = Now { mono: Mono(0), unix: Unix(1_700_000_000_000_000) };

/// A store, and what was allocated without it holding anything.
fn world() -> (Store, usize) {
    let store = Store::new(2, Access::default(), 1);
    (store, BYTES.get())
}

fn keys(store: &mut Store) -> Keyspace<'_> {
    Keyspace::new(store, DB, NOW)
}

/// Puts `members` members into the set at `key`.
fn fill_set(store: &mut Store, key: &[u8], members: usize) {
    keys(store)
        .upsert_as(key, |set: &mut Set, rules| {
            for number in 0..members {
                set.insert(format!("member:{number}").as_bytes(), rules);
            }
        })
        .expect("the key is free or holds a set");
}

/// Puts `fields` fields into the hash at `key`.
fn fill_hash(store: &mut Store, key: &[u8], fields: usize) {
    keys(store)
        .upsert_as(key, |hash: &mut Hash, rules| {
            for number in 0..fields {
                hash.set(format!("field:{number}").as_bytes(), &[b'v'; 20], rules);
            }
        })
        .expect("the key is free or holds a hash");
}

#[test]
fn a_value_of_another_type_is_refused_and_stays() {
    let (mut store, _) = world();
    fill_set(&mut store, b"set", 3);
    fill_hash(&mut store, b"hash", 3);
    let mut keys = keys(&mut store);
    keys.set(b"string", NewValue::Bytes(b"text"), Deadline::Never);
    for key in [b"set".as_slice(), b"hash"] {
        assert_eq!(keys.read_string(key).err(), Some(WrongType));
        assert_eq!(keys.look_string(key).err(), Some(WrongType));
        assert_eq!(keys.edit_string(key, |_| unreachable!()), Err(WrongType));
    }
    for key in [b"set".as_slice(), b"string"] {
        assert_eq!(keys.read_as::<Hash>(key).err(), Some(WrongType));
        assert_eq!(keys.look_as::<Hash>(key).err(), Some(WrongType));
        assert_eq!(keys.edit_as(key, |_: &mut Hash, _| unreachable!()), Err(WrongType));
        assert_eq!(keys.upsert_as(key, |_: &mut Hash, _| unreachable!()), Err(WrongType));
    }
    assert!(keys.read_as::<Set>(b"none").unwrap().is_none());
    assert_eq!(keys.read_as::<Set>(b"set").unwrap().map(Set::len), Some(3));
    assert_eq!(keys.peek(b"set").map(type_name), Some("set"));
    assert_eq!(keys.peek(b"hash").map(type_name), Some("hash"));
    assert_eq!(keys.peek(b"string").map(type_name), Some("string"));
    assert_eq!(keys.peek(b"string").map(encoding_name), Some("embstr"));
    assert_eq!(keys.peek(b"hash").map(encoding_name), Some("listpack"));
}

#[test]
fn a_key_comes_with_its_first_element_and_goes_with_its_last() {
    let (mut store, _) = world();
    let mut keys = keys(&mut store);
    keys.upsert_as(b"set", |_: &mut Set, _| ()).unwrap();
    assert!(!keys.contains(b"set"), "nothing was put into it");
    assert_eq!(keys.edit_as(b"set", |_: &mut Set, _| ()), Ok(None));
    let inserted = keys.upsert_as(b"set", |set: &mut Set, rules| set.insert(b"m", rules));
    assert_eq!((inserted, keys.contains(b"set")), (Ok(true), true));
    let emptied = keys.edit_as(b"set", |set: &mut Set, _| (set.remove(b"m"), set.is_empty()));
    assert_eq!((emptied, keys.contains(b"set")), (Ok(Some((true, true))), false));
}

/// One of the ways in which keys with objects change.
fn change_something(store: &mut Store, rng: &mut Rng) {
    let key = format!("key:{}", rng.below(6));
    let (key, element) = (key.as_bytes(), format!("element:{}", rng.below(700)));
    let element = element.as_bytes();
    let mut view = keys(store);
    match rng.below(40) {
        0 => view.set(key, NewValue::Bytes(&[b'v'; 50]), Deadline::Never),
        1 => drop(view.delete(key)),
        2 => {
            if let Some(copy) = view.duplicate(key, b"copy") {
                view.put(copy);
            }
        }
        3 => {
            if let Some(mut entry) = view.remove(key) {
                entry.rename(b"another name");
                view.put(entry);
            }
        }
        4 => drop(view.set_expiry(key, Some(u64::MAX))),
        5 => view.set_object(key, Set::empty().into_object(), Deadline::Keep),
        6 => drop(store.reap(20)),
        7..20 => drop(view.upsert_as(key, |set: &mut Set, rules| {
            for number in 0..10_i64 {
                set.insert(number * 1000, rules);
            }
            set.insert(element, rules)
        })),
        20..33 => drop(view.upsert_as(key, |hash: &mut Hash, rules| {
            hash.set(element, b"value", rules);
            hash.set_expiry(element, Some(u64::MAX - 1), rules)
        })),
        33..36 => drop(view.edit_as(key, |set: &mut Set, _| set.remove(element))),
        _ => drop(view.edit_as(key, |hash: &mut Hash, _| hash.remove(element))),
    }
}

#[test]
fn the_accounts_are_what_was_allocated() {
    let (mut store, start) = world();
    let mut rng = Rng::new(5);
    for step in 0..4000 {
        change_something(&mut store, &mut rng);
        let expected = BYTES.get().wrapping_sub(start);
        assert_eq!(store.bytes(), expected, "after step {step}");
    }
    store.flush(DB, false);
    while store.reap(1000) {}
    assert!(store.bytes() <= 256, "{} bytes", store.bytes());
}

/// A keeper that owns no memory.
#[derive(Debug)]
struct Forgetful;

impl Keeper for Forgetful {
    fn keep(&mut self, _: DbIndex, _: &Entry) {}

    fn drain(&mut self) -> Vec<u8> {
        Vec::new()
    }
}

#[test]
fn the_accounts_are_what_was_allocated_while_snapshots_are_taken() {
    let (mut store, start) = world();
    let mut rng = Rng::new(9);
    for step in 0..4000 {
        change_something(&mut store, &mut rng);
        match (store.snapshot_phase(), rng.below(30)) {
            (SnapshotPhase::Idle, 0) => store.begin_snapshot(Box::new(Forgetful)),
            (SnapshotPhase::Running, 0) => store.abort_snapshot(),
            (_, 1) => drop(store.flush(DB, rng.below(2) == 0)),
            (SnapshotPhase::Running, 2..9) if store.snapshot_step(1) => store.end_snapshot(),
            (SnapshotPhase::Clearing, 2..9) => drop(store.snapshot_step(1)),
            _ => {}
        }
        let expected = BYTES.get().wrapping_sub(start);
        assert_eq!(store.bytes(), expected, "after step {step}");
    }
}

#[test]
fn a_large_value_is_freed_in_slices_whatever_removes_it() {
    type Remove = fn(&mut Store);
    let ways: [(&str, Remove); 6] = [
        ("deleted", |store| assert!(keys(store).delete(b"big"))),
        ("overwritten", |store| keys(store).set(b"big", NewValue::Int(1), Deadline::Never)),
        ("replaced", |store| {
            let mut keys = keys(store);
            keys.set(b"small", NewValue::Int(1), Deadline::Never);
            let mut entry = keys.remove(b"small").unwrap();
            entry.rename(b"big");
            keys.put(entry);
        }),
        ("expired", |store| {
            keys(store).set_expiry(b"big", Some(1));
            assert!(!keys(store).contains(b"big"));
        }),
        ("expired by the cycle", |store| {
            keys(store).set_expiry(b"big", Some(1));
            assert_eq!(store.expire_some(NOW.unix, 100).expired, 1);
        }),
        ("evicted", |store| {
            let mut candidates = Candidates::default();
            let (evict, all) = (Evict::LeastRecent, Victims::All);
            assert!(store.evict_one(evict, all, 5, NOW.unix, &mut candidates).is_some());
        }),
    ];
    for (how, remove) in ways {
        let (mut store, _) = world();
        fill_set(&mut store, b"big", 2000);
        let before = store.bytes();
        remove(&mut store);
        assert!(store.has_garbage(), "{how}");
        assert!(store.bytes() > before - 500, "{how}: all is still there");
        let (mut slices, mut last) = (0, store.bytes());
        while store.reap(100) {
            slices += 1;
            assert!(last - store.bytes() < 10_000, "{how}: a slice is small");
            last = store.bytes();
        }
        assert!(slices >= 15, "{how}: {slices} slices");
        assert!(store.bytes() < 1000, "{how}: {} bytes are left", store.bytes());
    }
}

#[test]
fn a_small_hash_lies_in_its_entry_until_it_grows() {
    let (mut store, _) = world();
    let shown = |store: &mut Store, key: &[u8]| {
        let mut keys = keys(store);
        let hash: Option<&Hash> = keys.read_as(key).expect("it is a hash");
        format!("{:?}", hash.expect("it is there"))
    };
    let is_packed =
        |store: &mut Store| keys(store).peek(b"hash").is_some_and(|entry| entry.packed().is_some());
    let value = [b'v'; 60];
    for number in 0..10 {
        let name = format!("field:{number}");
        let set = |hash: &mut Hash, rules: &Rules| hash.set(name.as_bytes(), &value, rules);
        assert_eq!(keys(&mut store).upsert_as(b"hash", set), Ok(true));
        assert_eq!(is_packed(&mut store), number < 5, "with {} fields", number + 1);
        assert_eq!(keys(&mut store).read_as::<Set>(b"hash").err(), Some(WrongType));
        let entry = keys(&mut store).duplicate(b"hash", b"copy").expect("it is there");
        assert_eq!((type_name(&entry), encoding_name(&entry)), ("hash", "listpack"));
        keys(&mut store).put(entry);
        assert_eq!(shown(&mut store, b"copy"), shown(&mut store, b"hash"));
    }
    for number in 0..9 {
        let name = format!("field:{number}");
        let remove = |hash: &mut Hash, _: &Rules| hash.remove(name.as_bytes());
        assert_eq!(keys(&mut store).edit_as(b"hash", remove), Ok(Some(true)));
        assert_eq!(is_packed(&mut store), number >= 4, "with {} fields", 9 - number);
    }
    let left = keys(&mut store).read_as::<Hash>(b"hash").map(|hash| hash.map(Hash::len));
    assert_eq!(left, Ok(Some(1)));
    let expire = |hash: &mut Hash, rules: &Rules| hash.set_expiry(b"field:9", Some(9), rules);
    assert_eq!(keys(&mut store).edit_as(b"hash", expire), Ok(Some(true)));
    assert!(!is_packed(&mut store), "a listpack has no place for an expiry");
    let remove = |hash: &mut Hash, _: &Rules| hash.remove(b"field:9");
    assert_eq!(keys(&mut store).edit_as(b"hash", remove), Ok(Some(true)));
    assert!(!keys(&mut store).contains(b"hash"), "an empty hash goes");
}

#[test]
fn a_small_value_is_freed_at_once() {
    let (mut store, _) = world();
    fill_hash(&mut store, b"hash", 500);
    keys(&mut store).delete(b"hash");
    assert!(!store.has_garbage());
}

#[test]
fn a_database_flushed_lazily_frees_its_large_values_in_slices() {
    let (mut store, _) = world();
    for number in 0..20 {
        fill_hash(&mut store, format!("hash:{number}").as_bytes(), 1000);
    }
    assert_eq!(store.flush(DB, true), 20);
    assert_eq!(store.garbage_items(), 20);
    let mut last = store.bytes();
    let mut slices = 0;
    while store.reap(100) {
        slices += 1;
        assert!(last - store.bytes() < 20_000, "a slice is small");
        last = store.bytes();
    }
    assert!(slices >= 190, "{slices} slices");
    assert_eq!((store.garbage_items(), store.stats().reaped), (0, 20));
}

#[test]
fn what_is_remembered_of_hashes_whose_fields_expire_is_freed_in_slices_too() {
    let (mut store, _) = world();
    for number in 0..5000 {
        let key = format!("hash:{number}");
        fill_hash(&mut store, key.as_bytes(), 1);
        let expire = |hash: &mut Hash, rules: &Rules| hash.set_expiry(b"field:0", Some(9), rules);
        assert_eq!(keys(&mut store).edit_as(key.as_bytes(), expire), Ok(Some(true)));
    }
    let full = store.overhead_bytes();
    store.flush(DB, true);
    let mut last = store.bytes();
    assert!(store.overhead_bytes() >= full, "nothing is freed yet");
    while store.reap(100) {
        assert!(last - store.bytes() < 60_000, "a slice is small");
        last = store.bytes();
    }
    assert!(store.bytes() < 2000, "{} bytes are left: lists that can be used again", store.bytes());
}

#[test]
fn eviction_waits_for_what_is_being_freed() {
    let (mut store, _) = world();
    fill_set(&mut store, b"big", 1000);
    keys(&mut store).delete(b"big");
    keys(&mut store).set(b"key", NewValue::Int(1), Deadline::Never);
    let mut candidates = Candidates::default();
    while store.has_garbage() {
        let freed = store.evict_one(Evict::Random, Victims::All, 5, NOW.unix, &mut candidates);
        assert!(freed.is_some_and(|bytes| bytes > 0));
        assert_eq!(store.size(DB).keys, 1);
    }
    assert!(store.evict_one(Evict::Random, Victims::All, 5, NOW.unix, &mut candidates).is_some());
    assert_eq!(store.size(DB).keys, 0);
}

#[test]
fn a_copy_shares_nothing() {
    let (mut store, _) = world();
    for (key, fields) in [(b"small".as_slice(), 3), (b"large", 1000)] {
        fill_hash(&mut store, key, fields);
        let mut keys = keys(&mut store);
        let copy = keys.duplicate(key, b"copy").unwrap();
        keys.put(copy);
        keys.edit_as(key, |hash: &mut Hash, _| hash.remove(b"field:1")).unwrap();
        assert_eq!(keys.read_as::<Hash>(key).unwrap().map(Hash::len), Some(fields - 1));
        assert_eq!(keys.read_as::<Hash>(b"copy").unwrap().map(Hash::len), Some(fields));
    }
}
