//! What is kept of the stream: for replicas that come back, and for those that are behind.
//!
//! It is the only buffer there is between the effects of commands and the replicas: each of them
//! is a position in it. A position is how many bytes of the stream lie before it, so that byte
//! number 1 (as INFO and PSYNC count) lies behind position 0.
//!
//! ```text
//!   position   start                                               end
//!                |                                                  |
//!   chunks    [....------------][----------------][----------------]
//! ```
//!
//! The bytes lie in chunks, so that nothing is moved when the buffer grows or its beginning goes.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// Room of a chunk, in bytes; larger pieces of the stream are chunks of their own.
const CHUNK_BYTES: usize = 64 * 1024;
/// From how many bytes on a piece is taken as it is rather than copied.
const TAKEN_BYTES: usize = CHUNK_BYTES / 2;

/// A stretch of the stream, up to its present end.
#[derive(Debug)]
pub struct Backlog {
    chunks: VecDeque<Chunk>,
    /// The first position that can be read from.
    start: u64,
    end: u64,
    /// Room of all chunks, in bytes.
    heap_bytes: usize,
}

#[derive(Debug)]
struct Chunk {
    /// The position of its first byte.
    at: u64,
    bytes: Vec<u8>,
}

impl Chunk {
    fn end(&self) -> u64 {
        self.at.saturating_add(self.bytes.len() as u64)
    }
}

impl Backlog {
    /// An empty one at this position.
    #[must_use]
    pub fn new(at: u64) -> Self {
        Self { chunks: VecDeque::new(), start: at, end: at, heap_bytes: 0 }
    }

    /// The first position that can be read from.
    #[must_use]
    pub fn start(&self) -> u64 {
        self.start
    }

    /// The position behind all of the stream.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.end
    }

    /// How many bytes of the stream are kept.
    #[must_use]
    pub fn len_bytes(&self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// Memory it holds, in bytes.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.heap_bytes
    }

    /// Whether a reader may go on at this position.
    #[must_use]
    pub fn holds(&self, position: u64) -> bool {
        (self.start..=self.end).contains(&position)
    }

    /// The stream goes on with these bytes, which are taken; their buffer may be kept, or not.
    pub fn append(&mut self, bytes: &mut Vec<u8>) {
        let len = bytes.len();
        if len == 0 {
            return;
        }
        let at = self.end;
        self.end = self.end.saturating_add(len as u64);
        if let Some(last) = self.chunks.back_mut()
            && len <= CHUNK_BYTES.saturating_sub(last.bytes.len())
        {
            let before = last.bytes.capacity();
            last.bytes.append(bytes);
            self.heap_bytes += last.bytes.capacity() - before;
            return;
        }
        let bytes = if len >= TAKEN_BYTES {
            core::mem::take(bytes)
        } else {
            let mut chunk = Vec::with_capacity(CHUNK_BYTES);
            chunk.append(bytes);
            chunk
        };
        self.heap_bytes += bytes.capacity();
        self.chunks.push_back(Chunk { at, bytes });
    }

    /// What lies behind a position, as far as it lies in one piece, and at most `bytes_max` of it;
    /// nothing at the end. `None` when it is not held.
    #[must_use]
    pub fn read(&self, position: u64, bytes_max: usize) -> Option<&[u8]> {
        if !self.holds(position) {
            return None;
        }
        let index = self.chunks.partition_point(|chunk| chunk.end() <= position);
        let Some(chunk) = self.chunks.get(index) else { return Some(&[]) };
        let from = usize::try_from(position.saturating_sub(chunk.at)).unwrap_or(usize::MAX);
        let rest = chunk.bytes.get(from..).unwrap_or_default();
        Some(rest.get(..bytes_max).unwrap_or(rest))
    }

    /// Forgets the beginning, but for the last `keep_bytes`, and but for what lies behind the
    /// position that somebody still has to read from.
    pub fn trim(&mut self, keep_bytes: u64, needed_from: Option<u64>) {
        let start = self.end.saturating_sub(keep_bytes);
        self.start = self.start.max(start.min(needed_from.unwrap_or(u64::MAX)));
        while let Some(chunk) = self.chunks.front()
            && chunk.end() <= self.start
        {
            self.heap_bytes -= chunk.bytes.capacity();
            self.chunks.pop_front();
        }
    }

    /// Forgets everything: the stream goes on at this position.
    pub fn begin_anew(&mut self, at: u64) {
        *self = Self::new(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;

    fn all_from(backlog: &Backlog, mut position: u64, bytes_max: usize) -> Option<Vec<u8>> {
        let mut all = Vec::new();
        loop {
            let piece = backlog.read(position, bytes_max)?;
            if piece.is_empty() {
                return Some(all);
            }
            position += piece.len() as u64;
            all.extend_from_slice(piece);
        }
    }

    #[test]
    fn what_a_slow_reader_needs_is_kept_beyond_the_wanted_size() {
        let mut backlog = Backlog::new(100);
        for _ in 0..10 {
            backlog.append(&mut vec![7; 50_000]);
        }
        backlog.trim(1000, Some(150));
        assert_eq!((backlog.start(), backlog.end()), (150, 500_100));
        assert_eq!(all_from(&backlog, 150, 4096).unwrap().len(), 499_950);
        backlog.trim(1000, None);
        assert_eq!((backlog.start(), backlog.len_bytes()), (499_100, 1000));
        assert!(backlog.read(150, 1).is_none());
        assert!(backlog.heap_bytes() < 150_000, "chunks that nobody needs are given back");
    }

    #[test]
    fn a_position_at_the_end_is_held_and_one_behind_it_is_not() {
        let mut backlog = Backlog::new(5);
        assert_eq!(backlog.read(5, 10), Some(&[][..]));
        assert_eq!(backlog.read(6, 10), None);
        assert_eq!(backlog.read(4, 10), None);
        backlog.append(&mut b"ab".to_vec());
        assert_eq!(backlog.read(6, 10), Some(&b"b"[..]));
        assert_eq!(backlog.read(7, 10), Some(&[][..]));
        backlog.begin_anew(3);
        assert_eq!((backlog.start(), backlog.end(), backlog.heap_bytes()), (3, 3, 0));
    }

    #[test]
    fn the_buffer_of_a_small_piece_can_be_used_again() {
        let mut backlog = Backlog::new(0);
        let mut bytes = Vec::with_capacity(4096);
        bytes.extend_from_slice(b"hello");
        backlog.append(&mut bytes);
        assert_eq!((bytes.len(), bytes.capacity()), (0, 4096));
    }

    proptest! {
        #[test]
        fn every_stretch_that_is_held_reads_as_it_was_written(
            at in 0_u64..1000,
            steps in prop::collection::vec(
                (0_usize..100_000, 0_u64..200_000, any::<bool>()),
                1..20,
            ),
            piece in 1000_usize..100_000,
        ) {
            let mut written = Vec::new();
            let mut backlog = Backlog::new(at);
            let (mut needed, mut start) = (at, at);
            for (len, keep, moves) in steps {
                let fresh: Vec<u8> = (0..len).map(|n| (written.len() + n) as u8).collect();
                written.extend_from_slice(&fresh);
                backlog.append(&mut fresh.clone());
                prop_assert_eq!(backlog.end(), at + written.len() as u64);
                if moves {
                    needed = (needed + keep).min(backlog.end());
                }
                backlog.trim(keep, Some(needed));
                start = start.max(backlog.end().saturating_sub(keep).min(needed));
                prop_assert_eq!(backlog.start(), start);
                let from = usize::try_from(start - at).unwrap();
                let held = all_from(&backlog, start, piece).unwrap();
                prop_assert_eq!(&held, &written[from..]);
            }
        }
    }
}
