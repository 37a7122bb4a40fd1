//! Encoding of replies in the version that the client speaks.

use crate::Outbox;
use alloc::vec::Vec;
use vesta_types::{Blob, number};

/// Values from this length on are sent from where they lie, in bytes.
const SHARED_BYTES_MIN: usize = 16 * 1024;

/// Version of the protocol that a client asked for with HELLO.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Proto {
    /// RESP2, where every conversation starts.
    #[default]
    Two,
    /// RESP3.
    Three,
}

impl Proto {
    /// 2 or 3.
    #[must_use]
    pub const fn number(self) -> i64 {
        match self {
            Self::Two => 2,
            Self::Three => 3,
        }
    }
}

/// Where the header of an aggregate goes whose length is not known yet.
#[derive(Debug)]
#[must_use = "an aggregate without a header breaks the stream"]
pub struct Deferred {
    at: usize,
}

/// Appends one reply to an outbox. Aggregates are written as a header, then their elements.
#[derive(Debug)]
pub struct Reply<'a> {
    out: &'a mut Outbox,
    proto: Proto,
}

impl<'a> Reply<'a> {
    /// Encodes for `proto` into `out`.
    #[inline]
    pub fn new(out: &'a mut Outbox, proto: Proto) -> Self {
        Self { out, proto }
    }

    /// The version encoded for.
    #[must_use]
    pub const fn proto(&self) -> Proto {
        self.proto
    }

    /// Encodes for another version from here on (HELLO answers in the new one).
    pub fn set_proto(&mut self, proto: Proto) {
        self.proto = proto;
    }

    /// `+OK`.
    #[inline]
    pub fn ok(&mut self) {
        self.out.buffer().extend_from_slice(b"+OK\r\n");
    }

    /// A simple string; must hold no line end.
    pub fn simple(&mut self, text: &str) {
        let out = self.out.buffer();
        out.push(b'+');
        out.extend_from_slice(text.as_bytes());
        out.extend_from_slice(b"\r\n");
    }

    /// An error; `text` begins with its code (`ERR`, `WRONGTYPE`). Line ends become blanks.
    pub fn error(&mut self, text: &str) {
        let out = self.out.buffer();
        out.push(b'-');
        out.extend(
            text.bytes().map(|byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { byte }),
        );
        out.extend_from_slice(b"\r\n");
    }

    /// An integer.
    #[inline]
    pub fn int(&mut self, value: i64) {
        line(self.out.buffer(), b':', value);
    }

    /// A count, as an integer.
    #[inline]
    pub fn count(&mut self, value: usize) {
        self.int(i64::try_from(value).unwrap_or(i64::MAX));
    }

    /// 1 or 0, in both versions of the protocol.
    #[inline]
    pub fn flag(&mut self, value: bool) {
        self.int(i64::from(value));
    }

    /// A bulk string.
    #[inline]
    pub fn bulk(&mut self, bytes: &[u8]) {
        let out = self.out.buffer();
        out.reserve(bytes.len() + 24);
        line(out, b'$', bytes.len());
        out.extend_from_slice(bytes);
        out.extend_from_slice(b"\r\n");
    }

    /// A bulk string of text.
    pub fn text(&mut self, text: &str) {
        self.bulk(text.as_bytes());
    }

    /// A bulk string that holds a number in decimal.
    #[inline]
    pub fn bulk_int(&mut self, value: i64) {
        let mut digits = itoa::Buffer::new();
        self.bulk(digits.format(value).as_bytes());
    }

    /// A bulk string that is sent from where it lies when it is large.
    pub fn bulk_blob(&mut self, blob: &Blob) {
        if blob.len() < SHARED_BYTES_MIN {
            return self.bulk(blob);
        }
        line(self.out.buffer(), b'$', blob.len());
        self.out.push_blob(Blob::clone(blob));
        self.out.buffer().extend_from_slice(b"\r\n");
    }

    /// The reply for something that does not exist.
    #[inline]
    pub fn null(&mut self) {
        let text: &[u8] = match self.proto {
            Proto::Two => b"$-1\r\n",
            Proto::Three => b"_\r\n",
        };
        self.out.buffer().extend_from_slice(text);
    }

    /// The same where an array was asked for.
    pub fn null_array(&mut self) {
        let text: &[u8] = match self.proto {
            Proto::Two => b"*-1\r\n",
            Proto::Three => b"_\r\n",
        };
        self.out.buffer().extend_from_slice(text);
    }

    /// An array of `len` elements, which follow.
    #[inline]
    pub fn array(&mut self, len: usize) {
        line(self.out.buffer(), b'*', len);
    }

    /// A map of `pairs` keys and values, which follow in turn; a flat array in RESP2.
    pub fn map(&mut self, pairs: usize) {
        match self.proto {
            Proto::Two => self.array(pairs.saturating_mul(2)),
            Proto::Three => line(self.out.buffer(), b'%', pairs),
        }
    }

    /// A set of `len` elements, which follow; an array in RESP2.
    pub fn set(&mut self, len: usize) {
        match self.proto {
            Proto::Two => self.array(len),
            Proto::Three => line(self.out.buffer(), b'~', len),
        }
    }

    /// A float; a bulk string in RESP2.
    pub fn double(&mut self, value: f64) {
        self.double_text(&number::format_f64(value));
    }

    /// A float that is written already; a bulk string in RESP2.
    pub fn double_text(&mut self, text: &str) {
        match self.proto {
            Proto::Two => self.text(text),
            Proto::Three => {
                let out = self.out.buffer();
                out.push(b',');
                out.extend_from_slice(text.as_bytes());
                out.extend_from_slice(b"\r\n");
            }
        }
    }

    /// A truth value; 1 or 0 in RESP2.
    pub fn boolean(&mut self, value: bool) {
        match self.proto {
            Proto::Two => self.flag(value),
            Proto::Three => {
                self.out.buffer().extend_from_slice(if value { b"#t\r\n" } else { b"#f\r\n" });
            }
        }
    }

    /// An integer beyond 64 bits in decimal digits; a bulk string in RESP2.
    pub fn big_number(&mut self, digits: &str) {
        match self.proto {
            Proto::Two => self.text(digits),
            Proto::Three => {
                let out = self.out.buffer();
                out.push(b'(');
                out.extend_from_slice(digits.as_bytes());
                out.extend_from_slice(b"\r\n");
            }
        }
    }

    /// Text meant for people, in a `format` of three letters; a bulk string in RESP2.
    pub fn verbatim(&mut self, format: &str, text: &str) {
        match self.proto {
            Proto::Two => self.text(text),
            Proto::Three => {
                let out = self.out.buffer();
                line(out, b'=', text.len() + format.len() + 1);
                out.extend_from_slice(format.as_bytes());
                out.push(b':');
                out.extend_from_slice(text.as_bytes());
                out.extend_from_slice(b"\r\n");
            }
        }
    }

    /// An out-of-band message of `len` elements, which follow; an array in RESP2.
    pub fn push(&mut self, len: usize) {
        match self.proto {
            Proto::Two => self.array(len),
            Proto::Three => line(self.out.buffer(), b'>', len),
        }
    }

    /// An attribute of `pairs` keys and values, which follow, then the reply it belongs to.
    /// Only RESP3 has attributes.
    pub fn attribute(&mut self, pairs: usize) {
        line(self.out.buffer(), b'|', pairs);
    }

    /// Leaves room for the header of an array whose elements follow and are counted on the way.
    /// Its elements must be small: none may be sent from where it lies.
    pub fn deferred(&mut self) -> Deferred {
        Deferred { at: self.out.buffer().len() }
    }

    /// Writes the header of an array of `len` elements where `place` was taken.
    pub fn close_array(&mut self, place: Deferred, len: usize) {
        self.close(place, b'*', len);
    }

    /// Writes the header of a set of `len` elements where `place` was taken; of an array in RESP2.
    pub fn close_set(&mut self, place: Deferred, len: usize) {
        let kind = match self.proto {
            Proto::Two => b'*',
            Proto::Three => b'~',
        };
        self.close(place, kind, len);
    }

    /// Writes the header of what RESP3 has as a map, and RESP2 as an array of pairs, where `place`
    /// was taken. In RESP2 each pair is an array of two itself, which the caller writes.
    pub fn close_map_of_pairs(&mut self, place: Deferred, pairs: usize) {
        let kind = match self.proto {
            Proto::Two => b'*',
            Proto::Three => b'%',
        };
        self.close(place, kind, pairs);
    }

    fn close(&mut self, place: Deferred, kind: u8, len: usize) {
        let mut header = Vec::with_capacity(16);
        line(&mut header, kind, len);
        let out = self.out.buffer();
        out.splice(place.at..place.at, header);
    }

    /// The reply of SCAN and its kind: an array of the next cursor and an array of the `len`
    /// elements that follow `place`.
    pub fn close_page(&mut self, place: Deferred, cursor: u64, len: usize) {
        let mut digits = itoa::Buffer::new();
        let digits = digits.format(cursor).as_bytes();
        let mut header = Vec::with_capacity(64);
        line(&mut header, b'*', 2);
        line(&mut header, b'$', digits.len());
        header.extend_from_slice(digits);
        header.extend_from_slice(b"\r\n");
        line(&mut header, b'*', len);
        let out = self.out.buffer();
        out.splice(place.at..place.at, header);
    }
}

/// `<kind><number>\r\n`.
#[inline]
fn line<I: itoa::Integer>(out: &mut Vec<u8>, kind: u8, value: I) {
    let mut digits = itoa::Buffer::new();
    let digits = digits.format(value).as_bytes();
    out.reserve(digits.len() + 3);
    out.push(kind);
    out.extend_from_slice(digits);
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;

    fn encoded(proto: Proto, write: impl FnOnce(&mut Reply<'_>)) -> String {
        let mut out = Outbox::default();
        write(&mut Reply::new(&mut out, proto));
        String::from_utf8(out.pieces::<8>().concat()).unwrap()
    }

    #[test]
    fn shapes_follow_the_version() {
        let both =
            |write: fn(&mut Reply<'_>)| (encoded(Proto::Two, write), encoded(Proto::Three, write));
        let pair = |two: &str, three: &str| (String::from(two), String::from(three));
        assert_eq!(both(|r| r.null()), pair("$-1\r\n", "_\r\n"));
        assert_eq!(both(|r| r.null_array()), pair("*-1\r\n", "_\r\n"));
        assert_eq!(both(|r| r.map(2)), pair("*4\r\n", "%2\r\n"));
        assert_eq!(both(|r| r.set(2)), pair("*2\r\n", "~2\r\n"));
        assert_eq!(both(|r| r.double(1.5)), pair("$3\r\n1.5\r\n", ",1.5\r\n"));
        assert_eq!(both(|r| r.boolean(true)), pair(":1\r\n", "#t\r\n"));
        assert_eq!(both(|r| r.push(1)), pair("*1\r\n", ">1\r\n"));
        assert_eq!(both(|r| r.verbatim("txt", "hi")), pair("$2\r\nhi\r\n", "=6\r\ntxt:hi\r\n"));
        assert_eq!(both(|r| r.big_number("12")), pair("$2\r\n12\r\n", "(12\r\n"));
        assert_eq!(both(|r| r.error("ERR a\r\nb")), pair("-ERR a  b\r\n", "-ERR a  b\r\n"));
    }

    #[test]
    fn an_array_can_be_counted_afterwards() {
        let text = encoded(Proto::Two, |reply| {
            reply.array(2);
            let place = reply.deferred();
            reply.int(-7);
            reply.text("x");
            reply.close_array(place, 2);
            reply.ok();
        });
        assert_eq!(text, "*2\r\n*2\r\n:-7\r\n$1\r\nx\r\n+OK\r\n");
    }

    #[test]
    fn a_set_can_be_counted_afterwards() {
        for (proto, bytes) in [(Proto::Two, "*1\r\n:7\r\n"), (Proto::Three, "~1\r\n:7\r\n")] {
            let text = encoded(proto, |reply| {
                let place = reply.deferred();
                reply.int(7);
                reply.close_set(place, 1);
            });
            assert_eq!(text, bytes);
        }
    }

    #[test]
    fn a_page_begins_with_the_cursor_that_follows_it() {
        let text = encoded(Proto::Three, |reply| {
            let place = reply.deferred();
            reply.text("x");
            reply.close_page(place, u64::MAX, 1);
        });
        assert_eq!(text, "*2\r\n$20\r\n18446744073709551615\r\n*1\r\n$1\r\nx\r\n");
    }

    #[test]
    fn a_large_value_is_not_copied() {
        let blob = Blob::new(alloc::vec![b'v'; SHARED_BYTES_MIN]);
        let mut out = Outbox::default();
        Reply::new(&mut out, Proto::Two).bulk_blob(&blob);
        assert_eq!(Blob::strong_count(&blob), 2);
        assert_eq!(out.pending_bytes(), SHARED_BYTES_MIN + 8 + 2);
    }
}
