//! The smallest parts of the format, written; see [`super::Reader`] for their forms.

use alloc::vec::Vec;
use vesta_ds::{Digits, Element, lzf};
use vesta_types::number;

/// Longer texts are no integers that have a short form.
const INT_TEXT_BYTES_MAX: usize = 11;
/// Shorter strings are not compressed.
const LZF_BYTES_MIN: usize = 21;
/// What compressing must save at least.
const LZF_GAIN_MIN: usize = 4;

/// Where encoded bytes go, in the order in which they come.
pub trait Sink {
    /// Takes the next bytes.
    fn put(&mut self, bytes: &[u8]);
}

impl Sink for Vec<u8> {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// Writes parts of the format to a sink.
pub struct Writer<'s> {
    sink: &'s mut dyn Sink,
    compresses: bool,
}

impl<'s> Writer<'s> {
    /// Writes to `sink`. `compresses` says whether strings are compressed where that saves
    /// anything (`rdbcompression`).
    #[must_use]
    pub fn new(sink: &'s mut dyn Sink, compresses: bool) -> Self {
        Self { sink, compresses }
    }

    /// Bytes as they are.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.sink.put(bytes);
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
        if self.compresses
            && text.len() >= LZF_BYTES_MIN
            && let Some(packed) = lzf::compress(text, text.len() - LZF_GAIN_MIN)
        {
            return self.packed(&packed, text.len());
        }
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
        self.raw(&[0xc3]);
        self.count(packed.len());
        self.count(plain);
        self.raw(packed);
    }

    /// A double in eight bytes.
    pub(super) fn double(&mut self, number: f64) {
        self.raw(&number.to_le_bytes());
    }

    /// A time in milliseconds since 1970; `None` is written as -1.
    pub fn time(&mut self, ms: Option<u64>) {
        let ms = ms.map_or(-1, |ms| i64::try_from(ms).unwrap_or(i64::MAX));
        self.raw(&ms.to_le_bytes());
    }

    /// An integer of up to four bytes; whether it is one.
    fn small_int(&mut self, number: i64) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rdb::Reader;
    use alloc::string::ToString;
    use alloc::vec;
    use proptest::prelude::*;

    fn written(write: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
        let mut bytes = Vec::new();
        write(&mut Writer::new(&mut bytes, true));
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
        Writer::new(&mut plain, false).text(&[b'a'; 100]);
        assert_eq!(plain.len(), 102);
    }
}
