//! The files that hold the data: one that is saved and the log, by threads, and one that is read.
//!
//! Names are looked up in the working directory when a wish is heard; it may change while the wish
//! is carried out.

use std::io;
use std::path::{Path, PathBuf};

use vesta_node::{DiskNews, FileFault, FileStep, LogStep, SaveFault, SaveStep};
use vesta_rt::file_reader::FileReader;
use vesta_rt::file_shipper::{FileShipper, Piece};
use vesta_rt::file_writer::{self, FileWriter, NewFile};
use vesta_rt::log_writer::{self, LogWriter};
use vesta_rt::reactor::Waker;
use vesta_rt::{errno_text, file_jobs};
use vesta_types::Mono;

/// The files at hand.
#[derive(Debug, Default)]
pub(super) struct DataFiles {
    /// There once something was to be written.
    pub(super) writer: Option<FileWriter>,
    /// There once a log was to be opened.
    pub(super) log: Option<LogWriter>,
    /// Since when it has orders that were not handed over.
    gathering_since: Mono,
    reader: Option<FileReader>,
    /// There once a file was to be shipped.
    shipper: Option<FileShipper>,
}

impl DataFiles {
    /// Begins to write a file.
    pub(super) fn create(
        &mut self,
        waker: &Waker,
        id: u64,
        temporary: &str,
        name: &str,
        syncs_early: bool,
    ) -> io::Result<()> {
        let (temporary, path) = (absolute(temporary)?, absolute(name)?);
        let writer = started(&mut self.writer, || FileWriter::start(waker.clone()))?;
        writer.open(NewFile { id, temporary, path, syncs_early });
        Ok(())
    }

    /// Begins a job on whole files.
    pub(super) fn begin_job(
        &mut self,
        waker: &Waker,
        id: u64,
        steps: Vec<FileStep>,
    ) -> io::Result<()> {
        let steps = steps.into_iter().map(step).collect::<io::Result<_>>()?;
        started(&mut self.writer, || FileWriter::start(waker.clone()))?.job(id, steps);
        Ok(())
    }

    /// Begins to append to a file of the log.
    pub(super) fn open_log(&mut self, waker: &Waker, name: &str, len: u64) -> io::Result<()> {
        let path = absolute(name)?;
        started(&mut self.log, || LogWriter::start(waker.clone()))?.open(path, len);
        Ok(())
    }

    /// Appends to the log, once that is handed over.
    pub(super) fn append_to_log(&mut self, now: Mono, batch: u64, bytes: Vec<u8>, sync: bool) {
        let Some(log) = &mut self.log else { return };
        if !log.has_gathered() {
            self.gathering_since = now;
        }
        log.append(batch, bytes, sync);
    }

    /// Since when the log has something to do that it was not told, if it has.
    pub(super) fn gathering_since(&self) -> Option<Mono> {
        let gathers = self.log.as_ref().is_some_and(LogWriter::has_gathered);
        gathers.then_some(self.gathering_since)
    }

    /// Has the log do what it is to do.
    pub(super) fn hand_over_log(&mut self) {
        if let Some(log) = &mut self.log {
            log.hand_over();
        }
    }

    /// What has become of what was written.
    pub(super) fn news(&self) -> Option<DiskNews> {
        self.news_of_writer().or_else(|| self.news_of_log()).or_else(|| self.news_of_shipper())
    }

    fn news_of_shipper(&self) -> Option<DiskNews> {
        let Piece { id, outcome } = self.shipper.as_ref()?.piece()?;
        let outcome = outcome.map_err(|error| errno_text(&error.cause));
        Some(DiskNews::ShipPiece { ship: id, outcome })
    }

    fn news_of_log(&self) -> Option<DiskNews> {
        use log_writer::{Report, Step};
        Some(match self.log.as_ref()?.report()? {
            Report::Opened(outcome) => {
                DiskNews::LogOpened(outcome.map_err(|cause| errno_text(&cause)))
            }
            Report::Written { batch } => DiskNews::LogWritten { batch },
            Report::Synced { batch } => DiskNews::LogSynced { batch },
            Report::Failed { step, cause } => {
                let step = match step {
                    Step::Write => LogStep::Write,
                    Step::Sync => LogStep::Sync,
                };
                DiskNews::LogFailed { step, why: errno_text(&cause) }
            }
            Report::Closed => DiskNews::LogClosed,
        })
    }

    fn news_of_writer(&self) -> Option<DiskNews> {
        use file_writer::{Report, Step};
        Some(match self.writer.as_ref()?.report()? {
            Report::Written { id, bytes } => DiskNews::SaveWritten { id, bytes },
            Report::Done { id, outcome } => {
                let outcome = outcome.map_err(|error| {
                    let step = match error.step {
                        Step::Create => SaveStep::Create,
                        Step::Write => SaveStep::Write,
                        Step::Sync => SaveStep::Sync,
                        Step::Rename => SaveStep::Rename,
                    };
                    SaveFault { step, why: errno_text(&error.cause) }
                });
                DiskNews::SaveDone { id, outcome }
            }
            Report::JobDone { id, outcome } => {
                let fault = |error: file_jobs::JobError| FileFault {
                    step: error.step,
                    why: errno_text(&error.cause),
                };
                DiskNews::FilesDone { id, outcome: outcome.map_err(fault) }
            }
        })
    }

    /// Opens a file in the working directory; how long it is, if it is there.
    pub(super) fn open_to_read(&mut self, name: &str) -> Result<Option<u64>, String> {
        let opened = FileReader::open(Path::new(name));
        self.reader = opened.map_err(|error| errno_text(&error.cause))?;
        Ok(self.reader.as_ref().map(FileReader::len))
    }

    /// Opens a file to be shipped; how long it is.
    pub(super) fn open_to_ship(
        &mut self,
        waker: &Waker,
        ship: u64,
        name: &str,
    ) -> Result<u64, String> {
        let started = started(&mut self.shipper, || FileShipper::start(waker.clone()));
        let shipper = started.map_err(|cause| errno_text(&cause))?;
        let opened = shipper.open(ship, Path::new(name));
        let len = opened.map_err(|error| errno_text(&error.cause))?;
        len.ok_or_else(|| errno_text(&io::ErrorKind::NotFound.into()))
    }

    /// Asks for the next bytes of a file that is shipped.
    pub(super) fn read_to_ship(&self, ship: u64, bytes_max: usize) {
        if let Some(shipper) = &self.shipper {
            shipper.read(ship, bytes_max);
        }
    }

    /// Closes a file that is shipped.
    pub(super) fn close_shipped(&self, ship: u64) {
        if let Some(shipper) = &self.shipper {
            shipper.close(ship);
        }
    }

    /// Reads on in the file that was opened; closes it at its end.
    pub(super) fn read(&mut self, bytes_max: usize) -> Result<Vec<u8>, String> {
        let Some(reader) = &mut self.reader else { return Ok(Vec::new()) };
        let bytes = reader.read(bytes_max).map_err(|error| errno_text(&error.cause))?;
        if bytes.is_empty() {
            self.reader = None;
        }
        Ok(bytes)
    }
}

/// The names of what lies in a directory within the working directory; none when there is no such
/// directory.
pub(super) fn list(name: &str) -> Result<Vec<String>, String> {
    let entries = match std::fs::read_dir(name) {
        Ok(entries) => entries,
        Err(error) if is_absent(&error) => return Ok(Vec::new()),
        Err(error) => return Err(errno_text(&error)),
    };
    let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    names.collect::<io::Result<Vec<String>>>().map_err(|error| errno_text(&error))
}

/// Whether there is nothing of that name; what has no directory above it is not there either.
fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// A thread that is started when it is first needed.
fn started<T>(place: &mut Option<T>, start: impl FnOnce() -> io::Result<T>) -> io::Result<&mut T> {
    let present = match place.take() {
        Some(present) => present,
        None => start()?,
    };
    Ok(place.insert(present))
}

fn absolute(name: &str) -> io::Result<PathBuf> {
    std::env::current_dir().map(|dir| dir.join(name))
}

fn step(step: FileStep) -> io::Result<file_jobs::FileStep> {
    use file_jobs::FileStep as Step;
    Ok(match step {
        FileStep::MakeDir { name } => Step::MakeDir { path: absolute(&name)? },
        FileStep::Replace { name, bytes } => Step::Replace { path: absolute(&name)?, bytes },
        FileStep::Rename { from, to } => {
            Step::Rename { from: absolute(&from)?, to: absolute(&to)? }
        }
        FileStep::Remove { name } => Step::Remove { path: absolute(&name)? },
        FileStep::Cut { name, len } => Step::Cut { path: absolute(&name)?, len },
    })
}
