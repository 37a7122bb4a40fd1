//! Jobs on whole files, each step of which survives a crash once it is done.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::PathBuf;

use crate::files::{sync_dir_of, write_atomically};

/// Something to be done with a file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum FileStep {
    /// Make a directory, unless there is one. The names of what lies in it are safe then.
    MakeDir {
        /// Its path; what it lies in is there.
        path: PathBuf,
    },
    /// Write a file anew. After a crash there is the old one or the new one.
    Replace {
        /// Its path.
        path: PathBuf,
        /// All of it.
        bytes: Vec<u8>,
    },
    /// Give a file another name, in place of what has it.
    Rename {
        /// Its path.
        from: PathBuf,
        /// The path it is to have, on the same file system.
        to: PathBuf,
    },
    /// Remove a file, if there is one.
    Remove {
        /// Its path.
        path: PathBuf,
    },
    /// Cut a file, which is there and not shorter.
    Cut {
        /// Its path.
        path: PathBuf,
        /// Bytes to be left.
        len: u64,
    },
}

/// The step that failed.
#[derive(Debug)]
pub struct JobError {
    /// Which, from 0.
    pub step: usize,
    /// What the system said.
    pub cause: io::Error,
}

/// Does all steps in order, up to the first that fails.
///
/// # Errors
/// The step that failed. It may have been done without being safe.
pub fn carry_out(steps: &[FileStep]) -> Result<(), JobError> {
    for (step, what) in steps.iter().enumerate() {
        what.carry_out().map_err(|cause| JobError { step, cause })?;
    }
    Ok(())
}

impl FileStep {
    fn carry_out(&self) -> io::Result<()> {
        match self {
            Self::MakeDir { path } => {
                match fs::create_dir(path) {
                    Err(error) if error.kind() == ErrorKind::AlreadyExists && path.is_dir() => {}
                    outcome => outcome?,
                }
                File::open(path)?.sync_all()?;
                sync_dir_of(path)
            }
            Self::Replace { path, bytes } => {
                write_atomically(path, bytes).map_err(|error| error.cause)
            }
            Self::Rename { from, to } => {
                fs::rename(from, to)?;
                sync_dir_of(to)?;
                if from.parent() == to.parent() { Ok(()) } else { sync_dir_of(from) }
            }
            Self::Remove { path } => match fs::remove_file(path) {
                // Somebody may have removed it just before a crash that would bring it back; what
                // lies in no directory will not come back.
                Err(error) if error.kind() == ErrorKind::NotFound => sync_dir_of(path).or(Ok(())),
                outcome => outcome.and_then(|()| sync_dir_of(path)),
            },
            Self::Cut { path, len } => {
                let file = File::options().write(true).open(path)?;
                if file.metadata()?.len() < *len {
                    return Err(io::Error::new(ErrorKind::InvalidData, "it is shorter than that"));
                }
                file.set_len(*len)?;
                file.sync_all()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_done_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let steps = [
            FileStep::MakeDir { path: at("d") },
            FileStep::MakeDir { path: at("d") },
            FileStep::Replace { path: at("d/a"), bytes: b"first".to_vec() },
            FileStep::Replace { path: at("d/a"), bytes: b"second".to_vec() },
            FileStep::Replace { path: at("b"), bytes: b"third".to_vec() },
            FileStep::Rename { from: at("b"), to: at("d/c") },
            FileStep::Cut { path: at("d/a"), len: 3 },
            FileStep::Replace { path: at("d/e"), bytes: Vec::new() },
            FileStep::Remove { path: at("d/e") },
            FileStep::Remove { path: at("d/e") },
            FileStep::Remove { path: at("no/such") },
        ];
        carry_out(&steps).unwrap();
        assert_eq!(fs::read(at("d/a")).unwrap(), b"sec");
        assert_eq!(fs::read(at("d/c")).unwrap(), b"third");
        assert_eq!(fs::read_dir(at("d")).unwrap().count(), 2);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn the_first_failure_ends_a_job() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::write(at("a"), "abc").unwrap();
        let after = FileStep::Remove { path: at("a") };
        for (wrong, kind) in [
            (FileStep::MakeDir { path: at("a") }, ErrorKind::AlreadyExists),
            (FileStep::MakeDir { path: at("no/such") }, ErrorKind::NotFound),
            (FileStep::Rename { from: at("x"), to: at("y") }, ErrorKind::NotFound),
            (FileStep::Cut { path: at("a"), len: 4 }, ErrorKind::InvalidData),
            (FileStep::Cut { path: at("x"), len: 0 }, ErrorKind::NotFound),
        ] {
            let steps = [FileStep::Remove { path: at("x") }, wrong, after.clone()];
            let error = carry_out(&steps).unwrap_err();
            assert_eq!((error.step, error.cause.kind()), (1, kind));
        }
        assert_eq!(fs::read(at("a")).unwrap(), b"abc");
    }
}
