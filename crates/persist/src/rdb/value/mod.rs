//! Values: which type is written and read how.

mod encode;
mod hash;
mod list;
mod set;
mod stream;
mod text;
mod zset;

pub use encode::{ValueEncoder, encode_value};

use super::reader::Blob;
use super::{Fault, Reader, Text, ValueType, Writer};
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use vesta_store::object::new_entry;
use vesta_store::{Entry, INLINE_MAX, NewValue, Object, Rules};
use vesta_types::number;

/// A value that has been read.
#[derive(Clone, Debug)]
pub enum Loaded {
    /// A string that is the decimal form of an integer.
    Int(i64),
    /// Another string.
    Bytes(Vec<u8>),
    /// Anything else.
    Object(Object),
}

impl Loaded {
    /// The value under a key. `expiry` is in milliseconds since 1970, `clock` the entry's access
    /// clock.
    #[must_use]
    pub fn into_entry(self, key: &[u8], expiry: Option<u64>, clock: u32) -> Entry {
        match self {
            Self::Int(number) => Entry::new(key, NewValue::Int(number), expiry, clock),
            Self::Bytes(bytes) if bytes.len() > INLINE_MAX => {
                Entry::new(key, NewValue::Blob(Arc::new(bytes)), expiry, clock)
            }
            Self::Bytes(bytes) => Entry::new(key, NewValue::Bytes(&bytes), expiry, clock),
            Self::Object(object) => new_entry(key, object, expiry, clock),
        }
    }

    fn string(text: Text<'_>) -> Self {
        match text {
            Text::Int(number) => Self::Int(number),
            Text::Bytes(bytes) => match number::parse_i64(&bytes) {
                Some(number) => Self::Int(number),
                None => Self::Bytes(bytes.into_owned()),
            },
        }
    }
}

/// Reads one value, as its bytes arrive.
pub struct ValueDecoder {
    form: Form,
}

/// What a value is read as.
enum Form {
    String,
    /// One blob, which a function makes a value of.
    Blob(fn(&Blob<'_>, &Rules) -> Result<Object, Fault>),
    List(list::Decoder),
    Set(set::Decoder),
    Zset(zset::Decoder),
    Hash(hash::Decoder),
    Stream(Box<stream::Decoder>),
}

impl ValueDecoder {
    /// A decoder of a value of this type. `rules` decide which encoding it gets; they are the same
    /// for all steps. `None` for the values of modules.
    #[must_use]
    pub fn new(value_type: ValueType, rules: &Rules) -> Option<Self> {
        let form = match value_type {
            ValueType::String => Form::String,
            ValueType::List => Form::List(list::Decoder::texts()),
            ValueType::ListZiplist => Form::Blob(list::of_ziplist),
            ValueType::ListQuicklist => Form::List(list::Decoder::ziplists(rules)),
            ValueType::ListQuicklist2 => Form::List(list::Decoder::nodes(rules)),
            ValueType::Set => Form::Set(set::Decoder::new()),
            ValueType::SetIntset => Form::Blob(set::of_intset),
            ValueType::SetListpack => Form::Blob(set::of_listpack),
            ValueType::Zset => Form::Zset(zset::Decoder::decimal()),
            ValueType::Zset2 => Form::Zset(zset::Decoder::binary()),
            ValueType::ZsetZiplist => Form::Blob(zset::of_ziplist),
            ValueType::ZsetListpack => Form::Blob(zset::of_listpack),
            ValueType::Hash => Form::Hash(hash::Decoder::plain()),
            ValueType::HashZipmap => Form::Blob(hash::of_zipmap),
            ValueType::HashZiplist => Form::Blob(hash::of_ziplist),
            ValueType::HashListpack => Form::Blob(hash::of_listpack),
            ValueType::HashExpiringCandidate => Form::Hash(hash::Decoder::absolute()),
            ValueType::HashExpiring => Form::Hash(hash::Decoder::relative()),
            ValueType::HashExpiringValkey => Form::Hash(hash::Decoder::valkey()),
            ValueType::HashExpiringListpackCandidate => Form::Blob(hash::of_triples),
            ValueType::HashExpiringListpack => Form::Hash(hash::Decoder::triples()),
            ValueType::Stream => Form::Stream(Box::new(stream::Decoder::first())),
            ValueType::Stream2 => Form::Stream(Box::new(stream::Decoder::second())),
            ValueType::Stream3 => Form::Stream(Box::new(stream::Decoder::third())),
            ValueType::ModuleCandidate | ValueType::Module => return None,
        };
        Some(Self { form })
    }

    /// Reads on, and gives the value when it is complete. What was read is kept when more bytes
    /// are needed: the next reader is to begin where this one stands.
    ///
    /// # Errors
    /// [`Fault::Short`] when the next element is cut; bytes that are no value of the type. After
    /// those, the decoder is of no more use.
    pub fn advance(&mut self, reader: &mut Reader<'_>, rules: &Rules) -> Result<Loaded, Fault> {
        loop {
            let taken = reader.taken();
            match self.step(reader, rules) {
                Ok(Some(loaded)) => return Ok(loaded),
                Ok(None) => {}
                Err(fault) => {
                    reader.rewind(taken);
                    return Err(fault);
                }
            }
        }
    }

    /// Reads one element.
    fn step(&mut self, reader: &mut Reader<'_>, rules: &Rules) -> Result<Option<Loaded>, Fault> {
        let object = match &mut self.form {
            Form::String => return Ok(Some(Loaded::string(reader.text()?))),
            Form::Blob(make) => Some(make(&reader.blob()?, rules)?),
            Form::List(decoder) => decoder.step(reader, rules)?,
            Form::Set(decoder) => decoder.step(reader, rules)?,
            Form::Zset(decoder) => decoder.step(reader, rules)?,
            Form::Hash(decoder) => decoder.step(reader, rules)?,
            Form::Stream(decoder) => decoder.step(reader)?,
        };
        Ok(object.map(Loaded::Object))
    }
}

/// How many elements are still to be read; not known before the first step.
#[derive(Clone, Copy, Debug, Default)]
struct Left(Option<u64>);

impl Left {
    /// Reads the number, which must not be 0, if that has not been done; whether it was done now.
    fn begin(&mut self, reader: &mut Reader<'_>) -> Result<Option<u64>, Fault> {
        if self.0.is_some() {
            return Ok(None);
        }
        let count = reader.count()?;
        self.0 = Some(count);
        Ok(Some(count))
    }

    /// Counts an element that was read; whether it was the last one.
    fn end_one(&mut self) -> bool {
        self.0 = self.0.map(|left| left.saturating_sub(1));
        self.0 == Some(0)
    }
}
