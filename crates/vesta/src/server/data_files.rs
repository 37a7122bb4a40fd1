//! The files that hold the data: one that is written, by a thread, and one that is read.

use std::io;
use std::path::Path;

use vesta_node::{DiskNews, SaveFault, SaveStep};
use vesta_rt::errno_text;
use vesta_rt::file_reader::FileReader;
use vesta_rt::file_writer::{FileWriter, NewFile, Report, Step};
use vesta_rt::reactor::Waker;

/// The files at hand.
#[derive(Debug, Default)]
pub(super) struct DataFiles {
    /// There once something was to be written.
    pub(super) writer: Option<FileWriter>,
    reader: Option<FileReader>,
}

impl DataFiles {
    /// Begins to write a file in the working directory, which may change meanwhile.
    pub(super) fn create(
        &mut self,
        waker: &Waker,
        id: u64,
        temporary: &str,
        name: &str,
        syncs_early: bool,
    ) -> io::Result<()> {
        let writer = match self.writer.take() {
            Some(writer) => writer,
            None => FileWriter::start(waker.clone())?,
        };
        let writer = self.writer.insert(writer);
        let dir = std::env::current_dir()?;
        let (temporary, path) = (dir.join(temporary), dir.join(name));
        writer.open(NewFile { id, temporary, path, syncs_early });
        Ok(())
    }

    /// What has become of what was written.
    pub(super) fn news(&self) -> Option<DiskNews> {
        let report = self.writer.as_ref()?.report()?;
        Some(match report {
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
        })
    }

    /// Opens a file in the working directory; how long it is, if it is there.
    pub(super) fn open_to_read(&mut self, name: &str) -> Result<Option<u64>, String> {
        let opened = FileReader::open(Path::new(name));
        self.reader = opened.map_err(|error| errno_text(&error.cause))?;
        Ok(self.reader.as_ref().map(FileReader::len))
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
