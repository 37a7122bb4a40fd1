//! Reading one file: its bytes come in pieces, and are decoded in slices of time.

use super::find::{Part, unreadable};
use super::rdb_file::{Intake, RdbFile};
use super::request_file::RequestFile;
use super::{Job, Refusal, State};
use crate::Node;
use crate::action::Level;
use crate::cron::{STEPS_PER_SLICE, Slice};
use crate::disk::{DiskNews, DiskWish};
use crate::server::Server;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use vesta_types::{Mono, Now};

/// Bytes asked for at a time.
const PIECE_BYTES: usize = 1 << 20;
/// Longest slice of decoding, in microseconds: nobody but curious clients waits.
const LOAD_SLICE_US: u64 = 5000;
/// Items decoded between two readings of the meter.
const ITEMS_PER_STEP: usize = 32;
/// How often the log tells how far it is, in milliseconds.
const TOLD_EVERY_MS: u64 = 2000;
/// What a file begins with that begins with a snapshot.
const MAGICS: [&[u8]; 2] = [b"REDIS", b"VALKEY"];

/// A file that is being read.
#[derive(Debug)]
pub(super) struct Reading {
    /// Whether it is one of the log.
    is_log: bool,
    /// Its name, for messages.
    pub(super) name: String,
    pub(super) began: Mono,
    source: Source,
    form: Form,
    /// When the next slice comes; never while bytes are awaited.
    next_at: Mono,
}

/// What the bytes at hand are.
#[derive(Debug)]
enum Form {
    /// That shows in the first ones.
    Unknown,
    Snapshot(Box<RdbFile>),
    Requests(Box<RequestFile>),
}

/// What became of an attempt to decode something.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Step {
    /// It was taken.
    Item,
    /// It is cut: so many bytes more are needed at least.
    Short { missing: usize },
    /// There is nothing more.
    End,
}

/// The bytes of a file as they come.
#[derive(Debug, Default)]
pub(super) struct Source {
    /// What has come; the first `taken` bytes are decoded.
    bytes: Vec<u8>,
    taken: usize,
    /// The place of `bytes` in the file.
    start: u64,
    /// So many more must come before it is of use to look at them.
    missing: usize,
    /// Whether the file has no more bytes.
    is_at_end: bool,
}

impl Source {
    /// What is not decoded yet.
    pub(super) fn rest(&self) -> &[u8] {
        self.bytes.get(self.taken..).unwrap_or_default()
    }

    /// The place in the file of what is not decoded yet.
    pub(super) fn position(&self) -> u64 {
        self.start.saturating_add(self.taken as u64)
    }

    /// So many bytes are decoded.
    pub(super) fn take(&mut self, count: usize) {
        self.taken += count;
    }

    /// It is of no use to look before so many more bytes have come.
    pub(super) fn lacks(&mut self, missing: usize) {
        self.missing = missing;
    }

    /// Whether no bytes come behind the rest.
    pub(super) fn is_at_end(&self) -> bool {
        self.is_at_end
    }

    /// Takes bytes in behind those that are there; none at the end.
    pub(super) fn take_in(&mut self, bytes: Vec<u8>) {
        self.is_at_end = bytes.is_empty();
        self.missing = self.missing.saturating_sub(bytes.len());
        self.start = self.position();
        self.bytes.drain(..self.taken);
        self.taken = 0;
        if self.bytes.is_empty() {
            self.bytes = bytes;
        } else {
            self.bytes.extend_from_slice(&bytes);
        }
    }

    /// Whether there is use in looking at the rest.
    pub(super) fn is_ready(&self) -> bool {
        self.missing == 0 || self.is_at_end
    }
}

impl Reading {
    /// A file of the log.
    pub(super) fn of_log(now: Now, part: &Part) -> Self {
        Self::new(now, part.name.clone(), true)
    }

    /// A snapshot by itself, called `name` in messages.
    pub(super) fn of_snapshot(now: Now, name: String) -> Self {
        Self::new(now, name, false)
    }

    fn new(now: Now, name: String, is_log: bool) -> Self {
        Self {
            is_log,
            name,
            began: now.mono,
            source: Source { missing: 1, ..Source::default() },
            form: Form::Unknown,
            next_at: Mono::NEVER,
        }
    }

    /// When the next slice comes.
    pub(super) fn next_at(&self) -> Mono {
        self.next_at
    }

    /// Bytes decoded.
    pub(super) fn position(&self) -> u64 {
        self.source.position()
    }

    /// Whether it is a file of the log.
    pub(super) fn is_log(&self) -> bool {
        self.is_log
    }

    /// Whether the file goes on behind what is decoded, where nothing more can be.
    pub(super) fn is_cut(&self) -> bool {
        !self.source.rest().is_empty()
    }

    /// Takes in the next bytes of the file, or that they cannot be read.
    pub(super) fn hear(&mut self, now: Now, news: DiskNews) -> Result<(), Refusal> {
        let DiskNews::LoadPiece(outcome) = news else { return Ok(()) };
        match outcome {
            Ok(bytes) => {
                self.source.take_in(bytes);
                if self.source.is_ready() {
                    self.next_at = now.mono;
                }
                Ok(())
            }
            Err(why) if self.is_log => Err(unreadable(&self.name, &why)),
            Err(why) => Err(self.fatal(&why)),
        }
    }

    fn fatal(&self, why: &str) -> Refusal {
        format!("Fatal error loading the DB {}: {why}. Exiting.", self.name).into()
    }
}

impl Server {
    /// Goes on to read; asks for bytes if need be.
    pub(super) fn go_on_reading(&mut self, job: Box<Job>, reading: Box<Reading>) {
        if reading.next_at == Mono::NEVER {
            self.wish(DiskWish::LoadRead { bytes_max: PIECE_BYTES });
        }
        self.persistence.loading.state = State::Reading(job, reading);
    }

    /// Logs every now and then how far it is.
    fn tell_progress(&mut self, now: Now, job: &mut Job, reading: &Reading) {
        if now.mono < job.told_at.plus_ms(TOLD_EVERY_MS) {
            return;
        }
        job.told_at = now.mono;
        let progress = job.progress(now, reading.position());
        let elapsed_us = now.mono.since_us(job.began.mono).max(1);
        let (loaded, keys) = (progress.loaded_bytes, job.tally.loaded);
        let percent = loaded.saturating_mul(100) / progress.total_bytes.max(1);
        let mb_per_s = loaded as f64 / elapsed_us as f64;
        let requests = match job.requests {
            0 => String::new(),
            count => format!(", {count} requests"),
        };
        let line = format!(
            "Loading: {percent}% of {} bytes, {keys} keys{requests}, {mb_per_s:.1} MB/s, about {} \
             seconds left",
            progress.total_bytes, progress.left_s
        );
        self.log(Level::Notice, line);
    }
}

impl Node {
    /// Decodes for a slice of time.
    pub(super) fn read_on(
        &mut self,
        now: Now,
        mut job: Box<Job>,
        mut reading: Box<Reading>,
    ) -> Result<(), Refusal> {
        if self.read_slice(now, &mut job, &mut reading)? {
            return self.end_file(now, job, &reading);
        }
        self.server.tell_progress(now, &mut job, &reading);
        self.server.go_on_reading(job, reading);
        Ok(())
    }

    /// Decodes until the slice or the bytes are at their end; whether the file is.
    fn read_slice(
        &mut self,
        now: Now,
        job: &mut Job,
        reading: &mut Reading,
    ) -> Result<bool, Refusal> {
        let key_delay_us = u64::try_from(self.server.config.key_load_delay_us).unwrap_or(0);
        let items_per_step = if key_delay_us > 0 { 1 } else { ITEMS_PER_STEP };
        let mut slice = Slice::lasting(self.server.meter, LOAD_SLICE_US, STEPS_PER_SLICE);
        loop {
            for _ in 0..items_per_step {
                match self.read_item(now, job, reading)? {
                    Step::Item => {}
                    Step::Short { missing } => {
                        reading.source.lacks(missing);
                        reading.next_at = Mono::NEVER;
                        return Ok(false);
                    }
                    Step::End => return Ok(true),
                }
            }
            if slice.is_over() || key_delay_us > 0 {
                reading.next_at = Mono(now.mono.0.saturating_add(key_delay_us));
                return Ok(false);
            }
        }
    }

    fn intake(&mut self) -> Intake<'_> {
        let Self { store, server, propagation, .. } = self;
        Intake { store, server, propagation }
    }

    /// Decodes the next item of a file.
    fn read_item(
        &mut self,
        now: Now,
        job: &mut Job,
        reading: &mut Reading,
    ) -> Result<Step, Refusal> {
        let source = &mut reading.source;
        match &mut reading.form {
            Form::Unknown => {
                let string_bytes_max = self.server.config.proto_max_bulk_len_bytes;
                let Some(is_snapshot) = is_snapshot(source) else {
                    return Ok(Step::Short { missing: 1 });
                };
                reading.form = if is_snapshot || !reading.is_log {
                    self.server.tell_front(reading);
                    Form::Snapshot(Box::new(RdbFile::new(string_bytes_max)))
                } else {
                    Form::Requests(Box::new(RequestFile::of(job)))
                };
                Ok(Step::Item)
            }
            Form::Snapshot(file) => match self.intake().decode_item(now, job, file, source) {
                Ok(Step::End) if reading.is_log => {
                    self.server.tell_front_loaded(job, &reading.name);
                    reading.form = Form::Requests(Box::new(RequestFile::of(job)));
                    Ok(Step::Item)
                }
                Ok(step) => Ok(step),
                Err(why) => Err(reading.fatal(&why)),
            },
            Form::Requests(file) => self.read_request(now, job, file, source, &reading.name),
        }
    }
}

/// Whether the file begins with a snapshot; `None` while that cannot be told.
fn is_snapshot(source: &Source) -> Option<bool> {
    let rest = source.rest();
    if MAGICS.iter().any(|magic| rest.starts_with(magic)) {
        return Some(true);
    }
    let may_be = MAGICS.iter().any(|magic| magic.starts_with(rest));
    (!may_be || source.is_at_end()).then_some(false)
}
