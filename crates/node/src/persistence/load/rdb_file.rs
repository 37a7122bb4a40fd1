//! Decoding a snapshot: a file of its own, or the front of a file of the log.

use super::reading::{Source, Step};
use super::{Job, Purpose, Reload};
use crate::action::Level;
use crate::server::Server;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use vesta_cmd::Propagation;
use vesta_persist::rdb::{Decoded, FileDecoder, Item, LoadedKey, ModuleName};
use vesta_store::{Keyspace, Store};
use vesta_types::{DbIndex, Now, ReplId, ascii, number};

/// Room is made beforehand for one key per so many bytes of the file at most, whatever the file
/// says: that takes less than the file does.
const BYTES_PER_EXPECTED_KEY: u64 = 16;
/// The same when nobody knows how long the snapshot is, as of one that comes over a link.
const EXPECTED_KEYS_MAX: u64 = 1 << 20;

/// A snapshot that is being decoded.
pub(super) struct RdbFile {
    decoder: FileDecoder,
    db: DbIndex,
    /// Modules whose values were left out.
    modules: Vec<String>,
    /// Names of the history that the file belongs to, and the offset it has got to.
    history: (Option<ReplId>, Option<u64>),
}

/// Where what is decoded goes.
pub(super) struct Intake<'a> {
    pub(super) store: &'a mut Store,
    pub(super) server: &'a mut Server,
    pub(super) propagation: &'a mut Propagation,
}

impl RdbFile {
    /// A file whose strings are no longer than `string_bytes_max`.
    pub(super) fn new(string_bytes_max: u64) -> Self {
        Self {
            decoder: FileDecoder::new(string_bytes_max),
            db: DbIndex::ZERO,
            modules: Vec::new(),
            history: (None, None),
        }
    }
}

impl fmt::Debug for RdbFile {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "RdbFile(at byte {})", self.decoder.position())
    }
}

impl Intake<'_> {
    /// Decodes the next item.
    pub(super) fn decode_item(
        &mut self,
        now: Now,
        job: &mut Job,
        file: &mut RdbFile,
        source: &mut Source,
    ) -> Result<Step, String> {
        let decoded = file.decoder.decode(source.rest(), self.store.rules());
        let Decoded { taken, item } = decoded.map_err(|error| error.to_string())?;
        source.take(taken);
        match item {
            Some(Item::End) => {
                if let (Some(id), Some(offset)) = file.history {
                    job.history = Some((id, offset));
                }
                return Ok(Step::End);
            }
            Some(item) => self.take_item(now, job, file, item)?,
            None if source.is_at_end() => {
                let cut = file.decoder.cut_short();
                return Err(cut.map_or_else(String::new, |error| error.to_string()));
            }
            None => return Ok(Step::Short { missing: file.decoder.missing() }),
        }
        Ok(Step::Item)
    }

    fn take_item(
        &mut self,
        now: Now,
        job: &mut Job,
        file: &mut RdbFile,
        item: Item,
    ) -> Result<(), String> {
        match item {
            Item::Aux { name, value } => self.server.take_aux(now, job, file, &name, &value),
            // Those that are there are in force until the copy is.
            Item::Function(source) if job.purpose == Purpose::Copy => job.functions.push(source),
            Item::Function(source) => self.server.take_function(source),
            Item::Select(raw) => {
                let count = self.store.databases();
                file.db = DbIndex::new(raw, count).ok_or_else(|| {
                    let at = file.decoder.position();
                    format!("byte {at}: database {raw} is not one of the {count} configured")
                })?;
            }
            Item::Resize { keys, .. } => {
                let at_most = match job.total_bytes {
                    0 => EXPECTED_KEYS_MAX,
                    bytes => bytes / BYTES_PER_EXPECTED_KEY,
                };
                let keys = usize::try_from(keys.min(at_most)).unwrap_or(0);
                let keys = if job.keeps_nothing { 0 } else { keys };
                self.store.expect_keys(file.db, keys);
            }
            Item::Key(key) => self.take_key(now, job, file, key)?,
            Item::ForeignKey { module, .. } | Item::ForeignAux(module) => {
                self.server.note_module(file, module);
            }
            Item::Header { .. } | Item::End => {}
        }
        Ok(())
    }

    fn take_key(
        &mut self,
        now: Now,
        job: &mut Job,
        file: &RdbFile,
        key: LoadedKey,
    ) -> Result<(), String> {
        let LoadedKey { key, value, mut expiry, idle_s, frequency } = key;
        if job.keeps_nothing {
            job.tally.loaded += 1;
            return Ok(());
        }
        if job.log.is_some() {
            // What has expired is deleted by requests that follow. There is no time before 1.
            expiry = expiry.map(|at_ms| at_ms.max(1));
        } else if self.is_expired(now, job, file, expiry) {
            job.tally.expired += 1;
            if let Purpose::Reload(..) = job.purpose {
                self.propagation.append(file.db, [&b"DEL"[..], &key].into_iter());
            }
            return Ok(());
        }
        let clock = self.store.access().known(idle_s, frequency, now.unix);
        let loaded = self.store.load(file.db, value.into_entry(&key, expiry, clock));
        if let Err(entry) = loaded {
            let Purpose::Reload(_, Reload { merges: true, .. }) = job.purpose else {
                let (at, db) = (file.decoder.position(), file.db.get());
                let key = ascii::lossy(&key);
                return Err(format!("byte {at}: key '{key}' is in database {db} already"));
            };
            Keyspace::new(self.store, file.db, now).put(entry);
        }
        job.tally.loaded += 1;
        Ok(())
    }

    /// Whether a key of a snapshot is left out. Only the primary says what has expired; when its
    /// replicas may go on from here, it has to tell them, as of any key later on.
    fn is_expired(&self, now: Now, job: &Job, file: &RdbFile, expiry: Option<u64>) -> bool {
        let is_primary = !self.server.is_replica();
        let goes_on = job.purpose == Purpose::Start && matches!(file.history, (Some(_), Some(_)));
        is_primary && !goes_on && expiry.is_some_and(|at_ms| at_ms <= now.unix.ms())
    }
}

impl Server {
    /// Takes in what the writer said about itself. Source of the texts: redis-server 7.0.15.
    fn take_aux(&mut self, now: Now, job: &mut Job, file: &mut RdbFile, name: &[u8], value: &[u8]) {
        let figure = number::parse_u64(value);
        let line = match (name, figure) {
            (b"redis-ver" | b"valkey-ver", _) => {
                format!("Loading RDB produced by version {}", ascii::lossy(value))
            }
            (b"ctime", figure) => {
                let age_s = now.unix.secs().saturating_sub(figure.unwrap_or(0));
                format!("RDB age {age_s} seconds")
            }
            (b"used-mem", figure) => {
                job.used_bytes = figure.unwrap_or(0);
                let mb = job.used_bytes as f64 / (1024.0 * 1024.0);
                format!("RDB memory usage when created {mb:.2} Mb")
            }
            (b"aof-base", Some(1)) => "RDB is base AOF".to_string(),
            (b"repl-stream-db", figure) => {
                job.stream_db = figure;
                return;
            }
            (b"repl-id", _) => {
                file.history.0 = ReplId::parse(value);
                return;
            }
            (b"repl-offset", figure) => {
                file.history.1 = figure;
                return;
            }
            (_, _) => return,
        };
        self.log(Level::Notice, line);
    }

    fn note_module(&mut self, file: &mut RdbFile, module: ModuleName) {
        let module = module.to_string();
        if !file.modules.contains(&module) {
            let line = format!("The file holds data of the module '{module}', which is left out.");
            self.log(Level::Warning, line);
            file.modules.push(module);
        }
    }
}
