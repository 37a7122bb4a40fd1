//! Other programs: run to their end, with their output or their success.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// What a program prints; its failure is an error that carries what it printed on standard error.
pub(crate) fn output(
    dir: &Path,
    program: impl AsRef<OsStr>,
    args: &[impl AsRef<OsStr>],
) -> io::Result<String> {
    let program = program.as_ref();
    let Output { status, stdout, stderr } = Command::new(program)
        .args(args)
        .current_dir(dir)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| named(program, &error))?;
    if status.success() {
        return String::from_utf8(stdout).map_err(io::Error::other);
    }
    let why = format!("{status}\n{}", String::from_utf8_lossy(&stderr));
    Err(named(program, &io::Error::other(why)))
}

/// Runs a program with our own output; its failure is an error.
pub(crate) fn run(
    dir: &Path,
    program: impl AsRef<OsStr>,
    args: &[impl AsRef<OsStr>],
) -> io::Result<()> {
    let program = program.as_ref();
    let status = Command::new(program)
        .args(args)
        .current_dir(dir)
        .status()
        .map_err(|error| named(program, &error))?;
    if status.success() {
        Ok(())
    } else {
        Err(named(program, &io::Error::other(status.to_string())))
    }
}

fn named(program: &OsStr, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", program.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_carries_its_name_and_what_it_said() {
        let here = Path::new(".");
        assert_eq!(output(here, "echo", &["hello"]).unwrap(), "hello\n");
        let failed = output(here, "sh", &["-c", "echo sorry >&2; exit 3"]).unwrap_err().to_string();
        assert!(failed.starts_with("sh: ") && failed.contains("sorry"), "{failed}");
        let no_args: [&str; 0] = [];
        let missing = run(here, "no-such-program-anywhere", &no_args).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    }
}
