//! Byte identity with a real server, a model, and bytes that no honest writer makes.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::vec::Vec;

#[test]
fn the_bytes_are_those_of_a_real_server() {
    let mut seen = 0;
    for line in include_str!("../../tests/data/intset.txt").lines() {
        if line.starts_with('#') {
            continue;
        }
        let (steps, hex) = line.split_once(" => ").unwrap();
        let mut set = Intset::new();
        for step in steps.split(' ') {
            match step.strip_prefix('!') {
                Some(gone) => assert!(set.remove(gone.parse().unwrap())),
                None => assert!(set.add(step.parse().unwrap())),
            }
        }
        let theirs: Vec<u8> = (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
            .collect();
        assert_eq!(set.bytes(), theirs, "{line}");
        assert_eq!(Intset::validate(&theirs), Ok(set), "{line}");
        seen += 1;
    }
    assert!(seen > 10, "only {seen} fixtures");
}

#[test]
fn what_does_not_add_up_is_refused_where_it_does_not() {
    let good: Intset = [1, 2, 70000].into_iter().collect();
    let good = good.bytes().to_vec();
    let refused = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bad = good.clone();
        change(&mut bad);
        Intset::validate(&bad).unwrap_err().at_byte
    };
    assert_eq!(refused(&|bad| bad.truncate(7)), 7);
    assert_eq!(refused(&|bad| bad[0] = 3), 0);
    assert_eq!(refused(&|bad| bad[0] = 2), 4);
    assert_eq!(refused(&|bad| bad[4] = 4), 4);
    assert_eq!(refused(&|bad| bad[7] = 0xff), 4);
    assert_eq!(refused(&|bad| bad[12] = 1), 12, "twice the same");
    assert_eq!(refused(&|bad| bad[19] = 0xff), 16, "out of order");
    assert_eq!(Intset::validate(Intset::new().bytes()).unwrap_err().at_byte, 4);
}

/// Few enough numbers that they meet, in every width.
fn number() -> impl Strategy<Value = i64> {
    prop_oneof![
        4 => -10..10_i64,
        1 => (0..64_u32, -1..2_i64).prop_map(|(bits, by)| 1_i64.rotate_left(bits).wrapping_add(by)),
    ]
}

proptest! {
    #[test]
    fn it_behaves_as_an_ordered_set(
        steps in prop::collection::vec((prop::bool::weighted(0.6), number()), 0..200),
    ) {
        let mut set = Intset::new();
        let mut model = BTreeSet::new();
        for (add, number) in steps {
            prop_assert_eq!(set.contains(number), model.contains(&number));
            if add {
                prop_assert_eq!(set.add(number), model.insert(number));
            } else {
                prop_assert_eq!(set.remove(number), model.remove(&number));
            }
            prop_assert_eq!(set.len(), model.len());
            prop_assert!(set.heap_bytes() >= set.bytes().len());
            prop_assert!(set.heap_bytes() * 3 / 5 <= set.bytes().len().next_multiple_of(8));
        }
        prop_assert!(set.iter().eq(model.iter().copied()));
        prop_assert!(set.iter().rev().eq(model.iter().rev().copied()));
        prop_assert_eq!((set.first(), set.last()), (model.first().copied(), model.last().copied()));
        prop_assert_eq!(set.get(set.len()), None);
        fuzz_intset(set.bytes());
    }

    #[test]
    fn no_bytes_make_it_panic(
        numbers in prop::collection::vec(number(), 0..8),
        changes in prop::collection::vec((any::<usize>(), any::<u8>()), 0..3),
        noise in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let set: Intset = numbers.into_iter().collect();
        let mut bytes = set.bytes().to_vec();
        for (at, byte) in changes {
            let len = bytes.len();
            bytes[at % len] = byte;
        }
        fuzz_intset(&bytes);
        fuzz_intset(&noise);
    }
}
