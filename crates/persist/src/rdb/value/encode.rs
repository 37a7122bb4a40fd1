//! Writing a value, whole or in pieces.
//!
//! A piece ends where the next one can begin with no more to remember than a place: a bucket of a
//! table, a rank, a node, an id. That place means the same as long as the value is not changed, so
//! whoever writes in pieces sees to that. Both ways share all code but the loop over the pieces.

use super::{hash, list, set, stream, text, zset};
use crate::rdb::{Target, ValueType, Writer};
use core::ops::Range;
use vesta_ds::Listpack;
use vesta_store::{Object, StrRef, Value};

/// Buckets between two looks at what was spent.
const BUCKETS: usize = 8;
/// The same for members of a sorted set.
const MEMBERS: usize = 32;
/// The same for nodes of a list.
const NODES: usize = 1;

/// Writes a value piece by piece.
pub struct ValueEncoder {
    target: Target,
    rest: Rest,
}

/// What is left of a value.
enum Rest {
    Nothing,
    Text(text::Rest),
    /// The large form of a value, from a place on.
    Places(usize),
    Stream(stream::Place),
}

/// Writes a value's body and returns its type. `type_first` is called with the type before the
/// first byte of the body: in a file the key stands between the two.
pub fn encode_value(
    value: &Value<'_, Object>,
    target: Target,
    writer: &mut Writer<'_>,
    type_first: impl FnOnce(&mut Writer<'_>, ValueType),
) -> ValueType {
    let (value_type, mut encoder) = ValueEncoder::begin(value, target, writer, type_first);
    while !encoder.go_on(value, writer, usize::MAX) {}
    value_type
}

impl ValueEncoder {
    /// Begins with a value; the rest is as in [`encode_value`].
    pub fn begin(
        value: &Value<'_, Object>,
        target: Target,
        writer: &mut Writer<'_>,
        type_first: impl FnOnce(&mut Writer<'_>, ValueType),
    ) -> (ValueType, Self) {
        let value_type = ValueType::of(value, target);
        type_first(writer, value_type);
        let rest = match value {
            Value::String(StrRef::Int(number)) => {
                writer.int(*number);
                Rest::Nothing
            }
            Value::Object(Object::Hash(hash)) if hash.listpack().is_none() => {
                hash::begin(hash, writer);
                Rest::Places(0)
            }
            Value::Object(Object::List(list)) => {
                list::begin(list, writer);
                Rest::Places(0)
            }
            Value::Object(Object::Set(set)) if text_of(value, value_type).is_none() => {
                set::begin(set, writer);
                Rest::Places(0)
            }
            Value::Object(Object::Zset(zset)) if zset.listpack().is_none() => {
                writer.count(zset.len());
                Rest::Places(0)
            }
            Value::Object(Object::Stream(stream)) => {
                Rest::Stream(stream::Place::begin(stream, writer))
            }
            Value::String(_) | Value::Packed(_) | Value::Object(_) => {
                let text = text_of(value, value_type).unwrap_or_default();
                text::begin(text, writer).map_or(Rest::Nothing, Rest::Text)
            }
        };
        (value_type, Self { target, rest })
    }

    /// Goes on with the value, which must not have changed since it was begun with; whether it is
    /// written now. `budget` bounds the work, in strings: about so many short ones are written, or
    /// less of long ones; 0 writes nothing.
    pub fn go_on(
        &mut self,
        value: &Value<'_, Object>,
        writer: &mut Writer<'_>,
        budget: usize,
    ) -> bool {
        let places = match &mut self.rest {
            Rest::Nothing => return true,
            Rest::Text(rest) => {
                let text = text_of(value, ValueType::of(value, self.target)).unwrap_or_default();
                return rest.go_on(text, writer, budget);
            }
            Rest::Stream(place) => {
                let Value::Object(Object::Stream(stream)) = value else { return true };
                return place.go_on(stream, self.target, writer, budget);
            }
            Rest::Places(from) => from,
        };
        let Value::Object(object) = value else { return true };
        match object {
            Object::Hash(hash) => in_pieces(places, hash.buckets(), BUCKETS, writer, budget, {
                |buckets, writer| hash::write(hash, buckets, writer)
            }),
            Object::Set(set) => in_pieces(places, set.buckets(), BUCKETS, writer, budget, {
                |buckets, writer| set::write(set, buckets, writer)
            }),
            Object::Zset(zset) => in_pieces(places, zset.len(), MEMBERS, writer, budget, {
                |members, writer| zset::write(zset, members, writer)
            }),
            Object::List(list) => {
                let Some(list) = list.quicklist() else { return true };
                in_pieces(places, list.nodes().len(), NODES, writer, budget, {
                    |nodes, writer| list::write(list, nodes, writer)
                })
            }
            Object::Stream(_) => true,
        }
    }
}

/// The one text that a value of this type is written as, if it is one.
fn text_of<'v>(value: &'v Value<'_, Object>, value_type: ValueType) -> Option<&'v [u8]> {
    match value {
        Value::String(StrRef::Bytes(bytes)) | Value::Packed(bytes) => Some(bytes),
        Value::String(StrRef::Blob(blob)) => Some(blob.bytes()),
        Value::Object(Object::Hash(hash)) => hash.listpack().map(Listpack::bytes),
        Value::Object(Object::Zset(zset)) => zset.listpack().map(Listpack::bytes),
        Value::Object(Object::Set(set)) if value_type == ValueType::SetListpack => {
            set.listpack().map(Listpack::bytes)
        }
        Value::Object(Object::Set(set)) => set.intset().map(|intset| intset.bytes()),
        Value::Object(Object::List(_) | Object::Stream(_)) | Value::String(StrRef::Int(_)) => None,
    }
}

/// Writes what lies between `from` and `end`, some places at a time, as long as the budget lasts;
/// whether the end was reached.
fn in_pieces(
    from: &mut usize,
    end: usize,
    piece: usize,
    writer: &mut Writer<'_>,
    budget: usize,
    write: impl Fn(Range<usize>, &mut Writer<'_>),
) -> bool {
    while *from < end {
        if writer.spent() >= budget {
            return false;
        }
        let next = from.saturating_add(piece).min(end);
        write(*from..next, writer);
        *from = next;
    }
    true
}
