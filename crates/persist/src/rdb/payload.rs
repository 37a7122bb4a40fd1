//! The payloads of DUMP and RESTORE: a value with a footer.
//!
//! ```text
//! type, 1 byte | body | version, 2 bytes | checksum of all in front, 8 bytes     little endian
//! ```
//!
//! The version is the lowest that knows the type, so that a value moves to the oldest server that
//! can hold it. Bytes between the value and the footer are ignored, as Redis ignores them.

use super::{
    Checksum, Dialect, Loaded, Reader, Target, ValueDecoder, ValueType, Writer, encode_value,
};
use alloc::vec::Vec;
use core::fmt;
use vesta_ds::CorruptError;
use vesta_ds::lzf::Compressor;
use vesta_store::{Object, Rules, Value};

/// The newest version of Redis's dialect that is read.
const VERSION_MAX: u16 = 12;
/// The version of Valkey's dialect that is read.
const VERSION_VALKEY: u16 = 80;

/// Why a payload is refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PayloadError {
    /// Not a payload, one of a version that is not known, or one that was changed on its way.
    VersionOrChecksum,
    /// The footer is right, what it belongs to is not.
    Corrupt(CorruptError),
}

impl fmt::Display for PayloadError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::VersionOrChecksum => out.write_str("the payload's version or checksum is wrong"),
            Self::Corrupt(error) => error.fmt(out),
        }
    }
}

impl core::error::Error for PayloadError {}

/// The payload of a value. `compresses` is `rdbcompression`.
#[must_use]
pub fn encode_payload(value: &Value<'_, Object>, target: Target, compresses: bool) -> Vec<u8> {
    let (mut payload, mut compressor) = (Vec::new(), Compressor::default());
    let mut writer = Writer::new(&mut payload, compresses.then_some(&mut compressor));
    let value_type = encode_value(value, target, &mut writer, |writer, value_type| {
        writer.raw(&[value_type.code()]);
    });
    seal_payload(&mut payload, value_type.version());
    payload
}

/// Puts the footer behind a type and a body.
pub fn seal_payload(payload: &mut Vec<u8>, version: u16) {
    payload.extend_from_slice(&version.to_le_bytes());
    let checksum = Checksum::of(payload);
    payload.extend_from_slice(&checksum.to_le_bytes());
}

/// The value of a payload. Strings longer than `string_bytes_max` are refused; `rules` decide which
/// encoding the value gets.
///
/// # Errors
/// As [`PayloadError`] says; the value of a module is corrupt, as nobody here can read it.
pub fn decode_payload(
    payload: &[u8],
    rules: &Rules,
    string_bytes_max: u64,
) -> Result<Loaded, PayloadError> {
    let (value, dialect) = unseal(payload).ok_or(PayloadError::VersionOrChecksum)?;
    let mut reader = Reader::new(value, 0, string_bytes_max);
    decode_value(&mut reader, dialect, rules).map_err(PayloadError::Corrupt)
}

/// A type and a body, all of whose bytes are there.
pub(super) fn decode_value(
    reader: &mut Reader<'_>,
    dialect: Dialect,
    rules: &Rules,
) -> Result<Loaded, CorruptError> {
    let end = |reader: &Reader<'_>| reader.position().saturating_add(reader.left() as u64);
    let code = reader.byte().map_err(|fault| fault.truncated(end(reader)))?;
    let decoder = ValueType::new(code, dialect).and_then(|known| ValueDecoder::new(known, rules));
    let Some(mut decoder) = decoder else {
        return Err(CorruptError { at_byte: 0, expected: "a type of value that is known" });
    };
    decoder.advance(reader, rules).map_err(|fault| fault.truncated(end(reader)))
}

/// What is in front of the footer, if that is right.
fn unseal(payload: &[u8]) -> Option<(&[u8], Dialect)> {
    let (sealed, checksum) = payload.split_last_chunk::<8>()?;
    let (value, version) = sealed.split_last_chunk::<2>()?;
    let dialect = match u16::from_le_bytes(*version) {
        ..=VERSION_MAX => Dialect::Redis,
        VERSION_VALKEY => Dialect::Valkey,
        _ => return None,
    };
    (Checksum::of(sealed) == u64::from_le_bytes(*checksum)).then_some((value, dialect))
}
