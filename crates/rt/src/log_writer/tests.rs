//! The log on a disk that obeys, and on real ones.

use super::file::Device;
use super::*;
use crate::reactor::{Reactor, Token};
use std::io::{ErrorKind, IoSlice};
use std::path::Path;
use std::sync::Mutex;
use tempfile::TempDir;

/// A disk that does as it is told.
#[derive(Debug, Default)]
struct Disk {
    bytes: Vec<u8>,
    /// How much more goes on it.
    room: usize,
    /// How much one call takes.
    bytes_per_call: usize,
    calls: usize,
    refuses_cuts: bool,
    refuses_syncs: bool,
    syncs: usize,
    /// Told when a sync begins, and asked when it may end.
    gate: Option<(Sender<()>, Receiver<()>)>,
}

impl Device for Arc<Mutex<Disk>> {
    fn append(&self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut disk = self.lock().unwrap();
        disk.calls += 1;
        let offered: Vec<u8> = pieces.iter().flat_map(|piece| piece.iter().copied()).collect();
        let taken = offered.len().min(disk.room).min(disk.bytes_per_call);
        if taken == 0 {
            return Err(ErrorKind::StorageFull.into());
        }
        disk.room -= taken;
        disk.bytes.extend_from_slice(&offered[..taken]);
        Ok(taken)
    }

    fn cut(&self, len: u64) -> io::Result<()> {
        let mut disk = self.lock().unwrap();
        if disk.refuses_cuts {
            return Err(io::Error::from_raw_os_error(5));
        }
        let len = usize::try_from(len).unwrap();
        assert!(len < disk.bytes.len(), "there is nothing to be cut");
        disk.room += disk.bytes.len() - len;
        disk.bytes.truncate(len);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut disk = self.lock().unwrap();
        disk.syncs += 1;
        if disk.refuses_syncs {
            return Err(io::Error::from_raw_os_error(5));
        }
        let gate = disk.gate.take();
        drop(disk);
        if let Some((begun, end)) = gate {
            begun.send(()).unwrap();
            end.recv().unwrap();
        }
        Ok(())
    }
}

/// The side of the thread, without a thread.
struct Bench {
    desk: Desk,
    reports: Receiver<Report>,
    syncs: Receiver<SyncJob>,
    spares: Receiver<Vec<u8>>,
    disk: Arc<Mutex<Disk>>,
    _reactor: Reactor,
}

impl Bench {
    fn new(room: usize) -> Self {
        let mut reactor = Reactor::new(8).unwrap();
        let (sender, reports) = mpsc::channel();
        let (to_syncs, syncs) = mpsc::channel();
        let (written, spares) = mpsc::sync_channel(SPARES);
        let waker = reactor.waker(Token(0)).unwrap();
        let reporter = Reporter { reports: sender, waker, is_unheard: false };
        let bytes_per_call = usize::MAX;
        let disk = Arc::new(Mutex::new(Disk { room, bytes_per_call, ..Disk::default() }));
        let mut desk = Desk::new(reporter, to_syncs, written);
        desk.append_to(LogFile::new(Box::new(Arc::clone(&disk))), 0);
        Self { desk, reports, syncs, spares, disk, _reactor: reactor }
    }

    /// Appends ten bytes.
    fn append(&mut self, batch: u64, sync: bool) {
        self.desk.take(Order::Append { batch, bytes: ten(batch), sync });
    }

    fn said(&self) -> String {
        said(self.reports.try_iter())
    }
}

fn ten(batch: u64) -> Vec<u8> {
    format!("batch{batch:04};").into_bytes()
}

fn tens(batches: std::ops::RangeInclusive<u64>) -> Vec<u8> {
    batches.flat_map(ten).collect()
}

fn said(reports: impl Iterator<Item = Report>) -> String {
    let one = |report| match report {
        Report::Opened(Ok(())) => "opened".to_owned(),
        Report::Opened(Err(error)) => format!("not opened: {:?}", error.kind()),
        Report::Written { batch } => format!("written {batch}"),
        Report::Synced { batch } => format!("synced {batch}"),
        Report::Failed { step, cause } => format!("{step:?} failed: {}", crate::errno_text(&cause)),
        Report::Closed => "closed".to_owned(),
    };
    reports.map(one).collect::<Vec<_>>().join(", ")
}

#[test]
fn batches_that_wait_are_written_in_one_call_and_synced_once() {
    let mut bench = Bench::new(1000);
    for batch in 1..=50 {
        bench.append(batch, batch == 20 || batch == 30);
    }
    bench.desk.finish_round();
    assert_eq!(bench.said(), "written 50, synced 50");
    bench.append(51, false);
    bench.desk.finish_round();
    assert_eq!(bench.said(), "written 51");
    let disk = bench.disk.lock().unwrap();
    assert_eq!((disk.calls, disk.syncs), (2, 1));
    assert_eq!(disk.bytes, tens(1..=51));
    // Few buffers are kept, and they are empty.
    let spares: Vec<Vec<u8>> = bench.spares.try_iter().collect();
    assert_eq!((spares.len(), spares.concat().len()), (SPARES, 0));
}

#[test]
fn a_full_disk_holds_whole_batches_and_gets_the_rest_later() {
    let mut bench = Bench::new(25);
    for batch in 1..=4 {
        bench.append(batch, true);
    }
    bench.desk.finish_round();
    assert_eq!(bench.said(), "written 2, Write failed: no storage space, synced 2");
    assert_eq!(bench.disk.lock().unwrap().bytes, tens(1..=2));
    bench.desk.take(Order::Retry);
    bench.desk.finish_round();
    assert_eq!(bench.said(), "Write failed: no storage space");
    bench.disk.lock().unwrap().room = 100;
    bench.append(5, false);
    bench.desk.finish_round();
    assert_eq!(bench.said(), "written 5, synced 5");
    assert_eq!(bench.disk.lock().unwrap().bytes, tens(1..=5));
}

#[test]
fn a_file_that_cannot_be_cut_goes_on_where_it_stopped() {
    let mut bench = Bench::new(25);
    bench.disk.lock().unwrap().refuses_cuts = true;
    for batch in 1..=4 {
        bench.append(batch, false);
    }
    bench.desk.finish_round();
    assert_eq!(bench.disk.lock().unwrap().bytes, tens(1..=4)[..25]);
    for _ in 0..20 {
        bench.disk.lock().unwrap().room += 1;
        bench.desk.take(Order::Retry);
        bench.desk.finish_round();
    }
    assert_eq!(bench.disk.lock().unwrap().bytes, tens(1..=4));
}

#[test]
fn short_writes_and_many_batches_make_the_same_file() {
    for bytes_per_call in [1, 3, 10, 11, 4000] {
        let mut bench = Bench::new(7);
        bench.disk.lock().unwrap().bytes_per_call = bytes_per_call;
        for batch in 1..=200 {
            bench.append(batch, false);
            if batch % 7 == 0 {
                bench.desk.finish_round();
                let mut disk = bench.disk.lock().unwrap();
                assert_eq!(disk.bytes.len() % 10, 0, "a part of a batch was left");
                disk.room += 61;
            }
        }
        bench.disk.lock().unwrap().room = 10_000;
        // Batches may be empty.
        bench.desk.take(Order::Append { batch: 201, bytes: Vec::new(), sync: false });
        bench.desk.finish_round();
        assert_eq!(bench.disk.lock().unwrap().bytes, tens(1..=200));
        assert!(bench.said().ends_with("written 201"));
    }
}

#[test]
fn a_file_that_could_not_be_synced_never_is() {
    let mut bench = Bench::new(1000);
    bench.disk.lock().unwrap().refuses_syncs = true;
    bench.append(1, true);
    bench.desk.finish_round();
    assert_eq!(bench.said(), "written 1, Sync failed: Input/output error");
    bench.disk.lock().unwrap().refuses_syncs = false;
    bench.append(2, true);
    bench.desk.finish_round();
    assert_eq!(bench.said(), "written 2, Sync failed: Input/output error");
    bench.desk.take(Order::Sync);
    let job = bench.syncs.try_recv().unwrap();
    assert_eq!(said([synced(&job.file, job.batch)].into_iter()), "Sync failed: Input/output error");
    // The system was asked once only.
    assert_eq!(bench.disk.lock().unwrap().syncs, 1);
    let dir = tempfile::tempdir().unwrap();
    bench.desk.take(Order::Open { path: dir.path().join("new"), len: 0 });
    bench.append(3, true);
    bench.desk.finish_round();
    assert_eq!(bench.said(), "opened, written 3, synced 3", "the rest was told before");
}

#[test]
fn nothing_lies_behind_a_file_that_turns_out_to_be_unsafe_as_it_is_left() {
    let mut bench = Bench::new(1000);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("new");
    bench.append(1, false);
    bench.disk.lock().unwrap().refuses_syncs = true;
    bench.desk.take(Order::Open { path: path.clone(), len: 0 });
    bench.append(2, false);
    bench.desk.finish_round();
    let told = "written 1, Sync failed: Input/output error, not opened: Other, written 2";
    assert_eq!(bench.said(), told);
    assert_eq!(bench.disk.lock().unwrap().bytes, tens(1..=2));
    assert_eq!(std::fs::read(&path).unwrap(), b"");
    bench.desk.take(Order::Open { path: path.clone(), len: 0 });
    bench.append(3, false);
    bench.desk.finish_round();
    assert_eq!(bench.said(), "opened, written 3");
    assert_eq!(std::fs::read(&path).unwrap(), ten(3));
}

#[test]
fn appending_goes_on_while_a_sync_is_under_way() {
    let mut bench = Bench::new(1000);
    bench.append(1, false);
    bench.desk.take(Order::Sync);
    let job = bench.syncs.try_recv().unwrap();
    bench.append(2, false);
    bench.desk.finish_round();
    assert_eq!(bench.said(), "written 1, written 2");
    assert_eq!(said([synced(&job.file, job.batch)].into_iter()), "synced 1");
}

#[test]
fn what_comes_while_one_sync_is_under_way_shares_the_next() {
    let bench = Bench::new(1000);
    let ((begun, has_begun), (go_on, end)) = (mpsc::channel(), mpsc::channel());
    bench.disk.lock().unwrap().gate = Some((begun, end));
    let (orders, ordered) = mpsc::channel();
    let desk = bench.desk;
    let thread = start_thread("test", move || write_all(&ordered, desk)).unwrap();
    orders.send(Order::Append { batch: 1, bytes: ten(1), sync: true }).unwrap();
    has_begun.recv().unwrap();
    for batch in 2..=50 {
        orders.send(Order::Append { batch, bytes: ten(batch), sync: true }).unwrap();
    }
    go_on.send(()).unwrap();
    drop(orders);
    thread.join().unwrap();
    assert_eq!(said(bench.reports.iter()), "written 1, synced 1, written 50, synced 50");
    assert_eq!(bench.disk.lock().unwrap().syncs, 2);
}

/// The whole writer on a real disk.
struct Real {
    dir: TempDir,
    reactor: Reactor,
    writer: LogWriter,
}

impl Real {
    fn new() -> Self {
        let mut reactor = Reactor::new(8).unwrap();
        let writer = LogWriter::start(reactor.waker(Token(0)).unwrap()).unwrap();
        Self { dir: tempfile::tempdir().unwrap(), reactor, writer }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn file(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    fn append(&mut self, batch: u64, sync: bool) {
        self.writer.append(batch, ten(batch), sync);
    }

    /// Waits for a report; what was said up to it.
    fn until(&mut self, last: &str) -> String {
        self.writer.hand_over();
        let mut all = Vec::new();
        while all.last().is_none_or(|said| said != last) {
            match self.writer.report() {
                Some(report) => all.push(said([report].into_iter())),
                None => self.reactor.wait(None, &mut Vec::new()).unwrap(),
            }
        }
        all.join(", ")
    }
}

#[test]
fn a_log_goes_on_behind_what_it_has_and_from_file_to_file() {
    let mut real = Real::new();
    std::fs::write(real.path("a"), "old; torn").unwrap();
    real.writer.open(real.path("a"), 4);
    real.until("opened");
    real.append(1, true);
    assert_eq!(real.until("synced 1"), "written 1, synced 1");
    real.append(2, false);
    real.writer.open(real.path("b"), 0);
    assert_eq!(real.until("opened"), "written 2, synced 2, opened");
    real.append(3, false);
    real.writer.sync();
    real.until("synced 3");
    real.append(4, false);
    real.writer.close();
    assert_eq!(real.until("closed"), "written 4, synced 4, closed");
    assert_eq!(real.file("a"), [&b"old;"[..], &tens(1..=2)].concat());
    assert_eq!(real.file("b"), tens(3..=4));
}

#[test]
fn small_batches_that_gather_become_one_and_big_ones_stay_alone() {
    let mut real = Real::new();
    assert!(!real.writer.has_gathered());
    real.writer.open(real.path("a"), 0);
    let big = vec![b'x'; COPIED_BYTES_MAX + 1];
    for batch in 1..=20 {
        real.append(batch, batch == 3);
    }
    real.writer.append(21, big.clone(), false);
    real.append(22, false);
    real.writer.sync();
    real.append(23, false);
    let appended = |order: &Order| match order {
        Order::Append { batch, bytes, sync } => Some((*batch, bytes.len(), *sync)),
        Order::Open { .. } | Order::Retry | Order::Sync | Order::Close => None,
    };
    let appends: Vec<_> = real.writer.gathered.iter().filter_map(appended).collect();
    assert_eq!(appends, [(20, 200, true), (22, big.len() + 10, false), (23, 10, false)]);
    real.until("written 23");
    assert!(!real.writer.has_gathered());
    assert_eq!(real.file("a"), [tens(1..=20), big, tens(22..=23)].concat());
}

#[test]
fn a_file_that_cannot_be_opened_leaves_the_one_before() {
    let mut real = Real::new();
    real.writer.open(real.path("a"), 0);
    real.until("opened");
    real.writer.open(real.path("no/such"), 0);
    real.until("not opened: NotFound");
    std::fs::write(real.path("short"), "abc").unwrap();
    real.writer.open(real.path("short"), 4);
    real.until("not opened: InvalidData");
    real.append(1, true);
    real.until("synced 1");
    assert_eq!(real.file("a"), tens(1..=1));
}

#[test]
fn a_disk_that_stays_full_loses_nothing_until_the_log_is_closed() {
    if !Path::new("/dev/full").exists() {
        eprintln!("SKIPPED: there is no /dev/full");
        return;
    }
    let mut real = Real::new();
    real.append(1, false);
    let full = "Write failed: No space left on device";
    std::os::unix::fs::symlink("/dev/full", real.path("full")).unwrap();
    real.writer.open(real.path("full"), 0);
    real.until(full);
    real.writer.retry();
    real.until(full);
    // What comes next would not follow on it.
    real.writer.open(real.path("next"), 0);
    real.until("not opened: StorageFull");
    real.writer.close();
    assert!(real.until("closed").contains(full));
    real.writer.open(real.path("next"), 0);
    real.append(2, false);
    real.until("written 2");
    assert_eq!(real.file("next"), tens(2..=2));
}

#[test]
fn a_writer_that_is_dropped_writes_what_it_has() {
    let mut real = Real::new();
    real.writer.open(real.path("a"), 0);
    for batch in 1..=100 {
        real.append(batch, false);
    }
    let Real { dir, writer, .. } = real;
    drop(writer);
    assert_eq!(std::fs::read(dir.path().join("a")).unwrap(), tens(1..=100));
}
