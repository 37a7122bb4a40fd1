//! Checking a log: a manifest with all its files, or a single file.
//!
//! ```text
//! single file     [snapshot] requests
//! manifest        base: [snapshot] requests, then increments: requests
//! ```
//!
//! Only the last file is ever changed, and only its end is cut off: after a question if it is
//! faulty, or behind what is not later than a given time. A file that has got other bytes since it
//! was checked is left alone. The lines that scripts read are those of redis-check-aof 7.0.15.

use std::path::{Path, PathBuf};

use vesta_persist::aof::{LogFile, Manifest};
use vesta_rt::files::{self, FileError};
use vesta_types::ascii;

use super::console::Console;
use super::log_summary::{Commands, counted};
use super::manifest::{self, Kind, ReadManifest};
use super::requests::{Defect, DefectKind, Scan, Stop, scan};
use super::window::Window;
use super::{Faulty, Means, Repair, cannot_read, open, printable, rdb, salvage};

/// Checks a log.
///
/// # Errors
/// It is faulty, or cannot be read or mended; that has been said.
pub(super) fn check(
    path: &Path,
    repair: Repair,
    means: &Means,
    console: &mut Console<'_>,
) -> Result<(), Faulty> {
    let mut window = open(path, console)?;
    let kind = match manifest::look(&mut window, path) {
        Ok(kind) => kind,
        Err(error) => return Err(cannot_read(console, &error)),
    };
    let mut check = Check { repair, means, console, commands: Commands::default() };
    match kind {
        Kind::Manifest => check.manifest(path, &mut window),
        Kind::Snapshot | Kind::Requests | Kind::Empty => check.single(path, window),
    }
}

struct Check<'c, 'io> {
    repair: Repair,
    means: &'c Means,
    console: &'c mut Console<'io>,
    /// Those of all files.
    commands: Commands,
}

/// A file of a log.
struct Part {
    path: PathBuf,
    /// What it is called in lines.
    name: String,
    role: Role,
    /// Whether nothing follows it, so that it may be cut.
    is_last: bool,
}

/// What a file is in a log.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Role {
    /// All of it.
    Single,
    /// What is in front of the increments.
    Base,
    /// Requests only.
    Increment,
}

/// What became of a part.
enum Outcome {
    Empty,
    Valid,
    /// Its faulty end was cut off.
    Fixed,
    /// What is later than this second was cut off.
    CutBehind(i64),
}

impl Check<'_, '_> {
    fn single(&mut self, path: &Path, window: Window) -> Result<(), Faulty> {
        self.console.say("Start checking Old-Style AOF");
        let name = printable(path);
        let path = path.to_path_buf();
        let part = Part { path, name, role: Role::Single, is_last: true };
        let outcome = self.part(&part, window)?;
        self.tell_outcome(&part, &outcome);
        Ok(())
    }

    fn manifest(&mut self, path: &Path, window: &mut Window) -> Result<(), Faulty> {
        self.console.say("Start checking Multi Part AOF");
        let manifest = self.read_manifest(path, window)?;
        let dir = path.parent().unwrap_or(Path::new(""));
        let increments = manifest.files().count() - usize::from(manifest.base().is_some());
        let part = |file: &LogFile, role, is_last| {
            let (path, name) = (dir.join(os_name(&file.name)), ascii::lossy(&file.name));
            Part { path, name, role, is_last }
        };
        if let Some(file) = manifest.base() {
            let part = part(file, Role::Base, increments == 0);
            let window = open(&part.path, self.console)?;
            let outcome = self.part(&part, window)?;
            self.tell_outcome(&part, &outcome);
        }
        if increments > 0 {
            self.console.say("Start to check INCR files.");
        }
        let is_last = |file: &LogFile| manifest.last_increment().is_some_and(|last| last == file);
        for file in manifest.files().skip(manifest.files().count() - increments) {
            let part = part(file, Role::Increment, is_last(file));
            let window = open(&part.path, self.console)?;
            let outcome = self.part(&part, window)?;
            self.tell_outcome(&part, &outcome);
        }
        let history = manifest.clone().take_history().count() as u64;
        if history > 0 {
            let files = counted(history, "file");
            self.console.say(format_args!("  history, not checked: {files}"));
        }
        for line in self.commands.lines() {
            self.console.say(line);
        }
        self.console.say("All AOF files and manifest are valid");
        Ok(())
    }

    fn read_manifest(&mut self, path: &Path, window: &mut Window) -> Result<Manifest, Faulty> {
        let why = match manifest::read(window) {
            Ok(ReadManifest::Sound(manifest)) => return Ok(manifest),
            Ok(ReadManifest::Faulty(error)) => error.to_string(),
            Ok(ReadManifest::TooLarge) => {
                format!("{} are too many for a manifest", counted(window.file_bytes(), "byte"))
            }
            Err(error) => return Err(cannot_read(self.console, &error)),
        };
        self.console.say("*** FATAL AOF MANIFEST FILE ERROR ***");
        self.console.say(format_args!("AOF manifest {} is not valid: {why}", printable(path)));
        Err(Faulty)
    }

    fn tell_outcome(&mut self, part: &Part, outcome: &Outcome) {
        let name = &part.name;
        let role = match part.role {
            Role::Single => "",
            Role::Base => "BASE ",
            Role::Increment => "INCR ",
        };
        self.console.say(match outcome {
            Outcome::Empty => format!("{role}AOF {name} is empty"),
            Outcome::Valid => format!("{role}AOF {name} is valid"),
            Outcome::Fixed => format!("Successfully truncated AOF {name}"),
            Outcome::CutBehind(until) => {
                format!("Successfully truncated AOF {name} to timestamp {until}")
            }
        });
    }

    fn part(&mut self, part: &Part, mut window: Window) -> Result<Outcome, Faulty> {
        if window.file_bytes() == 0 {
            return Ok(Outcome::Empty);
        }
        let is_snapshot = match manifest::look(&mut window, Path::new("")) {
            Ok(kind) => kind == Kind::Snapshot && part.role != Role::Increment,
            Err(error) => return Err(cannot_read(self.console, &error)),
        };
        if part.role == Role::Base {
            let format = if is_snapshot { "RDB" } else { "RESP" };
            self.console.say(format_args!("Start to check BASE AOF ({format} format)."));
        }
        if is_snapshot {
            self.snapshot(part, &mut window)?;
        }
        self.requests(part, window)
    }

    fn snapshot(&mut self, part: &Part, window: &mut Window) -> Result<(), Faulty> {
        let Ok(summary) = rdb::check_window(window, &part.name, self.means, self.console) else {
            self.console.say("RDB preamble of AOF file is not sane, aborting.");
            return Err(Faulty);
        };
        summary.lines().iter().for_each(|line| self.console.say(line));
        if let (Repair::CutBehind(until), Some(at)) = (self.repair, summary.written_at())
            && i64::try_from(at).is_ok_and(|at| at > until)
        {
            let line = format!("Note: the snapshot in {} is from {at}, later", part.name);
            self.console.say(format_args!("{line} than {until}: it may hold what is later too"));
        }
        self.console.say("RDB preamble is OK, proceeding with AOF tail...");
        Ok(())
    }

    /// Checks what is behind the snapshot, if there was one.
    fn requests(&mut self, part: &Part, mut window: Window) -> Result<Outcome, Faulty> {
        let until = match self.repair {
            Repair::CutBehind(until) => Some(until),
            Repair::Nothing | Repair::Fix => None,
        };
        self.console.begin(&part.name, window.file_bytes());
        let scan = scan(&mut window, until, self.console);
        self.console.end();
        let scan = scan.map_err(|error| cannot_read(self.console, &error))?;
        let size = window.file_bytes();
        match &scan.stop {
            Stop::End => {
                self.tell_contents(part, &scan);
                match until {
                    Some(until) => self.console.say(format_args!(
                        "Truncate nothing in AOF {} to timestamp {until}",
                        part.name
                    )),
                    None => self.tell_analysis(part, &scan, size),
                }
                Ok(Outcome::Valid)
            }
            Stop::Later { unix_s, cut_at } => {
                let until = until.unwrap_or_default();
                self.tell_contents(part, &scan);
                self.cut_behind(part, size, until, *unix_s, *cut_at)
            }
            Stop::Faulty(defect) => {
                self.tell_contents(part, &scan);
                self.tell_defect(part, defect, window)?;
                if matches!(defect.kind, DefectKind::NoTime) {
                    return Err(Faulty);
                }
                self.tell_analysis(part, &scan, size);
                self.fix(part, &scan, size)
            }
        }
    }

    /// Says what is in a part. Commands are told once, for all parts.
    fn tell_contents(&mut self, part: &Part, scan: &Scan) {
        scan.summary.lines().iter().for_each(|line| self.console.say(line));
        if part.role == Role::Single {
            scan.summary.commands.lines().iter().for_each(|line| self.console.say(line));
        } else {
            self.commands.add(&scan.summary.commands);
        }
    }

    fn tell_analysis(&mut self, part: &Part, scan: &Scan, size: u64) {
        let (name, Scan { ok_up_to, ok_up_to_line, .. }) = (&part.name, scan);
        let diff = size.saturating_sub(*ok_up_to);
        self.console.say(format_args!(
            "AOF analyzed: filename={name}, size={size}, ok_up_to={ok_up_to}, \
             ok_up_to_line={ok_up_to_line}, diff={diff}"
        ));
    }

    /// Says what is wrong, where, and whether that is all there is behind.
    fn tell_defect(
        &mut self,
        part: &Part,
        defect: &Defect,
        mut window: Window,
    ) -> Result<(), Faulty> {
        let (name, Defect { at, place, transaction_at, .. }) = (&part.name, defect);
        self.console.say(defect);
        self.console.say(format_args!("AOF {name}: fault at byte {at}, in {place}"));
        if let Some(began) = transaction_at {
            let line = "a transaction that is not complete is not carried out";
            self.console.say(format_args!("  sound up to the MULTI at byte {began}: {line}"));
        }
        let found = self.look_behind(part, defect, &mut window);
        match found.map_err(|error| cannot_read(self.console, &error))? {
            Some(found) => {
                let requests = counted(found.requests, "request");
                self.console.say(format_args!(
                    "  Not just the end is missing: at byte {}, behind the fault, at least \
                     {requests} can be read",
                    found.at
                ));
            }
            None if defect.is_at_end() => {
                self.console.say("  Nothing behind it can be read: the end of the file is missing");
            }
            None => self.console.say("  Nothing behind it can be read"),
        }
        Ok(())
    }

    fn look_behind(
        &mut self,
        part: &Part,
        defect: &Defect,
        window: &mut Window,
    ) -> Result<Option<salvage::Salvage>, FileError> {
        if matches!(defect.kind, DefectKind::OpenTransaction) {
            return Ok(None);
        }
        self.console.begin(&part.name, window.file_bytes());
        let found = salvage::behind(window, self.console);
        self.console.end();
        found
    }

    /// Cuts the faulty end off, if that is wished and agreed to.
    fn fix(&mut self, part: &Part, scan: &Scan, size: u64) -> Result<Outcome, Faulty> {
        let (name, ok_up_to) = (&part.name, scan.ok_up_to);
        if self.repair != Repair::Fix {
            self.console.say(format_args!(
                "AOF {name} is not valid. Use the --fix option to try fixing it."
            ));
            return Err(Faulty);
        }
        if !part.is_last {
            let why = "because it is not the last file";
            self.console.say(format_args!("Failed to truncate AOF {name} {why}"));
            return Err(Faulty);
        }
        let diff = size.saturating_sub(ok_up_to);
        self.console.say(format_args!(
            "This will shrink the AOF {name} from {size} bytes, with {diff} bytes, to {ok_up_to} \
             bytes"
        ));
        if !self.console.agrees("Continue?") {
            self.console.say("Aborting...");
            return Err(Faulty);
        }
        self.shorten(part, size, ok_up_to)?;
        Ok(Outcome::Fixed)
    }

    /// Cuts off what is later than `until`.
    fn cut_behind(
        &mut self,
        part: &Part,
        size: u64,
        until: i64,
        later: u64,
        cut_at: u64,
    ) -> Result<Outcome, Faulty> {
        let name = &part.name;
        self.console.say(format_args!("  from byte {cut_at} on it is from {later} and later"));
        if cut_at == 0 {
            let why = format!("has nothing before timestamp {until}");
            self.console.say(format_args!("AOF {name} {why}, aborting..."));
            return Err(Faulty);
        }
        if !part.is_last {
            self.console.say(format_args!(
                "Failed to truncate AOF {name} to timestamp {until} to offset {cut_at} because it \
                 is not the last file."
            ));
            self.console.say(
                "To go back that far, take the files behind it out of the manifest, delete them, \
                 and check again.",
            );
            return Err(Faulty);
        }
        self.shorten(part, size, cut_at)?;
        Ok(Outcome::CutBehind(until))
    }

    fn shorten(&mut self, part: &Part, from: u64, to: u64) -> Result<(), Faulty> {
        files::shorten(&part.path, from, to).map_err(|error| {
            let (name, why) = (&part.name, error.to_string());
            self.console.say(format_args!("Failed to truncate AOF {name}: {why}"));
            Faulty
        })
    }
}

/// The bytes of a name as the system has them.
fn os_name(name: &[u8]) -> &Path {
    use std::os::unix::ffi::OsStrExt;
    Path::new(std::ffi::OsStr::from_bytes(name))
}
