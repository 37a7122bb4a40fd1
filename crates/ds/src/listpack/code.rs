//! One entry as bytes: its encoding, its payload and the length behind it.
//!
//! ```text
//! first byte  follows            holds
//! 0xxxxxxx                       0..=127
//! 10llllll    l bytes            a string below 64 bytes
//! 110vvvvv    1 byte             -4096..=4095, high bits first
//! 1110llll    1 byte, l bytes    a string below 4096 bytes, high bits of its length first
//! 11110000    4 bytes, l bytes   a string, its length little endian
//! 1111 0001   2 bytes            an integer of 16 bits, little endian
//! 1111 0010   3 bytes            of 24
//! 1111 0011   4 bytes            of 32
//! 1111 0100   8 bytes            of 64
//! 1111 1111                      the end of the listpack
//! ```
//!
//! The length behind counts what stands before it, in groups of 7 bits, high group first. All
//! groups but the first carry bit 7, so that it is read from its end.
//!
//! Source: read off the payloads of `DUMP` of redis-server 7.0.15. The steps at 16383, 2097151 and
//! 268435455 are one lower than the groups would allow: the real server takes a byte more there.

use super::Element;

/// Marks the end of a listpack.
pub(super) const END: u8 = 0xff;
/// Most bytes of the length behind an entry.
const BACK_MAX: usize = 5;

/// The element at the start of `entry`, and the bytes of its encoding and payload. `None` at the
/// end mark and where no entry stands.
#[inline(always)]
pub(super) fn decode(entry: &[u8]) -> Option<(Element<'_>, usize)> {
    let string = |head: usize, length: usize| {
        let payload = entry.get(head..)?.get(..length)?;
        Some((Element::Bytes(payload), head + length))
    };
    Some(match *entry {
        [byte @ 0..=0x7f, ..] => (Element::Int(i64::from(byte)), 1),
        [byte @ 0x80..=0xbf, ..] => string(1, usize::from(byte & 0x3f))?,
        [byte @ 0xc0..=0xdf, low, ..] => {
            // The five bits of the first byte are moved to the top, so that the sign is extended.
            let number = i16::from_be_bytes([byte << 3, 0]) | (i16::from(low) << 3);
            (Element::Int(i64::from(number >> 3)), 2)
        }
        [byte @ 0xe0..=0xef, low, ..] => {
            string(2, usize::from(u16::from_be_bytes([byte & 0x0f, low])))?
        }
        [0xf0, a, b, c, d, ..] => string(5, u32::from_le_bytes([a, b, c, d]) as usize)?,
        [0xf1, a, b, ..] => (Element::Int(i64::from(i16::from_le_bytes([a, b]))), 3),
        [0xf2, a, b, c, ..] => (Element::Int(i64::from(i32::from_le_bytes([0, a, b, c]) >> 8)), 4),
        [0xf3, a, b, c, d, ..] => (Element::Int(i64::from(i32::from_le_bytes([a, b, c, d]))), 5),
        [0xf4, a, b, c, d, e, f, g, h, ..] => {
            (Element::Int(i64::from_le_bytes([a, b, c, d, e, f, g, h])), 9)
        }
        _ => return None,
    })
}

/// Bytes of the encoding and payload that start `entry`; `None` as for [`decode`]. The payload
/// need not be there.
#[inline(always)]
pub(super) fn extent(entry: &[u8]) -> Option<usize> {
    Some(match *entry {
        [0..=0x7f, ..] => 1,
        [byte @ 0x80..=0xbf, ..] => 1 + usize::from(byte & 0x3f),
        [0xc0..=0xdf, ..] => 2,
        [byte @ 0xe0..=0xef, low, ..] => 2 + usize::from(u16::from_be_bytes([byte & 0x0f, low])),
        [0xf0, a, b, c, d, ..] => 5 + u32::from_le_bytes([a, b, c, d]) as usize,
        [0xf1, ..] => 3,
        [0xf2, ..] => 4,
        [0xf3, ..] => 5,
        [0xf4, ..] => 9,
        _ => return None,
    })
}

/// Bytes of the whole entry at the start of `entry`; `None` as for [`extent`].
#[inline(always)]
pub(super) fn whole(entry: &[u8]) -> Option<usize> {
    let extent = extent(entry)?;
    Some(extent + back_bytes(extent))
}

/// Bytes of the length that stands behind `extent` bytes.
#[inline(always)]
pub(super) const fn back_bytes(extent: usize) -> usize {
    match extent {
        0..=127 => 1,
        128..16383 => 2,
        16383..2_097_151 => 3,
        2_097_151..268_435_455 => 4,
        _ => BACK_MAX,
    }
}

/// Bytes of the whole entry that ends where `before` ends. `None` when no length stands there.
#[inline(always)]
pub(super) fn whole_before(before: &[u8]) -> Option<usize> {
    let mut extent = 0usize;
    for (group, byte) in before.iter().rev().take(BACK_MAX).enumerate() {
        extent |= usize::from(byte & 0x7f) << (7 * group);
        if byte & 0x80 == 0 {
            return Some(extent + group + 1);
        }
    }
    None
}

/// An element made ready to be written.
pub(crate) struct Encoded<'a> {
    head: [u8; 9],
    head_len: usize,
    payload: &'a [u8],
}

impl<'a> Encoded<'a> {
    /// The shortest encoding of `element`.
    #[inline]
    pub(crate) fn new(element: Element<'a>) -> Self {
        let mut head = [0u8; 9];
        let mut put = |bytes: &[u8]| {
            head.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
            bytes.len()
        };
        let (head_len, payload): (usize, &[u8]) = match element.canonical() {
            Element::Int(number) => (encode_int(number, &mut put), &[]),
            Element::Bytes(bytes) => {
                let [a, b, c, d, ..] = bytes.len().to_le_bytes();
                let head_len = match bytes.len() {
                    0..64 => put(&[0x80 | a]),
                    64..4096 => put(&[0xe0 | b, a]),
                    _ => put(&[0xf0, a, b, c, d]),
                };
                (head_len, bytes)
            }
        };
        Self { head, head_len, payload }
    }

    /// Bytes of the whole entry.
    #[inline]
    pub(crate) fn whole(&self) -> usize {
        let extent = self.head_len + self.payload.len();
        extent + back_bytes(extent)
    }

    /// Writes the entry over `out`, which is as long as [`Encoded::whole`] says.
    #[inline]
    pub(super) fn write(&self, out: &mut [u8]) {
        let extent = self.head_len + self.payload.len();
        let Some((entry, back)) = out.split_at_mut_checked(extent) else { return };
        let Some((head, payload)) = entry.split_at_mut_checked(self.head_len) else { return };
        head.iter_mut().zip(&self.head).for_each(|(to, from)| *to = *from);
        payload.copy_from_slice(self.payload);
        let mut rest = extent;
        for byte in back.iter_mut().rev() {
            *byte = (rest & 0x7f) as u8 | 0x80;
            rest >>= 7;
        }
        if let Some(first) = back.first_mut() {
            *first &= 0x7f;
        }
    }
}

/// Hands the shortest encoding of `number` to `put`, which returns its length.
fn encode_int(number: i64, put: &mut impl FnMut(&[u8]) -> usize) -> usize {
    let [a, b, c, d, e, f, g, h] = number.to_le_bytes();
    match number {
        0..=127 => put(&[a]),
        -4096..=4095 => put(&[0xc0 | (b & 0x1f), a]),
        -0x8000..=0x7fff => put(&[0xf1, a, b]),
        -0x80_0000..=0x7f_ffff => put(&[0xf2, a, b, c]),
        -0x8000_0000..=0x7fff_ffff => put(&[0xf3, a, b, c, d]),
        _ => put(&[0xf4, a, b, c, d, e, f, g, h]),
    }
}
