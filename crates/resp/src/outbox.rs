//! The outgoing half of a conversation: replies in order, large values without a copy.
//!
//! Replies may have to wait until the log has reached the disk ([`Outbox::fence`]); what was sent
//! before them leaves, what comes behind them waits with them.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use vesta_types::Blob;

use crate::fences::Fences;

/// Sent bytes from which on they are given up while others still wait. An outbox that empties in
/// between, as it does for who waits for replies, starts anew anyway.
const SENT_BYTES_KEPT: usize = 16 * 1024;

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
    /// How many blobs were sent since `bytes` was empty.
    blobs_sent: usize,
    fences: Fences,
}

/// A point in the stream of replies, until something was sent.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Mark {
    /// Bytes of the buffer before it.
    pub(crate) bytes: usize,
    /// Blobs before it, sent ones included.
    pub(crate) blobs: usize,
}

impl Outbox {
    /// Bytes still to be sent.
    #[must_use]
    #[inline]
    pub fn pending_bytes(&self) -> usize {
        self.bytes.len() - self.sent + self.blob_bytes - self.blob_sent
    }

    /// Bytes still to be sent that wait for no batch of the log.
    #[must_use]
    pub fn sendable_bytes(&self) -> usize {
        let Some(stop) = self.fences.first() else { return self.pending_bytes() };
        let blobs = self.blobs.iter().take(stop.blobs - self.blobs_sent);
        let blob_bytes: usize = blobs.map(|(_, blob)| blob.len()).sum();
        // What was sent of a blob is before the fence, with all of the blob.
        stop.bytes - self.sent + blob_bytes - self.blob_sent
    }

    /// Whether some of it waits for a batch of the log.
    #[must_use]
    #[inline]
    pub fn has_fence(&self) -> bool {
        self.fences.first().is_some()
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
        self.bytes.capacity() + self.blob_bytes + self.fences.heap_bytes()
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
        // An empty one would wait for a byte that never comes.
        if blob.is_empty() {
            return;
        }
        self.blob_bytes += blob.len();
        self.blobs.push_back((self.bytes.len(), blob));
    }

    /// The present end of the stream.
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark { bytes: self.bytes.len(), blobs: self.blobs_sent + self.blobs.len() }
    }

    /// Takes back everything appended since `mark`; nothing may have been sent since.
    pub fn roll_back(&mut self, mark: Mark) {
        self.bytes.truncate(mark.bytes);
        let kept = mark.blobs.saturating_sub(self.blobs_sent).min(self.blobs.len());
        for (_, blob) in self.blobs.drain(kept..) {
            self.blob_bytes -= blob.len();
        }
        self.fences.cut(mark);
    }

    /// Has everything appended since `from`, and what comes behind it, wait for a batch of the
    /// log: it is not sent before [`Outbox::release`]. Nothing may have been sent since `from`.
    pub fn fence(&mut self, from: Mark, batch: u64) {
        // What was sent all the same is gone; a fence can only stand behind it.
        let from = Mark {
            bytes: from.bytes.max(self.sent),
            blobs: from.blobs.max(self.blobs_sent + usize::from(self.blob_sent > 0)),
        };
        if from < self.mark() {
            self.fences.put(from, batch);
        }
    }

    /// The log has got as far as `batch`: what waits for this one or those before may be sent.
    pub fn release(&mut self, batch: u64) {
        self.fences.release(batch);
    }

    /// The end of what may be sent.
    #[inline]
    fn stop(&self) -> Mark {
        self.fences.first().unwrap_or_else(|| self.mark())
    }

    /// What follows `mark`, when no blob does. For tests and for replies that are kept.
    #[must_use]
    pub fn since(&self, mark: Mark) -> &[u8] {
        self.bytes.get(mark.bytes..).unwrap_or_default()
    }

    /// A copy of what is still to be sent behind its first `skip` bytes, whatever it waits for. For
    /// checkers.
    #[must_use]
    pub fn copied_from(&self, skip: usize) -> Vec<u8> {
        let (mut all, mut at) = (Vec::with_capacity(self.pending_bytes()), self.sent);
        for (position, blob) in &self.blobs {
            all.extend_from_slice(self.bytes.get(at..*position).unwrap_or_default());
            all.extend_from_slice(blob);
            at = *position;
        }
        all.extend_from_slice(self.bytes.get(at..).unwrap_or_default());
        all.drain(..self.blob_sent + skip.min(self.pending_bytes()));
        all
    }

    /// The next pieces that may be sent, in order, at most `N` of them; unused places are empty.
    #[must_use]
    pub fn pieces<const N: usize>(&self) -> [&[u8]; N] {
        let mut pieces: [&[u8]; N] = [&[]; N];
        let stop = self.stop();
        let (mut at, mut skip) = (self.sent, self.blob_sent);
        let mut blobs = self.blobs.iter().take(stop.blobs - self.blobs_sent);
        let mut blob = blobs.next();
        for piece in &mut pieces {
            match blob {
                Some((position, value)) if *position == at => {
                    *piece = value.get(skip..).unwrap_or_default();
                    skip = 0;
                    blob = blobs.next();
                }
                next => {
                    let end = next.map_or(stop.bytes, |(position, _)| *position);
                    *piece = self.bytes.get(at..end).unwrap_or_default();
                    at = end;
                }
            }
        }
        pieces
    }

    /// Forgets the first `count` bytes of those that may be sent: they were.
    pub fn advance(&mut self, mut count: usize) {
        let stop = self.stop();
        while count > 0 {
            match self.blobs.front() {
                Some((position, blob))
                    if *position == self.sent && self.blobs_sent < stop.blobs =>
                {
                    let left = blob.len() - self.blob_sent;
                    if count < left {
                        self.blob_sent += count;
                        return;
                    }
                    count -= left;
                    self.blob_bytes -= blob.len();
                    self.blob_sent = 0;
                    self.blobs_sent += 1;
                    self.blobs.pop_front();
                }
                next => {
                    let end = next.map_or(stop.bytes, |(position, _)| stop.bytes.min(*position));
                    let step = count.min(end - self.sent);
                    self.sent += step;
                    count -= step;
                    if step == 0 {
                        break;
                    }
                }
            }
        }
        if self.is_empty() {
            self.bytes.clear();
            (self.sent, self.blobs_sent) = (0, 0);
        } else if self.sent >= SENT_BYTES_KEPT && self.sent >= self.bytes.len() / 2 {
            self.drop_sent();
        }
    }

    /// Gives up the part of the buffer that was sent: an outbox that is filled before it is empty,
    /// again and again, would grow without end.
    #[cold]
    fn drop_sent(&mut self) {
        let sent = core::mem::take(&mut self.sent);
        self.bytes.drain(..sent);
        self.blobs.iter_mut().for_each(|(position, _)| *position -= sent);
        self.fences.shift(sent);
    }

    /// Everything still to be sent, in one piece, whatever it waits for; shared allocations are
    /// copied.
    #[must_use]
    pub fn into_bytes(mut self) -> Vec<u8> {
        self.fences = Fences::default();
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
#[path = "outbox_tests.rs"]
mod tests;
