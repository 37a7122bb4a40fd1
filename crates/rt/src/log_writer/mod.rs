//! Appending to a log without waiting for the disk.
//!
//! One thread does everything in order: it takes all batches that wait, writes them with one call,
//! and, if any of them is to be safe, syncs once for all of them. While it syncs, the next batches
//! gather. A second thread carries out the syncs that nobody waits for ([`LogWriter::sync`]), so
//! that appending goes on meanwhile.
//!
//! Nothing is dropped and nothing is written twice: a file ends with a whole batch, and what could
//! not be written stays in the queue, in order, until it could be. A sync that failed is another
//! matter: the system may have thrown the bytes away and would call the next sync a success. So a
//! file that could not be synced once can never be again; the cure is a new file.
//!
//! Orders gather until they are handed over ([`LogWriter::hand_over`]): waking the thread costs
//! more than writing a few kilobytes does. Batches that gather become one.
//!
//! The queue has no bound of its own: whoever appends counts what was not reported as written.

mod desk;
mod file;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};

use crate::reactor::Waker;
use desk::Desk;
use file::LogFile;

/// Orders taken before what they ask for is done.
const ORDERS_PER_ROUND: usize = 1024;
/// The longest batch that is copied to join others. A copy stays in the caches of the thread that
/// makes it, and so does the memory of the original, which would otherwise be freed elsewhere.
const COPIED_BYTES_MAX: usize = 32 * 1024;
/// Length from which on nothing more is joined.
const JOINED_BYTES: usize = 64 * 1024;
/// Empty buffers that are kept for the next batches.
const SPARES: usize = 2;

/// What has become of the log.
#[derive(Debug)]
pub enum Report {
    /// The outcome of [`LogWriter::open`].
    Opened(io::Result<()>),
    /// Batches up to this one are in the hands of the system.
    Written {
        /// The last of them.
        batch: u64,
    },
    /// Batches up to this one are safe, unless they went to a file whose sync has failed.
    Synced {
        /// The last of them.
        batch: u64,
    },
    /// Something has failed. Every attempt that fails is reported.
    Failed {
        /// What was being done.
        step: Step,
        /// What the system said.
        cause: io::Error,
    },
    /// There is no file any more.
    Closed,
}

/// What is done with a log.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// Appending.
    Write,
    /// Making it safe.
    Sync,
}

#[derive(Debug)]
enum Order {
    Open { path: PathBuf, len: u64 },
    Append { batch: u64, bytes: Vec<u8>, sync: bool },
    Retry,
    Sync,
    Close,
}

/// The threads that write a log. Dropping it writes what is still in the queue, if that can be
/// written, and does not sync.
#[derive(Debug)]
pub struct LogWriter {
    orders: Option<Sender<Order>>,
    /// What is still to be handed over.
    gathered: Vec<Order>,
    /// Buffers that were written.
    spares: Receiver<Vec<u8>>,
    reports: Receiver<Report>,
    threads: Vec<JoinHandle<()>>,
}

impl LogWriter {
    /// Starts the threads, which wake through `waker` when there is something to report.
    ///
    /// # Errors
    /// The system has no room for a thread.
    pub fn start(waker: Waker) -> io::Result<Self> {
        let (orders, ordered) = mpsc::channel();
        let (sender, reports) = mpsc::channel();
        let (syncs, wanted_syncs) = mpsc::channel();
        let (written, spares) = mpsc::sync_channel(SPARES);
        let to_loop = Reporter { reports: sender, waker, is_unheard: false };
        let writer = Desk::new(to_loop.clone(), syncs, written);
        let threads = vec![
            start_thread("log", move || write_all(&ordered, writer))?,
            start_thread("log sync", move || sync_all(wanted_syncs, to_loop))?,
        ];
        Ok(Self { orders: Some(orders), gathered: Vec::new(), spares, reports, threads })
    }

    /// Opens a file, creates it if need be, cuts it to `len` bytes, and appends to it from now on.
    /// What was appended before goes to the file that was open before; that one is synced and
    /// closed.
    ///
    /// It fails, and leaves everything as it was, when the file cannot be opened, is shorter than
    /// `len`, or when the one before still lacks something that cannot be written. When only the
    /// sync of the one before fails, that is reported and the new one is opened.
    pub fn open(&mut self, path: PathBuf, len: u64) {
        self.order(Order::Open { path, len });
    }

    /// Appends. `batch` numbers count upwards. `sync`: makes it safe as soon as everything is
    /// written that is in the queue.
    pub fn append(&mut self, batch: u64, bytes: Vec<u8>, sync: bool) {
        if bytes.len() > COPIED_BYTES_MAX {
            return self.order(Order::Append { batch, bytes, sync });
        }
        match self.gathered.last_mut() {
            Some(Order::Append { batch: last, bytes: joined, sync: syncs })
                if joined.len() < JOINED_BYTES =>
            {
                *last = batch;
                joined.extend_from_slice(&bytes);
                *syncs |= sync;
            }
            Some(_) | None => {
                let mut copy = self.spares.try_recv().unwrap_or_default();
                copy.extend_from_slice(&bytes);
                self.order(Order::Append { batch, bytes: copy, sync });
            }
        }
    }

    /// Tries again to write what could not be written. Whatever is appended does so, too.
    pub fn retry(&mut self) {
        self.order(Order::Retry);
    }

    /// Makes safe what was appended so far, while appending goes on.
    pub fn sync(&mut self) {
        self.order(Order::Sync);
    }

    /// Syncs and closes. What cannot be written or synced is reported, and lost.
    pub fn close(&mut self) {
        self.order(Order::Close);
    }

    /// Whether there are orders that are still to be handed over.
    #[must_use]
    pub fn has_gathered(&self) -> bool {
        !self.gathered.is_empty()
    }

    /// Has the threads begin with what was ordered.
    pub fn hand_over(&mut self) {
        for order in self.gathered.drain(..) {
            // The thread ends only with us.
            let _ = self.orders.as_ref().map(|orders| orders.send(order));
        }
    }

    /// The next report, if there is one.
    #[must_use]
    pub fn report(&self) -> Option<Report> {
        self.reports.try_recv().ok()
    }

    fn order(&mut self, order: Order) {
        self.gathered.push(order);
    }
}

impl Drop for LogWriter {
    fn drop(&mut self) {
        self.hand_over();
        self.orders = None;
        for thread in self.threads.drain(..) {
            // A thread that panicked has ended the process.
            let _ = thread.join();
        }
    }
}

fn start_thread(name: &str, body: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name(name.to_owned()).spawn(body)
}

/// The thread that appends.
fn write_all(orders: &Receiver<Order>, mut desk: Desk) {
    while let Ok(order) = orders.recv() {
        desk.take(order);
        for order in orders.try_iter().take(ORDERS_PER_ROUND) {
            desk.take(order);
        }
        desk.finish_round();
    }
}

/// A sync that nobody waits for.
struct SyncJob {
    file: Arc<LogFile>,
    /// The last batch that it makes safe.
    batch: u64,
}

/// The thread that syncs.
fn sync_all(jobs: Receiver<SyncJob>, mut reporter: Reporter) {
    for SyncJob { file, batch } in jobs {
        reporter.tell(synced(&file, batch));
        reporter.wake();
    }
}

/// Syncs a file that holds everything up to `batch`.
fn synced(file: &LogFile, batch: u64) -> Report {
    match file.sync() {
        Ok(()) => Report::Synced { batch },
        Err(cause) => Report::Failed { step: Step::Sync, cause },
    }
}

/// Where reports go.
#[derive(Clone, Debug)]
struct Reporter {
    reports: Sender<Report>,
    waker: Waker,
    /// Something was told and nobody was woken.
    is_unheard: bool,
}

impl Reporter {
    fn tell(&mut self, report: Report) {
        // Nobody listens any more when the process is about to end.
        self.is_unheard |= self.reports.send(report).is_ok();
    }

    /// Ends the sleep of who listens, if there is something to be heard.
    fn wake(&mut self) {
        if std::mem::take(&mut self.is_unheard) {
            // Whoever cannot be woken is about to end.
            let _ = self.waker.wake();
        }
    }
}

#[cfg(test)]
mod tests;
