//! The contract of the threads, on a disk that does as it is told.

use vesta_node::{DiskNews, DiskWish, FileStep, LogStep};
use vesta_types::{Mono, Rng};

use super::{Crash, Disk, Manner, Spell, Trouble};

const NAME: &str = "f";

fn disk(spells: Vec<Spell>) -> Disk {
    let manner = Manner { faults_per_1000: 0, spells, ..Manner::gentle() };
    Disk::new(manner, Rng::new(1), None)
}

fn spell(from: u64, until: u64, trouble: Trouble) -> Spell {
    Spell { from: Mono(from), until: Mono(until), trouble }
}

/// Gives wishes at a time, and lets a long time pass; what the node is told.
fn after(disk: &mut Disk, now: u64, wishes: Vec<DiskWish>) -> Vec<String> {
    wishes.into_iter().for_each(|wish| disk.take(Mono(now), wish));
    disk.pass_to(Mono(now + 900_000));
    std::iter::from_fn(|| disk.news()).map(|news| text(&news)).collect()
}

fn text(news: &DiskNews) -> String {
    match news {
        DiskNews::LogOpened(outcome) => format!("opened {}", outcome.is_ok()),
        DiskNews::LogWritten { batch } => format!("written {batch}"),
        DiskNews::LogSynced { batch } => format!("synced {batch}"),
        DiskNews::LogFailed { step: LogStep::Write, .. } => "cannot write".to_owned(),
        DiskNews::LogFailed { step: LogStep::Sync, .. } => "cannot sync".to_owned(),
        DiskNews::FilesDone { outcome, .. } => format!("done {}", outcome.is_ok()),
        DiskNews::SaveWritten { .. }
        | DiskNews::SaveDone { .. }
        | DiskNews::Listed(_)
        | DiskNews::Running(_)
        | DiskNews::LoadOpened(_)
        | DiskNews::LoadPiece(_)
        | DiskNews::ShipOpened { .. }
        | DiskNews::ShipPiece { .. }
        | DiskNews::LogClosed => format!("{news:?}"),
    }
}

fn open(len: u64) -> DiskWish {
    DiskWish::LogOpen { name: NAME.to_owned(), len }
}

fn append(batch: u64, bytes: &str, sync: bool) -> DiskWish {
    DiskWish::LogAppend { batch, bytes: bytes.into(), sync }
}

#[test]
fn one_sync_makes_all_batches_safe_that_wait() {
    let mut disk = disk(Vec::new());
    assert_eq!(after(&mut disk, 0, vec![open(0)]), ["opened true"]);
    let batches = vec![append(1, "a", true), append(2, "b", true), append(3, "c", true)];
    let news = after(&mut disk, 1_000_000, batches);
    // The first is on its way when the others come.
    assert_eq!(news, ["written 1", "synced 1", "written 3", "synced 3"]);
    disk.crash(Crash::Machine);
    assert_eq!(disk.read(NAME), Some(b"abc".as_slice()));
}

#[test]
fn what_could_not_be_written_is_written_later_and_in_order() {
    let mut disk = disk(vec![spell(1_000_000, 1_900_000, Trouble::Full)]);
    after(&mut disk, 0, vec![open(0)]);
    assert_eq!(after(&mut disk, 1_000_000, vec![append(1, "a", false)]), ["cannot write"]);
    let news = after(&mut disk, 2_000_000, vec![append(2, "b", false)]);
    assert_eq!(news, ["written 2"]);
    assert_eq!(disk.read(NAME), Some(b"ab".as_slice()));
}

#[test]
fn a_file_that_could_not_be_synced_never_can_be() {
    let mut disk = disk(vec![spell(1_000_000, 1_000_000, Trouble::LostSync)]);
    after(&mut disk, 0, vec![open(0)]);
    let news = after(&mut disk, 1_000_000, vec![append(1, "a", true)]);
    assert_eq!(news, ["written 1", "cannot sync"]);
    assert_eq!(after(&mut disk, 2_000_000, vec![DiskWish::LogSync]), ["cannot sync"]);
    disk.crash(Crash::Process);
    assert_eq!(disk.read(NAME), Some(b"".as_slice()), "what is lost is lost");
}

#[test]
fn a_crash_leaves_the_first_bytes_of_what_was_not_safe() {
    for seed in 0..50 {
        let mut disk = disk(Vec::new());
        disk.faults.rng = Rng::new(seed);
        after(&mut disk, 0, vec![open(0)]);
        after(&mut disk, 1_000_000, vec![append(1, "safe", true)]);
        after(&mut disk, 2_000_000, vec![append(2, "not", false)]);
        assert_eq!((disk.written_batch(), disk.safe_batch()), (2, Some(1)));
        disk.crash(Crash::Machine);
        let left = disk.read(NAME).unwrap_or_default();
        assert!(left.starts_with(b"safe") && b"safenot".starts_with(left));
    }
}

#[test]
fn a_job_stops_at_the_first_step_that_fails() {
    let mut disk = disk(Vec::new());
    let steps = vec![
        FileStep::Replace { name: "a".to_owned(), bytes: b"1".to_vec() },
        FileStep::Rename { from: "no such file".to_owned(), to: "b".to_owned() },
        FileStep::Remove { name: "a".to_owned() },
    ];
    let news = after(&mut disk, 0, vec![DiskWish::Files { id: 7, steps }]);
    assert_eq!(news, ["done false"]);
    assert_eq!(disk.read("a"), Some(b"1".as_slice()));
}
