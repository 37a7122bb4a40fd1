//! Reading a large file from its beginning to its end, in pieces.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::files::FileError;

/// An open file and what it was opened as.
#[derive(Debug)]
pub struct FileReader {
    file: File,
    path: PathBuf,
    len: u64,
}

impl FileReader {
    /// Opens a file, if there is one; where a file is in the place of a directory, nothing is.
    ///
    /// # Errors
    /// It is there and cannot be read.
    pub fn open(path: &Path) -> Result<Option<Self>, FileError> {
        let fail = |step, cause| FileError { step, path: path.to_path_buf(), cause };
        let file = match File::open(path) {
            Ok(file) => file,
            Err(cause) if is_absent(cause.kind()) => return Ok(None),
            Err(cause) => return Err(fail("open", cause)),
        };
        let facts = file.metadata().map_err(|cause| fail("stat", cause))?;
        if facts.is_dir() {
            return Err(fail("read", rustix::io::Errno::ISDIR.into()));
        }
        Ok(Some(Self { file, path: path.to_path_buf(), len: facts.len() }))
    }

    /// Bytes of the file when it was opened.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether it was empty when it was opened.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The next `most` bytes; fewer, or none, only at the end.
    ///
    /// # Errors
    /// What the disk says, with the path.
    pub fn read(&mut self, most: usize) -> Result<Vec<u8>, FileError> {
        let mut bytes = Vec::new();
        self.read_behind(&mut bytes, most)?;
        Ok(bytes)
    }

    /// Appends the next `most` bytes to `bytes` and says how many came; fewer, or none, only at the
    /// end.
    ///
    /// # Errors
    /// What the disk says, with the path.
    pub fn read_behind(&mut self, bytes: &mut Vec<u8>, most: usize) -> Result<usize, FileError> {
        bytes.reserve_exact(most);
        let read = self.file.by_ref().take(most as u64).read_to_end(bytes);
        read.map_err(|cause| FileError { step: "read", path: self.path.clone(), cause })
    }
}

fn is_absent(kind: io::ErrorKind) -> bool {
    matches!(kind, io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_in_pieces_to_its_end() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        assert!(FileReader::open(&path).unwrap().is_none());
        std::fs::write(&path, "0123456789").unwrap();
        assert!(FileReader::open(&path.join("below")).unwrap().is_none());
        let mut reader = FileReader::open(&path).unwrap().unwrap();
        assert_eq!(reader.len(), 10);
        for piece in ["0123", "4567", "89", ""] {
            assert_eq!(reader.read(4).unwrap(), piece.as_bytes());
        }
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_path() {
        let dir = tempfile::tempdir().unwrap();
        let error = FileReader::open(dir.path()).unwrap_err();
        assert!(error.to_string().starts_with(&format!("read {}: ", dir.path().display())));
    }
}
