//! What a listpack holds: integers and byte strings, and how they compare with text.

use core::cmp::Ordering;
use vesta_types::number::parse_i64;

/// One element. Texts that are integers in canonical form are kept as integers, so that the two
/// forms of one text are equal elements: compare with [`Element::is`], not variant by variant.
#[derive(Clone, Copy, Debug)]
pub enum Element<'a> {
    /// An integer; its text is its decimal form.
    Int(i64),
    /// Bytes. Handed in, they may be the text of an integer and are then stored as such.
    Bytes(&'a [u8]),
}

/// Room for the text of one integer element; see [`Element::text`].
pub struct Digits(itoa::Buffer);

impl Digits {
    /// Room that holds nothing yet.
    #[must_use]
    #[inline]
    pub fn new() -> Self {
        Self(itoa::Buffer::new())
    }
}

impl Default for Digits {
    fn default() -> Self {
        Self::new()
    }
}

impl<'a> Element<'a> {
    /// The element's text; an integer's is written into `digits`.
    #[must_use]
    #[inline]
    pub fn text<'t>(self, digits: &'t mut Digits) -> &'t [u8]
    where
        'a: 't,
    {
        match self {
            Self::Int(number) => digits.0.format(number).as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }

    /// Length of the element's text in bytes.
    #[must_use]
    pub fn text_len(self) -> usize {
        self.text(&mut Digits::new()).len()
    }

    /// The integer that the element is, in either form.
    #[must_use]
    #[inline]
    pub fn int(self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(number),
            Self::Bytes(bytes) => canonical_int(bytes),
        }
    }

    /// Whether the element's text is `text`.
    #[must_use]
    #[inline]
    pub fn is(self, text: &[u8]) -> bool {
        match self {
            Self::Int(number) => canonical_int(text) == Some(number),
            Self::Bytes(bytes) => bytes == text,
        }
    }

    /// Byte-wise order of the element's text and `text`, as in lexicographic ranges.
    #[must_use]
    pub fn cmp_text(self, text: &[u8]) -> Ordering {
        self.text(&mut Digits::new()).cmp(text)
    }

    /// The form that is stored: canonical integers as integers.
    #[inline]
    pub(super) fn canonical(self) -> Self {
        match self.int() {
            Some(number) => Self::Int(number),
            None => self,
        }
    }
}

impl PartialEq for Element<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (*self, *other) {
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Bytes(a), Self::Bytes(b)) => a == b,
            (Self::Int(number), Self::Bytes(text)) | (Self::Bytes(text), Self::Int(number)) => {
                canonical_int(text) == Some(number)
            }
        }
    }
}

impl Eq for Element<'_> {}

impl From<i64> for Element<'_> {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl<'a> From<&'a [u8]> for Element<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Bytes(bytes)
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Element<'a> {
    fn from(bytes: &'a [u8; N]) -> Self {
        Self::Bytes(bytes)
    }
}

/// The integer whose decimal form is exactly `text`. Most texts are told from one by their length
/// or their first byte.
#[inline]
fn canonical_int(text: &[u8]) -> Option<i64> {
    match text {
        [b'0'..=b'9' | b'-', ..] if text.len() <= 20 => parse_i64(text),
        _ => None,
    }
}
