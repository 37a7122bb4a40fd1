//! The check role: `vesta check rdb` and `vesta check aof`.
//!
//! The tools read a file from its beginning to its end, whatever its size, with as much memory as
//! its largest value takes. They say what is in it, or what is wrong with it and where, and leave
//! it as it is unless they are told to cut off its end. The status is 0 for one without a fault.
//!
//! Arguments, statuses and the lines that scripts read are those of redis-check-rdb and
//! redis-check-aof 7.0.15. Where those would pass a file that a server then refuses, the file is
//! refused here: an annotation that is cut, a request without arguments, an empty manifest.

mod aof;
mod console;
mod log_summary;
mod manifest;
mod rdb;
mod rdb_summary;
mod requests;
mod salvage;
#[cfg(test)]
mod tests;
mod window;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use vesta_rt::clock::Clock;
use vesta_rt::files::FileError;
use vesta_rt::{entropy, errno_text};
use vesta_store::Rules;
use vesta_types::Unix;

use console::Console;
use window::Window;

/// What is to be checked.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Task {
    /// An RDB file.
    Rdb {
        /// Where it is.
        file: PathBuf,
    },
    /// A log: a manifest with all its files, or one file.
    Aof {
        /// Where it is.
        file: PathBuf,
        /// What may be done to it.
        repair: Repair,
    },
}

/// What may be done to a log.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Repair {
    /// Nothing.
    Nothing,
    /// Its end may be cut off if it is faulty, after a question.
    Fix,
    /// What is later than this is cut off, in seconds since 1970.
    CutBehind(i64),
}

/// Everything that `vesta check ...` does.
pub(crate) fn start(task: &Task) -> ExitCode {
    let seed = match entropy::bytes() {
        Ok(bytes) => u64::from_ne_bytes(bytes),
        Err(error) => {
            println!("Cannot draw a random number: {}", errno_text(&error));
            return ExitCode::FAILURE;
        }
    };
    let now = Unix(Clock::new().now().unix_us);
    let means = Means { now, rules: Rules::seeded(seed) };
    let (mut out, mut answers) = (std::io::stdout().lock(), std::io::stdin().lock());
    match run(task, &means, &mut Console::new(&mut out, &mut answers, true)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Faulty) => ExitCode::FAILURE,
    }
}

/// What a check needs from outside.
struct Means {
    /// For what has expired already.
    now: Unix,
    /// How values are built, with a seed that whoever made a file does not know.
    rules: Rules,
}

/// What was checked is faulty, or could not be checked. What and where has been said.
#[derive(Debug, Eq, PartialEq)]
struct Faulty;

fn run(task: &Task, means: &Means, console: &mut Console<'_>) -> Result<(), Faulty> {
    match task {
        Task::Rdb { file } => rdb::check(file, means, console),
        Task::Aof { file, repair } => aof::check(file, *repair, means, console),
    }
}

fn open(path: &Path, console: &mut Console<'_>) -> Result<Window, Faulty> {
    match Window::open(path) {
        Ok(Some(window)) => Ok(window),
        Ok(None) => {
            let name = printable(path);
            console.say(format_args!("Cannot open file {name}: No such file or directory"));
            Err(Faulty)
        }
        Err(error) => Err(cannot_read(console, &error)),
    }
}

fn cannot_read(console: &mut Console<'_>, error: &FileError) -> Faulty {
    let (path, cause) = (printable(&error.path), errno_text(&error.cause));
    let verb = if error.step == "open" { "open" } else { "read" };
    console.say(format_args!("Cannot {verb} file {path}: {cause}"));
    Faulty
}

fn printable(path: &Path) -> String {
    path.display().to_string()
}
