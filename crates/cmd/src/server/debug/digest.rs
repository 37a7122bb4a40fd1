//! `DEBUG DIGEST` and `DEBUG DIGEST-VALUE key...`: the same data has the same digest on every
//! server, whatever the order in which it is kept.
//!
//! The algorithm is that of Redis, so that two servers can be compared. A digest is 160 bits.
//! *Adding* a text takes the exclusive or with its SHA-1: the order does not matter. *Mixing* it
//! in adds it and replaces the digest by its own SHA-1: the order matters.
//!
//! * value: mix in the type's number (4 bytes, big endian), then what it holds, and add
//!   `!!expire!!` if the key expires (when is left out).
//!   * string (0): mix it in.
//!   * list (1): mix in every element.
//!   * set (2): add every member.
//!   * hash (4): add, for every field, the digest of nothing with field and value mixed in.
//!   * stream (6): for every entry mix in its id (with a dot), then each name and value.
//! * key: mix its name into nothing, then the value.
//! * everything: for every database that is not empty mix in its number (4 bytes, big endian),
//!   then add the digests of all its keys.
//!
//! Source: compared with redis-server 7.0.15 (`tests/transcripts/server/debug.vt`).

use crate::string::text_of;
use crate::{ControlCtx, Flow, Outcome};
use core::fmt;
use sha1::{Digest as _, Sha1};
use vesta_store::stream::StreamId;
use vesta_store::{Digits, Entry, Object, Value};
use vesta_types::number;

/// The number of the type "string".
const STRING: u32 = 0;
/// The number of the type "list".
const LIST: u32 = 1;
/// The number of the type "set".
const SET: u32 = 2;
/// The number of the type "zset".
const ZSET: u32 = 3;
/// The number of the type "hash".
const HASH: u32 = 4;
/// The number of the type "stream".
const STREAM: u32 = 6;

/// A digest of all databases.
pub(super) fn digest(ctx: &mut ControlCtx<'_>) -> Outcome {
    let mut all = Digest::NOTHING;
    let databases = ctx.keys.store().indexes();
    for db in databases {
        let keys = ctx.keys.of(db);
        if keys.iter().next().is_none() {
            continue;
        }
        all.mix(&db.get().to_be_bytes());
        for entry in keys.iter() {
            let mut of_key = Digest::NOTHING;
            of_key.mix(entry.key());
            of_key.mix_value(entry);
            all.add(&of_key.0);
        }
    }
    ctx.reply.simple(&alloc::format!("{all}"));
    Ok(Flow::Done)
}

/// A digest of each value; forty zeros for a key that is not there.
pub(super) fn digest_value(ctx: &mut ControlCtx<'_>) -> Outcome {
    ctx.reply.array(ctx.request.len() - 2);
    for key in ctx.request.args_from(2) {
        let mut of_value = Digest::NOTHING;
        if let Some(entry) = ctx.keys.peek(key) {
            of_value.mix_value(entry);
        }
        ctx.reply.simple(&alloc::format!("{of_value}"));
    }
    Ok(Flow::Done)
}

/// 160 bits, printed as forty hexadecimal digits.
struct Digest([u8; 20]);

impl Digest {
    const NOTHING: Self = Self([0; 20]);

    fn add(&mut self, text: &[u8]) {
        for (ours, theirs) in self.0.iter_mut().zip(Sha1::digest(text)) {
            *ours ^= theirs;
        }
    }

    fn mix(&mut self, text: &[u8]) {
        self.add(text);
        self.0 = Sha1::digest(self.0).into();
    }

    fn mix_value(&mut self, entry: &Entry) {
        match entry.value() {
            Value::String(string) => {
                self.mix(&STRING.to_be_bytes());
                self.mix(&text_of(&string));
            }
            Value::Object(object) => self.mix_object(object),
            Value::Packed(packed) => self.mix_object(&Object::unpacked(packed)),
        }
        if entry.expiry().is_some() {
            self.add(b"!!expire!!");
        }
    }

    fn mix_object(&mut self, object: &Object) {
        let mut digits = Digits::new();
        match object {
            Object::List(list) => {
                self.mix(&LIST.to_be_bytes());
                list.for_each(0..list.len(), |element| self.mix(element.text(&mut digits)));
            }
            Object::Set(set) => {
                self.mix(&SET.to_be_bytes());
                for member in set.iter() {
                    self.add(member.text(&mut digits));
                }
            }
            Object::Stream(stream) => {
                self.mix(&STREAM.to_be_bytes());
                for entry in stream.log().range(StreamId::MIN..=StreamId::MAX) {
                    self.mix(alloc::format!("{}.{}", entry.id.ms, entry.id.seq).as_bytes());
                    for (name, value) in entry.fields {
                        self.mix(name.text(&mut digits));
                        self.mix(value.text(&mut digits));
                    }
                }
            }
            Object::Zset(zset) => {
                self.mix(&ZSET.to_be_bytes());
                for (name, score) in zset.iter() {
                    let mut of_member = Self::NOTHING;
                    of_member.mix(name.text(&mut digits));
                    of_member.mix(number::format_f64(score).as_bytes());
                    self.add(&of_member.0);
                }
            }
            Object::Hash(hash) => {
                self.mix(&HASH.to_be_bytes());
                for (name, value) in hash.iter(0) {
                    let mut of_field = Self::NOTHING;
                    of_field.mix(name.text(&mut digits));
                    of_field.mix(value.text(&mut digits));
                    self.add(&of_field.0);
                }
            }
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
