//! Reading the data back: at the start, and for DEBUG RELOAD and DEBUG LOADAOF.
//!
//! ```text
//!           +--------- what is there? ---------+            more of the log
//!           |  manifest, old file, lengths     |          +-----------------+
//!           v                                  |          v                 |
//!   Idle --Asking-------------------------------------> Asking --open--> Reading --+
//!    ^        | nothing                                               | damaged      |
//!    |        v                                                       v              |
//!    +----- the end <---- Asking (the last file is cut) <------    Failed            |
//!              ^---------------------------------------------------------------------+
//! ```
//!
//! With `appendonly yes` the data is what the log says: the files that its manifest names (`find`),
//! one after the other, each a snapshot (`rdb_file`), requests (`request_file`), or requests behind
//! a snapshot. Otherwise it is the snapshot of `dbfilename`. Whatever it is, its bytes come in
//! pieces and are decoded in slices (`reading`), so that clients can connect and be told how far it
//! is. What cannot be read ends the server, and the files stay as they are.

mod beside;
mod end;
mod find;
mod left;
mod rdb_file;
mod reading;
mod refill;
mod request_file;
mod upgrade;

pub(crate) use self::beside::{Beside, Outcome as CopyOutcome};
pub(super) use self::find::LOADER_JOB;

use self::find::{LogPlan, Question};
use self::reading::Reading;
use self::refill::Refill;
use crate::action::{ExitCause, Level};
use crate::disk::DiskNews;
use crate::server::Server;
use crate::{ConnId, Node};
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use vesta_cmd::host::Reload as Wish;
use vesta_persist::aof::Manifest;
use vesta_types::{Mono, Now, ReplId};

/// How DEBUG RELOAD goes about it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Reload {
    /// Whether all that is there goes first.
    pub(crate) flushes: bool,
    /// Whether a key in the file replaces one that is there.
    pub(crate) merges: bool,
}

impl From<Wish> for Reload {
    fn from(wish: Wish) -> Self {
        Self { flushes: !wish.noflush, merges: wish.merge }
    }
}

/// What is loaded for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Purpose {
    Start,
    /// DEBUG RELOAD, whose client waits.
    Reload(ConnId, Reload),
    /// DEBUG LOADAOF, whose client waits.
    Log(ConnId),
    /// A replica gets all data of its primary.
    Copy,
}

/// Everything about loading.
#[derive(Debug, Default)]
pub(crate) struct Loading {
    state: State,
    /// Keys of the last load.
    pub(crate) tally: Tally,
}

/// Keys of a snapshot.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) loaded: u64,
    /// Those left out because their time had passed.
    pub(crate) expired: u64,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Idle,
    /// The disk has the word.
    Asking(Box<Job>, Question),
    Reading(Box<Job>, Box<Reading>),
    /// The server is about to end.
    Failed,
}

/// What is being loaded, and what is known of it.
#[derive(Debug)]
struct Job {
    purpose: Purpose,
    began: Now,
    /// What the manifest of the log says.
    manifest: Manifest,
    /// The files of the log; `None` when it is the snapshot that is loaded.
    log: Option<LogPlan>,
    /// Bytes of all files, as far as they are known.
    total_bytes: u64,
    /// Bytes of the files that are done with.
    done_bytes: u64,
    tally: Tally,
    /// Memory that the writer of a snapshot said it used.
    used_bytes: u64,
    /// Requests executed, and how many of them failed.
    requests: u64,
    failed: u64,
    /// Changes they made.
    changes: u64,
    /// Which history the data belongs to, and the offset in bytes that it has got to.
    history: Option<(ReplId, u64)>,
    /// The end of that history's stream.
    refill: Refill,
    /// The database that the stream of that history has selected there.
    stream_db: Option<u64>,
    /// Whether what is decoded is dropped.
    keeps_nothing: bool,
    /// Libraries of functions, which are in force when all is.
    functions: Vec<Vec<u8>>,
    /// Whether there is a snapshot, when that is what is loaded.
    is_there: bool,
    /// Whether it was looked what others have left behind.
    is_swept: bool,
    /// When the log was last told how far it is.
    told_at: Mono,
}

impl Job {
    fn new(now: Now, purpose: Purpose) -> Box<Self> {
        Box::new(Self {
            purpose,
            began: now,
            manifest: Manifest::default(),
            log: None,
            total_bytes: 0,
            done_bytes: 0,
            tally: Tally::default(),
            used_bytes: 0,
            requests: 0,
            failed: 0,
            changes: 0,
            history: None,
            refill: Refill::default(),
            stream_db: None,
            keeps_nothing: false,
            functions: Vec::new(),
            is_there: true,
            is_swept: false,
            told_at: now.mono,
        })
    }

    /// How far it is, `read_bytes` into the file at hand.
    fn progress(&self, now: Now, read_bytes: u64) -> Progress {
        let loaded_bytes = self.done_bytes.saturating_add(read_bytes);
        let elapsed_us = now.mono.since_us(self.began.mono);
        let left_bytes = self.total_bytes.saturating_sub(loaded_bytes);
        let left_us = u128::from(elapsed_us) * u128::from(left_bytes);
        let left_us = left_us.checked_div(u128::from(loaded_bytes)).unwrap_or(1_000_000);
        Progress {
            began_s: self.began.unix.secs(),
            total_bytes: self.total_bytes,
            used_bytes: self.used_bytes,
            loaded_bytes,
            left_s: u64::try_from(left_us / 1_000_000).unwrap_or(u64::MAX),
        }
    }
}

/// How far a load is, for INFO.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Progress {
    pub(crate) began_s: u64,
    pub(crate) total_bytes: u64,
    pub(crate) used_bytes: u64,
    pub(crate) loaded_bytes: u64,
    /// Seconds until it is over, about.
    pub(crate) left_s: u64,
}

impl Loading {
    /// Whether the data set is not complete.
    pub(crate) fn is_under_way(&self) -> bool {
        !matches!(self.state, State::Idle)
    }

    /// Whether a client has asked for it while others were served.
    pub(crate) fn is_reload(&self) -> bool {
        match &self.state {
            State::Idle | State::Failed => false,
            State::Asking(job, _) | State::Reading(job, _) => match job.purpose {
                Purpose::Start | Purpose::Copy => false,
                Purpose::Reload(..) | Purpose::Log(_) => true,
            },
        }
    }

    /// When there is something to do.
    pub(crate) fn next_deadline(&self) -> Mono {
        match &self.state {
            State::Reading(_, reading) => reading.next_at(),
            State::Asking(_, Question::IsWritten { look_at }) => *look_at,
            State::Idle | State::Asking(..) | State::Failed => Mono::NEVER,
        }
    }

    /// How far it is; `None` when nothing is loaded.
    pub(crate) fn progress(&self, now: Now) -> Option<Progress> {
        match &self.state {
            State::Idle | State::Failed => None,
            State::Asking(job, _) => Some(job.progress(now, 0)),
            State::Reading(job, reading) => Some(job.progress(now, reading.position())),
        }
    }
}

impl Node {
    /// Has the data set loaded, which is to be done once, before the first client comes. Until it
    /// is there ([`crate::Action::Ready`]) most commands are refused.
    pub fn load_at_start(&mut self, now: Now) {
        let mut job = Job::new(now, Purpose::Start);
        job.refill = Refill::keeping(self.server.config.repl_backlog_size_bytes);
        self.server.ask_for_manifest(job);
        self.server.arm_persistence(now);
    }

    /// Does what is due.
    pub(crate) fn go_on_loading(&mut self, now: Now) {
        let loading = &mut self.server.persistence.loading;
        if self.server.ending || now.mono < loading.next_deadline() {
            return;
        }
        let outcome = match core::mem::take(&mut loading.state) {
            State::Reading(job, reading) => self.read_on(now, job, reading),
            State::Asking(job, Question::IsWritten { .. }) => {
                self.look_at_log(now, job);
                Ok(())
            }
            state @ (State::Idle | State::Asking(..) | State::Failed) => {
                loading.state = state;
                Ok(())
            }
        };
        if let Err(why) = outcome {
            // Nobody is served what is there of it.
            self.server.fail_to_load(why);
        }
        self.server.arm_persistence(now);
    }

    /// Takes in what the disk says about loading.
    pub(crate) fn hear_while_loading(&mut self, now: Now, news: DiskNews) {
        let outcome = match core::mem::take(&mut self.server.persistence.loading.state) {
            State::Asking(job, question) => self.answer(now, job, question, news),
            State::Reading(job, mut reading) => {
                let outcome = reading.hear(now, news);
                self.server.go_on_reading(job, reading);
                outcome
            }
            state @ (State::Idle | State::Failed) => {
                self.server.persistence.loading.state = state;
                Ok(())
            }
        };
        if let Err(why) = outcome {
            self.server.fail_to_load(why);
        }
        self.server.arm_persistence(now);
    }
}

impl Server {
    /// Loads the snapshot for DEBUG RELOAD.
    pub(crate) fn begin_reload(&mut self, now: Now, conn: ConnId, how: Reload) {
        self.ask_for_snapshot(Job::new(now, Purpose::Reload(conn, how)));
        self.arm_persistence(now);
    }

    /// Loads the log for DEBUG LOADAOF, once all that is to be in it has been written.
    pub(crate) fn begin_log_reload(&mut self, now: Now, conn: ConnId) {
        let job = Job::new(now, Purpose::Log(conn));
        self.ask(job, Question::IsWritten { look_at: now.mono });
        self.arm_persistence(now);
    }

    /// Waits for the answer of the disk.
    fn ask(&mut self, job: Box<Job>, question: Question) {
        self.persistence.loading.state = State::Asking(job, question);
    }

    /// Ends the server rather than serve a part of the data, or write it over the whole.
    fn fail_to_load(&mut self, lines: Refusal) {
        for line in lines.0 {
            self.log(Level::Warning, line);
        }
        self.persistence.loading.state = State::Failed;
        self.end(ExitCause::Failed);
    }

    /// The snapshot's path as messages give it.
    fn snapshot_path(&self) -> String {
        format!("{}/{}", self.config.dir.trim_end_matches('/'), self.config.dbfilename)
    }
}

/// Why nothing is loaded: what the log says before the server ends.
#[derive(Debug)]
struct Refusal(Vec<String>);

impl From<String> for Refusal {
    fn from(line: String) -> Self {
        Self(alloc::vec![line])
    }
}
