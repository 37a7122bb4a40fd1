//! Runs of the simulator: the same seed twice, many seeds, and faults that must be found.

use vesta_sim::{Flaw, Outcome, Reached, Scope, run, run_with};

/// Seeds that once failed, with what they found.
const ONCE_FAILED: [(u64, Scope, &str); 4] = [
    (81, Scope::Memory, "a setting made while another one was being applied was lost"),
    (99, Scope::Memory, "replies that were sent at once counted as slow later on"),
    (3481, Scope::Memory, "a pop of the wrong type woke those who wait for the key"),
    (3762, Scope::Memory, "a push to the wrong type made a waiting member a consumer again"),
];

fn passes(seed: u64, scope: Scope) -> Outcome {
    match run(seed, scope) {
        Ok(outcome) => outcome,
        Err(failure) => panic!("{failure}"),
    }
}

#[test]
fn the_same_seed_takes_the_same_path() {
    for scope in [Scope::Memory, Scope::Disk] {
        for seed in [1, 2, 3, 42] {
            assert_eq!(passes(seed, scope), passes(seed, scope));
        }
        assert_ne!(passes(1, scope).digest, passes(2, scope).digest);
    }
}

#[test]
fn seeds_that_once_failed_pass() {
    for (seed, scope, found) in ONCE_FAILED {
        assert!(run(seed, scope).is_ok(), "seed {seed}: {found}");
    }
}

#[test]
fn two_hundred_seeds_pass_and_leave_no_place_unvisited() {
    let mut all = Reached::default();
    for seed in 0..200 {
        for scope in [Scope::Memory, Scope::Disk] {
            all.add(&passes(seed, scope).reached);
        }
    }
    let unvisited: Vec<_> = all.places().into_iter().filter(|(_, count)| *count == 0).collect();
    assert!(unvisited.is_empty(), "{unvisited:?}");
}

/// The checks prove something only if they can fail.
#[test]
fn a_fault_built_in_on_purpose_is_found() {
    let in_memory = [
        Flaw::AppendPersists,
        Flaw::EffectsAreLost,
        Flaw::BytesChange,
        Flaw::ListsGrowAtTheBack,
        Flaw::LastInLineComesFirst,
        Flaw::DeletionsAreSilent,
        Flaw::RepliesGoAstray,
        Flaw::SnapshotsComeLate,
    ];
    let on_disk = [
        Flaw::RepliesLeaveEarly,
        Flaw::SyncsAreSkipped,
        Flaw::BatchesAreLost,
        Flaw::TailsAreKept,
        Flaw::ListsAreCutShort,
        Flaw::NamesAreForgotten,
        Flaw::OffsetsAreWrong,
    ];
    let in_memory = in_memory.map(|flaw| (flaw, Scope::Memory));
    for (flaw, scope) in in_memory.into_iter().chain(on_disk.map(|flaw| (flaw, Scope::Disk))) {
        let found = (0..40).any(|seed| run_with(seed, scope, Some(flaw)).is_err());
        assert!(found, "{flaw:?} goes unnoticed");
    }
}
