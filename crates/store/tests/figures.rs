//! Figures about the data that INFO shows.

use vesta_store::{Access, Deadline, Keyspace, NewValue, Store};
use vesta_types::{DbIndex, Mono, Now, Unix};

const NOW: Now = Now { mono: Mono(0), unix: Unix(1_700_000_000_000_000) };

fn filled(expiries_ms: &[Option<u64>]) -> Store {
    let mut store = Store::new(2, Access::default(), 1);
    let mut keys = Keyspace::new(&mut store, DbIndex::ZERO, NOW);
    for (number, expiry) in expiries_ms.iter().enumerate() {
        let deadline = expiry.map_or(Deadline::Never, |ms| Deadline::At(NOW.unix.ms() + ms));
        keys.set(format!("key:{number}").as_bytes(), NewValue::Bytes(b"v"), deadline);
    }
    store
}

#[test]
fn the_mean_time_to_live_is_that_of_the_keys_that_expire() {
    let mean = |store: &Store| store.mean_ttl_ms(DbIndex::ZERO, NOW.unix, 100);
    assert_eq!(mean(&filled(&[])), 0);
    assert_eq!(mean(&filled(&[None, None])), 0);
    assert_eq!(mean(&filled(&[Some(1000), None, Some(3000)])), 2000);
    // However far the times are, they do not overflow.
    let far = Some(u64::MAX / 2);
    assert!(mean(&filled(&[far, far, far])) > 0);
}

#[test]
fn what_is_freed_in_slices_is_counted() {
    let mut store = filled(&[None; 100]);
    assert_eq!(store.flush(DbIndex::ZERO, true), 100);
    assert_eq!((store.garbage_items(), store.stats().reaped), (100, 0));
    while store.reap(10) {}
    assert_eq!((store.garbage_items(), store.stats().reaped), (0, 100));
}
