//! Files: replacing one so that a crash leaves the old or the new, and expanding patterns.

use std::fmt;
use std::fs::{File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::errno_text;

/// Replaces the file at `path` by one that holds `bytes`.
///
/// A temporary file in the same directory is written, synced and renamed over `path`, then the
/// directory is synced: after a crash the file is the old one or the new one, and after `Ok` the
/// new one. It keeps the old one's permissions, for a configuration may hold passwords; a new file
/// gets what the umask leaves of 0644.
///
/// # Errors
/// The step that failed and the path it failed on. The old file is then as it was, except when
/// syncing the directory failed: then the new file is there, though not yet safe from a crash.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let temporary = temporary_beside(path)
        .ok_or_else(|| fail("name", path, io::Error::from(io::ErrorKind::InvalidInput)))?;
    let mode = std::fs::metadata(path).ok().map(|old| old.permissions().mode() & 0o7777);
    let written = write_synced(&temporary, bytes, mode)
        .and_then(|()| step("rename", &temporary, std::fs::rename(&temporary, path)));
    if let Err(error) = written {
        // The report is about the first failure; what is left behind is only a temporary file.
        let _ = std::fs::remove_file(&temporary);
        return Err(error);
    }
    step("sync directory", dir_of(path), sync_dir_of(path))
}

/// Makes safe what has happened to names in the directory of `path`.
///
/// # Errors
/// What the system says.
pub fn sync_dir_of(path: &Path) -> io::Result<()> {
    File::open(dir_of(path))?.sync_all()
}

fn dir_of(path: &Path) -> &Path {
    path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Cuts the file at `path` from `from` bytes to `to` bytes and syncs it.
///
/// # Errors
/// The step that failed; `check` if the file does not have `from` bytes any more, and is left as it
/// is.
pub fn shorten(path: &Path, from: u64, to: u64) -> Result<(), FileError> {
    let file = step("open", path, File::options().write(true).open(path))?;
    let len = step("stat", path, file.metadata())?.len();
    if len != from {
        let changed = format!("it has {len} bytes now and not {from}");
        return Err(fail("check", path, io::Error::other(changed)));
    }
    step("truncate", path, file.set_len(to))?;
    step("sync", path, file.sync_all())
}

fn write_synced(path: &Path, bytes: &[u8], mode: Option<u32>) -> Result<(), FileError> {
    let mut options = File::options();
    options.write(true).create_new(true).mode(mode.map_or(0o644, |mode| mode & 0o600));
    let mut file = step("create", path, options.open(path))?;
    step("write", path, file.write_all(bytes))?;
    if let Some(mode) = mode {
        step("chmod", path, file.set_permissions(Permissions::from_mode(mode)))?;
    }
    step("sync", path, file.sync_all())
}

/// A name that no other process and no other call uses: `name.tmp-<pid>-<random>`.
fn temporary_beside(path: &Path) -> Option<PathBuf> {
    let mut name = path.file_name()?.to_os_string();
    let chance = u64::from_ne_bytes(crate::entropy::bytes().ok()?);
    name.push(format!(".tmp-{}-{chance:016x}", crate::process::pid()));
    Some(path.with_file_name(name))
}

/// Every file that matches a shell pattern, in the order of their names; a pattern without
/// wildcards that matches nothing gives nothing.
///
/// # Errors
/// The pattern is malformed, or a directory on the way cannot be read.
pub fn expand(pattern: &str) -> Result<Vec<PathBuf>, FileError> {
    let invalid = |error| {
        fail("expand", Path::new(pattern), io::Error::new(io::ErrorKind::InvalidInput, error))
    };
    let matches: Result<Vec<PathBuf>, glob::GlobError> =
        glob::glob(pattern).map_err(invalid)?.collect();
    matches.map_err(|error| FileError {
        step: "read directory",
        path: error.path().to_path_buf(),
        cause: error.into(),
    })
}

/// Whether a path given to `include` is a pattern to [`expand`].
#[must_use]
pub fn is_pattern(path: &str) -> bool {
    path.contains(['*', '?', '['])
}

/// What failed on which file.
///
/// Printed as `rename /etc/vesta.conf.tmp-1: Permission denied`.
#[derive(Debug)]
pub struct FileError {
    /// What was being done.
    pub step: &'static str,
    /// To which file or directory.
    pub path: PathBuf,
    /// What the system said.
    pub cause: io::Error,
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.step, self.path.display(), errno_text(&self.cause))
    }
}

impl std::error::Error for FileError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.cause)
    }
}

fn fail(step: &'static str, path: &Path, cause: io::Error) -> FileError {
    FileError { step, path: path.to_path_buf(), cause }
}

fn step<T>(step: &'static str, path: &Path, result: io::Result<T>) -> Result<T, FileError> {
    result.map_err(|cause| fail(step, path, cause))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_replaced_and_nothing_is_left_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("vesta.conf");
        write_atomically(&path, b"old").unwrap();
        write_atomically(&path, b"new").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(names(dir.path()), ["vesta.conf"]);
    }

    #[test]
    fn the_permissions_of_a_secret_file_stay() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("vesta.conf");
        std::fs::write(&path, "requirepass x").unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        write_atomically(&path, b"requirepass y").unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o640);
    }

    #[test]
    fn a_failure_names_the_step_and_leaves_the_old_contents() {
        let dir = tempfile::tempdir().unwrap();
        let missing = dir.path().join("missing").join("vesta.conf");
        let error = write_atomically(&missing, b"x").unwrap_err();
        assert_eq!(error.step, "create");
        assert!(error.to_string().ends_with(": No such file or directory"), "{error}");

        let taken = dir.path().join("taken");
        std::fs::create_dir(&taken).unwrap();
        let error = write_atomically(&taken, b"x").unwrap_err();
        assert_eq!(error.step, "rename");
        assert_eq!(names(dir.path()), ["taken"]);
    }

    #[test]
    fn a_file_is_shortened_only_if_it_is_the_one_that_was_looked_at() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        std::fs::write(&path, "0123456789").unwrap();
        let error = shorten(&path, 9, 5).unwrap_err();
        assert!(error.to_string().ends_with(": it has 10 bytes now and not 9"), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), b"0123456789");
        shorten(&path, 10, 5).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"01234");
        assert_eq!(shorten(&dir.path().join("missing"), 0, 0).unwrap_err().step, "open");
    }

    #[test]
    fn a_pattern_gives_its_matches_in_order() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["b.conf", "a.conf", "c.txt"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        let found = expand(&format!("{}/*.conf", dir.path().display())).unwrap();
        assert_eq!(found, [dir.path().join("a.conf"), dir.path().join("b.conf")]);
        assert!(expand(&format!("{}/*.none", dir.path().display())).unwrap().is_empty());
        assert!(expand("/x/***").is_err());
        assert!(is_pattern("conf.d/*.conf") && !is_pattern("vesta.conf"));
    }
}
