//! Runs of the simulator: the same seed twice, many seeds, and faults that must be found.

use vesta_sim::{Flaw, Outcome, Reached, Scope, run, run_with};

/// Seeds that once failed, with what they found.
const ONCE_FAILED: [(u64, Scope, &str); 9] = [
    (81, Scope::Memory, "a setting made while another one was being applied was lost"),
    (99, Scope::Memory, "replies that were sent at once counted as slow later on"),
    (3481, Scope::Memory, "a pop of the wrong type woke those who wait for the key"),
    (3762, Scope::Memory, "a push to the wrong type made a waiting member a consumer again"),
    (976, Scope::Disk, "writes lay behind an increment of the log that could not be made safe"),
    (3943, Scope::Disk, "a log that failed during the last save did not keep the server running"),
    (7708, Scope::Fleet, "a save point replaced the snapshot that a replica was about to read"),
    (37_560, Scope::Fleet, "a replica that had come back counted twice for WAIT"),
    (77_530, Scope::Fleet, "a replica asked its own replicas something in its primary's stream"),
];

fn passes(seed: u64, scope: Scope) -> Outcome {
    match run(seed, scope) {
        Ok(outcome) => outcome,
        Err(failure) => panic!("{failure}"),
    }
}

#[test]
fn the_same_seed_takes_the_same_path() {
    for scope in [Scope::Memory, Scope::Disk, Scope::Fleet] {
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
fn two_hundred_seeds_pass() {
    let mut all = Reached::default();
    (0..200).for_each(|seed| all.add(&passes(seed, Scope::Memory).reached));
    assert_eq!(unvisited(&all, Scope::Memory), NOWHERE);
}

#[test]
fn sixty_seeds_with_crashes_pass() {
    let mut all = Reached::default();
    (0..60).for_each(|seed| all.add(&passes(seed, Scope::Disk).reached));
    assert_eq!(unvisited(&all, Scope::Disk), NOWHERE);
}

#[test]
fn forty_seeds_of_servers_that_replicate_pass() {
    let mut all = Reached::default();
    (0..40).for_each(|seed| all.add(&passes(seed, Scope::Fleet).reached));
    assert_eq!(unvisited(&all, Scope::Fleet), NOWHERE);
}

const NOWHERE: [&str; 0] = [];

/// The places of a scope that no run has come to.
fn unvisited(reached: &Reached, scope: Scope) -> Vec<&'static str> {
    let places = reached.places().into_iter().filter(|(of, _, count)| *of == scope && *count == 0);
    places.map(|(_, name, _)| name).collect()
}

/// What is shown to others must be safe within two seconds (`appendfsync everysec`).
#[test]
fn a_write_that_nobody_syncs_for_too_long_is_found() {
    let failures = |seed| run_with(seed, Scope::Disk, Some(Flaw::NobodySyncs)).err();
    let is_meant = |what: &str| what.ends_with(" us when somebody was last shown it");
    assert!((0..60).filter_map(failures).any(|failure| is_meant(&failure.what)));
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
        Flaw::NobodySyncs,
        Flaw::SyncsAreSkipped,
        Flaw::BatchesAreLost,
        Flaw::TailsAreKept,
        Flaw::ListsAreCutShort,
        Flaw::NamesAreForgotten,
        Flaw::OffsetsAreWrong,
    ];
    let in_fleets = [
        Flaw::ValuesChange,
        Flaw::ReplicasForget,
        Flaw::ReplicasAskForAll,
        Flaw::ReplicasBoast,
        Flaw::StartsGoUnnoticed,
        Flaw::PartitionsStay,
        Flaw::PairsAreHalved,
    ];
    let in_memory = in_memory.map(|flaw| (flaw, Scope::Memory)).into_iter();
    let on_disk = on_disk.map(|flaw| (flaw, Scope::Disk));
    let in_fleets = in_fleets.map(|flaw| (flaw, Scope::Fleet));
    for (flaw, scope) in in_memory.chain(on_disk).chain(in_fleets) {
        let found = (0..40).any(|seed| run_with(seed, scope, Some(flaw)).is_err());
        assert!(found, "{flaw:?} goes unnoticed");
    }
}
