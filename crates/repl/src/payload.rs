//! The snapshot that comes over a link: where it begins and where it ends.
//!
//! ```text
//!   $<length>\r\n <length bytes>                     from a file, whose length is known
//!   $EOF:<40 bytes>\r\n <bytes> <the same 40 bytes>  straight from memory, of any length
//! ```
//!
//! Line feeds may come before it: a primary that is not ready says that it is there. What comes
//! behind it is the stream. Source: what redis-server 7.0.15 sends and accepts.

use crate::line::{Line, LineBuffer};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use vesta_types::{ascii, number};

/// Bytes of the mark that ends a snapshot of unknown length.
pub const MARK_BYTES: usize = 40;

/// A snapshot that is being received.
#[derive(Debug, Default)]
pub struct Payload {
    state: State,
    /// Bytes of the snapshot so far.
    received: u64,
}

#[derive(Debug)]
enum State {
    /// The line that says how it ends.
    Head(LineBuffer),
    Counted {
        left: u64,
        total: u64,
    },
    Marked(Box<Search>),
    Ended {
        total: Option<u64>,
    },
}

impl Default for State {
    fn default() -> Self {
        Self::Head(LineBuffer::default())
    }
}

/// The search for a mark.
#[derive(Debug)]
struct Search {
    mark: [u8; MARK_BYTES],
    /// What came last is so many bytes of the mark, fewer than all: they are held back.
    matched: usize,
}

/// How far a piece of input has led.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Progress {
    /// All of it is taken, and more is to come.
    All,
    /// So many bytes of it were the last ones of the snapshot; what follows is the stream.
    End(usize),
}

/// Why there will be no snapshot.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Refused {
    /// The primary says so: the text of its error.
    Aborted(String),
    /// It says something else.
    Garbled,
}

impl Payload {
    /// Bytes of the snapshot so far.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Its length in bytes, once that is known: one that ends with a mark has 0 until then, as in
    /// INFO of redis-server.
    #[must_use]
    pub fn total(&self) -> Option<u64> {
        match &self.state {
            State::Head(_) => None,
            State::Counted { total, .. } => Some(*total),
            State::Marked(_) => Some(0),
            State::Ended { total } => total.or(Some(0)),
        }
    }

    /// Whether the first line has come, and with it how the snapshot ends.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        !matches!(self.state, State::Head(_))
    }

    /// Whether it ends with a mark.
    #[must_use]
    pub fn is_marked(&self) -> bool {
        match &self.state {
            State::Marked(_) | State::Ended { total: None } => true,
            State::Head(_) | State::Counted { .. } | State::Ended { total: Some(_) } => false,
        }
    }

    /// Takes `input` in; `sink` gets the bytes of the snapshot in pieces, in order.
    ///
    /// # Errors
    /// When the primary does not send a snapshot at all.
    pub fn take(&mut self, input: &[u8], mut sink: impl FnMut(&[u8])) -> Result<Progress, Refused> {
        let mut at = 0;
        if let State::Head(line) = &mut self.state {
            match line.take(input) {
                (taken, Line::Whole(text)) => {
                    at = taken;
                    self.state = head(&text)?;
                }
                (_, Line::Short) => return Ok(Progress::All),
                (_, Line::TooLong) => return Err(Refused::Garbled),
            }
        }
        let rest = input.get(at..).unwrap_or_default();
        let end = match &mut self.state {
            State::Head(_) => return Ok(Progress::All),
            State::Ended { .. } => return Ok(Progress::End(at)),
            State::Counted { left, total } => {
                let count = usize::try_from(*left).unwrap_or(usize::MAX).min(rest.len());
                *left -= count as u64;
                self.received += count as u64;
                give(rest.get(..count), &mut sink);
                (*left == 0).then_some((count, Some(*total)))
            }
            State::Marked(search) => {
                let received = &mut self.received;
                let found = search.take(rest, |bytes| {
                    *received += bytes.len() as u64;
                    sink(bytes);
                });
                found.map(|taken| (taken, None))
            }
        };
        Ok(match end {
            Some((taken, total)) => {
                self.state = State::Ended { total };
                Progress::End(at + taken)
            }
            None => Progress::All,
        })
    }
}

/// Reads the line in front of a snapshot.
fn head(line: &[u8]) -> Result<State, Refused> {
    if let Some(mark) = line.strip_prefix(b"$EOF:") {
        let mark = mark.try_into().map_err(|_| Refused::Garbled)?;
        return Ok(State::Marked(Box::new(Search { mark, matched: 0 })));
    }
    if let Some(text) = line.strip_prefix(b"-") {
        return Err(Refused::Aborted(ascii::lossy(text)));
    }
    let total = line.strip_prefix(b"$").and_then(number::parse_u64).ok_or(Refused::Garbled)?;
    Ok(State::Counted { left: total, total })
}

impl Search {
    /// Gives on what is not part of the mark. Where in `input` the mark ends, if it does.
    fn take(&mut self, input: &[u8], mut sink: impl FnMut(&[u8])) -> Option<usize> {
        let mut at = 0;
        while self.matched > 0 {
            let byte = *input.get(at)?;
            if self.mark.get(self.matched) == Some(&byte) {
                self.matched += 1;
                at += 1;
                if self.matched == MARK_BYTES {
                    return Some(at);
                }
                continue;
            }
            // The mark may begin within what looked like it.
            let held = self.mark.get(..self.matched).unwrap_or_default();
            let left = self.overlap(held.get(1..).unwrap_or_default());
            give(held.get(..self.matched - left), &mut sink);
            self.matched = left;
        }
        let rest = input.get(at..).unwrap_or_default();
        if let Some(found) = memchr::memmem::find(rest, &self.mark) {
            give(rest.get(..found), &mut sink);
            return Some(at + found + MARK_BYTES);
        }
        self.matched = self.overlap(rest);
        give(rest.get(..rest.len() - self.matched), &mut sink);
        None
    }

    /// How many of the last bytes may be the beginning of the mark.
    fn overlap(&self, bytes: &[u8]) -> usize {
        let most = bytes.len().min(MARK_BYTES - 1);
        let may_be = |count: &usize| {
            bytes.get(bytes.len() - count..).is_some_and(|tail| self.mark.starts_with(tail))
        };
        (1..=most).rev().find(may_be).unwrap_or(0)
    }
}

fn give(bytes: Option<&[u8]>, sink: &mut impl FnMut(&[u8])) {
    match bytes {
        Some(bytes) if !bytes.is_empty() => sink(bytes),
        Some(_) | None => {}
    }
}

/// Feeds `data` to a payload in chunks whose lengths its own bytes choose, and checks that what is
/// given on does not depend on the chunks. An entry for fuzzers.
///
/// # Panics
/// When the same bytes give another snapshot in other chunks.
pub fn fuzz_payload(data: &[u8]) {
    let step = 1 + data.first().map_or(0, |byte| usize::from(*byte % 61));
    assert!(in_chunks(data, usize::MAX) == in_chunks(data, step), "a snapshot depends on chunks");
}

/// What is made of `data` in chunks of so many bytes: the snapshot, and where it ended.
fn in_chunks(data: &[u8], step: usize) -> (Vec<u8>, Result<Option<usize>, Refused>) {
    let (mut payload, mut snapshot, mut at) = (Payload::default(), Vec::new(), 0);
    for chunk in data.chunks(step.clamp(1, data.len().max(1))) {
        match payload.take(chunk, |bytes| snapshot.extend_from_slice(bytes)) {
            Ok(Progress::All) => at += chunk.len(),
            Ok(Progress::End(taken)) => return (snapshot, Ok(Some(at + taken))),
            Err(why) => return (snapshot, Err(why)),
        }
    }
    (snapshot, Ok(None))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;

    const MARK: [u8; MARK_BYTES] = *b"abababababababababababababababababababac";

    fn marked(snapshot: &[u8]) -> Vec<u8> {
        [b"$EOF:", &MARK[..], b"\r\n", snapshot, &MARK].concat()
    }

    #[test]
    fn a_snapshot_of_known_length_ends_behind_it() {
        let input = b"\n\n$5\r\nREDIS*1\r\n";
        assert_eq!(in_chunks(input, 100), (b"REDIS".to_vec(), Ok(Some(11))));
        assert_eq!(in_chunks(input, 1), (b"REDIS".to_vec(), Ok(Some(11))));
        assert_eq!(in_chunks(b"$0\r\n", 100), (vec![], Ok(Some(4))));
    }

    #[test]
    fn the_mark_is_found_where_it_only_seemed_to_begin_earlier() {
        let snapshot = [&b"xx"[..], &MARK[..39], &MARK[..38], b"c", &MARK[..2]].concat();
        let input = marked(&snapshot);
        for step in 1..input.len() {
            assert_eq!(
                in_chunks(&input, step),
                (snapshot.clone(), Ok(Some(input.len()))),
                "{step}"
            );
        }
    }

    #[test]
    fn what_is_no_snapshot_is_refused() {
        let aborted = Refused::Aborted("ERR no".into());
        assert_eq!(in_chunks(b"-ERR no\r\n", 3), (vec![], Err(aborted)));
        for line in ["$-1", "$EOF:short", "+OK", "$99999999999999999999", "*3", "$"] {
            let line = [line.as_bytes(), b"\r\n"].concat();
            assert_eq!(in_chunks(&line, 100), (vec![], Err(Refused::Garbled)), "{line:?}");
        }
    }

    #[test]
    fn an_endless_line_is_refused() {
        let mut payload = Payload::default();
        let taken = (0..1000).map(|_| payload.take(&[b'$'; 1000], |_| {})).find(Result::is_err);
        assert_eq!(taken, Some(Err(Refused::Garbled)));
    }

    #[test]
    fn how_far_it_is_can_be_told() {
        let mut payload = Payload::default();
        assert_eq!((payload.total(), payload.has_begun()), (None, false));
        assert_eq!(payload.take(b"$6\r\nabc", |_| {}), Ok(Progress::All));
        assert_eq!((payload.total(), payload.received(), payload.is_marked()), (Some(6), 3, false));
        assert_eq!(payload.take(b"defg", |_| {}), Ok(Progress::End(3)));
        assert_eq!((payload.total(), payload.received()), (Some(6), 6));
        assert_eq!(payload.take(b"g", |_| panic!("it has ended")), Ok(Progress::End(0)));
    }

    proptest! {
        #[test]
        fn a_marked_snapshot_comes_whole_however_it_is_cut(
            pieces in prop::collection::vec(
                prop_oneof![
                    prop::collection::vec(any::<u8>(), 0..50),
                    (0..MARK_BYTES).prop_map(|len| MARK[..len].to_vec()),
                    (1..MARK_BYTES).prop_map(|from| MARK[from..].to_vec()),
                ],
                0..8,
            ),
            behind in prop::collection::vec(any::<u8>(), 0..60),
            step in 1_usize..100,
        ) {
            let snapshot = pieces.concat();
            prop_assume!(memchr::memmem::find(&snapshot, &MARK).is_none());
            let mut input = marked(&snapshot);
            let end = input.len();
            // The mark that ends it may begin before the one that was meant to.
            let first = 47 + memchr::memmem::find(&input[47..], &MARK).unwrap();
            prop_assume!(first + MARK_BYTES == end);
            input.extend(behind);
            prop_assert_eq!(in_chunks(&input, step), (snapshot, Ok(Some(end))));
        }

        #[test]
        fn no_bytes_are_too_strange(data in prop::collection::vec(any::<u8>(), 0..200)) {
            fuzz_payload(&data);
            fuzz_payload(&[b"$EOF:", &MARK[..], b"\r\n", &data].concat());
        }
    }
}
