//! Writing large files without waiting for the disk: a thread that takes pieces.
//!
//! One file at a time is written under a temporary name. When it is finished it is synced, renamed
//! to its own name, and the directory is synced: after a crash there is the old file or the new
//! one, and at most a temporary file is left over. A failure is reported once, at once, and ends
//! the file; what still comes for it is thrown away. Between files, and behind the one at hand, the
//! thread does small jobs on whole files ([`crate::file_jobs`]).
//!
//! The queue has no bound of its own: whoever gives pieces counts those that were not reported as
//! written, and waits.
//!
//! So that the sync at the end is short, the system begins to write each part of a file back when
//! it is complete, and the part before is waited for: the disk works on one while the next comes.
//! While pieces wait in the queue, as when whoever gives them cannot, more parts may be under way:
//! better in the memory of the system than in ours.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};

use crate::file_jobs::{FileStep, JobError, carry_out};
use crate::files::sync_dir_of;
use crate::reactor::Waker;
use crate::sys::file::write_back;

/// Bytes of a part of a file that is written back before the end.
const PART_BYTES: u64 = 4 << 20;
/// Bytes that may be on their way to the disk while pieces wait.
const UNDER_WAY_BYTES_MAX: u64 = 64 << 20;

/// A file to be written.
#[derive(Clone, Debug)]
pub struct NewFile {
    /// Chosen by the caller, to tell the reports of one file from those of the next.
    pub id: u64,
    /// Where it is written. What is there already is lost.
    pub temporary: PathBuf,
    /// Where it goes when it is finished, on the same file system.
    pub path: PathBuf,
    /// Whether parts of 4 MiB are written back early, so that the end is not a wait for all of it.
    pub syncs_early: bool,
}

/// What has become of a file.
#[derive(Debug)]
pub enum Report {
    /// So many more bytes were written.
    Written {
        /// Which file.
        id: u64,
        /// How many.
        bytes: usize,
    },
    /// The file is in its place and safe, or it is gone. Nothing more comes for this file.
    Done {
        /// Which file.
        id: u64,
        /// Whether it is there.
        outcome: Result<(), WriteError>,
    },
    /// A job on whole files is done, or has failed.
    JobDone {
        /// Which job.
        id: u64,
        /// Whether all of it is done.
        outcome: Result<(), JobError>,
    },
}

/// What failed.
#[derive(Debug)]
pub struct WriteError {
    /// What was being done.
    pub step: Step,
    /// What the system said.
    pub cause: io::Error,
}

/// What is done with a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// Creating the temporary file.
    Create,
    /// Writing to it.
    Write,
    /// Syncing it, or its directory.
    Sync,
    /// Giving it its name.
    Rename,
}

#[derive(Debug)]
enum Order {
    Open(NewFile),
    Write(Vec<u8>),
    Finish,
    Abort,
    Job { id: u64, steps: Vec<FileStep> },
}

/// A thread that writes files. Dropping it gives up the file at hand.
#[derive(Debug)]
pub struct FileWriter {
    orders: Option<Sender<Order>>,
    reports: Receiver<Report>,
    thread: Option<JoinHandle<()>>,
}

impl FileWriter {
    /// Starts the thread, which wakes through `waker` when there is something to report.
    ///
    /// # Errors
    /// The system has no room for a thread.
    pub fn start(waker: Waker) -> io::Result<Self> {
        let (orders, ordered) = mpsc::channel();
        let (sender, reports) = mpsc::channel();
        let thread = thread::Builder::new().name("save".to_owned()).spawn(move || {
            let mut desk = Desk { file: None, reports: sender, waker };
            let mut next = ordered.recv().ok();
            while let Some(order) = next {
                let waiting = ordered.try_recv().ok();
                desk.carry_out(order, waiting.is_some());
                next = waiting.or_else(|| ordered.recv().ok());
            }
            desk.give_up();
        })?;
        Ok(Self { orders: Some(orders), reports, thread: Some(thread) })
    }

    /// Begins a file. One that was not finished is given up.
    pub fn open(&self, file: NewFile) {
        self.order(Order::Open(file));
    }

    /// Appends to the file at hand.
    pub fn write(&self, bytes: Vec<u8>) {
        self.order(Order::Write(bytes));
    }

    /// Makes the file at hand safe and gives it its name.
    pub fn finish(&self) {
        self.order(Order::Finish);
    }

    /// Removes the file at hand; nothing more is reported about it.
    pub fn abort(&self) {
        self.order(Order::Abort);
    }

    /// Does something with whole files: all steps in order, up to the first that fails.
    pub fn job(&self, id: u64, steps: Vec<FileStep>) {
        self.order(Order::Job { id, steps });
    }

    /// The next report, if there is one.
    #[must_use]
    pub fn report(&self) -> Option<Report> {
        self.reports.try_recv().ok()
    }

    fn order(&self, order: Order) {
        // The thread ends only with us.
        let _ = self.orders.as_ref().map(|orders| orders.send(order));
    }
}

impl Drop for FileWriter {
    fn drop(&mut self) {
        self.orders = None;
        // A thread that panicked has ended the process.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// The thread's side.
struct Desk {
    /// The file at hand; none after a failure.
    file: Option<Writing>,
    reports: Sender<Report>,
    waker: Waker,
}

struct Writing {
    facts: NewFile,
    file: File,
    /// Bytes written.
    len: u64,
    /// Up to here it is being written back.
    begun: u64,
    /// Up to here it has been.
    written_back: u64,
}

impl Desk {
    /// `is_behind`: another order waits.
    fn carry_out(&mut self, order: Order, is_behind: bool) {
        match order {
            Order::Open(facts) => {
                self.give_up();
                let id = facts.id;
                match File::create(&facts.temporary) {
                    Ok(file) => self.file = Some(Writing::new(facts, file)),
                    Err(cause) => self.done(id, Err(WriteError { step: Step::Create, cause })),
                }
            }
            Order::Write(bytes) => {
                let Some(writing) = &mut self.file else { return };
                let id = writing.facts.id;
                match writing.write(&bytes, is_behind) {
                    Ok(()) => self.tell(Report::Written { id, bytes: bytes.len() }),
                    Err(error) => {
                        self.give_up();
                        self.done(id, Err(error));
                    }
                }
            }
            Order::Finish => {
                let Some(writing) = self.file.take() else { return };
                let (id, temporary) = (writing.facts.id, writing.facts.temporary.clone());
                let outcome = writing.finish();
                if outcome.is_err() {
                    remove(&temporary);
                }
                self.done(id, outcome);
            }
            Order::Abort => self.give_up(),
            Order::Job { id, steps } => {
                let outcome = carry_out(&steps);
                self.tell(Report::JobDone { id, outcome });
            }
        }
    }

    /// Removes the file at hand.
    fn give_up(&mut self) {
        if let Some(writing) = self.file.take() {
            remove(&writing.facts.temporary);
        }
    }

    fn done(&self, id: u64, outcome: Result<(), WriteError>) {
        self.tell(Report::Done { id, outcome });
    }

    fn tell(&self, report: Report) {
        // Nobody listens any more, or sleeps, when the process is about to end.
        if self.reports.send(report).is_ok() {
            let _ = self.waker.wake();
        }
    }
}

impl Writing {
    fn new(facts: NewFile, file: File) -> Self {
        Self { facts, file, len: 0, begun: 0, written_back: 0 }
    }

    fn write(&mut self, bytes: &[u8], is_behind: bool) -> Result<(), WriteError> {
        step(Step::Write, self.file.write_all(bytes))?;
        self.len += bytes.len() as u64;
        if self.facts.syncs_early && self.len - self.begun >= PART_BYTES {
            step(Step::Sync, self.write_back(is_behind))?;
        }
        Ok(())
    }

    fn write_back(&mut self, is_behind: bool) -> io::Result<()> {
        let last = self.begun;
        write_back(&self.file, last..self.len, false)?;
        self.begun = self.len;
        let may_wait = !is_behind || self.begun - self.written_back > UNDER_WAY_BYTES_MAX;
        if may_wait && self.written_back < last {
            write_back(&self.file, self.written_back..last, true)?;
            self.written_back = last;
        }
        Ok(())
    }

    fn finish(self) -> Result<(), WriteError> {
        let NewFile { temporary, path, .. } = &self.facts;
        step(Step::Sync, self.file.sync_all())?;
        step(Step::Rename, std::fs::rename(temporary, path))?;
        step(Step::Sync, sync_dir_of(path))
    }
}

fn step<T>(step: Step, result: io::Result<T>) -> Result<T, WriteError> {
    result.map_err(|cause| WriteError { step, cause })
}

/// Removes what is left of a file that was given up. The report is about the first failure.
fn remove(temporary: &Path) {
    let _ = std::fs::remove_file(temporary);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reactor::{Reactor, Token};

    struct Bench {
        dir: tempfile::TempDir,
        reactor: Reactor,
        writer: FileWriter,
    }

    impl Bench {
        fn new() -> Self {
            let mut reactor = Reactor::new(8).unwrap();
            let writer = FileWriter::start(reactor.waker(Token(1)).unwrap()).unwrap();
            Self { dir: tempfile::tempdir().unwrap(), reactor, writer }
        }

        fn open(&self, id: u64, temporary: &str) {
            let (temporary, path) = (self.dir.path().join(temporary), self.dir.path().join("f"));
            self.writer.open(NewFile { id, temporary, path, syncs_early: true });
        }

        /// Waits for the end of a file; how many bytes were reported before.
        fn end(&mut self, wanted: u64) -> (usize, Result<(), WriteError>) {
            let mut written = 0;
            loop {
                match self.writer.report() {
                    Some(Report::Written { id, bytes }) => {
                        assert_eq!(id, wanted);
                        written += bytes;
                    }
                    Some(Report::Done { id, outcome }) => {
                        assert_eq!(id, wanted);
                        return (written, outcome);
                    }
                    Some(Report::JobDone { id, .. }) => panic!("job {id} was not asked for"),
                    None => self.reactor.wait(None, &mut Vec::new()).unwrap(),
                }
            }
        }

        fn names(&self) -> Vec<String> {
            let all = std::fs::read_dir(self.dir.path()).unwrap();
            all.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
        }
    }

    #[test]
    fn a_file_comes_in_pieces_and_gets_its_name_at_the_end() {
        let mut bench = Bench::new();
        std::fs::write(bench.dir.path().join("f"), "old").unwrap();
        bench.open(7, "t");
        for _ in 0..13 {
            bench.writer.write(vec![b'x'; 1 << 20]);
        }
        bench.writer.finish();
        let (written, outcome) = bench.end(7);
        outcome.unwrap();
        assert_eq!(written, 13 << 20);
        assert_eq!(std::fs::read(bench.dir.path().join("f")).unwrap(), vec![b'x'; 13 << 20]);
        assert_eq!(bench.names(), ["f"]);
    }

    #[test]
    fn a_failure_is_reported_once_and_leaves_nothing_behind() {
        let mut bench = Bench::new();
        bench.open(1, "no/such");
        bench.writer.write(b"lost".to_vec());
        bench.writer.finish();
        let (written, outcome) = bench.end(1);
        assert_eq!((written, outcome.unwrap_err().step), (0, Step::Create));

        std::fs::create_dir(bench.dir.path().join("f")).unwrap();
        bench.open(2, "t");
        bench.writer.finish();
        let (_, outcome) = bench.end(2);
        assert_eq!(outcome.unwrap_err().step, Step::Rename);
        assert_eq!(bench.names(), ["f"]);
    }

    #[test]
    fn a_full_disk_ends_the_file() {
        let full = PathBuf::from("/dev/full");
        if !full.exists() {
            eprintln!("SKIPPED: there is no /dev/full");
            return;
        }
        let mut bench = Bench::new();
        std::os::unix::fs::symlink(full, bench.dir.path().join("t")).unwrap();
        bench.open(3, "t");
        bench.writer.write(b"too much".to_vec());
        bench.writer.finish();
        let error = bench.end(3).1.unwrap_err();
        assert_eq!((error.step, error.cause.kind()), (Step::Write, io::ErrorKind::StorageFull));
        assert!(bench.names().is_empty());
    }

    #[test]
    fn a_job_comes_behind_the_file_at_hand() {
        let mut bench = Bench::new();
        let (path, to) = (bench.dir.path().join("f"), bench.dir.path().join("g"));
        bench.open(1, "t");
        bench.writer.write(b"data".to_vec());
        bench.writer.finish();
        bench.writer.job(9, vec![FileStep::Rename { from: path, to }]);
        bench.end(1).1.unwrap();
        loop {
            match bench.writer.report() {
                Some(Report::JobDone { id, outcome }) => {
                    assert_eq!(id, 9);
                    break outcome.unwrap();
                }
                Some(other) => panic!("{other:?}"),
                None => bench.reactor.wait(None, &mut Vec::new()).unwrap(),
            }
        }
        assert_eq!(bench.names(), ["g"]);
    }

    #[test]
    fn what_is_not_finished_goes_with_the_writer() {
        let bench = Bench::new();
        bench.open(1, "a");
        bench.writer.abort();
        bench.open(2, "b");
        bench.writer.write(b"half".to_vec());
        let Bench { dir, writer, .. } = bench;
        drop(writer);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
