//! Snapshots: what the keeper gets is what was there when the snapshot began, each key once,
//! whatever happens meanwhile; and nothing is left of it afterwards.

mod world;

use proptest::prelude::*;
use vesta_store::{Candidates, Evict, SnapshotPhase, Victims};
use world::{KEYS, Op, Type, World, db, key, op};

/// Entries of so many bytes are given in pieces: none, all, and those of long values.
const LARGE: [usize; 3] = [usize::MAX, 0, 600];

/// A world with keys of all types in two of its databases, some with an expiry.
fn full_world(large_bytes: usize) -> World {
    let mut world = World::new(large_bytes);
    for number in 0..2 {
        world.apply(Op::Select(number));
        for k in 0..KEYS {
            world.set(k, format!("value {k}").as_bytes(), (k % 5 == 0).then_some(k));
        }
        let types = [Type::Hash, Type::List, Type::Set, Type::Stream, Type::Zset];
        for (k, kind) in (0..KEYS / 2).zip(types.into_iter().cycle()) {
            world.apply(Op::Remove(k));
            let add = if k % 20 == 0 { Op::AddMany(kind, k) } else { Op::Add(kind, k, 3) };
            world.apply(add);
            if k % 3 == 0 {
                world.apply(Op::SetFieldExpiry(k, 3, k));
            }
        }
    }
    world.apply(Op::Select(0));
    world
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn a_snapshot_is_the_state_of_its_beginning(
        before in prop::collection::vec(op(), 0..40),
        during in prop::collection::vec(op(), 0..150),
        later in prop::collection::vec(op(), 0..40),
        is_full: bool,
        large in prop::sample::select(&LARGE),
    ) {
        let mut world = if is_full { full_world(large) } else { World::new(large) };
        for ops in [before, during, later] {
            ops.into_iter().for_each(|op| world.apply(op));
            world.finish();
            world.begin();
        }
        world.finish();
        world.check_accounts();
        prop_assert!(world.finished >= 1);
    }
}

/// Everything that can happen to entries, one way at a time, to all of them.
fn ways() -> Vec<(&'static str, Vec<Op>)> {
    let each = |op: fn(u16) -> Op| (0..KEYS).map(op).collect::<Vec<_>>();
    let after = |first: Op, then: Vec<Op>| [vec![first], then].concat();
    let evictions = |how: Evict| vec![Op::Evict(how != Evict::Soonest, how); 500];
    vec![
        ("set", each(|k| Op::Set(k, b"other".to_vec(), None))),
        ("set with an expiry", each(|k| Op::Set(k, vec![b'v'; 2000], Some(9)))),
        ("set, keeping the expiry", each(|k| Op::SetKeeping(k, 5))),
        ("set to an object", each(|k| Op::SetObject(k, Type::Zset, 1))),
        ("appended to", each(|k| Op::Append(k, 10))),
        ("edited without another value", each(Op::SetRaw)),
        ("added to, hash", each(|k| Op::Add(Type::Hash, k, 9))),
        ("added to, list", each(|k| Op::Add(Type::List, k, 9))),
        ("added to, set", each(|k| Op::Add(Type::Set, k, 9))),
        ("added to, stream", each(|k| Op::Add(Type::Stream, k, 9))),
        ("added to, sorted set", each(|k| Op::Add(Type::Zset, k, 9))),
        ("made large", each(|k| Op::AddMany(Type::Hash, k))),
        ("taken from, hash", each(|k| Op::Take(Type::Hash, k, 3))),
        ("taken from, list", each(|k| Op::Take(Type::List, k, 3))),
        ("taken from, set", each(|k| Op::Take(Type::Set, k, 3))),
        ("taken from, stream", each(|k| Op::Take(Type::Stream, k, 3))),
        ("taken from, sorted set", each(|k| Op::Take(Type::Zset, k, 3))),
        ("taken from unnoticed", each(|k| Op::TakeUnnoticed(k, 3))),
        ("removed", each(Op::Remove)),
        ("removed and made anew", [each(Op::Remove), each(|k| Op::SetKeeping(k, 5))].concat()),
        ("renamed", each(|k| Op::Rename(k, (k * 7 + 1) % KEYS))),
        ("copied over another", each(|k| Op::Copy(k, 0, (k * 7 + 1) % KEYS))),
        ("copied to another database", each(|k| Op::Copy(k, 1, k))),
        ("moved", each(|k| Op::Move(k, 1))),
        ("moved to and fro", [each(|k| Op::Move(k, 2)), each(|k| Op::Move(k, 0))].concat()),
        ("given an expiry", each(|k| Op::SetExpiry(k, Some(1)))),
        ("freed of an expiry", each(|k| Op::SetExpiry(k, None))),
        ("given a field expiry", each(|k| Op::SetFieldExpiry(k, 3, 1))),
        ("found expired", after(Op::Wait(700), each(Op::Look))),
        ("found expired by a scan", after(Op::Wait(700), each(|k| Op::Scan(u64::from(k))))),
        ("found expired by chance", after(Op::Wait(700), vec![Op::RandomKey; 300])),
        ("set when expired", after(Op::Wait(700), each(|k| Op::SetKeeping(k, 5)))),
        ("edited when expired", after(Op::Wait(700), each(|k| Op::Append(k, 5)))),
        ("copied over when expired", after(Op::Wait(700), each(|k| Op::Copy(1, 1, k)))),
        ("expired by the cycle", after(Op::Wait(700), vec![Op::ExpireSome(50); 100])),
        ("fields found expired", after(Op::Wait(700), each(|k| Op::ExpireFields(k, 3)))),
        ("evicted, least recent", evictions(Evict::LeastRecent)),
        ("evicted, least frequent", evictions(Evict::LeastFrequent)),
        ("evicted, soonest", evictions(Evict::Soonest)),
        ("evicted, random", evictions(Evict::Random)),
        ("flushed", vec![Op::Flush(false)]),
        ("flushed lazily", vec![Op::Flush(true)]),
        ("flushed twice", vec![Op::Flush(true), Op::SetMany(0, KEYS), Op::Flush(false)]),
        ("flushed, then evicted", after(Op::Flush(true), evictions(Evict::Random))),
        ("exchanged", vec![Op::Swap(0, 1), Op::SetMany(0, KEYS)]),
        ("exchanged, then flushed", vec![Op::Swap(0, 2), Op::Select(2), Op::Flush(true)]),
        ("exchanged in a ring", vec![Op::Swap(0, 1), Op::Swap(1, 2), Op::RemoveMany(0, KEYS)]),
    ]
}

#[test]
fn an_entry_is_given_as_it_was_whatever_happens_to_it() {
    for (way, (how, ops)) in ways().into_iter().enumerate() {
        for (time, steps_before) in [0, 25, 110].into_iter().enumerate() {
            let mut world = full_world(LARGE[(way + time) % LARGE.len()]);
            world.begin();
            world.step(steps_before);
            for (number, op) in ops.iter().enumerate() {
                world.apply(op.clone());
                if number % 50 == 49 {
                    world.step(1);
                }
            }
            world.finish();
            assert_eq!(world.finished, 1, "{how}");
            world.begin();
            world.finish();
            assert_eq!(world.finished, 2, "{how}, once more");
            world.check_accounts();
        }
    }
}

#[test]
fn an_aborted_snapshot_leaves_no_mark_and_the_next_one_is_exact() {
    for ((how, ops), large) in ways().into_iter().zip(LARGE.into_iter().cycle()) {
        let mut world = full_world(large);
        world.begin();
        world.step(30);
        ops.iter().for_each(|op| world.apply(op.clone()));
        world.apply(Op::Abort);
        assert_ne!(world.store.snapshot_phase(), SnapshotPhase::Running, "{how}");
        assert!(world.store.keeper().is_none());
        world.step(20);
        ops.iter().for_each(|op| world.apply(op.clone()));
        world.finish();
        assert_eq!(world.finished, 0);
        world.begin();
        world.finish();
        assert_eq!(world.finished, 1, "{how}");
        world.check_accounts();
    }
}

#[test]
fn a_database_flushed_under_a_snapshot_is_freed_by_its_steps() {
    for (lazily, large) in [(false, usize::MAX), (true, usize::MAX), (true, 600)] {
        let mut world = full_world(large);
        world.apply(Op::Flush(lazily));
        while world.store.reap(1000) {}
        let without = world.store.bytes();
        let mut world = full_world(large);
        world.begin();
        world.step(10);
        let before = world.store.bytes();
        assert_eq!(world.store.flush(db(0), lazily), usize::from(KEYS));
        assert_eq!(world.store.size(db(0)).keys, 0);
        assert!(!world.store.has_garbage() && world.store.bytes() + 500 > before);
        let mut last = world.store.bytes();
        while world.store.snapshot_phase() == SnapshotPhase::Running {
            world.step(4);
            while world.store.reap(50) {}
            assert!(last.saturating_sub(world.store.bytes()) < before / 4, "a slice is small");
            last = world.store.bytes();
        }
        assert!(last.abs_diff(without) < 1000, "{last} bytes, {without} without a snapshot");
        world.check_accounts();
    }
}

#[test]
fn eviction_frees_what_was_flushed_under_a_snapshot_before_it_takes_a_key() {
    for large in LARGE {
        let mut world = full_world(large);
        world.begin();
        world.store.flush(db(0), true);
        let (keys, full) = (world.store.size(db(1)).keys, world.store.bytes());
        let now = world.now().unix;
        let mut candidates = Candidates::default();
        while world.store.bytes() > full / 3 * 2 {
            world.store.evict_one(Evict::Random, Victims::All, 5, now, &mut candidates);
            assert_eq!(world.store.size(db(1)).keys, keys);
        }
        world.finish();
        assert_eq!(world.finished, 1);
    }
}

#[test]
fn an_empty_store_is_walked_at_once() {
    let mut world = World::new(usize::MAX);
    world.begin();
    assert_eq!(world.store.snapshot_phase(), SnapshotPhase::Running);
    world.apply(Op::SetMany(0, 50));
    world.step(0);
    assert_eq!((world.finished, world.store.size(db(0)).keys), (1, 50));
    assert!(world.keys().contains(&key(7)));
}

#[test]
#[should_panic(expected = "one snapshot at a time")]
fn a_second_snapshot_waits_for_the_first() {
    let mut world = full_world(usize::MAX);
    world.begin();
    world.apply(Op::Set(1, b"changed".to_vec(), None));
    world.apply(Op::Abort);
    world.store.begin_snapshot(Box::new(world::Lines::new(usize::MAX)));
}

/// A world with one key that is large, of which a part was given.
fn world_with_an_open_key(kind: Type) -> World {
    let mut world = World::new(1000);
    world.apply(Op::SetMany(0, 20));
    world.apply(Op::Remove(7));
    world.apply(Op::AddMany(kind, 7));
    world.begin();
    while !world.store.gives_large() {
        world.step(1);
    }
    world.step(1);
    assert!(world.store.gives_large(), "one step is not enough");
    world
}

#[test]
fn the_walk_waits_while_a_large_entry_is_given() {
    for kind in [Type::Hash, Type::List, Type::Set, Type::Zset] {
        let mut world = world_with_an_open_key(kind);
        let mut steps = 0;
        while world.store.gives_large() {
            world.step(1);
            steps += 1;
        }
        assert!(steps > 10, "{kind:?}: {steps} steps");
        world.finish();
        assert_eq!(world.finished, 1, "{kind:?}");
    }
}

#[test]
fn who_changes_an_open_entry_has_it_completed_first() {
    let change = |ops: &[Op]| {
        let mut world = world_with_an_open_key(Type::Hash);
        ops.iter().for_each(|op| world.apply(op.clone()));
        let is_given = !world.store.gives_large();
        world.finish();
        assert_eq!(world.finished, 1, "{ops:?}");
        world.check_accounts();
        is_given
    };
    assert!(change(&[Op::Add(Type::Hash, 7, 200)]));
    assert!(change(&[Op::Rename(7, 8)]));
    assert!(change(&[Op::Move(7, 1)]));
    assert!(change(&[Op::SetFieldExpiry(7, 3, 500)]));
    assert!(change(&[Op::SetExpiry(7, Some(500))]));
    // What is deleted, or given another value, is the snapshot's then.
    assert!(!change(&[Op::Remove(7)]));
    assert!(!change(&[Op::Remove(7), Op::Add(Type::Hash, 7, 1), Op::Remove(7)]));
    assert!(!change(&[Op::SetKeeping(7, 5)]));
    assert!(!change(&[Op::SetObject(7, Type::Set, 5)]));
    assert!(!change(&[Op::Copy(8, 0, 7)]));
    assert!(!change(&[Op::Flush(true), Op::SetMany(0, 20)]));
    assert!(!change(&[Op::Swap(0, 1), Op::SetMany(0, 20)]));
    assert!(!change(&[Op::Swap(0, 1), Op::Select(1), Op::Flush(true)]));
}
