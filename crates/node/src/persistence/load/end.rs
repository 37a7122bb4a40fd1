//! The end of a file, and of all of them.

use super::find::{LOADER_JOB, LogPlan, Question};
use super::reading::Reading;
use super::{Job, Purpose, Refusal};
use crate::Node;
use crate::action::Level;
use crate::disk::{DiskWish, FileStep};
use crate::server::Server;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::ToString;
use alloc::vec;
use vesta_persist::aof::Manifest;
use vesta_types::{Mono, Now};

impl Node {
    /// A file is at its end, or where it is to be cut.
    pub(super) fn end_file(
        &mut self,
        now: Now,
        mut job: Box<Job>,
        reading: &Reading,
    ) -> Result<(), Refusal> {
        let server = &mut self.server;
        let Some(log) = &mut job.log else {
            server.tell_loaded(&job);
            return self.end_load(now, job);
        };
        let Some(part) = log.parts.get_mut(log.at) else { return Ok(()) };
        part.len = reading.position();
        job.done_bytes = job.done_bytes.saturating_add(part.len);
        if part.len > 0 || reading.is_cut() {
            let kind = if part.is_base { "base" } else { "incr" };
            let seconds = seconds(now, reading.began);
            let line = format!("DB loaded from {kind} file {}: {seconds:.3} seconds", part.name);
            server.log(Level::Notice, line);
        }
        // Behind a file that is to be cut all are empty.
        log.at = if reading.is_cut() { log.parts.len() } else { log.at + 1 };
        if log.part().is_some() {
            server.open_next(job);
            return Ok(());
        }
        match job.purpose {
            Purpose::Start => server.make_safe(job),
            Purpose::Reload(..) | Purpose::Log(_) | Purpose::Copy => self.end_load(now, job)?,
        }
        Ok(())
    }

    /// All is loaded, or there is nothing.
    pub(super) fn end_load(&mut self, now: Now, job: Box<Job>) -> Result<(), Refusal> {
        if job.purpose == Purpose::Start && !job.is_swept {
            self.server.look_for_left(job);
            return Ok(());
        }
        let loaded_s = job.is_there.then(|| seconds(now, job.began.mono));
        let Job {
            purpose, manifest, log, tally, history, refill, stream_db, changes, failed, ..
        } = *job;
        let server = &mut self.server;
        server.persistence.loading.tally = tally;
        if failed > 0 {
            let line = format!("{failed} requests of the AOF could not be executed");
            server.log(Level::Warning, line);
        }
        server.persistence.saving.set_saved(self.propagation.changes());
        match purpose {
            Purpose::Start => {
                if let Some((id, offset)) = history {
                    self.resume_history(id, offset, stream_db);
                    self.refill_backlog(refill.into_backlog(offset));
                }
                self.propagation.add_changes(changes);
                self.end_start(now, manifest, log, loaded_s);
            }
            Purpose::Reload(conn, _) => {
                server.log(Level::Warning, "DB reloaded by DEBUG RELOAD".to_string());
                server.finish(conn, Ok(()));
            }
            Purpose::Copy => {}
            Purpose::Log(conn) => {
                let line = "Append Only File loaded by DEBUG LOADAOF".to_string();
                server.log(Level::Warning, line);
                server.finish(conn, Ok(()));
            }
        }
        Ok(())
    }

    /// The server can begin its work, once the log is open. `loaded_s`: how long it took to load
    /// what there was, if there was anything.
    fn end_start(
        &mut self,
        now: Now,
        manifest: Manifest,
        log: Option<LogPlan>,
        loaded_s: Option<f64>,
    ) {
        let Some(LogPlan { parts, .. }) = log else {
            if let Some(seconds) = loaded_s {
                let line = format!("DB loaded from disk: {seconds:.3} seconds");
                self.server.log(Level::Notice, line);
            }
            self.server.begin_without_log(now, manifest);
            return;
        };
        if let Some(seconds) = loaded_s.filter(|_| !parts.is_empty()) {
            let line = format!("DB loaded from append only file: {seconds:.3} seconds");
            self.server.log(Level::Notice, line);
        }
        let base = parts.iter().find(|part| part.is_base).map_or(0, |part| part.len);
        let all = parts.iter().map(|part| part.len).sum();
        let last = parts.last().filter(|part| !part.is_base);
        let at = last.map(|part| (self.server.in_log(part.name.as_bytes()), part.len));
        self.server.persistence.log.set_sizes(base, all);
        self.server.begin_log(now, manifest, at);
    }
}

impl Server {
    /// Has made safe what was read: whoever wrote it may have ended before it was, and from here on
    /// others are shown it. What is not valid at the end of an increment is cut off.
    fn make_safe(&mut self, job: Box<Job>) {
        let mut steps = vec![FileStep::MakeDir { name: self.log_dir() }];
        let increments = job.log.iter().flat_map(LogPlan::increments);
        steps.extend(increments.map(|part| {
            let name = self.in_log(part.name.as_bytes());
            FileStep::Cut { name, len: part.len }
        }));
        self.wish(DiskWish::Files { id: LOADER_JOB, steps });
        self.ask(job, Question::MakeSafe);
    }

    /// A snapshot begins in the file at hand.
    pub(super) fn tell_front(&mut self, reading: &Reading) {
        if !reading.is_log() {
            return;
        }
        let line = if self.is_old_log(&reading.name) {
            "Reading RDB preamble from AOF file..."
        } else {
            "Reading RDB base file on AOF loading..."
        };
        self.log(Level::Notice, line.to_string());
    }

    /// The snapshot in front of requests has been read.
    pub(super) fn tell_front_loaded(&mut self, job: &Job, name: &str) {
        self.tell_loaded(job);
        if self.is_old_log(name) {
            self.log(Level::Notice, "Reading the remaining AOF tail...".to_string());
        }
    }

    /// A snapshot has been read.
    pub(super) fn tell_loaded(&mut self, job: &Job) {
        let (loaded, expired) = (job.tally.loaded, job.tally.expired);
        let line = format!("Done loading RDB, keys loaded: {loaded}, keys expired: {expired}.");
        self.log(Level::Notice, line);
    }

    /// Whether the file at hand is a log of one file, as servers before 7.0 wrote it.
    fn is_old_log(&self, name: &str) -> bool {
        name == self.config.appendfilename
    }
}

fn seconds(now: Now, since: Mono) -> f64 {
    now.mono.since_us(since) as f64 / 1e6
}
