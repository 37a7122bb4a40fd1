//! Removing what servers that were killed have left in our directories.
//!
//! ```text
//!   in the working directory    temp-PID.rdb    temp-rewriteaof-bg-PID.aof
//!   in that of the log          NAME.manifest.tmp-PID-CHANCE   NAME.N.incr.aof.tmp-PID-CHANCE
//!                               NAME.N.base.rdb   NAME.N.base.aof
//! ```
//!
//! It is done when all data was read, and before the server is ready: where reading fails, what was
//! left may be the best there is. A file that bears the number of a process is removed when no such
//! process runs, as two servers may share a directory by mistake; our own number means another
//! process that had it before us. A base is removed if a log that was loaded as a whole holds more
//! ([`Manifest::bases_left`]). Whatever else lies there is left alone, increments above all: what
//! nothing but an increment has cannot be had from anywhere.
//!
//! redis-server 7.0.15 removes none of these when it starts: its own temporary files stay for good,
//! a base or an increment until a rewrite gives its name to another.
//!
//! [`Manifest::bases_left`]: vesta_persist::aof::Manifest::bases_left

use super::find::{LOADER_JOB, Question};
use super::{Job, Refusal};
use crate::Node;
use crate::action::Level;
use crate::disk::{DiskNews, DiskWish, FileStep};
use crate::server::Server;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use vesta_types::{Now, number};

/// A question on the way.
#[derive(Debug)]
pub(super) enum Look {
    /// What lies in the working directory.
    Home,
    /// What lies in the directory of the log, besides those found at home.
    Log(Vec<Left>),
    /// Which of those that wrote these files still run.
    Writers(Vec<Left>),
    /// To remove them.
    Removal,
}

/// A file that was left behind.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Left {
    /// Its name, as in [`DiskWish`].
    name: String,
    by: Writer,
}

/// Who has left a file behind.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Writer {
    /// The process of this number, if it does not run any more.
    Process(u32),
    /// A rewrite that is over.
    Rewrite,
}

impl Node {
    /// Takes in an answer about what was left behind. The start goes on, whatever it is.
    pub(super) fn answer_left(
        &mut self,
        now: Now,
        job: Box<Job>,
        look: Look,
        news: DiskNews,
    ) -> Result<(), Refusal> {
        let server = &mut self.server;
        match (look, news) {
            (Look::Home, DiskNews::Listed(outcome)) => {
                let names = server.names_or_none(outcome);
                let left = names.iter().filter_map(|name| left_at_home(name)).collect();
                if job.log.is_some() {
                    let name = server.log_dir();
                    server.wish(DiskWish::List { name });
                    server.ask(job, Question::Left(Look::Log(left)));
                    return Ok(());
                }
                self.ask_for_writers(now, job, left)
            }
            (Look::Log(mut left), DiskNews::Listed(outcome)) => {
                let names = server.names_or_none(outcome);
                left.extend(server.left_in_log(&job, &names));
                self.ask_for_writers(now, job, left)
            }
            (Look::Writers(left), DiskNews::Running(pids)) => {
                let steps = server.removal_of(left, &pids);
                if steps.is_empty() {
                    return self.end_load(now, job);
                }
                server.wish(DiskWish::Files { id: LOADER_JOB, steps });
                server.ask(job, Question::Left(Look::Removal));
                Ok(())
            }
            (Look::Removal, DiskNews::FilesDone { outcome, .. }) => {
                if let Err(fault) = outcome {
                    let line = format!("What was left behind cannot be removed: {}", fault.why);
                    server.log(Level::Warning, line);
                }
                self.end_load(now, job)
            }
            (look, _) => {
                server.ask(job, Question::Left(look));
                Ok(())
            }
        }
    }

    fn ask_for_writers(&mut self, now: Now, job: Box<Job>, left: Vec<Left>) -> Result<(), Refusal> {
        if left.is_empty() {
            return self.end_load(now, job);
        }
        let pids = left.iter().filter_map(|left| match left.by {
            Writer::Process(pid) => Some(pid),
            Writer::Rewrite => None,
        });
        let pids = pids.filter(|pid| *pid != self.server.process.pid).collect();
        self.server.wish(DiskWish::Running { pids });
        self.server.ask(job, Question::Left(Look::Writers(left)));
        Ok(())
    }
}

impl Server {
    /// Looks for what was left behind, once; the start ends behind it.
    pub(super) fn look_for_left(&mut self, mut job: Box<Job>) {
        job.is_swept = true;
        self.wish(DiskWish::List { name: ".".to_string() });
        self.ask(job, Question::Left(Look::Home));
    }

    fn names_or_none(&mut self, outcome: Result<Vec<String>, String>) -> Vec<String> {
        outcome.unwrap_or_else(|why| {
            let line = format!("Can't look for files that were left behind: {why}");
            self.log(Level::Warning, line);
            Vec::new()
        })
    }

    /// What was left in the directory of the log, in which these names lie.
    fn left_in_log(&self, job: &Job, names: &[String]) -> Vec<Left> {
        let stem = &self.config.appendfilename;
        let drafts = names.iter().filter_map(|name| {
            let pid = writer_of_draft(name, stem)?;
            Some(Left { name: self.in_log(name.as_bytes()), by: Writer::Process(pid) })
        });
        let bases = job.manifest.bases_left(stem.as_bytes(), names).into_iter();
        let bases =
            bases.map(|name| Left { name: self.in_log(name.as_bytes()), by: Writer::Rewrite });
        drafts.chain(bases).collect()
    }

    /// The removal of what nobody needs any more; each is told.
    fn removal_of(&mut self, left: Vec<Left>, running: &[u32]) -> Vec<FileStep> {
        let is_left = |left: &Left| match left.by {
            Writer::Process(pid) => !running.contains(&pid),
            Writer::Rewrite => true,
        };
        let mut steps = Vec::new();
        for Left { name, by } in left.into_iter().filter(is_left) {
            let line = match by {
                Writer::Process(pid) => {
                    format!("Removing {name}, which process {pid} has left behind")
                }
                Writer::Rewrite => {
                    format!("Removing {name}, a base that no manifest names and none will")
                }
            };
            self.log(Level::Notice, line);
            steps.push(FileStep::Remove { name });
        }
        steps
    }
}

/// A snapshot or a base that was not finished.
fn left_at_home(name: &str) -> Option<Left> {
    let rest = name.strip_prefix("temp-")?;
    let digits = match rest.strip_prefix("rewriteaof-bg-") {
        Some(rest) => rest.strip_suffix(".aof")?,
        None => rest.strip_suffix(".rdb")?,
    };
    Some(Left { name: name.to_string(), by: Writer::Process(pid(digits)?) })
}

/// Who began to write a file of the log that was to replace another: a manifest, or an increment
/// with nothing in it.
fn writer_of_draft(name: &str, stem: &str) -> Option<u32> {
    let (target, writer) = name.strip_prefix(stem)?.split_once(".tmp-")?;
    let (digits, chance) = writer.split_once('-')?;
    let is_increment = || {
        let seq = target.strip_prefix('.').and_then(|rest| rest.strip_suffix(".incr.aof"));
        seq.is_some_and(|seq| number::parse_u64(seq.as_bytes()).is_some())
    };
    let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let is_ours = (target == ".manifest" || is_increment())
        && chance.len() == 16
        && chance.bytes().all(is_hex);
    pid(digits).filter(|_| is_ours)
}

fn pid(digits: &str) -> Option<u32> {
    let pid = number::parse_u64(digits.as_bytes()).filter(|pid| *pid > 0)?;
    u32::try_from(pid).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_we_give_are_ours() {
        for (name, writer) in [
            ("temp-7.rdb", Some(7)),
            ("temp-4294967295.rdb", Some(u32::MAX)),
            ("temp-rewriteaof-bg-7.aof", Some(7)),
            ("temp-4294967296.rdb", None),
            ("temp-0.rdb", None),
            ("temp-07.rdb", None),
            ("temp-+7.rdb", None),
            ("temp-.rdb", None),
            ("temp-7.rdb.bak", None),
            ("temp-7.aof", None),
            ("temp-1700000000.7.rdb", None),
            ("temp-rewriteaof-7.aof", None),
            ("temp-rewriteaof-bg-7.rdb", None),
            ("my-temp-7.rdb", None),
            ("dump.rdb", None),
        ] {
            let left = left_at_home(name);
            let expected = writer.map(|pid| Left { name: name.into(), by: Writer::Process(pid) });
            assert_eq!(left, expected, "{name}");
        }
    }

    #[test]
    fn drafts_of_the_log_bear_the_name_of_what_they_were_to_be() {
        for (name, writer) in [
            ("a.aof.manifest.tmp-7-0123456789abcdef", Some(7)),
            ("a.aof.12.incr.aof.tmp-7-0123456789abcdef", Some(7)),
            ("a.aof.manifest.tmp-7-0123456789abcde", None),
            ("a.aof.manifest.tmp-7-0123456789abcdeg", None),
            ("a.aof.manifest.tmp-7-0123456789ABCDEF", None),
            ("a.aof.manifest.tmp-7-0123456789abcdef.bak", None),
            ("a.aof.manifest.tmp-7", None),
            ("a.aof.manifest.tmp-x-0123456789abcdef", None),
            ("a.aof.x.incr.aof.tmp-7-0123456789abcdef", None),
            ("a.aof.1.base.rdb.tmp-7-0123456789abcdef", None),
            ("a.aof.tmp-7-0123456789abcdef", None),
            ("b.aof.manifest.tmp-7-0123456789abcdef", None),
        ] {
            assert_eq!(writer_of_draft(name, "a.aof"), writer, "{name}");
        }
    }
}
