//! A view for a log that is read again: nothing has expired, and access clocks tell the real time.

use vesta_store::{Access, Deadline, Keyspace, NewValue, Store};
use vesta_types::{DbIndex, Mono, Now, Unix};

const DB: DbIndex = DbIndex::ZERO;

fn at(secs: u64) -> Now {
    Now { mono: Mono(secs * 1_000_000), unix: Unix(secs * 1_000_000) }
}

#[test]
fn what_is_over_stays_until_it_is_looked_at_in_earnest() {
    let mut store = Store::new(1, Access::default(), 1);
    store.record_deleted(true);
    let mut keys = Keyspace::new(&mut store, DB, at(100)).replaying();
    assert_eq!(keys.now_ms(), 0, "every time to live is still to come");
    keys.set(b"k", NewValue::Int(1), Deadline::At(1));
    keys.set(b"k", NewValue::Int(2), Deadline::Keep);
    assert_eq!(keys.read(b"k").and_then(vesta_store::Entry::expiry), Some(1));
    assert!(keys.contains(b"k") && keys.beside(b"k").is_some());
    assert!(keys.of(DB).edit(b"k", |_| ()).is_some());
    assert_eq!(keys.iter().count(), 1);
    let clock = keys.look(b"k").map(vesta_store::Entry::clock).unwrap();
    assert_eq!(store.access().idle_seconds(clock, at(107).unix), 7);
    assert!(store.take_deleted().is_empty());
    assert!(!Keyspace::new(&mut store, DB, at(100)).contains(b"k"));
    assert_eq!(store.take_deleted().len(), 1);
}
