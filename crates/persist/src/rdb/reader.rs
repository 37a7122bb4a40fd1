//! The smallest parts of the format, read from bytes that may not be all there yet.
//!
//! ```text
//! length    00llllll | 01llllll llllllll | 0x80 + 4 bytes | 0x81 + 8 bytes, big endian
//! string    length, then so many bytes
//!           0xc0 + 1 byte | 0xc1 + 2 bytes | 0xc2 + 4 bytes: an integer, little endian
//!           0xc3 + length + length: LZF, compressed and plain
//! decimal   1 byte: 253 nan, 254 inf, 255 -inf, else so many digits
//! double    8 bytes, little endian
//! time      8 bytes, little endian: milliseconds since 1970
//! ```

use super::Fault;
use alloc::borrow::Cow;
use alloc::vec::Vec;
use vesta_ds::{CorruptError, Digits, Element, Intset, Listpack, lzf};
use vesta_types::number;

/// Reads bytes that have arrived, one part after another. When a part is cut, nothing of it is
/// taken ([`Reader::rewind`] is for parts made of parts).
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Bytes of the input in front of `bytes`.
    before: u64,
    /// Longest string that is accepted, in bytes.
    string_bytes_max: u64,
}

/// A string of the format.
#[derive(Clone, Debug)]
pub enum Text<'a> {
    /// An integer; the string is its decimal form.
    Int(i64),
    /// Bytes: where they lie, or decompressed.
    Bytes(Cow<'a, [u8]>),
}

/// A string that is an encoding of its own, and where it begins in the input.
pub(super) struct Blob<'a> {
    bytes: Cow<'a, [u8]>,
    at: u64,
}

/// What stands where a length can stand.
enum Length {
    Plain(u64),
    Int8,
    Int16,
    Int32,
    Lzf,
}

impl<'a> Reader<'a> {
    /// Reads `bytes`, which are preceded by `before` bytes of the same input: errors count from
    /// there. Strings longer than `string_bytes_max` are refused.
    #[must_use]
    pub fn new(bytes: &'a [u8], before: u64, string_bytes_max: u64) -> Self {
        Self { bytes, at: 0, before, string_bytes_max }
    }

    /// Bytes read so far.
    #[must_use]
    pub fn taken(&self) -> usize {
        self.at
    }

    /// The place of the next byte in the input.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.before.saturating_add(self.at as u64)
    }

    /// Bytes that are left.
    #[must_use]
    pub fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// Goes back to where [`Reader::taken`] said `taken`.
    pub fn rewind(&mut self, taken: usize) {
        self.at = taken.min(self.at);
    }

    /// The error that `expected` should stand here.
    #[must_use]
    pub fn wrong(&self, expected: &'static str) -> Fault {
        Fault::Corrupt(CorruptError { at_byte: self.position(), expected })
    }

    /// The next `len` bytes.
    ///
    /// # Errors
    /// [`Fault::Short`] when there are fewer.
    pub fn take(&mut self, len: usize) -> Result<&'a [u8], Fault> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let taken = rest.get(..len).ok_or_else(|| Fault::Short { more: len - rest.len() })?;
        self.at += len;
        Ok(taken)
    }

    /// The next `N` bytes.
    ///
    /// # Errors
    /// As [`Reader::take`].
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let bytes = self.take(N)?;
        Ok(bytes.first_chunk().copied().unwrap_or([0; N]))
    }

    /// The next byte.
    ///
    /// # Errors
    /// As [`Reader::take`].
    pub fn byte(&mut self) -> Result<u8, Fault> {
        self.array().map(|[byte]| byte)
    }

    /// A number: the length of something, a counter, a part of an id.
    ///
    /// # Errors
    /// [`Fault::Short`], or another thing than a number.
    pub fn number(&mut self) -> Result<u64, Fault> {
        let start = self.at;
        match self.length()? {
            Length::Plain(number) => Ok(number),
            Length::Int8 | Length::Int16 | Length::Int32 | Length::Lzf => {
                self.at = start;
                Err(self.wrong("a number"))
            }
        }
    }

    /// A number of elements, of which there must be one at least.
    ///
    /// # Errors
    /// As [`Reader::number`], or 0.
    pub(super) fn count(&mut self) -> Result<u64, Fault> {
        let start = self.at;
        match self.number()? {
            0 => {
                self.at = start;
                Err(self.wrong("a collection that is not empty"))
            }
            count => Ok(count),
        }
    }

    /// A string.
    ///
    /// # Errors
    /// [`Fault::Short`]; a string that is too long, or that does not decompress.
    pub fn text(&mut self) -> Result<Text<'a>, Fault> {
        let start = self.at;
        let text = self.text_from(start);
        if text.is_err() {
            self.at = start;
        }
        text
    }

    /// A string that is an encoding of its own.
    ///
    /// # Errors
    /// As [`Reader::text`].
    pub(super) fn blob(&mut self) -> Result<Blob<'a>, Fault> {
        let start = self.position();
        match self.text()? {
            // Its bytes end where we are now; those of a compressed one have no place.
            Text::Bytes(Cow::Borrowed(bytes)) => {
                let at = self.position().saturating_sub(bytes.len() as u64);
                Ok(Blob { bytes: Cow::Borrowed(bytes), at })
            }
            Text::Bytes(bytes @ Cow::Owned(_)) => Ok(Blob { bytes, at: start }),
            Text::Int(number) => {
                let bytes = Element::Int(number).text(&mut Digits::new()).to_vec();
                Ok(Blob { bytes: Cow::Owned(bytes), at: start })
            }
        }
    }

    /// A double in eight bytes, which is not NaN.
    ///
    /// # Errors
    /// [`Fault::Short`], or NaN.
    pub(super) fn double(&mut self) -> Result<f64, Fault> {
        let start = self.at;
        let number = f64::from_le_bytes(self.array()?);
        if number.is_nan() {
            self.at = start;
            return Err(self.wrong("a number, and not nan"));
        }
        Ok(number)
    }

    /// A double in decimal, which is not NaN.
    ///
    /// # Errors
    /// [`Fault::Short`], or another text.
    pub(super) fn decimal(&mut self) -> Result<f64, Fault> {
        const NAN: u8 = 253;
        const INF: u8 = 254;
        const MINUS_INF: u8 = 255;
        let start = self.at;
        let number = match self.byte()? {
            NAN => None,
            INF => Some(f64::INFINITY),
            MINUS_INF => Some(f64::NEG_INFINITY),
            len => match self.take(usize::from(len)) {
                Ok(digits) => number::parse_f64(digits),
                Err(fault) => {
                    self.at = start;
                    return Err(fault);
                }
            },
        };
        number.ok_or_else(|| {
            self.at = start;
            self.wrong("a number in decimal")
        })
    }

    /// A time in milliseconds since 1970; times before it are given as 0.
    ///
    /// # Errors
    /// [`Fault::Short`].
    pub fn time(&mut self) -> Result<u64, Fault> {
        Ok(u64::try_from(i64::from_le_bytes(self.array()?)).unwrap_or(0))
    }

    fn text_from(&mut self, start: usize) -> Result<Text<'a>, Fault> {
        let len = match self.length()? {
            Length::Plain(len) => self.string_bytes(len, start)?,
            Length::Int8 => return Ok(Text::Int(i64::from(i8::from_le_bytes(self.array()?)))),
            Length::Int16 => return Ok(Text::Int(i64::from(i16::from_le_bytes(self.array()?)))),
            Length::Int32 => return Ok(Text::Int(i64::from(i32::from_le_bytes(self.array()?)))),
            Length::Lzf => return self.unpacked(start),
        };
        Ok(Text::Bytes(Cow::Borrowed(self.take(len)?)))
    }

    fn unpacked(&mut self, start: usize) -> Result<Text<'a>, Fault> {
        let (packed, plain) = (self.number()?, self.number()?);
        let packed = self.string_bytes(packed, start)?;
        let plain = self.string_bytes(plain, start)?;
        let at = self.position();
        let bytes = lzf::decompress(self.take(packed)?, plain);
        let bytes = bytes.map_err(|error| within(error, at))?;
        Ok(Text::Bytes(Cow::Owned(bytes)))
    }

    /// The length of a string, which began at `start`, as far as it is accepted.
    fn string_bytes(&mut self, len: u64, start: usize) -> Result<usize, Fault> {
        match usize::try_from(len) {
            Ok(bytes) if len <= self.string_bytes_max => Ok(bytes),
            Ok(_) | Err(_) => {
                self.at = start;
                Err(self.wrong("a string within the limit of length"))
            }
        }
    }

    fn length(&mut self) -> Result<Length, Fault> {
        let start = self.at;
        let length = self.length_here();
        if length.is_err() {
            self.at = start;
        }
        length
    }

    fn length_here(&mut self) -> Result<Length, Fault> {
        let first = self.byte()?;
        let low = first & 0x3f;
        Ok(match (first >> 6, low) {
            (0, _) => Length::Plain(u64::from(low)),
            (1, _) => Length::Plain(u64::from(u16::from_be_bytes([low, self.byte()?]))),
            (2, 0) => Length::Plain(u64::from(u32::from_be_bytes(self.array()?))),
            (2, 1) => Length::Plain(u64::from_be_bytes(self.array()?)),
            (3, 0) => Length::Int8,
            (3, 1) => Length::Int16,
            (3, 2) => Length::Int32,
            (3, 3) => Length::Lzf,
            (_, _) => {
                self.at -= 1;
                return Err(self.wrong("a length"));
            }
        })
    }
}

impl Text<'_> {
    /// The text as an element of a collection.
    #[must_use]
    pub fn element(&self) -> Element<'_> {
        match self {
            Self::Int(number) => Element::Int(*number),
            Self::Bytes(bytes) => Element::Bytes(bytes),
        }
    }

    /// The text; an integer's is written into `digits`.
    #[must_use]
    pub fn bytes<'t>(&'t self, digits: &'t mut Digits) -> &'t [u8] {
        self.element().text(digits)
    }

    /// The text on its own.
    #[must_use]
    pub fn into_vec(self) -> Vec<u8> {
        match self {
            Self::Int(number) => Element::Int(number).text(&mut Digits::new()).to_vec(),
            Self::Bytes(bytes) => bytes.into_owned(),
        }
    }
}

impl Blob<'_> {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The fault that `expected` should stand at byte `at` of the blob.
    pub(super) fn wrong(&self, at: usize, expected: &'static str) -> Fault {
        self.fault(CorruptError { at_byte: at as u64, expected })
    }

    /// An error that counts from the start of the blob, as one that counts from that of the input.
    pub(super) fn fault(&self, error: CorruptError) -> Fault {
        match self.bytes {
            Cow::Borrowed(_) => Fault::Corrupt(within(error, self.at)),
            Cow::Owned(_) => Fault::Corrupt(CorruptError { at_byte: self.at, ..error }),
        }
    }

    /// The listpack that the blob is.
    pub(super) fn listpack(&self) -> Result<Listpack, Fault> {
        Listpack::validate(&self.bytes).map_err(|error| self.fault(error))
    }

    /// The intset that the blob is.
    pub(super) fn intset(&self) -> Result<Intset, Fault> {
        Intset::validate(&self.bytes).map_err(|error| self.fault(error))
    }
}

/// An error that counts from byte `start`.
fn within(error: CorruptError, start: u64) -> CorruptError {
    CorruptError { at_byte: start.saturating_add(error.at_byte), ..error }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(bytes: &[u8]) -> Reader<'_> {
        Reader::new(bytes, 0, 1 << 20)
    }

    #[test]
    fn lengths_have_four_forms() {
        let forms: [(&[u8], u64); 5] = [
            (&[0x3f], 63),
            (&[0x40, 64], 64),
            (&[0x7f, 0xff], 16383),
            (&[0x80, 0, 0, 0x40, 0], 16384),
            (&[0x81, 0, 0, 0, 1, 0, 0, 0, 0], 1 << 32),
        ];
        for (bytes, number) in forms {
            assert_eq!(reader(bytes).number(), Ok(number));
            for len in 0..bytes.len() {
                let mut cut = reader(bytes.get(..len).unwrap());
                assert!(matches!(cut.number(), Err(Fault::Short { more: 1.. })));
                assert_eq!(cut.taken(), 0, "nothing of a cut part is taken");
            }
        }
        assert!(matches!(reader(&[0x82]).number(), Err(Fault::Corrupt(_))));
        assert!(matches!(reader(&[0xc4]).text(), Err(Fault::Corrupt(_))));
        assert!(matches!(reader(&[0xc0, 1]).number(), Err(Fault::Corrupt(_))));
    }

    #[test]
    fn strings_are_plain_integers_or_compressed() {
        let packed: &[u8] = b"\xc3\x09\x40\x89\x01\x61\x61\xe0\x7c\x00\x01\x61\x61";
        let strings: [(&[u8], &[u8]); 5] = [
            (b"\x02ab", b"ab"),
            (b"\xc0\xff", b"-1"),
            (b"\xc1\x00\x80", b"-32768"),
            (b"\xc2\xff\xff\xff\x7f", b"2147483647"),
            (packed, &[b'a'; 137]),
        ];
        for (bytes, text) in strings {
            let mut whole = reader(bytes);
            assert_eq!(whole.text().unwrap().into_vec(), text);
            assert_eq!(whole.left(), 0);
            for len in 0..bytes.len() {
                let mut cut = reader(bytes.get(..len).unwrap());
                assert!(matches!(cut.text(), Err(Fault::Short { .. })), "{bytes:?} {len}");
                assert_eq!(cut.taken(), 0);
            }
        }
        let long = Reader::new(packed, 7, 100).text().unwrap_err();
        assert_eq!(long.truncated(0).at_byte, 7, "the place counts from the start of the input");
    }

    #[test]
    fn doubles_are_numbers() {
        assert_eq!(reader(b"\x032.5").decimal(), Ok(2.5));
        assert_eq!(reader(b"\xfe").decimal(), Ok(f64::INFINITY));
        assert_eq!(reader(b"\xff").decimal(), Ok(f64::NEG_INFINITY));
        for bad in [&b"\xfd"[..], b"\x03nan", b"\x00", b"\x022x"] {
            assert!(matches!(reader(bad).decimal(), Err(Fault::Corrupt(_))), "{bad:?}");
        }
        assert!(matches!(reader(&f64::NAN.to_le_bytes()).double(), Err(Fault::Corrupt(_))));
        assert_eq!(reader(&(-1_i64).to_le_bytes()).time(), Ok(0));
    }
}
