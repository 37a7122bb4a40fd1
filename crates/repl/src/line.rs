//! Lines of the talk before the stream begins.

use alloc::vec::Vec;

/// Longest line that is taken, in bytes. redis-server 7.0.15 reads up to 256 of a reply and up to
/// 1024 in front of a snapshot; an error may say more than that.
const LINE_BYTES_MAX: usize = 4096;

/// A line that is arriving. Empty ones are passed over: they only say that somebody is there.
#[derive(Debug, Default)]
pub(crate) struct LineBuffer {
    bytes: Vec<u8>,
}

/// What has become of a line.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Line {
    /// Here it is, without its end.
    Whole(Vec<u8>),
    /// Its end has not come.
    Short,
    /// It is longer than any line should be.
    TooLong,
}

impl LineBuffer {
    /// Takes `input` in up to the end of the line; how many bytes of it that were.
    pub(crate) fn take(&mut self, input: &[u8]) -> (usize, Line) {
        let mut taken = 0;
        while let Some(rest) = input.get(taken..).filter(|rest| !rest.is_empty()) {
            let end = memchr::memchr(b'\n', rest);
            let upto = end.unwrap_or(rest.len());
            let room = LINE_BYTES_MAX - self.bytes.len();
            if upto > room {
                return (taken, Line::TooLong);
            }
            self.bytes.extend_from_slice(rest.get(..upto).unwrap_or_default());
            taken += upto;
            if end.is_none() {
                break;
            }
            taken += 1;
            let mut line = core::mem::take(&mut self.bytes);
            if line.last() == Some(&b'\r') {
                line.pop();
            }
            if !line.is_empty() {
                return (taken, Line::Whole(line));
            }
        }
        (taken, Line::Short)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_may_come_in_pieces_behind_empty_ones() {
        let mut line = LineBuffer::default();
        assert_eq!(line.take(b"\n\r\n+PO"), (6, Line::Short));
        assert_eq!(line.take(b"NG\r"), (3, Line::Short));
        assert_eq!(line.take(b"\n\nrest"), (1, Line::Whole(b"+PONG".to_vec())));
        assert_eq!(line.take(b""), (0, Line::Short));
    }

    #[test]
    fn a_line_is_bounded() {
        let mut line = LineBuffer::default();
        assert_eq!(line.take(&[b'a'; LINE_BYTES_MAX]), (LINE_BYTES_MAX, Line::Short));
        assert_eq!(line.take(b"a").1, Line::TooLong);
    }
}
