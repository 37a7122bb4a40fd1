//! Checking a snapshot: an RDB file, or what stands in front of the requests of a log.
//!
//! Every value is decoded as a server would when it loads the file, and then thrown away. The lines
//! that scripts read are those of redis-check-rdb 7.0.15; the reasons are our own.

use std::path::Path;

use vesta_persist::rdb::{CorruptError, Decoded, FileDecoder, Item};
use vesta_rt::files::FileError;
use vesta_store::Rules;

use super::console::{Console, shown};
use super::log_summary::counted;
use super::rdb_summary::RdbSummary;
use super::window::Window;
use super::{Faulty, Means, cannot_read, open, printable};

/// What is expected where a file is cut.
const CUT: &str = "more bytes";
/// Bytes of a checksum.
const CHECKSUM_BYTES: usize = 8;
/// The first version of Redis's files that ends with one.
const CHECKSUM_SINCE: u16 = 5;

/// Checks an RDB file.
///
/// # Errors
/// It is faulty, or cannot be read; that has been said.
pub(super) fn check(path: &Path, means: &Means, console: &mut Console<'_>) -> Result<(), Faulty> {
    let name = printable(path);
    let mut window = open(path, console)?;
    let summary = check_window(&mut window, &name, means, console)?;
    console.say("Summary:");
    summary.lines().iter().for_each(|line| console.say(line));
    let (end, len) = (window.position(), window.file_bytes());
    if end < len {
        let rest = counted(len - end, "byte");
        console.say(format_args!("  not looked at: {rest} behind its end, from byte {end} on"));
    }
    Ok(())
}

/// Checks the snapshot that begins where the window stands, and leaves the window at its end.
///
/// # Errors
/// It is faulty, or cannot be read; that has been said.
pub(super) fn check_window(
    window: &mut Window,
    name: &str,
    means: &Means,
    console: &mut Console<'_>,
) -> Result<RdbSummary, Faulty> {
    console.say(format_args!("[offset 0] Checking RDB file {name}"));
    console.begin(name, window.file_bytes());
    let mut check = Check {
        decoder: FileDecoder::new(u64::MAX),
        summary: RdbSummary::default(),
        item_began: window.position(),
        now_ms: means.now.ms(),
    };
    let outcome = check.run(window, &means.rules, console);
    console.end();
    let checksum = match outcome {
        Ok(Ok(checksum)) => checksum,
        Ok(Err(error)) => {
            check.tell_fault(error, window.file_bytes(), console);
            return Err(Faulty);
        }
        Err(error) => return Err(cannot_read(console, &error)),
    };
    let end = window.position();
    match checksum {
        Checksum::Right => console.say(format_args!("[offset {end}] Checksum OK")),
        Checksum::Absent => console.say(format_args!(
            "[offset {end}] RDB file was saved with checksum disabled: no check performed."
        )),
        Checksum::Unknown => {}
    }
    console.say(format_args!("[offset {end}] \\o/ RDB looks OK! \\o/"));
    check.tell_counts(console);
    Ok(check.summary)
}

/// What there is of a checksum at the end of a file without a fault.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Checksum {
    /// It is right.
    Right,
    /// The writer left it out.
    Absent,
    /// Files of this version have none.
    Unknown,
}

struct Check {
    decoder: FileDecoder,
    summary: RdbSummary,
    /// Where the item began that is being read.
    item_began: u64,
    now_ms: u64,
}

impl Check {
    fn run(
        &mut self,
        window: &mut Window,
        rules: &Rules,
        console: &mut Console<'_>,
    ) -> Result<Result<Checksum, CorruptError>, FileError> {
        loop {
            let Decoded { taken, item } = match self.decoder.decode(window.bytes(), rules) {
                Ok(decoded) => decoded,
                Err(error) => return Ok(Err(error)),
            };
            let tail = window.bytes().get(..taken).and_then(|bytes| bytes.last_chunk()).copied();
            window.take(taken);
            match item {
                Some(Item::End) => return Ok(Ok(self.checksum(tail))),
                Some(item) => self.take_item(item, console),
                None => {
                    console.reach(window.position());
                    if !window.fill(self.decoder.missing())? {
                        let at_byte = self.decoder.position();
                        return Ok(Err(CorruptError { at_byte, expected: CUT }));
                    }
                }
            }
        }
    }

    /// What the checksum is if the file ends with these bytes and the decoder says that it does.
    fn checksum(&self, tail: Option<[u8; CHECKSUM_BYTES]>) -> Checksum {
        match (self.summary.header, tail) {
            (Some((_, version)), Some(tail)) if version >= CHECKSUM_SINCE => {
                if tail == [0; CHECKSUM_BYTES] { Checksum::Absent } else { Checksum::Right }
            }
            (Some(_), _) | (None, _) => Checksum::Unknown,
        }
    }

    fn take_item(&mut self, item: Item, console: &mut Console<'_>) {
        let end = self.decoder.position();
        let bytes = end.saturating_sub(self.item_began);
        self.item_began = end;
        let summary = &mut self.summary;
        match item {
            Item::Header { dialect, version } => summary.header = Some((dialect, version)),
            Item::Aux { name, value } => {
                let (field, text) = (shown(&name), shown(&value));
                console.say(format_args!("[offset {end}] AUX FIELD {field} = '{text}'"));
                summary.note_aux(&name, &value);
            }
            Item::Function(source) => summary.note_library(&source),
            Item::Select(db) => {
                console.say(format_args!("[offset {end}] Selecting DB ID {db}"));
                summary.db = db;
            }
            Item::Key(key) => {
                summary.note_key(&key, self.decoder.value_type(), bytes, self.now_ms);
            }
            Item::ForeignKey { key, module } => {
                summary.note_foreign_key(&key, &module.to_string(), bytes);
            }
            Item::ForeignAux(module) => {
                let module = module.to_string();
                console.say(format_args!("[offset {end}] MODULE AUX for: {module}"));
                summary.note_foreign_aux(&module);
            }
            Item::Resize { .. } | Item::End => {}
        }
    }

    fn tell_fault(&self, error: CorruptError, file_bytes: u64, console: &mut Console<'_>) {
        let CorruptError { at_byte, expected } = error;
        console.say("--- RDB ERROR DETECTED ---");
        if expected == CUT {
            let missing = counted(self.decoder.missing() as u64, "byte");
            let line = format!("[offset {at_byte}] Unexpected EOF reading RDB file");
            console
                .say(format_args!("{line}: after {file_bytes} bytes, at least {missing} missing"));
        } else {
            console.say(format_args!("[offset {at_byte}] Expected {expected}"));
        }
        if let Some(key) = self.decoder.key() {
            console.say(format_args!("[additional info] Reading key '{}'", shown(key)));
            if let Some(value_type) = self.decoder.value_type() {
                let (code, name) = (value_type.code(), value_type.name());
                console.say(format_args!("[additional info] Reading type {code} ({name})"));
            }
        }
        let (db, began) = (self.summary.db, self.item_began);
        let place = format!("In database {db}, in what begins at byte {began}");
        console.say(format_args!("[additional info] {place}"));
        self.tell_counts(console);
    }

    fn tell_counts(&self, console: &mut Console<'_>) {
        let RdbSummary { keys, expiring, expired, .. } = &self.summary;
        console.say(format_args!("[info] {keys} keys read"));
        console.say(format_args!("[info] {expiring} expires"));
        console.say(format_args!("[info] {expired} already expired"));
    }
}
