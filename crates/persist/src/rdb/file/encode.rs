//! Writing a file item by item.

use super::{AUX, END, EXPIRY_MS, FREQUENCY, FUNCTION, IDLE, RESIZE, SELECT};
use crate::Pieces;
use crate::rdb::{Checksum, Target, ValueEncoder, Writer, encode_value};
use alloc::format;
use alloc::vec::Vec;
use core::fmt;
use vesta_ds::lzf::Compressor;
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

/// How a value is written that might take long.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Effort {
    /// As the file was begun: compressed, if that is so.
    Usual,
    /// As fast as may be, because somebody waits: not compressed.
    Least,
}

/// Writes a file item by item, and has ready what was written until it is taken.
///
/// One key may be *open*: written in pieces, with other items in between. These are put aside and
/// come behind it, so that whoever reads the file finds one key after the other.
pub struct FileEncoder {
    version: u16,
    target: Target,
    /// `None` when strings are not compressed (`rdbcompression`).
    compressor: Option<Compressor>,
    /// Of all that was taken; `None` when the file is written without one (`rdbchecksum`).
    checksum: Option<Checksum>,
    written: Pieces,
    open: Option<ValueEncoder>,
    /// What comes behind the open key.
    aside: Pieces,
}

impl FileEncoder {
    /// Begins a file.
    ///
    /// `version` is the lowest that can carry all that is to come, as
    /// [`ValueType::version`](crate::rdb::ValueType::version) has it: 10, or 12 when fields of a
    /// hash expire.
    #[must_use]
    pub fn begin(version: u16, target: Target, compresses: bool, with_checksum: bool) -> Self {
        let mut encoder = Self {
            version,
            target,
            compressor: compresses.then(Compressor::default),
            checksum: with_checksum.then(Checksum::new),
            written: Pieces::default(),
            open: None,
            aside: Pieces::default(),
        };
        encoder.writer(Effort::Usual).raw(format!("REDIS{version:04}").as_bytes());
        encoder
    }

    /// Says something about the writer.
    pub fn aux(&mut self, name: &str, value: &[u8]) {
        let mut writer = self.writer(Effort::Usual);
        writer.raw(&[AUX]);
        writer.text(name.as_bytes());
        writer.text(value);
    }

    /// Writes the source of a library of functions.
    pub fn function(&mut self, source: &[u8]) {
        let mut writer = self.writer(Effort::Usual);
        writer.raw(&[FUNCTION]);
        writer.text(source);
    }

    /// Goes on to a database, which has so many keys and so many that expire.
    pub fn select(&mut self, database: u64, keys: u64, expiring: u64) {
        let mut writer = self.writer(Effort::Usual);
        writer.raw(&[SELECT]);
        writer.number(database);
        writer.raw(&[RESIZE]);
        writer.number(keys);
        writer.number(expiring);
    }

    /// Writes a key.
    ///
    /// # Panics
    /// If its value needs a higher version than the file was begun with.
    pub fn key(&mut self, key: &[u8], value: &Value<'_, Object>, traits: KeyTraits, how: Effort) {
        let (version, target) = (self.version, self.target);
        let mut writer = self.writer(how);
        put_traits(&mut writer, traits);
        encode_value(value, target, &mut writer, |writer, value_type| {
            assert!(value_type.version() <= version, "the file was begun for all that is in it");
            writer.raw(&[value_type.code()]);
            writer.text(key);
        });
    }

    /// Writes what stands in front of a value, which [`FileEncoder::go_on`] writes then.
    ///
    /// # Panics
    /// As [`FileEncoder::key`], and when a key is open.
    pub fn open_key(&mut self, key: &[u8], value: &Value<'_, Object>, traits: KeyTraits) {
        assert!(self.open.is_none(), "one key at a time is open");
        let (version, target) = (self.version, self.target);
        let mut writer = self.writer(Effort::Usual);
        put_traits(&mut writer, traits);
        let (_, open) = ValueEncoder::begin(value, target, &mut writer, |writer, value_type| {
            assert!(value_type.version() <= version, "the file was begun for all that is in it");
            writer.raw(&[value_type.code()]);
            writer.text(key);
        });
        self.open = Some(open);
    }

    /// Whether a key is open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Writes on the value of the open key, which must not have changed since; whether that was the
    /// rest. `budget` is that of [`ValueEncoder::go_on`].
    pub fn go_on(&mut self, value: &Value<'_, Object>, budget: usize, how: Effort) -> bool {
        let Some(mut open) = self.open.take() else { return true };
        // Nothing is open now: the writer appends to the end of the file.
        let is_done = open.go_on(value, &mut self.writer(how), budget);
        if is_done {
            self.written.append(&mut self.aside);
        } else {
            self.open = Some(open);
        }
        is_done
    }

    /// Takes some of what was written, in order; nothing when there is nothing.
    pub fn take(&mut self) -> Vec<u8> {
        let bytes = self.written.take();
        if let Some(checksum) = &mut self.checksum {
            checksum.add(&bytes);
        }
        bytes
    }

    /// Ends the file and gives what was not taken.
    ///
    /// # Panics
    /// When a key is open.
    #[must_use]
    pub fn end(mut self) -> Pieces {
        assert!(self.open.is_none(), "an open key is written to its end");
        self.written.end().push(END);
        let sum = self.checksum.map_or(0, |mut checksum| {
            self.written.iter().for_each(|piece| checksum.add(piece));
            checksum.value()
        });
        self.written.end().extend_from_slice(&sum.to_le_bytes());
        self.written
    }

    /// Where the next item is written.
    fn writer(&mut self, how: Effort) -> Writer<'_> {
        let place = if self.open.is_some() { &mut self.aside } else { &mut self.written };
        let compressor = self.compressor.as_mut().filter(|_| how == Effort::Usual);
        Writer::new(place.end(), compressor)
    }
}

impl fmt::Debug for FileEncoder {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "FileEncoder(version {})", self.version)
    }
}

fn put_traits(writer: &mut Writer<'_>, traits: KeyTraits) {
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
}
