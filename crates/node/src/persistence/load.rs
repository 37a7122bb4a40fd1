//! Reading a snapshot back, at the start or for DEBUG RELOAD.
//!
//! ```text
//!   Idle --open--> Opening --it is there--> Reading --its end--> Idle
//!                     | none there                | damaged: the server ends, the file stays
//!                     +--> Idle
//! ```
//!
//! Bytes come in pieces, one at a time, and are decoded in slices, so that clients can connect and
//! be told how far it is.

use crate::action::{Action, ExitCause, Level};
use crate::cron::{STEPS_PER_SLICE, Slice};
use crate::disk::DiskWish;
use crate::server::Server;
use crate::{ConnId, Node};
use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use vesta_cmd::host::Reload as Wish;
use vesta_persist::rdb::{Decoded, FileDecoder, Item, LoadedKey, ModuleName};
use vesta_store::{Keyspace, Store};
use vesta_types::{DbIndex, Mono, Now, ascii, number};

/// Bytes asked for at a time.
const PIECE_BYTES: usize = 1 << 20;
/// Longest slice of decoding, in microseconds: nobody but curious clients waits.
const LOAD_SLICE_US: u64 = 5000;
/// Items decoded between two readings of the meter.
const ITEMS_PER_STEP: usize = 32;
/// How often the log tells how far it is, in milliseconds.
const TOLD_EVERY_MS: u64 = 2000;
/// Room is made beforehand for one key per so many bytes of the file at most, whatever the file
/// says: that takes less than the file does.
const BYTES_PER_EXPECTED_KEY: u64 = 16;

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
    Reload(ConnId, Reload),
}

/// Everything about loading.
#[derive(Debug, Default)]
pub(crate) struct Loading {
    state: State,
    /// Keys of the last load.
    pub(crate) tally: Tally,
}

/// Keys of a file.
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
    Opening(Task),
    Reading(Box<Reading>),
}

#[derive(Clone, Debug)]
struct Task {
    purpose: Purpose,
    began: Now,
    /// The file, for messages.
    path: String,
}

/// A file that is being read.
struct Reading {
    task: Task,
    decoder: FileDecoder,
    /// What has come; the first `taken` bytes are decoded.
    bytes: Vec<u8>,
    taken: usize,
    /// Whether the file has no more bytes.
    is_at_end: bool,
    /// When the next slice comes; never while bytes are awaited.
    next_at: Mono,
    total_bytes: u64,
    db: DbIndex,
    tally: Tally,
    /// Memory that the writer said it used.
    used_bytes: u64,
    /// Modules whose values were left out.
    modules: Vec<String>,
    /// When the log was last told how far it is.
    told_at: Mono,
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
        let purpose = match &self.state {
            State::Idle => return false,
            State::Opening(task) => task.purpose,
            State::Reading(reading) => reading.task.purpose,
        };
        matches!(purpose, Purpose::Reload(..))
    }

    /// When there is something to do.
    pub(crate) fn next_deadline(&self) -> Mono {
        match &self.state {
            State::Reading(reading) => reading.next_at,
            State::Idle | State::Opening(_) => Mono::NEVER,
        }
    }

    /// How far it is; `None` when nothing is loaded.
    pub(crate) fn progress(&self, now: Now) -> Option<Progress> {
        match &self.state {
            State::Idle => None,
            State::Opening(task) => Some(Progress {
                began_s: task.began.unix.secs(),
                total_bytes: 0,
                used_bytes: 0,
                loaded_bytes: 0,
                left_s: 1,
            }),
            State::Reading(reading) => Some(reading.progress(now)),
        }
    }
}

impl Node {
    /// Has the data set loaded, which is to be done once, before the first client comes. Until it
    /// is there ([`Action::Ready`]) most commands are refused.
    pub fn load_at_start(&mut self, now: Now) {
        self.server.open_for(now, Purpose::Start);
    }
}

impl Server {
    /// Loads the file for DEBUG RELOAD.
    pub(crate) fn begin_reload(&mut self, now: Now, conn: ConnId, how: Reload) {
        self.open_for(now, Purpose::Reload(conn, how));
    }

    fn open_for(&mut self, now: Now, purpose: Purpose) {
        let name = self.config.dbfilename.clone();
        let path = format!("{}/{name}", self.config.dir.trim_end_matches('/'));
        self.persistence.loading.state = State::Opening(Task { purpose, began: now, path });
        self.wish(DiskWish::LoadOpen { name });
        self.arm_persistence(now);
    }

    /// The file is open and has so many bytes, there is none, or it cannot be read.
    pub(crate) fn load_opened(
        &mut self,
        now: Now,
        store: &mut Store,
        outcome: Result<Option<u64>, String>,
    ) {
        let State::Opening(task) = core::mem::take(&mut self.persistence.loading.state) else {
            return;
        };
        match outcome {
            Ok(Some(total_bytes)) => {
                if let Purpose::Reload(_, Reload { flushes: true, .. }) = task.purpose {
                    for db in store.indexes() {
                        store.flush(db, true);
                    }
                }
                self.persistence.functions.clear();
                let string_bytes_max = self.config.proto_max_bulk_len_bytes;
                self.persistence.loading.state = State::Reading(Box::new(Reading {
                    decoder: FileDecoder::new(string_bytes_max),
                    bytes: Vec::new(),
                    taken: 0,
                    is_at_end: false,
                    next_at: Mono::NEVER,
                    total_bytes,
                    db: DbIndex::ZERO,
                    tally: Tally::default(),
                    used_bytes: 0,
                    modules: Vec::new(),
                    told_at: task.began.mono,
                    task,
                }));
                self.wish(DiskWish::LoadRead { bytes_max: PIECE_BYTES });
            }
            Ok(None) => match task.purpose {
                Purpose::Start => self.actions.push_back(Action::Ready),
                Purpose::Reload(conn, _) => self.refuse_reload(conn),
            },
            Err(why) => match task.purpose {
                Purpose::Start => self.fail_to_load(&task.path, &why),
                Purpose::Reload(conn, _) => {
                    self.log(Level::Warning, format!("Can't load {}: {why}", task.path));
                    self.refuse_reload(conn);
                }
            },
        }
        self.arm_persistence(now);
    }

    fn refuse_reload(&mut self, conn: ConnId) {
        self.finish(conn, Err(String::from("ERR Error trying to load the RDB dump")));
    }

    /// The next bytes of the file have come; none at its end.
    pub(crate) fn load_piece(&mut self, now: Now, outcome: Result<Vec<u8>, String>) {
        let State::Reading(reading) = &mut self.persistence.loading.state else { return };
        match outcome {
            Ok(bytes) => {
                reading.is_at_end = bytes.is_empty();
                reading.take_in(bytes);
                reading.next_at = now.mono;
            }
            Err(why) => {
                let path = reading.task.path.clone();
                self.fail_to_load(&path, &why);
            }
        }
    }

    /// Decodes for a slice of time.
    pub(crate) fn load_slice(&mut self, now: Now, store: &mut Store, changes: u64) {
        if self.ending || now.mono < self.persistence.loading.next_deadline() {
            return;
        }
        let state = core::mem::take(&mut self.persistence.loading.state);
        let State::Reading(mut reading) = state else { return };
        let outcome = self.decode_slice(now, store, &mut reading);
        match outcome {
            Ok(false) => self.persistence.loading.state = State::Reading(reading),
            Ok(true) => {
                self.persistence.saving.set_saved(changes);
                self.end_load(now, &reading);
            }
            Err(why) => {
                // Nobody is served what is there of it.
                let path = reading.task.path.clone();
                self.persistence.loading.state = State::Reading(reading);
                self.fail_to_load(&path, &why);
            }
        }
        self.arm_persistence(now);
    }

    /// Decodes until the slice or the bytes are at their end; whether the file is.
    fn decode_slice(
        &mut self,
        now: Now,
        store: &mut Store,
        reading: &mut Reading,
    ) -> Result<bool, String> {
        let key_delay_us = u64::try_from(self.config.key_load_delay_us).unwrap_or(0);
        let items_per_step = if key_delay_us > 0 { 1 } else { ITEMS_PER_STEP };
        let mut slice = Slice::lasting(self.meter, LOAD_SLICE_US, STEPS_PER_SLICE);
        loop {
            for _ in 0..items_per_step {
                let bytes = reading.bytes.get(reading.taken..).unwrap_or_default();
                let decoded = reading.decoder.decode(bytes, store.rules());
                let Decoded { taken, item } = decoded.map_err(|error| error.to_string())?;
                reading.taken += taken;
                match item {
                    Some(Item::End) => return Ok(true),
                    Some(item) => self.take_item(now, store, reading, item)?,
                    None if reading.is_at_end => {
                        let cut = reading.decoder.cut_short();
                        return Err(cut.map_or_else(String::new, |error| error.to_string()));
                    }
                    None => {
                        self.wish(DiskWish::LoadRead { bytes_max: PIECE_BYTES });
                        reading.next_at = Mono::NEVER;
                        self.tell_progress(now, reading);
                        return Ok(false);
                    }
                }
            }
            if slice.is_over() || key_delay_us > 0 {
                reading.next_at = Mono(now.mono.0.saturating_add(key_delay_us));
                self.tell_progress(now, reading);
                return Ok(false);
            }
        }
    }

    fn take_item(
        &mut self,
        now: Now,
        store: &mut Store,
        reading: &mut Reading,
        item: Item,
    ) -> Result<(), String> {
        match item {
            Item::Aux { name, value } => self.take_aux(now, reading, &name, &value),
            Item::Function(source) => {
                if self.persistence.functions.is_empty() {
                    let line = "The file holds functions, which cannot be called here. They are \
                                kept for the next file."
                        .to_string();
                    self.log(Level::Warning, line);
                }
                self.persistence.functions.push(source);
            }
            Item::Select(raw) => {
                reading.db = DbIndex::new(raw, store.databases()).ok_or_else(|| {
                    let at = reading.decoder.position();
                    let count = store.databases();
                    format!("byte {at}: database {raw} is not one of the {count} configured")
                })?;
            }
            Item::Resize { keys, .. } => {
                let at_most = reading.total_bytes / BYTES_PER_EXPECTED_KEY;
                let keys = usize::try_from(keys.min(at_most)).unwrap_or(0);
                store.expect_keys(reading.db, keys);
            }
            Item::Key(key) => self.take_key(now, store, reading, key)?,
            Item::ForeignKey { module, .. } | Item::ForeignAux(module) => {
                self.note_module(reading, module);
            }
            Item::Header { .. } | Item::End => {}
        }
        Ok(())
    }

    fn take_key(
        &self,
        now: Now,
        store: &mut Store,
        reading: &mut Reading,
        key: LoadedKey,
    ) -> Result<(), String> {
        let LoadedKey { key, value, expiry, idle_s, frequency } = key;
        // Only the primary says what has expired.
        let is_primary = self.config.replicaof.is_none();
        if is_primary && expiry.is_some_and(|at_ms| at_ms <= now.unix.ms()) {
            reading.tally.expired += 1;
            return Ok(());
        }
        let clock = store.access().known(idle_s, frequency, now.unix);
        let loaded = store.load(reading.db, value.into_entry(&key, expiry, clock));
        if let Err(entry) = loaded {
            let Purpose::Reload(_, Reload { merges: true, .. }) = reading.task.purpose else {
                let (at, db) = (reading.decoder.position(), reading.db.get());
                let key = ascii::lossy(&key);
                return Err(format!("byte {at}: key '{key}' is in database {db} already"));
            };
            Keyspace::new(store, reading.db, now).put(entry);
        }
        reading.tally.loaded += 1;
        Ok(())
    }

    /// Logs what the writer said about itself. Source of the texts: redis-server 7.0.15.
    fn take_aux(&mut self, now: Now, reading: &mut Reading, name: &[u8], value: &[u8]) {
        let figure = number::parse_u64(value).unwrap_or(0);
        let line = match name {
            b"redis-ver" | b"valkey-ver" => {
                format!("Loading RDB produced by version {}", ascii::lossy(value))
            }
            b"ctime" => {
                format!("RDB age {} seconds", now.unix.secs().saturating_sub(figure))
            }
            b"used-mem" => {
                reading.used_bytes = figure;
                let mb = figure as f64 / (1024.0 * 1024.0);
                format!("RDB memory usage when created {mb:.2} Mb")
            }
            _ => return,
        };
        self.log(Level::Notice, line);
    }

    fn note_module(&mut self, reading: &mut Reading, module: ModuleName) {
        let module = module.to_string();
        if !reading.modules.contains(&module) {
            let line = format!("The file holds data of the module '{module}', which is left out.");
            self.log(Level::Warning, line);
            reading.modules.push(module);
        }
    }

    /// Logs every now and then how far it is.
    fn tell_progress(&mut self, now: Now, reading: &mut Reading) {
        if now.mono < reading.told_at.plus_ms(TOLD_EVERY_MS) {
            return;
        }
        reading.told_at = now.mono;
        let progress = reading.progress(now);
        let elapsed_us = now.mono.since_us(reading.task.began.mono).max(1);
        let (loaded, keys) = (progress.loaded_bytes, reading.tally.loaded);
        let percent = loaded.saturating_mul(100) / progress.total_bytes.max(1);
        let mb_per_s = loaded as f64 / elapsed_us as f64;
        let line = format!(
            "Loading: {percent}% of {} bytes, {keys} keys, {mb_per_s:.1} MB/s, about {} seconds \
             left",
            progress.total_bytes, progress.left_s
        );
        self.log(Level::Notice, line);
    }

    fn end_load(&mut self, now: Now, reading: &Reading) {
        let Tally { loaded, expired } = reading.tally;
        self.persistence.loading.tally = reading.tally;
        let line = format!("Done loading RDB, keys loaded: {loaded}, keys expired: {expired}.");
        self.log(Level::Notice, line);
        match reading.task.purpose {
            Purpose::Start => {
                let seconds = now.mono.since_us(reading.task.began.mono) as f64 / 1e6;
                self.log(Level::Notice, format!("DB loaded from disk: {seconds:.3} seconds"));
                self.actions.push_back(Action::Ready);
            }
            Purpose::Reload(conn, _) => {
                self.log(Level::Warning, "DB reloaded by DEBUG RELOAD".to_string());
                self.finish(conn, Ok(()));
            }
        }
    }

    /// Ends the server rather than serve a part of the data, or write it over the whole.
    fn fail_to_load(&mut self, path: &str, why: &str) {
        self.log(Level::Warning, format!("Fatal error loading the DB {path}: {why}. Exiting."));
        self.end(ExitCause::Failed);
    }
}

impl Reading {
    /// Takes bytes in, behind those that are not decoded yet.
    fn take_in(&mut self, bytes: Vec<u8>) {
        self.bytes.drain(..self.taken);
        self.taken = 0;
        if self.bytes.is_empty() {
            self.bytes = bytes;
        } else {
            self.bytes.extend_from_slice(&bytes);
        }
    }

    fn progress(&self, now: Now) -> Progress {
        let loaded_bytes = self.decoder.position();
        let elapsed_us = now.mono.since_us(self.task.began.mono);
        let left_bytes = self.total_bytes.saturating_sub(loaded_bytes);
        let left_us = u128::from(elapsed_us) * u128::from(left_bytes);
        let left_us = left_us.checked_div(u128::from(loaded_bytes)).unwrap_or(1_000_000);
        Progress {
            began_s: self.task.began.unix.secs(),
            total_bytes: self.total_bytes,
            used_bytes: self.used_bytes,
            loaded_bytes,
            left_s: u64::try_from(left_us / 1_000_000).unwrap_or(u64::MAX),
        }
    }
}

impl fmt::Debug for Reading {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Reading({:?} at byte {})", self.task, self.decoder.position())
    }
}
