//! Finding out what there is to load: questions to the disk, one after the other.
//!
//! ```text
//!   the manifest --(appendonly no)--> the snapshot
//!        |
//!        v           yes                    yes
//!   no file of it? -----> an old file? ------------> it becomes the base, and moves
//!        | no              | no                                   |
//!        v                 v                                      v
//!   lengths of all <-------+--------------------------------- lengths of all
//!        |                 nothing at all: what lies there unaccounted for?
//!        v
//!   open, read
//! ```
//!
//! Source of the order, the rules and most of the texts: redis-server 7.0.15. It differs in one
//! point: there, files without a manifest are overwritten and appended to. Here, they are left
//! alone.

use super::left::Look;
use super::reading::Reading;
use super::{Job, Purpose, Refusal};
use crate::Node;
use crate::action::Level;
use crate::disk::{DiskNews, DiskWish, FileFault};
use crate::server::Server;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use vesta_persist::aof::{LogFile, Manifest, ManifestError};
use vesta_types::{Mono, Now, ascii};

/// Bytes of a manifest at most; a line of it has a hundred.
const MANIFEST_BYTES_MAX: usize = 64 << 20;
/// Bytes of a manifest asked for at a time.
const MANIFEST_PIECE_BYTES: usize = 64 * 1024;
/// Milliseconds between two looks at whether the log has been written.
const LOOK_EVERY_MS: u64 = 10;
/// The number of the loader's jobs on files; the log counts its own from 1.
pub(in crate::persistence) const LOADER_JOB: u64 = 0;

/// What the disk was asked.
#[derive(Debug)]
pub(super) enum Question {
    /// Whether all that is to be in the log has been written; this is when to look again.
    IsWritten { look_at: Mono },
    /// What the manifest says, of which this has come.
    Manifest(Vec<u8>),
    /// Whether there is a log of one file, as servers before 7.0 wrote it.
    OldFile,
    /// Whether that has got to its place already.
    MovedFile,
    /// To move it there.
    Move,
    /// How long the file of this number is.
    Length(usize),
    /// What lies in the directory of a log that has no file.
    Names,
    /// Whether there is a snapshot, which is not going to be loaded.
    UnusedSnapshot,
    /// To open what is to be read next.
    Open,
    /// To make safe what was read.
    MakeSafe,
    /// What others have left behind.
    Left(Look),
}

/// A log that is loaded.
#[derive(Debug)]
pub(super) struct LogPlan {
    /// The base and the increments, in order.
    pub(super) parts: Vec<Part>,
    /// Which of them is read, or about to be.
    pub(super) at: usize,
}

/// A file of a log.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// Its name in the directory of the log.
    pub(super) name: String,
    /// Its length in bytes; once it was read, of what is valid.
    pub(super) len: u64,
    pub(super) is_base: bool,
}

impl LogPlan {
    pub(super) fn new(manifest: &Manifest) -> Result<Self, Refusal> {
        let part = |file: &LogFile, is_base| {
            let name = String::from_utf8(file.name.clone()).map_err(|_| {
                format!("The name of the AOF file '{}' is no UTF-8", ascii::lossy(&file.name))
            })?;
            Ok::<_, Refusal>(Part { name, len: 0, is_base })
        };
        let bases = usize::from(manifest.base().is_some());
        let files = manifest.files().zip(0..);
        let parts = files.map(|(file, at)| part(file, at < bases)).collect::<Result<_, _>>()?;
        Ok(Self { parts, at: 0 })
    }

    /// The increments, in order.
    pub(super) fn increments(&self) -> impl Iterator<Item = &Part> {
        self.parts.iter().filter(|part| !part.is_base)
    }

    /// The file that is read, or about to be.
    pub(super) fn part(&self) -> Option<&Part> {
        self.parts.get(self.at)
    }

    /// Whether nothing comes behind it. A rewrite names an increment before anything goes to it:
    /// until then the one before it is the last that has anything.
    pub(super) fn is_last(&self) -> bool {
        let mut behind = self.parts.iter().skip(self.at + 1);
        // A base is whole before anything names it beside an increment.
        let is_base = self.part().is_some_and(|part| part.is_base);
        if is_base { behind.next().is_none() } else { behind.all(|part| part.len == 0) }
    }
}

impl Node {
    /// Begins to load the log for DEBUG LOADAOF, if all that is to be in it has been written.
    pub(super) fn look_at_log(&mut self, now: Now, job: Box<Job>) {
        if !self.propagation.has_log() && self.server.persistence.log.is_written() {
            self.server.ask_for_manifest(job);
        } else {
            let look_at = now.mono.plus_ms(LOOK_EVERY_MS);
            self.server.ask(job, Question::IsWritten { look_at });
        }
    }

    /// Takes in an answer of the disk. What is none to this question is of no interest.
    pub(super) fn answer(
        &mut self,
        now: Now,
        job: Box<Job>,
        question: Question,
        news: DiskNews,
    ) -> Result<(), Refusal> {
        let server = &mut self.server;
        match (question, news) {
            (question @ Question::Manifest(_), DiskNews::LoadOpened(Ok(Some(_)))) => {
                server.wish(DiskWish::LoadRead { bytes_max: MANIFEST_PIECE_BYTES });
                server.ask(job, question);
            }
            (Question::Manifest(_), DiskNews::LoadOpened(Ok(None))) => {
                return self.know_manifest(now, job, Manifest::default());
            }
            (Question::Manifest(mut text), DiskNews::LoadPiece(Ok(piece))) => {
                if piece.is_empty() || text.len() > MANIFEST_BYTES_MAX {
                    let manifest = Manifest::parse(&text).map_err(|why| broken(&why))?;
                    return self.know_manifest(now, job, manifest);
                }
                text.extend_from_slice(&piece);
                server.wish(DiskWish::LoadRead { bytes_max: MANIFEST_PIECE_BYTES });
                server.ask(job, Question::Manifest(text));
            }
            (
                Question::Manifest(_),
                DiskNews::LoadOpened(Err(why)) | DiskNews::LoadPiece(Err(why)),
            ) => {
                let name = server.manifest_path();
                let line = format!(
                    "Fatal error: can't open the AOF manifest file {name} for reading: {why}"
                );
                return Err(line.into());
            }
            (Question::OldFile, DiskNews::LoadOpened(Ok(Some(_)))) => server.ask_where_old(job),
            (Question::OldFile, DiskNews::LoadOpened(Ok(None))) => {
                return self.measure(now, job, 0);
            }
            (Question::MovedFile, DiskNews::LoadOpened(Ok(Some(_)))) => {
                if job.log.as_ref().is_some_and(|log| log.parts.is_empty()) {
                    return Err(server.two_old());
                }
                return self.measure(now, job, 0);
            }
            (Question::MovedFile, DiskNews::LoadOpened(Ok(None))) => server.move_old(job)?,
            (Question::OldFile | Question::MovedFile, DiskNews::LoadOpened(Err(why))) => {
                let name = &server.config.appendfilename;
                return Err(format!("Fatal error: can't open the old AOF {name}: {why}").into());
            }
            (Question::Move, DiskNews::FilesDone { outcome, .. }) => {
                outcome.map_err(|fault| server.not_moved(&fault))?;
                let (name, dir) = (&server.config.appendfilename, &server.config.appenddirname);
                let line = format!(
                    "Successfully migrated an old-style AOF file ({name}) into the AOF directory \
                     ({dir})."
                );
                server.log(Level::Notice, line);
                return self.measure(now, job, 0);
            }
            (Question::Length(at), DiskNews::LoadOpened(outcome)) => {
                return self.learn_length(now, job, at, outcome);
            }
            (Question::Names, DiskNews::Listed(outcome)) => {
                server.learn_names(job, outcome)?;
            }
            (Question::UnusedSnapshot, DiskNews::LoadOpened(outcome)) => {
                if matches!(outcome, Ok(Some(1..))) {
                    server.warn_of_snapshot();
                }
                return self.end_load(now, job);
            }
            (Question::Open, DiskNews::LoadOpened(outcome)) => {
                return self.file_opened(now, job, outcome);
            }
            (Question::MakeSafe, DiskNews::FilesDone { outcome, .. }) => {
                outcome.map_err(|fault| server.not_safe(&job, &fault))?;
                return self.end_load(now, job);
            }
            (Question::Left(look), news) => return self.answer_left(now, job, look, news),
            (question, _) => server.ask(job, question),
        }
        Ok(())
    }

    /// The manifest says this.
    fn know_manifest(
        &mut self,
        now: Now,
        mut job: Box<Job>,
        manifest: Manifest,
    ) -> Result<(), Refusal> {
        let server = &mut self.server;
        let loads_log = server.config.appendonly || matches!(job.purpose, Purpose::Log(_));
        if !loads_log {
            job.manifest = manifest;
            server.ask_for_snapshot(job);
            return Ok(());
        }
        let old = server.config.appendfilename.as_bytes();
        let base = manifest.base();
        let may_be_old = base.is_none_or(|base| base.name == old)
            && manifest.last_increment().is_none()
            && server.config.appendfilename != server.config.appenddirname;
        job.log = Some(LogPlan::new(&manifest)?);
        job.manifest = manifest;
        if may_be_old && job.purpose == Purpose::Start {
            let name = server.config.appendfilename.clone();
            server.wish(DiskWish::LoadOpen { name });
            server.ask(job, Question::OldFile);
            return Ok(());
        }
        self.measure(now, job, 0)
    }

    /// Asks for the length of the file number `at`; when all are known, begins to read.
    fn measure(&mut self, now: Now, mut job: Box<Job>, at: usize) -> Result<(), Refusal> {
        let server = &mut self.server;
        let Some(log) = &job.log else { return Ok(()) };
        if let Some(part) = log.parts.get(at) {
            let name = server.in_log(part.name.as_bytes());
            server.wish(DiskWish::LoadOpen { name });
            server.ask(job, Question::Length(at));
            return Ok(());
        }
        if log.parts.is_empty() {
            return match job.purpose {
                Purpose::Start | Purpose::Reload(..) | Purpose::Copy => {
                    let name = server.log_dir();
                    server.wish(DiskWish::List { name });
                    server.ask(job, Question::Names);
                    Ok(())
                }
                Purpose::Log(conn) => {
                    let error = "ERR Error trying to load the AOF files, check server logs.";
                    server.log(Level::Warning, "There is no AOF to load".to_string());
                    server.finish(conn, Err(String::from(error)));
                    Ok(())
                }
            };
        }
        if let Purpose::Log(_) = job.purpose {
            self.forget_all();
        }
        job.total_bytes = log.parts.iter().map(|part| part.len).sum();
        job.began = now;
        self.server.open_next(job);
        Ok(())
    }

    /// The disk has said how long the file number `at` is.
    fn learn_length(
        &mut self,
        now: Now,
        mut job: Box<Job>,
        at: usize,
        outcome: Result<Option<u64>, String>,
    ) -> Result<(), Refusal> {
        let Some(part) = job.log.as_mut().and_then(|log| log.parts.get_mut(at)) else {
            return Ok(());
        };
        part.len = match outcome {
            Ok(Some(len)) => len,
            Ok(None) => {
                let name = &part.name;
                let line = format!(
                    "Unable to obtain the AOF file {name} length. stat: No such file or directory"
                );
                return Err(line.into());
            }
            Err(why) => return Err(unreadable(&part.name, &why)),
        };
        self.measure(now, job, at + 1)
    }

    /// The disk has opened the file that is to be read, or not.
    fn file_opened(
        &mut self,
        now: Now,
        mut job: Box<Job>,
        outcome: Result<Option<u64>, String>,
    ) -> Result<(), Refusal> {
        let server = &mut self.server;
        let outcome = match (job.log.as_ref().and_then(LogPlan::part), outcome) {
            (Some(part), Ok(Some(_))) => {
                let reading = Box::new(Reading::of_log(now, part));
                server.go_on_reading(job, reading);
                return Ok(());
            }
            (Some(part), Ok(None)) => {
                return Err(unreadable(&part.name, "No such file or directory"));
            }
            (Some(part), Err(why)) => return Err(unreadable(&part.name, &why)),
            (None, outcome) => outcome,
        };
        match (job.purpose, outcome) {
            (purpose, Ok(Some(len))) => {
                if let Purpose::Reload(_, how) = purpose
                    && how.flushes
                {
                    self.forget_all();
                }
                job.total_bytes = len;
                let reading = Reading::of_snapshot(now, self.server.snapshot_path());
                self.server.go_on_reading(job, Box::new(reading));
                Ok(())
            }
            (Purpose::Start, Ok(None)) => {
                job.is_there = false;
                self.end_load(now, job)
            }
            (Purpose::Start, Err(why)) => {
                let path = server.snapshot_path();
                Err(format!("Fatal error loading the DB {path}: {why}. Exiting.").into())
            }
            // A copy is read by whoever has asked for it.
            (Purpose::Copy, _) => Ok(()),
            (Purpose::Reload(conn, _) | Purpose::Log(conn), outcome) => {
                if let Err(why) = outcome {
                    let path = server.snapshot_path();
                    server.log(Level::Warning, format!("Can't load {path}: {why}"));
                }
                let error = "ERR Error trying to load the RDB dump";
                server.finish(conn, Err(String::from(error)));
                Ok(())
            }
        }
    }

    /// Empties all databases, to fill them again.
    fn forget_all(&mut self) {
        for db in self.store.indexes() {
            self.store.flush(db, true);
        }
        self.server.persistence.functions.clear();
    }
}

impl Server {
    /// Asks what files the log has.
    pub(super) fn ask_for_manifest(&mut self, job: Box<Job>) {
        let name = self.manifest_path();
        self.wish(DiskWish::LoadOpen { name });
        self.ask(job, Question::Manifest(Vec::new()));
    }

    /// Asks for the snapshot.
    pub(super) fn ask_for_snapshot(&mut self, job: Box<Job>) {
        let name = self.config.dbfilename.clone();
        self.wish(DiskWish::LoadOpen { name });
        self.ask(job, Question::Open);
    }

    /// Asks for the file of the log that is to be read next.
    pub(super) fn open_next(&mut self, job: Box<Job>) {
        let part = job.log.as_ref().and_then(LogPlan::part);
        let name = part.map_or(String::new(), |part| self.in_log(part.name.as_bytes()));
        self.wish(DiskWish::LoadOpen { name });
        self.ask(job, Question::Open);
    }

    /// The directory, or the increment that the step is about, could not be made safe.
    fn not_safe(&self, job: &Job, fault: &FileFault) -> Refusal {
        let (dir, why) = (&self.config.appenddirname, &fault.why);
        let mut increments = job.log.iter().flat_map(LogPlan::increments);
        let part = fault.step.checked_sub(1).and_then(|place| increments.nth(place));
        let line = match part {
            Some(part) => format!("Error truncating the AOF file {}: {why}", part.name),
            None => format!("Can't make the append-only dir {dir} safe: {why}"),
        };
        line.into()
    }

    /// What lies in the directory of a log that has no file so far. Whatever could be one of it is
    /// not overwritten.
    fn learn_names(
        &mut self,
        mut job: Box<Job>,
        outcome: Result<Vec<String>, String>,
    ) -> Result<(), Refusal> {
        let dir = self.config.appenddirname.clone();
        let names =
            outcome.map_err(|why| format!("Can't read the append-only dir {dir}: {why}"))?;
        let stem = self.config.appendfilename.as_bytes();
        let is_stray = |name: &&String| job.manifest.spare(stem, name.as_bytes());
        let strays = names.iter().filter(is_stray).count();
        if strays > 0 {
            let manifest = self.manifest_path();
            let line = format!(
                "The AOF manifest {manifest} names no files, or is missing, but {strays} files of \
                 an AOF lie in {dir}. They are NOT loaded; they stay as they are, and a new AOF is \
                 begun beside them. To load them, stop the server and put their manifest back."
            );
            self.log(Level::Warning, line);
        }
        let name = self.config.dbfilename.clone();
        self.wish(DiskWish::LoadOpen { name });
        self.ask(job, Question::UnusedSnapshot);
        Ok(())
    }

    fn warn_of_snapshot(&mut self) {
        let path = self.snapshot_path();
        let line = format!(
            "{path} is there but NOT loaded: with appendonly yes the data is what the AOF says, \
             and there is none yet. To begin one with this data, start with appendonly no, and \
             then use CONFIG SET appendonly yes."
        );
        self.log(Level::Warning, line);
    }
}

/// Source of the lines: redis-server 7.0.15.
fn broken(why: &ManifestError) -> Refusal {
    let mut lines = vec!["\n*** FATAL AOF MANIFEST FILE ERROR ***".to_string()];
    if let Some((line, text)) = &why.at {
        lines.push(format!("Reading the manifest file, at line {line}"));
        lines.push(format!(">>> '{}'", ascii::lossy(text)));
    }
    lines.push(why.problem.to_string());
    Refusal(lines)
}

/// A file of the log cannot be read.
pub(super) fn unreadable(name: &str, why: &str) -> Refusal {
    format!("Unrecoverable error reading the append only file {name}: {why}").into()
}
