//! The whole data set as text, for checkers: the same data reads the same on every node, whatever
//! the encodings, the seed and the order in which it was built.
//!
//! ```text
//! "text"                                      a string
//! list a b c                                  in order; elements with escapes
//! set a b c                                   sorted
//! hash a=1 b=2@1700000000000                  sorted; a field's expiry behind it
//! zset a=1 b=2.5                              in order
//! stream last=5-1 added=3 1-1:f=v 5-1:f=v     entries in order, and then
//!   group g last=1-1 read=1 consumer c 1-1    each group, its consumers, what they hold
//! ```

use crate::Node;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use vesta_store::object::FieldExpiry;
use vesta_store::stream::{Group, StreamId};
use vesta_store::{Digits, Element, Entry, Keyspace, Object, Stream, Value};
use vesta_types::{DbIndex, Now, ReplId, number};

/// Where in which history the data of a server is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Standing {
    /// The history.
    pub id: ReplId,
    /// How many of its bytes the data is made of.
    pub offset: u64,
    /// The history that this one goes on with, and how many of its bytes that has.
    pub former: Option<(ReplId, u64)>,
    /// Whether the offset stands for the data: it does not while nobody wants the stream.
    pub is_kept: bool,
    /// Whether the data is not all there.
    pub is_loading: bool,
}

impl Node {
    /// Where in which history the data is. For checkers.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let history = &self.server.replication.history;
        let point = self.propagation.point();
        Standing {
            id: history.id(),
            offset: point.offset,
            former: history.former().map(|former| (former.id, former.end.saturating_sub(1))),
            is_kept: point.is_kept,
            is_loading: self.server.is_loading(),
        }
    }

    /// Everything in database `db` as key, value and expiry (milliseconds since 1970), in the
    /// order of the keys. For checkers: it visits every key.
    #[must_use]
    pub fn dump(&mut self, now: Now, db: DbIndex) -> Vec<(Box<[u8]>, String, Option<u64>)> {
        let keys = Keyspace::new(&mut self.store, db, now);
        let mut all: Vec<_> = keys
            .iter()
            .map(|entry| (Box::from(entry.key()), value(entry), entry.expiry()))
            .collect();
        all.sort();
        all
    }

    /// Keys of database `db` that were not deleted, those included whose time has come. For
    /// checkers.
    #[must_use]
    pub fn keys_held(&self, db: DbIndex) -> usize {
        self.store.size(db).keys
    }

    /// How far the stream of effects is, in bytes since its history began.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.propagation.offset()
    }
}

fn value(entry: &Entry) -> String {
    match entry.value() {
        Value::String(string) => {
            format!("\"{}\"", vesta_cmd::string::text_of(&string).escape_ascii())
        }
        Value::Object(object) => object_text(object),
        Value::Packed(packed) => object_text(&Object::unpacked(packed)),
    }
}

fn object_text(object: &Object) -> String {
    let mut text = object.type_name().to_string();
    match object {
        Object::List(list) => {
            list.for_each(0..list.len(), |element| push(&mut text, &shown(element)));
        }
        Object::Set(set) => push_sorted(&mut text, set.iter().map(shown)),
        Object::Hash(hash) => push_sorted(
            &mut text,
            hash.iter(0).map(|(name, value)| {
                let expiry = match hash.expiry(name.text(&mut Digits::new())) {
                    FieldExpiry::At(at) => format!("@{at}"),
                    FieldExpiry::Never | FieldExpiry::Absent => String::new(),
                };
                format!("{}={}{expiry}", shown(name), shown(value))
            }),
        ),
        Object::Zset(zset) => {
            for (name, score) in zset.iter() {
                push(&mut text, &format!("{}={}", shown(name), number::format_f64(score)));
            }
        }
        Object::Stream(stream) => push_stream(&mut text, stream),
    }
    text
}

fn push(text: &mut String, word: &str) {
    text.push(' ');
    text.push_str(word);
}

fn push_sorted(text: &mut String, words: impl Iterator<Item = String>) {
    let mut words: Vec<String> = words.collect();
    words.sort();
    words.iter().for_each(|word| push(text, word));
}

fn shown(element: Element<'_>) -> String {
    element.text(&mut Digits::new()).escape_ascii().to_string()
}

fn id(id: StreamId) -> String {
    format!("{}-{}", id.ms, id.seq)
}

fn push_stream(text: &mut String, stream: &Stream) {
    let log = stream.log();
    let counters = log.counters();
    push(text, &format!("last={} added={}", id(counters.last_id), counters.entries_added));
    for entry in log.range(StreamId::MIN..=StreamId::MAX) {
        let fields = entry.fields.map(|(name, value)| format!("{}={}", shown(name), shown(value)));
        let fields: Vec<String> = fields.collect();
        push(text, &format!("{}:{}", id(entry.id), fields.join(",")));
    }
    push_sorted(text, stream.groups().map(|(name, group)| group_text(name, group)));
}

fn group_text(name: &[u8], group: &Group) -> String {
    let position = group.position();
    let read = position.entries_read.map_or("?".to_string(), |read| read.to_string());
    let mut text =
        format!("group {} last={} read={read}", name.escape_ascii(), id(position.last_id));
    push_sorted(
        &mut text,
        group.consumers().map(|(_, consumer)| {
            let held = consumer.held(StreamId::MIN..=StreamId::MAX).map(id);
            let mut words = format!("consumer {}", consumer.name().escape_ascii());
            held.for_each(|held| push(&mut words, &held));
            words
        }),
    );
    text
}
