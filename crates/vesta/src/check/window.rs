//! A file that goes by in pieces.

use std::path::Path;

use vesta_rt::file_reader::FileReader;
use vesta_rt::files::FileError;

/// Bytes that are read at a time.
const PIECE_BYTES: usize = 1 << 20;

/// The part of a file that is looked at. It grows as far as one item needs it to, and what was
/// taken is let go.
pub(super) struct Window {
    file: FileReader,
    bytes: Vec<u8>,
    /// Bytes in front that were taken.
    taken: usize,
    /// Where `bytes` begins in the file.
    start: u64,
    /// Where the file ends, as far as it is looked at.
    end: u64,
}

impl Window {
    /// Opens a file; `None` if there is none.
    ///
    /// # Errors
    /// It is there and cannot be read.
    pub(super) fn open(path: &Path) -> Result<Option<Self>, FileError> {
        let Some(file) = FileReader::open(path)? else { return Ok(None) };
        let end = file.len();
        let room = usize::try_from(end).unwrap_or(usize::MAX).min(2 * PIECE_BYTES);
        Ok(Some(Self { file, bytes: Vec::with_capacity(room), taken: 0, start: 0, end }))
    }

    /// The bytes that are there and not taken.
    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(self.taken..).unwrap_or_default()
    }

    /// The place of the next byte in the file.
    pub(super) fn position(&self) -> u64 {
        self.start + self.taken as u64
    }

    /// Bytes of the file when it was opened, or fewer if it has become shorter since.
    pub(super) fn file_bytes(&self) -> u64 {
        self.end
    }

    /// Lets go of bytes.
    pub(super) fn take(&mut self, count: usize) {
        self.taken = self.taken.saturating_add(count).min(self.bytes.len());
    }

    /// Reads on, so that there are at least so many more bytes; `false` if the file ends before
    /// that.
    ///
    /// # Errors
    /// What the disk says.
    pub(super) fn fill(&mut self, more: usize) -> Result<bool, FileError> {
        let left = self.end.saturating_sub(self.start + self.bytes.len() as u64);
        if more as u64 > left {
            return Ok(false);
        }
        self.bytes.drain(..self.taken);
        self.start += self.taken as u64;
        self.taken = 0;
        if self.bytes.is_empty() && self.bytes.capacity() > 4 * PIECE_BYTES {
            self.bytes = Vec::new();
        }
        // As much again as there is, so that an item of many pieces is not read piece by piece.
        let most = more.max(PIECE_BYTES).max(self.bytes.len());
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(most);
        let read = self.file.read_behind(&mut self.bytes, most)?;
        if read < most {
            self.end = self.start + self.bytes.len() as u64;
        }
        Ok(read >= more)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_grows_as_far_as_is_asked_and_knows_where_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        assert!(Window::open(&path).unwrap().is_none());
        let bytes: Vec<u8> = (0..3 * PIECE_BYTES + 5).map(|at| (at % 251) as u8).collect();
        std::fs::write(&path, &bytes).unwrap();
        let mut window = Window::open(&path).unwrap().unwrap();
        assert_eq!(window.file_bytes(), bytes.len() as u64);
        assert!(window.fill(1).unwrap());
        assert_eq!(window.bytes(), &bytes[..PIECE_BYTES]);
        window.take(7);
        assert!(window.fill(PIECE_BYTES + 1).unwrap());
        assert_eq!((window.position(), window.bytes()), (7, &bytes[7..2 * PIECE_BYTES + 1]));
        assert!(!window.fill(PIECE_BYTES + 5).unwrap(), "one byte more than there is");
        assert!(window.fill(PIECE_BYTES + 4).unwrap());
        assert_eq!(window.bytes(), &bytes[7..]);
        window.take(usize::MAX);
        assert!(!window.fill(1).unwrap());
        assert_eq!(window.position(), bytes.len() as u64);
    }

    #[test]
    fn a_file_that_becomes_shorter_ends_there() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        std::fs::write(&path, b"0123456789").unwrap();
        let mut window = Window::open(&path).unwrap().unwrap();
        std::fs::write(&path, b"0123").unwrap();
        assert!(!window.fill(5).unwrap());
        assert_eq!((window.bytes(), window.file_bytes()), (&b"0123"[..], 4));
    }
}
