//! What kind of file an AOF is, and reading a manifest.

use std::path::Path;

use vesta_persist::aof::{Manifest, ManifestError};
use vesta_rt::files::FileError;

use super::window::Window;

/// Bytes that are looked at to find out what a file is; the longest line of a manifest has 1,024.
const LOOKED_AT_BYTES: usize = 4096;
/// Bytes of the largest manifest that is read.
const MANIFEST_BYTES_MAX: u64 = 16 << 20;

/// What a file is, by its first bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// Nothing is in it.
    Empty,
    /// It names the files of a log.
    Manifest,
    /// A snapshot, and perhaps requests behind it.
    Snapshot,
    /// Anything else: it should be requests.
    Requests,
}

/// What the file is whose first bytes these are. That a file is called a manifest makes it one if
/// it is nothing else.
pub(super) fn kind_of(head: &[u8], is_called_manifest: bool) -> Kind {
    let is_comment = |line: &&[u8]| line.starts_with(b"#");
    let line = head.split(|byte| *byte == b'\n').find(|line| !is_comment(line));
    let line = line.unwrap_or_default().trim_ascii_start();
    let word = line.split(u8::is_ascii_whitespace).next().unwrap_or_default();
    match head {
        [b'R', b'E', b'D', b'I', b'S', ..] | [b'V', b'A', b'L', b'K', b'E', b'Y', ..] => {
            Kind::Snapshot
        }
        [b'*', ..] => Kind::Requests,
        _ if word.eq_ignore_ascii_case(b"file") || is_called_manifest => Kind::Manifest,
        [] => Kind::Empty,
        _ => Kind::Requests,
    }
}

/// What the file in the window is.
///
/// # Errors
/// What the disk says.
pub(super) fn look(window: &mut Window, path: &Path) -> Result<Kind, FileError> {
    if window.bytes().is_empty() {
        window.fill(1)?;
    }
    let bytes = window.bytes();
    let head = bytes.get(..LOOKED_AT_BYTES).unwrap_or(bytes);
    Ok(kind_of(head, path.extension().is_some_and(|extension| extension == "manifest")))
}

/// A manifest, or why it is none.
pub(super) enum ReadManifest {
    /// It is one.
    Sound(Manifest),
    /// It is none.
    Faulty(ManifestError),
    /// It is too large to be one.
    TooLarge,
}

/// Reads the manifest in the window.
///
/// # Errors
/// What the disk says.
pub(super) fn read(window: &mut Window) -> Result<ReadManifest, FileError> {
    let len = window.file_bytes();
    if len > MANIFEST_BYTES_MAX {
        return Ok(ReadManifest::TooLarge);
    }
    let missing = usize::try_from(len).unwrap_or(usize::MAX).saturating_sub(window.bytes().len());
    window.fill(missing)?;
    Ok(match Manifest::parse(window.bytes()) {
        Ok(manifest) => ReadManifest::Sound(manifest),
        Err(error) => ReadManifest::Faulty(error),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_what_its_first_bytes_say() {
        for (head, kind) in [
            ("", Kind::Empty),
            ("*1\r\n$4\r\nPING\r\n", Kind::Requests),
            ("#TS:1\r\n*1\r\n", Kind::Requests),
            ("REDIS0011", Kind::Snapshot),
            ("VALKEY080", Kind::Snapshot),
            ("file a seq 1 type b\n", Kind::Manifest),
            ("# a comment\n File a seq 1 type b\n", Kind::Manifest),
            ("files\n", Kind::Requests),
            ("garbage", Kind::Requests),
        ] {
            assert_eq!(kind_of(head.as_bytes(), false), kind, "{head:?}");
        }
        assert_eq!(kind_of(b"garbage", true), Kind::Manifest);
        assert_eq!(kind_of(b"", true), Kind::Manifest);
        assert_eq!(kind_of(b"*1\r\n", true), Kind::Requests);
    }
}
