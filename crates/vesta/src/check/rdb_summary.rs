//! What is in an RDB file.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use vesta_persist::rdb::{Dialect, Loaded, LoadedKey, ValueType};
use vesta_rt::log::date;
use vesta_store::Object;
use vesta_types::number;

use super::console::shown;
use super::log_summary::counted;

/// How many of the largest keys are told.
const LARGEST: usize = 10;
/// Bytes that are kept of the name of one of them; the rest would not be shown.
const NAME_BYTES_MAX: usize = 1024;
/// Databases that are counted on their own; a file that was damaged may name any number.
const DATABASES_MAX: usize = 1000;
/// Modules that are counted on their own.
const MODULES_MAX: usize = 100;
/// Libraries of functions whose names are told.
const LIBRARIES_MAX: usize = 20;

/// What is in an RDB file.
#[derive(Default)]
pub(super) struct RdbSummary {
    /// Whose file it is, and its version.
    pub(super) header: Option<(Dialect, u16)>,
    /// Keys that are whole.
    pub(super) keys: u64,
    /// Those that expire.
    pub(super) expiring: u64,
    /// Those that have expired already.
    pub(super) expired: u64,
    /// The database that keys are in now.
    pub(super) db: u64,
    /// What it was written by and when, as far as it says so.
    origin: BTreeMap<&'static str, String>,
    databases: BTreeMap<u64, Database>,
    /// Keys that are in databases for which there was no room.
    elsewhere: Database,
    types: BTreeMap<&'static str, Count>,
    encodings: BTreeMap<&'static str, u64>,
    largest: BinaryHeap<Reverse<Large>>,
    libraries: u64,
    library_names: Vec<String>,
    modules: BTreeMap<String, Module>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Database {
    keys: u64,
    expiring: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    keys: u64,
    /// 0 for types that have none.
    elements: u64,
    bytes: u64,
}

/// A large key. The order is that of the bytes.
#[derive(Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Large {
    bytes: u64,
    db: u64,
    type_name: &'static str,
    elements: Option<u64>,
    key: Vec<u8>,
    key_bytes: usize,
}

#[derive(Clone, Copy, Debug, Default)]
struct Module {
    keys: u64,
    /// Parts of it that belong to no key.
    parts: u64,
}

/// What is told of what the writer said about itself.
const TOLD: [&str; 9] = [
    "redis-ver",
    "valkey-ver",
    "redis-bits",
    "ctime",
    "used-mem",
    "aof-base",
    "repl-id",
    "repl-offset",
    "repl-stream-db",
];

impl RdbSummary {
    /// Takes in something that the writer said about itself.
    pub(super) fn note_aux(&mut self, name: &[u8], value: &[u8]) {
        if let Some(told) = TOLD.iter().find(|told| told.as_bytes() == name) {
            self.origin.insert(told, shown(value));
        }
    }

    /// When the file was begun, in seconds since 1970, if it says so.
    pub(super) fn written_at(&self) -> Option<u64> {
        self.origin.get("ctime").and_then(|text| number::parse_u64(text.as_bytes()))
    }

    /// Takes in a key that has `bytes` bytes in the file.
    pub(super) fn note_key(
        &mut self,
        key: &LoadedKey,
        written: Option<ValueType>,
        bytes: u64,
        now_ms: u64,
    ) {
        let (type_name, elements) = measure(&key.value);
        self.keys += 1;
        self.expiring += u64::from(key.expiry.is_some());
        self.expired += u64::from(key.expiry.is_some_and(|at| at <= now_ms));
        let database = self.database();
        database.keys += 1;
        database.expiring += u64::from(key.expiry.is_some());
        let count = self.types.entry(type_name).or_default();
        count.keys += 1;
        count.elements = count.elements.saturating_add(elements.unwrap_or(0));
        count.bytes = count.bytes.saturating_add(bytes);
        *self.encodings.entry(written.map_or("unknown", ValueType::name)).or_default() += 1;
        self.note_size(&key.key, type_name, elements, bytes);
    }

    /// Takes in a key whose value is a module's.
    pub(super) fn note_foreign_key(&mut self, key: &[u8], module: &str, bytes: u64) {
        self.keys += 1;
        self.database().keys += 1;
        self.module(module).keys += 1;
        let count = self.types.entry("module").or_default();
        count.keys += 1;
        count.bytes = count.bytes.saturating_add(bytes);
        self.note_size(key, "module", None, bytes);
    }

    /// Takes in something of a module that belongs to no key.
    pub(super) fn note_foreign_aux(&mut self, module: &str) {
        self.module(module).parts += 1;
    }

    /// Takes in the source of a library of functions.
    pub(super) fn note_library(&mut self, source: &[u8]) {
        self.libraries += 1;
        let first = source.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let mut words = first.split(u8::is_ascii_whitespace);
        let name = words.find_map(|word| word.strip_prefix(b"name="));
        if let Some(name) = name.filter(|_| self.library_names.len() < LIBRARIES_MAX) {
            self.library_names.push(shown(name));
        }
    }

    fn database(&mut self) -> &mut Database {
        if self.databases.len() >= DATABASES_MAX && !self.databases.contains_key(&self.db) {
            return &mut self.elsewhere;
        }
        self.databases.entry(self.db).or_default()
    }

    fn module(&mut self, name: &str) -> &mut Module {
        let is_full = self.modules.len() >= MODULES_MAX && !self.modules.contains_key(name);
        self.modules.entry(if is_full { "(others)" } else { name }.to_owned()).or_default()
    }

    fn note_size(
        &mut self,
        key: &[u8],
        type_name: &'static str,
        elements: Option<u64>,
        bytes: u64,
    ) {
        if self.largest.len() >= LARGEST {
            if self.largest.peek().is_some_and(|Reverse(least)| bytes <= least.bytes) {
                return;
            }
            self.largest.pop();
        }
        let (name, key_bytes) = (key.get(..NAME_BYTES_MAX).unwrap_or(key).to_vec(), key.len());
        let large = Large { bytes, db: self.db, type_name, elements, key: name, key_bytes };
        self.largest.push(Reverse(large));
    }

    /// The tables.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some((dialect, version)) = self.header {
            let whose = match dialect {
                Dialect::Redis => "Redis",
                Dialect::Valkey => "Valkey",
            };
            lines.push(format!("  RDB version {version} of {whose}{}", self.writer()));
        }
        lines.extend(self.replication());
        lines.extend(self.database_lines());
        lines.extend(self.type_lines());
        lines.extend(self.largest_lines());
        if self.libraries > 0 {
            let libraries = counted(self.libraries, "function library");
            let names = self.library_names.join(", ");
            lines.push(format!("  {} ({names})", libraries.replace("librarys", "libraries")));
        }
        lines.extend(self.modules.iter().map(|(name, Module { keys, parts })| {
            let (keys, parts) = (counted(*keys, "key"), counted(*parts, "other part"));
            format!("  left out: module '{name}', {keys}, {parts}")
        }));
        lines
    }

    fn writer(&self) -> String {
        let told = |name| self.origin.get(name);
        let mut text = String::new();
        for (name, program) in [("redis-ver", "redis"), ("valkey-ver", "valkey")] {
            if let Some(version) = told(name) {
                text.push_str(&format!(", written by {program} {version}"));
            }
        }
        if let Some(bits) = told("redis-bits") {
            text.push_str(&format!(" ({bits} bits)"));
        }
        if let Some(at) = self.written_at() {
            text.push_str(&format!(" at {at} ({})", date(at)));
        }
        if let Some(bytes) = told("used-mem") {
            text.push_str(&format!(" with {bytes} bytes of memory in use"));
        }
        if told("aof-base").is_some_and(|value| value == "1") {
            text.push_str(", the base of a log");
        }
        text
    }

    fn replication(&self) -> Option<String> {
        let (id, offset) = (self.origin.get("repl-id")?, self.origin.get("repl-offset")?);
        Some(format!("  history {id} at offset {offset}"))
    }

    fn database_lines(&self) -> Vec<String> {
        let line = |name: &str, Database { keys, expiring }: &Database| {
            format!("  {name}: {}, {expiring} of them expire", counted(*keys, "key"))
        };
        let told = self.databases.iter().map(|(db, count)| line(&format!("database {db}"), count));
        let others = (self.elsewhere.keys > 0).then(|| line("other databases", &self.elsewhere));
        told.chain(others).collect()
    }

    fn type_lines(&self) -> Vec<String> {
        if self.types.is_empty() {
            return Vec::new();
        }
        let row = |name: &str, keys: &str, elements: &str, bytes: &str| {
            format!("  {name:<8} {keys:>14} {elements:>16} {bytes:>18}")
        };
        let mut lines = vec![row("type", "keys", "elements", "bytes")];
        lines.extend(self.types.iter().map(|(name, Count { keys, elements, bytes })| {
            let has_elements = !matches!(*name, "string" | "module");
            let elements = if has_elements { elements.to_string() } else { "-".to_owned() };
            row(name, &keys.to_string(), &elements, &bytes.to_string())
        }));
        let encodings: Vec<String> =
            self.encodings.iter().map(|(name, keys)| format!("{name} {keys}")).collect();
        if !encodings.is_empty() {
            lines.push(format!("  written as: {}", encodings.join(", ")));
        }
        lines
    }

    fn largest_lines(&self) -> Vec<String> {
        let mut largest: Vec<&Large> = self.largest.iter().map(|Reverse(large)| large).collect();
        if largest.is_empty() {
            return Vec::new();
        }
        largest.sort_by(|a, b| b.cmp(a));
        let mut lines = vec![format!("  {:>18}  {:>3}  {:<8} largest keys", "bytes", "db", "type")];
        lines.extend(largest.iter().map(|large| {
            let Large { bytes, db, type_name, elements, key, key_bytes } = large;
            let mut line = format!("  {bytes:>18}  {db:>3}  {type_name:<8} '{}'", shown(key));
            if key.len() < *key_bytes {
                line.push_str(&format!(" of {key_bytes} bytes"));
            }
            if let Some(elements) = elements {
                line.push_str(&format!(", {}", counted(*elements, "element")));
            }
            line
        }));
        lines
    }
}

/// The type of a value, and how many elements it has, if it can have any.
fn measure(value: &Loaded) -> (&'static str, Option<u64>) {
    match value {
        Loaded::Int(_) | Loaded::Bytes(_) => ("string", None),
        Loaded::Object(object) => {
            let elements = match object {
                Object::Hash(hash) => hash.len() as u64,
                Object::List(list) => list.len() as u64,
                Object::Set(set) => set.len() as u64,
                Object::Stream(stream) => stream.log().len(),
                Object::Zset(zset) => zset.len() as u64,
            };
            (object.type_name(), Some(elements))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str, expiry: Option<u64>) -> LoadedKey {
        let (key, value) = (name.as_bytes().into(), Loaded::Int(1));
        LoadedKey { key, value, expiry, idle_s: None, frequency: None }
    }

    #[test]
    fn the_largest_keys_are_told_in_their_order() {
        let mut summary = RdbSummary::default();
        for size in [5, 1, 4, 12, 11, 3, 7, 9, 2, 8, 10, 6] {
            let written = Some(ValueType::String);
            summary.note_key(&key(&format!("key:{size}"), None), written, size, 0);
        }
        let lines = summary.largest_lines();
        let names: Vec<&str> =
            lines[1..].iter().map(|line| line.rsplit(' ').next().unwrap()).collect();
        let expected: Vec<String> = (3..=12).rev().map(|size| format!("'key:{size}'")).collect();
        assert_eq!(names, expected);
    }

    #[test]
    fn a_file_of_many_databases_and_modules_takes_no_more_memory() {
        let mut summary = RdbSummary::default();
        for number in 0..3 * DATABASES_MAX as u64 {
            summary.db = number;
            summary.note_key(&key("k", Some(number)), None, 1, 9);
            summary.note_foreign_key(b"m", &format!("module{number}"), 1);
        }
        assert_eq!(summary.databases.len(), DATABASES_MAX);
        assert!(summary.modules.len() <= MODULES_MAX + 1);
        assert_eq!((summary.keys, summary.expiring, summary.expired), (6000, 3000, 10));
        assert!(summary.lines().len() < 2000);
    }

    #[test]
    fn what_the_writer_said_is_told() {
        let header = Some((Dialect::Redis, 10));
        let mut summary = RdbSummary { header, ..RdbSummary::default() };
        for (name, value) in
            [("redis-ver", "7.2.4"), ("ctime", "77"), ("repl-id", "abc"), ("repl-offset", "5")]
        {
            summary.note_aux(name.as_bytes(), value.as_bytes());
        }
        summary.note_library(b"#!lua name=mine\nreturn 1");
        let text = summary.lines().join("\n");
        let head = "  RDB version 10 of Redis, written by redis 7.2.4 at 77 (";
        assert!(text.starts_with(head), "{text}");
        assert!(text.contains("\n  history abc at offset 5\n"), "{text}");
        assert!(text.ends_with("\n  1 function library (mine)"), "{text}");
        assert_eq!(summary.written_at(), Some(77));
    }
}
