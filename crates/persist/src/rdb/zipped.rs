//! The small encodings that listpacks have replaced, read into listpacks.
//!
//! ```text
//! ziplist   u32 bytes | u32 place of the last entry | u16 count | entries | 0xff    little endian
//!   entry   bytes of the entry in front: 1, or 0xfe + 4
//!           00llllll | 01llllll llllllll | 0x80 + 4 bytes, big endian: a text of that length
//!           0xc0 + 2 | 0xf0 + 3 | 0xd0 + 4 | 0xe0 + 8 | 0xfe + 1 bytes, little endian: an integer
//!           0xf1 .. 0xfd: the integers 0 to 12
//!           the text
//! zipmap    count, or 254 | name, value, .. | 0xff
//!   name    length in 1 byte, or 0xfe + 4 bytes | the text
//!   value   length likewise | how many bytes behind the text are unused | the text | unused bytes
//! ```
//!
//! A count of 65535 in a ziplist, or of 254 in a zipmap, means that it does not say.

use super::Fault;
use super::reader::Blob;
use vesta_ds::{Element, Full, Listpack};

const END: u8 = 0xff;
/// A length in one byte that says: the next four have it.
const WIDE: u8 = 0xfe;
/// Bytes in front of the first entry of a ziplist.
const ZIPLIST_HEADER: usize = 10;

/// The elements of a ziplist.
pub(super) fn ziplist(blob: &Blob<'_>) -> Result<Listpack, Fault> {
    let bytes = blob.bytes();
    let Some(([a, b, c, d, e, f, g, h, i, j], _)) = bytes.split_first_chunk::<ZIPLIST_HEADER>()
    else {
        return Err(blob.wrong(bytes.len(), "a ziplist header of 10 bytes"));
    };
    if u32::from_le_bytes([*a, *b, *c, *d]) as usize != bytes.len() {
        return Err(blob.wrong(0, "the ziplist's length in bytes"));
    }
    let last = u32::from_le_bytes([*e, *f, *g, *h]) as usize;
    let declared = u16::from_le_bytes([*i, *j]);
    let mut scan = Scan { blob, at: ZIPLIST_HEADER };
    let mut pack = Listpack::with_capacity(bytes.len());
    let (mut count, mut before) = (0_usize, 0_usize);
    loop {
        let start = scan.at;
        match scan.byte("an entry of a ziplist")? {
            END => break,
            front => {
                let front = scan.length(front, "the length of the entry in front")?;
                if front != before {
                    return Err(blob.wrong(start, "the length of the entry in front"));
                }
            }
        }
        let element = scan.entry()?;
        put(blob, start, pack.push(element))?;
        before = scan.at - start;
        count += 1;
    }
    let place = if count == 0 { ZIPLIST_HEADER } else { scan.at - 1 - before };
    if scan.at != bytes.len() {
        return Err(blob.wrong(scan.at, "nothing behind the end of a ziplist"));
    }
    if last != place {
        return Err(blob.wrong(4, "the place of the last entry"));
    }
    if declared != u16::MAX && usize::from(declared) != count {
        return Err(blob.wrong(8, "the number of elements"));
    }
    pack.shrink_to_fit();
    Ok(pack)
}

/// The names and values of a zipmap, in turn.
pub(super) fn zipmap(blob: &Blob<'_>) -> Result<Listpack, Fault> {
    let mut scan = Scan { blob, at: 0 };
    let declared = scan.byte("a zipmap's number of fields")?;
    let mut pack = Listpack::with_capacity(blob.bytes().len());
    let mut count = 0_usize;
    loop {
        let start = scan.at;
        let len = match scan.byte("a field of a zipmap")? {
            END => break,
            first => scan.length(first, "the length of a field")?,
        };
        let name = scan.take(len, "the name of a field")?;
        put(blob, start, pack.push(name))?;
        let first = scan.byte("the length of a value")?;
        if first == END {
            return Err(blob.wrong(scan.at - 1, "the length of a value"));
        }
        let len = scan.length(first, "the length of a value")?;
        let unused = scan.byte("how many bytes are unused")?;
        let value = scan.take(len, "the value of a field")?;
        put(blob, start, pack.push(value))?;
        scan.take(usize::from(unused), "unused bytes")?;
        count += 1;
    }
    if scan.at != blob.bytes().len() {
        return Err(blob.wrong(scan.at, "nothing behind the end of a zipmap"));
    }
    if declared < WIDE && usize::from(declared) != count {
        return Err(blob.wrong(0, "the number of fields"));
    }
    pack.shrink_to_fit();
    Ok(pack)
}

fn put<T>(blob: &Blob<'_>, at: usize, pushed: Result<T, Full>) -> Result<(), Fault> {
    pushed.map(drop).map_err(|_| blob.wrong(at, "no more than a listpack holds"))
}

/// A place in a blob.
struct Scan<'b> {
    blob: &'b Blob<'b>,
    at: usize,
}

impl<'b> Scan<'b> {
    fn take(&mut self, len: usize, expected: &'static str) -> Result<&'b [u8], Fault> {
        let rest = self.blob.bytes().get(self.at..).unwrap_or_default();
        let taken = rest.get(..len).ok_or_else(|| self.blob.wrong(self.at, expected))?;
        self.at += len;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self, expected: &'static str) -> Result<[u8; N], Fault> {
        let bytes = self.take(N, expected)?;
        Ok(bytes.first_chunk().copied().unwrap_or([0; N]))
    }

    fn byte(&mut self, expected: &'static str) -> Result<u8, Fault> {
        self.array(expected).map(|[byte]| byte)
    }

    /// A length that begins with `first`.
    fn length(&mut self, first: u8, expected: &'static str) -> Result<usize, Fault> {
        if first < WIDE {
            return Ok(usize::from(first));
        }
        Ok(u32::from_le_bytes(self.array(expected)?) as usize)
    }

    /// What an entry of a ziplist holds.
    fn entry(&mut self) -> Result<Element<'b>, Fault> {
        const INT: &str = "an integer of a ziplist";
        const TEXT: &str = "a text of a ziplist";
        let encoding = self.byte("the encoding of an entry")?;
        let len = match encoding {
            0..=0x3f => usize::from(encoding),
            0x40..=0x7f => usize::from(u16::from_be_bytes([encoding & 0x3f, self.byte(TEXT)?])),
            0x80..=0xbf => u32::from_be_bytes(self.array(TEXT)?) as usize,
            0xc0 => return Ok(int(i16::from_le_bytes(self.array(INT)?))),
            0xd0 => return Ok(int(i32::from_le_bytes(self.array(INT)?))),
            0xe0 => return Ok(int(i64::from_le_bytes(self.array(INT)?))),
            0xf0 => {
                let [a, b, c] = self.array(INT)?;
                return Ok(int(i32::from_le_bytes([0, a, b, c]) >> 8));
            }
            0xfe => return Ok(int(i8::from_le_bytes(self.array(INT)?))),
            0xf1..=0xfd => return Ok(int((encoding & 0xf) - 1)),
            0xc1..=0xcf | 0xd1..=0xdf | 0xe1..=0xef | 0xff => {
                return Err(self.blob.wrong(self.at - 1, "the encoding of an entry"));
            }
        };
        self.take(len, TEXT).map(Element::Bytes)
    }
}

fn int<'e>(number: impl Into<i64>) -> Element<'e> {
    Element::Int(number.into())
}
