//! A file of the log, which remembers that it could not be synced.

use std::fmt::Debug;
use std::fs::File;
use std::io::{self, ErrorKind, IoSlice, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use crate::files::sync_dir_of;

/// What a log needs of a file.
pub(super) trait Device: Debug + Send + Sync {
    /// Appends a part of `pieces`, in order; how many bytes.
    fn append(&self, pieces: &[IoSlice<'_>]) -> io::Result<usize>;
    /// Forgets what is there behind the first `len` bytes.
    fn cut(&self, len: u64) -> io::Result<()>;
    /// Makes safe what was appended.
    fn sync(&self) -> io::Result<()>;
}

impl Device for File {
    fn append(&self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut file = self;
        match pieces {
            [piece] => file.write(piece),
            pieces => file.write_vectored(pieces),
        }
    }

    fn cut(&self, len: u64) -> io::Result<()> {
        self.set_len(len)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}

/// An open file of the log.
#[derive(Debug)]
pub(super) struct LogFile {
    device: Box<dyn Device>,
    /// Why it could not be synced. Whoever syncs holds it, so that nobody else gets the good news
    /// of a system that has told the bad news once.
    fault: Mutex<Option<io::Error>>,
}

impl LogFile {
    pub(super) fn new(device: Box<dyn Device>) -> Self {
        Self { device, fault: Mutex::new(None) }
    }

    /// Opens a file to append to it behind its first `len` bytes. If there is none it is created,
    /// and its name is safe.
    pub(super) fn open(path: &Path, len: u64) -> io::Result<Self> {
        let mut options = File::options();
        options.append(true);
        let file = match options.open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let file = options.create_new(true).open(path)?;
                sync_dir_of(path)?;
                file
            }
            opened => opened?,
        };
        let present = file.metadata()?.len();
        if present < len {
            return Err(io::Error::new(ErrorKind::InvalidData, "it is shorter than it was"));
        }
        if present > len {
            file.set_len(len)?;
        }
        Ok(Self::new(Box::new(file)))
    }

    /// Appends a part of `pieces`, in order; how many bytes, none only if there are none.
    pub(super) fn append(&self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        if pieces.iter().all(|piece| piece.is_empty()) {
            return Ok(0);
        }
        match self.device.append(pieces) {
            Ok(0) => Err(ErrorKind::WriteZero.into()),
            outcome => outcome,
        }
    }

    /// Whether it could not be synced.
    pub(super) fn has_failed(&self) -> bool {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    pub(super) fn cut(&self, len: u64) -> io::Result<()> {
        self.device.cut(len)
    }

    /// Makes safe what was appended. Once it has failed it fails for ever.
    pub(super) fn sync(&self) -> io::Result<()> {
        let mut fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(fault) = &*fault {
            return Err(copied(fault));
        }
        self.device.sync().inspect_err(|error| *fault = Some(copied(error)))
    }
}

/// An error that says the same.
pub(super) fn copied(error: &io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code),
        None => error.kind().into(),
    }
}
