//! The outgoing half of a conversation: replies in order, large values without a copy.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use vesta_types::Blob;

/// Bytes to be sent, in order. An idle outbox owns no memory.
#[derive(Debug, Default)]
pub struct Outbox {
    bytes: Vec<u8>,
    /// How many of `bytes` were sent.
    sent: usize,
    /// Values sent from where they lie: each goes out before the byte of `bytes` at its position.
    blobs: VecDeque<(usize, Blob)>,
    /// How many bytes of the first blob were sent.
    blob_sent: usize,
    /// Bytes of all blobs, sent ones of the first included.
    blob_bytes: usize,
}

/// A point in the stream of replies to which it can be rolled back.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    bytes: usize,
    blobs: usize,
}

impl Outbox {
    /// Bytes still to be sent.
    #[must_use]
    #[inline]
    pub fn pending_bytes(&self) -> usize {
        self.bytes.len() - self.sent + self.blob_bytes - self.blob_sent
    }

    /// Whether nothing is left to be sent.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.sent == self.bytes.len() && self.blobs.is_empty()
    }

    /// Memory held for replies, in bytes; shared values count as if they were owned.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.bytes.capacity() + self.blob_bytes
    }

    /// The buffer that encoders append to.
    #[inline]
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Appends bytes that are already encoded.
    pub fn push_encoded(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Appends a shared allocation, to be sent from where it lies.
    pub fn push_blob(&mut self, blob: Blob) {
        self.blob_bytes += blob.len();
        self.blobs.push_back((self.bytes.len(), blob));
    }

    /// The present end of the stream.
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark { bytes: self.bytes.len(), blobs: self.blobs.len() }
    }

    /// Takes back everything appended since `mark`; nothing may have been sent since.
    pub fn roll_back(&mut self, mark: Mark) {
        self.bytes.truncate(mark.bytes);
        for (_, blob) in self.blobs.drain(mark.blobs.min(self.blobs.len())..) {
            self.blob_bytes -= blob.len();
        }
    }

    /// What follows `mark`, when no blob does. For tests and for replies that are kept.
    #[must_use]
    pub fn since(&self, mark: Mark) -> &[u8] {
        self.bytes.get(mark.bytes..).unwrap_or_default()
    }

    /// The next pieces to be sent, in order, at most `N` of them; unused places are empty.
    #[must_use]
    pub fn pieces<const N: usize>(&self) -> [&[u8]; N] {
        let mut pieces: [&[u8]; N] = [&[]; N];
        let (mut at, mut skip) = (self.sent, self.blob_sent);
        let mut blobs = self.blobs.iter();
        let mut blob = blobs.next();
        for piece in &mut pieces {
            match blob {
                Some((position, value)) if *position == at => {
                    *piece = value.get(skip..).unwrap_or_default();
                    skip = 0;
                    blob = blobs.next();
                }
                next => {
                    let end = next.map_or(self.bytes.len(), |(position, _)| *position);
                    *piece = self.bytes.get(at..end).unwrap_or_default();
                    at = end;
                }
            }
        }
        pieces
    }

    /// Forgets the first `count` pending bytes: they were sent.
    pub fn advance(&mut self, mut count: usize) {
        while count > 0 {
            match self.blobs.front() {
                Some((position, blob)) if *position == self.sent => {
                    let left = blob.len() - self.blob_sent;
                    if count < left {
                        self.blob_sent += count;
                        return;
                    }
                    count -= left;
                    self.blob_bytes -= blob.len();
                    self.blob_sent = 0;
                    self.blobs.pop_front();
                }
                next => {
                    let end = next.map_or(self.bytes.len(), |(position, _)| *position);
                    let step = count.min(end - self.sent);
                    self.sent += step;
                    count -= step;
                    if step == 0 {
                        break;
                    }
                }
            }
        }
        self.drop_empty_blobs();
        if self.is_empty() {
            self.bytes.clear();
            self.sent = 0;
        }
    }

    /// An empty blob at the front would otherwise wait for a byte that never comes.
    fn drop_empty_blobs(&mut self) {
        while self.blobs.front().is_some_and(|(at, blob)| *at == self.sent && blob.is_empty()) {
            self.blobs.pop_front();
        }
    }

    /// Everything still to be sent, in one piece; shared allocations are copied.
    #[must_use]
    pub fn into_bytes(mut self) -> Vec<u8> {
        if self.sent == 0 && self.blobs.is_empty() {
            return self.bytes;
        }
        let mut all = Vec::with_capacity(self.pending_bytes());
        while !self.is_empty() {
            let pieces = self.pieces::<8>().concat();
            self.advance(pieces.len());
            all.extend(pieces);
        }
        all
    }

    /// Gives the empty buffer away so that another conversation can use it; `None` while bytes
    /// are pending or when there is no buffer.
    pub fn take_buffer(&mut self) -> Option<Vec<u8>> {
        (self.is_empty() && self.bytes.capacity() > 0).then(|| core::mem::take(&mut self.bytes))
    }

    /// Takes an empty buffer to append to, when there is none yet.
    pub fn lend_buffer(&mut self, buffer: Vec<u8>) {
        if self.bytes.capacity() == 0 && buffer.is_empty() {
            self.bytes = buffer;
        }
    }

    /// Whether the outbox has a buffer to append to.
    #[must_use]
    pub fn has_buffer(&self) -> bool {
        self.bytes.capacity() > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn drain(outbox: &mut Outbox, step: usize) -> Vec<u8> {
        let mut sent = Vec::new();
        while !outbox.is_empty() {
            let piece = outbox.pieces::<3>().concat();
            let step = step.min(piece.len());
            assert!(step > 0, "pending bytes without a piece");
            sent.extend_from_slice(&piece[..step]);
            outbox.advance(step);
        }
        sent
    }

    #[test]
    fn bytes_and_blobs_leave_in_order_however_they_are_cut() {
        for step in 1..12 {
            let mut outbox = Outbox::default();
            outbox.push_encoded(b"ab");
            outbox.push_blob(Blob::new(vec![b'1'; 5]));
            outbox.push_blob(Blob::new(vec![b'2'; 3]));
            outbox.push_encoded(b"cd");
            outbox.push_blob(Blob::new(vec![b'3'; 1]));
            assert_eq!(outbox.pending_bytes(), 13);
            assert_eq!(drain(&mut outbox, step), b"ab11111222cd3");
            assert_eq!(outbox.pending_bytes(), 0);
            assert!(outbox.take_buffer().is_some());
        }
    }

    #[test]
    fn a_roll_back_takes_back_bytes_and_blobs() {
        let mut outbox = Outbox::default();
        outbox.push_encoded(b"keep");
        let mark = outbox.mark();
        outbox.push_encoded(b"lose");
        outbox.push_blob(Blob::new(vec![0; 9]));
        outbox.roll_back(mark);
        assert_eq!(drain(&mut outbox, 100), b"keep");
    }
}
