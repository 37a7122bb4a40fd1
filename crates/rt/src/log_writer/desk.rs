//! The side of the thread that appends: the file at hand and what is still to be written to it.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Sender, SyncSender};

use super::file::{LogFile, copied};
use super::{Order, Report, Reporter, Step, SyncJob, synced};

/// Batches of one write.
const PIECES: usize = 64;

pub(super) struct Desk {
    file: Option<Open>,
    queue: VecDeque<Batch>,
    /// The last batch that was written.
    written: u64,
    /// Something that was written, or is in the queue, is to be safe.
    wants_sync: bool,
    reporter: Reporter,
    syncs: Sender<SyncJob>,
    /// Where empty buffers go.
    spares: SyncSender<Vec<u8>>,
}

struct Batch {
    number: u64,
    bytes: Vec<u8>,
}

/// A file, and how far it is filled.
struct Open {
    file: Arc<LogFile>,
    /// Its length in whole batches.
    len: u64,
    /// Bytes behind that, of the first batch of the queue.
    begun: usize,
}

impl Desk {
    pub(super) fn new(
        reporter: Reporter,
        syncs: Sender<SyncJob>,
        spares: SyncSender<Vec<u8>>,
    ) -> Self {
        let queue = VecDeque::new();
        Self { file: None, queue, written: 0, wants_sync: false, reporter, syncs, spares }
    }

    /// Begins to carry out an order: what is appended waits for the end of the round, or for an
    /// order that it must not fall behind.
    pub(super) fn take(&mut self, order: Order) {
        match order {
            Order::Append { batch, bytes, sync } => {
                self.queue.push_back(Batch { number: batch, bytes });
                self.wants_sync |= sync;
            }
            // Every round tries.
            Order::Retry => {}
            Order::Open { path, len } => {
                let outcome = self.open(&path, len);
                self.reporter.tell(Report::Opened(outcome));
            }
            Order::Sync => {
                // A failure is reported; what was written is synced all the same.
                let _ = self.write_queue();
                self.hand_out_sync();
            }
            Order::Close => {
                let _ = self.write_queue();
                self.close_file();
                self.queue.clear();
                self.wants_sync = false;
                self.reporter.tell(Report::Closed);
            }
        }
    }

    /// Writes everything, syncs if that is asked for, and has the reports heard.
    pub(super) fn finish_round(&mut self) {
        let before = self.written;
        // What could not be written is reported, and tried again in the next round.
        let _ = self.write_queue();
        if self.wants_sync && (self.written > before || self.queue.is_empty()) {
            self.wants_sync = !self.queue.is_empty();
            self.sync_file();
        }
        self.reporter.wake();
    }

    fn open(&mut self, path: &Path, len: u64) -> io::Result<()> {
        if self.file.is_some() {
            self.write_queue()?;
            // What was written need not wait for the sync that comes now.
            self.reporter.wake();
        }
        let file = LogFile::open(path, len)?;
        self.leave_file()?;
        self.wants_sync &= !self.queue.is_empty();
        self.append_to(file, len);
        Ok(())
    }

    /// Appends to an open file of `len` bytes from now on.
    pub(super) fn append_to(&mut self, file: LogFile, len: u64) {
        self.file = Some(Open { file: Arc::new(file), len, begun: 0 });
    }

    /// Closes the file once it is safe, or if it is known already that it never will be.
    fn leave_file(&mut self) -> io::Result<()> {
        if let Some(Open { file, .. }) = &self.file
            && !file.has_failed()
        {
            let report = synced(file, self.written);
            let is_safe = matches!(report, Report::Synced { .. });
            self.reporter.tell(report);
            if !is_safe {
                return Err(io::Error::other("the file before it could not be made safe"));
            }
        }
        self.file = None;
        Ok(())
    }

    fn close_file(&mut self) {
        self.sync_file();
        self.file = None;
    }

    fn sync_file(&mut self) {
        if let Some(Open { file, .. }) = &self.file {
            self.reporter.tell(synced(file, self.written));
        }
    }

    fn hand_out_sync(&mut self) {
        let batch = self.written;
        match &self.file {
            Some(open) => {
                // The thread lives as long as we do.
                let _ = self.syncs.send(SyncJob { file: Arc::clone(&open.file), batch });
            }
            // What was written is in files that were synced when they were closed.
            None => self.reporter.tell(Report::Synced { batch }),
        }
    }

    /// Writes the queue, and reports how far it got and what stopped it.
    fn write_queue(&mut self) -> io::Result<()> {
        let before = self.written;
        let outcome = self.write_batches();
        if self.written > before {
            self.reporter.tell(Report::Written { batch: self.written });
        }
        outcome.inspect_err(|cause| {
            let cause = copied(cause);
            self.reporter.tell(Report::Failed { step: Step::Write, cause });
        })
    }

    fn write_batches(&mut self) -> io::Result<()> {
        if self.queue.is_empty() {
            return Ok(());
        }
        let open = self.file.as_mut().ok_or(ErrorKind::NotConnected)?;
        while !self.queue.is_empty() {
            match open.append(&self.queue) {
                Ok(mut count) => {
                    while let Some(mut batch) = open.pop_whole(&mut self.queue, &mut count) {
                        self.written = batch.number;
                        batch.bytes.clear();
                        // Where there are enough of them it is not needed.
                        let _ = self.spares.try_send(batch.bytes);
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    open.cut();
                    return Err(error);
                }
            }
        }
        Ok(())
    }
}

impl Open {
    /// Takes back the beginning of a batch. Where that is refused, the rest is to follow it.
    fn cut(&mut self) {
        if self.begun > 0 && self.file.cut(self.len).is_ok() {
            self.begun = 0;
        }
    }

    /// Appends a part of the queue in one call; how many bytes.
    fn append(&self, queue: &VecDeque<Batch>) -> io::Result<usize> {
        let mut pieces = [IoSlice::new(&[]); PIECES];
        let mut skip = self.begun;
        for (piece, batch) in pieces.iter_mut().zip(queue) {
            *piece = IoSlice::new(batch.bytes.get(skip..).unwrap_or_default());
            skip = 0;
        }
        let count = queue.len().min(PIECES);
        self.file.append(pieces.get(..count).unwrap_or_default())
    }

    /// Counts `count` bytes as appended, up to the end of the first batch, and takes that out once
    /// it is whole; its number.
    fn pop_whole(&mut self, queue: &mut VecDeque<Batch>, count: &mut usize) -> Option<Batch> {
        let first = queue.front()?;
        let missing = first.bytes.len() - self.begun;
        if *count < missing {
            self.begun += *count;
            *count = 0;
            return None;
        }
        *count -= missing;
        self.begun = 0;
        self.len += first.bytes.len() as u64;
        queue.pop_front()
    }
}
