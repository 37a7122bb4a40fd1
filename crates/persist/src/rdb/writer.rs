//! The smallest parts of the format, written; see [`super::Reader`] for their forms.

use alloc::vec::Vec;
use vesta_ds::lzf::Compressor;
use vesta_ds::{Digits, Element};
use vesta_types::number;

/// Longer texts are no integers that have a short form.
const INT_TEXT_BYTES_MAX: usize = 11;
/// Shorter strings are not compressed.
const LZF_BYTES_MIN: usize = 21;
/// Longer strings are compressed piece by piece or not at all: see [`super::ValueEncoder`].
pub(super) const LZF_BYTES_MAX: usize = 64 * 1024;
/// What compressing must save at least.
const LZF_GAIN_MIN: usize = 4;

/// A text of so many bytes costs as much as one more string.
const BYTES_PER_STRING: usize = 32;

/// Appends parts of the format to a buffer.
pub struct Writer<'o> {
    out: &'o mut Vec<u8>,
    compressor: Option<&'o mut Compressor>,
    spent: usize,
}

impl<'o> Writer<'o> {
    /// Appends to `out`. With a compressor strings are compressed where that saves anything
    /// (`rdbcompression`).
    #[must_use]
    pub fn new(out: &'o mut Vec<u8>, compressor: Option<&'o mut Compressor>) -> Self {
        Self { out, compressor, spent: 0 }
    }

    /// How much work was done, in strings of [`BYTES_PER_STRING`] bytes or less.
    pub(super) fn spent(&self) -> usize {
        self.spent
    }

    /// What strings are compressed with, if they are.
    pub(super) fn compressor(&mut self) -> Option<&mut Compressor> {
        self.compressor.as_deref_mut()
    }

    /// Counts work on so many bytes of a text.
    pub(super) fn spend(&mut self, bytes: usize) {
        self.spent += 1 + bytes / BYTES_PER_STRING;
    }

    /// Bytes as they are.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// A number: the length of something, a counter, a part of an id.
    pub fn number(&mut self, number: u64) {
        let bytes = number.to_be_bytes();
        let [_, _, _, _, a, b, c, d] = bytes;
        if number < 1 << 6 {
            self.raw(&[d]);
        } else if number < 1 << 14 {
            self.raw(&[0x40 | c, d]);
        } else if u32::try_from(number).is_ok() {
            self.raw(&[0x80, a, b, c, d]);
        } else {
            self.raw(&[0x81]);
            self.raw(&bytes);
        }
    }

    /// How many elements follow.
    pub(super) fn count(&mut self, count: usize) {
        self.number(count as u64);
    }

    /// A string: an integer where its text is the decimal form of a small one, compressed where
    /// that pays.
    pub fn text(&mut self, text: &[u8]) {
        if text.len() <= INT_TEXT_BYTES_MAX
            && let Some(number) = number::parse_i64(text)
            && self.small_int(number)
        {
            return;
        }
        self.spend(text.len());
        if let LZF_BYTES_MIN..=LZF_BYTES_MAX = text.len()
            && let Some(compressor) = self.compressor.take()
        {
            let packed = compressor.compress(text, packed_max(text));
            if let Some(packed) = packed {
                self.packed(packed, text.len());
            } else {
                self.plain(text);
            }
            self.compressor = Some(compressor);
            return;
        }
        self.plain(text);
    }

    fn plain(&mut self, text: &[u8]) {
        self.count(text.len());
        self.raw(text);
    }

    /// A string that is the decimal form of an integer.
    pub fn int(&mut self, number: i64) {
        if !self.small_int(number) {
            let mut digits = Digits::new();
            let text = Element::Int(number).text(&mut digits);
            self.count(text.len());
            self.raw(text);
        }
    }

    /// A string that is an element of a collection.
    pub(super) fn element(&mut self, element: Element<'_>) {
        match element {
            Element::Int(number) => self.int(number),
            Element::Bytes(text) => self.text(text),
        }
    }

    /// A string that has been compressed already, from `plain` bytes.
    pub(super) fn packed(&mut self, packed: &[u8], plain: usize) {
        self.packed_head(packed.len(), plain);
        self.spend(packed.len());
        self.raw(packed);
    }

    /// What stands in front of `packed` bytes that `plain` bytes were compressed to.
    pub(super) fn packed_head(&mut self, packed: usize, plain: usize) {
        self.raw(&[0xc3]);
        self.count(packed);
        self.count(plain);
    }

    /// A double in eight bytes.
    pub(super) fn double(&mut self, number: f64) {
        self.spend(0);
        self.raw(&number.to_le_bytes());
    }

    /// A time in milliseconds since 1970; `None` is written as -1.
    pub fn time(&mut self, ms: Option<u64>) {
        self.spend(0);
        let ms = ms.map_or(-1, |ms| i64::try_from(ms).unwrap_or(i64::MAX));
        self.raw(&ms.to_le_bytes());
    }

    /// An integer of up to four bytes; whether it is one.
    fn small_int(&mut self, number: i64) -> bool {
        self.spend(0);
        if let Ok(number) = i8::try_from(number) {
            self.raw(&[0xc0]);
            self.raw(&number.to_le_bytes());
        } else if let Ok(number) = i16::try_from(number) {
            self.raw(&[0xc1]);
            self.raw(&number.to_le_bytes());
        } else if let Ok(number) = i32::try_from(number) {
            self.raw(&[0xc2]);
            self.raw(&number.to_le_bytes());
        } else {
            return false;
        }
        true
    }
}

/// The most bytes that compressing a text may leave of it.
pub(super) fn packed_max(text: &[u8]) -> usize {
    text.len().saturating_sub(LZF_GAIN_MIN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rdb::Reader;
    use alloc::string::ToString;
    use alloc::vec;
    use proptest::prelude::*;

    fn written(write: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
        let mut bytes = Vec::new();
        write(&mut Writer::new(&mut bytes, Some(&mut Compressor::default())));
        bytes
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            number: u64,
            shift in 0..64_u32,
            int: i64,
            text in prop::collection::vec(0..4_u8, 0..200),
        ) {
            let bytes = written(|writer| {
                writer.number(number >> shift);
                writer.int(int >> shift);
                writer.text(&text);
            });
            let mut reader = Reader::new(&bytes, 0, u64::MAX);
            prop_assert_eq!(reader.number(), Ok(number >> shift));
            let digits = (int >> shift).to_string().into_bytes();
            prop_assert_eq!(reader.text().unwrap().into_vec(), digits);
            prop_assert_eq!(reader.text().unwrap().into_vec(), text);
            prop_assert_eq!(reader.left(), 0);
        }
    }

    #[test]
    fn texts_take_their_shortest_form() {
        assert_eq!(written(|writer| writer.text(b"12")), b"\xc0\x0c");
        assert_eq!(written(|writer| writer.text(b"012")), b"\x03012");
        assert_eq!(written(|writer| writer.text(b"-2147483648")), b"\xc2\x00\x00\x00\x80");
        assert_eq!(written(|writer| writer.text(b"2147483648")), b"\x0a2147483648");
        assert!(written(|writer| writer.text(&[b'a'; 100])).len() < 20);
        assert_eq!(written(|writer| writer.text(&[b'a'; 20])).len(), 21);
        let mut plain = vec![];
        Writer::new(&mut plain, None).text(&[b'a'; 100]);
        assert_eq!(plain.len(), 102);
    }
}
