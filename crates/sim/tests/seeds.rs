//! Runs of the simulator: the same seed twice, many seeds, and faults that must be found.

use vesta_sim::{Flaw, Outcome, Reached, run, run_with};

/// Seeds that once failed, with what they found.
const ONCE_FAILED: [(u64, &str); 4] = [
    (81, "a setting made while another one was being applied was lost"),
    (99, "replies that were sent at once counted as slow later on"),
    (3481, "a pop of the wrong type woke those who wait for the key"),
    (3762, "a push to the wrong type made a waiting member a consumer again"),
];

fn passes(seed: u64) -> Outcome {
    match run(seed) {
        Ok(outcome) => outcome,
        Err(failure) => panic!("{failure}"),
    }
}

#[test]
fn the_same_seed_takes_the_same_path() {
    for seed in [1, 2, 3, 42] {
        assert_eq!(passes(seed), passes(seed));
    }
    assert_ne!(passes(1).digest, passes(2).digest);
}

#[test]
fn seeds_that_once_failed_pass() {
    for (seed, found) in ONCE_FAILED {
        assert!(run(seed).is_ok(), "seed {seed}: {found}");
    }
}

#[test]
fn two_hundred_seeds_pass_and_leave_no_place_unvisited() {
    let mut all = Reached::default();
    for seed in 0..200 {
        let one = passes(seed).reached;
        for (sum, part) in counts(&mut all).into_iter().zip(counts(&mut { one })) {
            *sum += *part;
        }
    }
    assert!(counts(&mut all).iter().all(|count| **count > 0), "{all:?}");
}

fn counts(reached: &mut Reached) -> [&mut u64; 18] {
    let Reached {
        expired,
        evicted,
        out_of_memory,
        too_slow,
        killed,
        refused,
        breaches,
        held_back,
        used_up,
        read_directly,
        walks,
        left,
        woken,
        chained,
        timed_out,
        unblocked,
        disappointed,
        snapshots,
    } = reached;
    [
        expired,
        evicted,
        out_of_memory,
        too_slow,
        killed,
        refused,
        breaches,
        held_back,
        used_up,
        read_directly,
        walks,
        left,
        woken,
        chained,
        timed_out,
        unblocked,
        disappointed,
        snapshots,
    ]
}

/// The checks prove something only if they can fail.
#[test]
fn a_fault_built_in_on_purpose_is_found() {
    for flaw in [
        Flaw::AppendPersists,
        Flaw::EffectsAreLost,
        Flaw::BytesChange,
        Flaw::ListsGrowAtTheBack,
        Flaw::LastInLineComesFirst,
        Flaw::DeletionsAreSilent,
        Flaw::RepliesGoAstray,
        Flaw::SnapshotsComeLate,
    ] {
        let found = (0..40).any(|seed| run_with(seed, Some(flaw)).is_err());
        assert!(found, "{flaw:?} goes unnoticed");
    }
}
