//! Writing a file item by item.

use super::{AUX, END, EXPIRY_MS, FREQUENCY, FUNCTION, IDLE, RESIZE, SELECT};
use crate::rdb::{Checksum, Sink, Target, Writer, encode_value};
use alloc::format;
use vesta_store::{Object, Value};

/// What is written about a key besides its value.
#[derive(Clone, Copy, Debug, Default)]
pub struct KeyTraits {
    /// When it expires, in milliseconds since 1970.
    pub expiry: Option<u64>,
    /// How many seconds ago it was used.
    pub idle_s: Option<u64>,
    /// The logarithmic counter of how often it was used.
    pub frequency: Option<u8>,
}

/// Writes a file item by item. It keeps count of what it wrote and has no sink of its own: all of
/// a file goes to one place, but that may be reached in a new way each time.
#[derive(Clone, Debug)]
pub struct FileEncoder {
    version: u16,
    target: Target,
    compresses: bool,
    /// `None` when the file is written without one (`rdbchecksum`).
    checksum: Option<Checksum>,
}

/// A sink whose bytes are counted.
struct Summing<'s> {
    sink: &'s mut dyn Sink,
    checksum: &'s mut Option<Checksum>,
}

impl Sink for Summing<'_> {
    fn put(&mut self, bytes: &[u8]) {
        if let Some(checksum) = self.checksum {
            checksum.add(bytes);
        }
        self.sink.put(bytes);
    }
}

impl FileEncoder {
    /// Begins a file.
    ///
    /// `version` is the lowest that can carry all that is to come, as
    /// [`ValueType::version`](crate::rdb::ValueType::version) has it: 10, or 12 when fields of a
    /// hash expire.
    pub fn begin(
        sink: &mut dyn Sink,
        version: u16,
        target: Target,
        compresses: bool,
        with_checksum: bool,
    ) -> Self {
        let checksum = with_checksum.then(Checksum::new);
        let mut encoder = Self { version, target, compresses, checksum };
        encoder.write(sink, |writer| writer.raw(format!("REDIS{version:04}").as_bytes()));
        encoder
    }

    /// Says something about the writer.
    pub fn aux(&mut self, sink: &mut dyn Sink, name: &str, value: &[u8]) {
        self.write(sink, |writer| {
            writer.raw(&[AUX]);
            writer.text(name.as_bytes());
            writer.text(value);
        });
    }

    /// Writes the source of a library of functions.
    pub fn function(&mut self, sink: &mut dyn Sink, source: &[u8]) {
        self.write(sink, |writer| {
            writer.raw(&[FUNCTION]);
            writer.text(source);
        });
    }

    /// Goes on to a database, which has so many keys and so many that expire.
    pub fn select(&mut self, sink: &mut dyn Sink, database: u64, keys: u64, expiring: u64) {
        self.write(sink, |writer| {
            writer.raw(&[SELECT]);
            writer.number(database);
            writer.raw(&[RESIZE]);
            writer.number(keys);
            writer.number(expiring);
        });
    }

    /// Writes a key.
    ///
    /// # Panics
    /// If its value needs a higher version than the file was begun with.
    pub fn key(
        &mut self,
        sink: &mut dyn Sink,
        key: &[u8],
        value: &Value<'_, Object>,
        traits: KeyTraits,
    ) {
        let (version, target) = (self.version, self.target);
        self.write(sink, |writer| {
            if let Some(expiry) = traits.expiry {
                writer.raw(&[EXPIRY_MS]);
                writer.time(Some(expiry));
            }
            if let Some(idle_s) = traits.idle_s {
                writer.raw(&[IDLE]);
                writer.number(idle_s);
            }
            if let Some(frequency) = traits.frequency {
                writer.raw(&[FREQUENCY, frequency]);
            }
            let value_type = encode_value(value, target, writer, |writer, value_type| {
                writer.raw(&[value_type.code()]);
                writer.text(key);
            });
            assert!(value_type.version() <= version, "the file was begun for all that is in it");
        });
    }

    /// Ends the file.
    pub fn end(mut self, sink: &mut dyn Sink) {
        self.write(sink, |writer| writer.raw(&[END]));
        let checksum = self.checksum.as_ref().map_or(0, Checksum::value);
        sink.put(&checksum.to_le_bytes());
    }

    fn write(&mut self, sink: &mut dyn Sink, write: impl FnOnce(&mut Writer<'_>)) {
        let mut summing = Summing { sink, checksum: &mut self.checksum };
        write(&mut Writer::new(&mut summing, self.compresses));
    }
}
