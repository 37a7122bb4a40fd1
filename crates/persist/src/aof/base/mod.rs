//! A base as requests (`aof-use-rdb-preamble no`): what each key holds as the requests that make
//! it.
//!
//! ```text
//! SELECT db                                      where the database changes
//! SET key value
//! RPUSH | SADD | ZADD | HSET  key item ..        64 items at a time
//! HPEXPIREAT key time FIELDS 1 name              for each field that expires
//! XADD .. XGROUP .. XCLAIM .. XSETID             see `stream`
//! PEXPIREAT key time                             if it expires
//! ```
//!
//! A value can be written in pieces, see [`OpenKey`]; the groups of a stream are one piece.
//!
//! Any server of the family reads that, as far as it knows the commands. What no command can set is
//! lost: when a key, or a consumer of a stream, was last used.
//!
//! Source: what redis-server 7.0.15 writes; see `stream` for where this keeps more.

mod items;
mod stream;

use super::request::{begin_argument, begin_request, encode_request, end_argument, put_argument};
use alloc::vec::Vec;
use items::{Count, Items};
use vesta_store::stream::StreamId;
use vesta_store::{Entry, Field, Object, StrRef, Value};
use vesta_types::DbIndex;

/// The last time that HPEXPIREAT takes, in milliseconds since 1970: in the year 4199. Files may
/// have later ones.
const FIELD_EXPIRY_MAX: u64 = (1 << 46) - 1;
/// What stands for a short string in a budget, in bytes.
const BYTES_PER_STRING: usize = 32;
/// Bytes of a string between two looks at what is left of the budget.
const TEXT_BYTES: usize = 16 * 1024;
/// The same for the fields of a hash whose times are written, in buckets.
const BUCKETS: usize = 8;

/// Writes the keys of a base one after the other.
#[derive(Clone, Debug, Default)]
pub struct BaseWriter {
    /// The database that the reader has selected.
    selected: Option<DbIndex>,
}

/// A key of which a part is written.
#[derive(Debug)]
pub struct OpenKey(Place);

/// What of a key is written next. It means the same as long as the value is not changed.
#[derive(Debug)]
enum Place {
    /// The string.
    Text,
    /// The rest of it, from this byte on.
    TextFrom(usize),
    /// Items of a collection.
    Items(Count),
    /// When fields expire, from this bucket on.
    FieldTimes(usize),
    /// The entries of a stream, from this id on.
    Entries(StreamId),
    /// What a stream has besides.
    Groups,
    /// When the key expires.
    Expiry,
}

impl BaseWriter {
    /// Appends the source of a library of functions, as the request that loads it.
    pub fn function(&mut self, out: &mut Vec<u8>, source: &[u8]) {
        encode_request(out, [b"FUNCTION", &b"LOAD"[..], source].into_iter());
    }

    /// Appends the requests that make a key of `db`, which is not there before.
    pub fn key(&mut self, out: &mut Vec<u8>, db: DbIndex, entry: &Entry) {
        let mut open = self.open_key(out, db, entry);
        while !open.go_on(out, entry, usize::MAX) {}
    }

    /// Begins with a key of `db`, whose requests [`OpenKey::go_on`] appends then. Other keys must
    /// not come in between.
    pub fn open_key(&mut self, out: &mut Vec<u8>, db: DbIndex, entry: &Entry) -> OpenKey {
        if self.selected != Some(db) {
            self.selected = Some(db);
            let mut digits = itoa::Buffer::new();
            encode_request(out, [b"SELECT", digits.format(db.get()).as_bytes()].into_iter());
        }
        OpenKey(match entry.value() {
            Value::String(_) => Place::Text,
            Value::Packed(packed) => Place::Items(Count::of(&Object::unpacked(packed))),
            Value::Object(Object::Stream(stream)) => stream::begin(stream),
            Value::Object(object) => Place::Items(Count::of(object)),
        })
    }
}

impl OpenKey {
    /// Appends more of what makes the key, whose entry must not have changed since it was begun
    /// with; whether that was the rest. `budget` bounds the work, in strings: about so many short
    /// ones are written, or less of long ones.
    pub fn go_on(&mut self, out: &mut Vec<u8>, entry: &Entry, budget: usize) -> bool {
        let end = out.len().saturating_add(budget.saturating_mul(BYTES_PER_STRING));
        let key = entry.key();
        let unpacked = entry.packed().map(Object::unpacked);
        let object = unpacked.as_ref().or_else(|| entry.object());
        while out.len() < end {
            self.0 = match (&mut self.0, object) {
                (Place::Text, _) => begin_text(out, entry),
                (Place::TextFrom(from), _) => text(out, entry, *from),
                (Place::Items(count), Some(object)) => {
                    let mut items = Items::new(out, object, key, *count);
                    match (items.put_some(object), object) {
                        (true, _) => Place::Items(items.count()),
                        (false, Object::Hash(hash)) if hash.expiring() > 0 => Place::FieldTimes(0),
                        (false, _) => Place::Expiry,
                    }
                }
                (Place::FieldTimes(from), Some(Object::Hash(hash))) => {
                    let to = from.saturating_add(BUCKETS);
                    hash.for_each_in(*from..to, |field| expire_field(out, key, field));
                    if to < hash.buckets() { Place::FieldTimes(to) } else { Place::Expiry }
                }
                (Place::Entries(from), Some(Object::Stream(stream))) => {
                    stream::entries(out, key, stream.log(), *from, end)
                }
                (Place::Groups, Some(Object::Stream(stream))) => {
                    stream::write_rest(out, key, stream);
                    Place::Expiry
                }
                (
                    Place::Expiry
                    | Place::Items(_)
                    | Place::FieldTimes(_)
                    | Place::Entries(_)
                    | Place::Groups,
                    _,
                ) => {
                    expire(out, entry);
                    return true;
                }
            };
        }
        false
    }
}

fn begin_text(out: &mut Vec<u8>, entry: &Entry) -> Place {
    let mut digits = itoa::Buffer::new();
    let value: &[u8] = match entry.string() {
        Some(StrRef::Int(number)) => digits.format(number).as_bytes(),
        Some(StrRef::Bytes(bytes)) => bytes,
        Some(StrRef::Blob(blob)) => {
            begin_request(out, 3);
            put_argument(out, b"SET");
            put_argument(out, entry.key());
            begin_argument(out, blob.len());
            return Place::TextFrom(0);
        }
        None => return Place::Expiry,
    };
    encode_request(out, [b"SET", entry.key(), value].into_iter());
    Place::Expiry
}

/// A piece of a long string.
fn text(out: &mut Vec<u8>, entry: &Entry, from: usize) -> Place {
    let blob = entry.blob().unwrap_or_default();
    let rest = blob.get(from..).unwrap_or_default();
    let piece = rest.get(..TEXT_BYTES).unwrap_or(rest);
    out.extend_from_slice(piece);
    if piece.len() < rest.len() {
        return Place::TextFrom(from + piece.len());
    }
    end_argument(out);
    Place::Expiry
}

fn expire_field(out: &mut Vec<u8>, key: &[u8], field: &Field) {
    if let Some(expiry) = field.expiry() {
        let mut digits = itoa::Buffer::new();
        let time = digits.format(expiry.min(FIELD_EXPIRY_MAX)).as_bytes();
        let words = [b"HPEXPIREAT", key, time, b"FIELDS", b"1", field.name()];
        encode_request(out, words.into_iter());
    }
}

fn expire(out: &mut Vec<u8>, entry: &Entry) {
    if let Some(expiry) = entry.expiry() {
        let mut digits = itoa::Buffer::new();
        let time = digits.format(expiry).as_bytes();
        encode_request(out, [b"PEXPIREAT", entry.key(), time].into_iter());
    }
}
