//! Places in a stream of replies behind which everything waits for a batch of the log.
//!
//! The stream keeps its order, so what lies behind a fence waits for it whether it was fenced or
//! not. That leaves one place that matters for sending, the first, which lies in the outbox itself:
//! a client that waits for its replies never has more than one. The list behind it is filled by
//! clients that send on without waiting while the disk is slow.

use alloc::collections::VecDeque;

use crate::outbox::Mark;

/// Fences of one outbox. Of so many, the last waits for the batches of those that would follow.
const FENCES_MAX: usize = 64;

/// The fences of one outbox: their places and their batches go upwards.
#[derive(Debug, Default)]
pub(crate) struct Fences {
    first: Option<Fence>,
    more: VecDeque<Fence>,
}

#[derive(Clone, Copy, Debug)]
struct Fence {
    /// The end of what may be sent.
    from: Mark,
    /// What the rest waits for.
    batch: u64,
}

impl Fences {
    /// Where sending stops, if it does.
    #[inline]
    pub(crate) fn first(&self) -> Option<Mark> {
        self.first.map(|fence| fence.from)
    }

    /// Has what lies behind `from` wait for `batch`. A fence behind `from` moves there.
    pub(crate) fn put(&mut self, from: Mark, mut batch: u64) {
        while let Some(fence) = self.pop_behind(from) {
            batch = batch.max(fence.batch);
        }
        let is_full = self.more.len() + 1 >= FENCES_MAX;
        match self.more.back_mut().or(self.first.as_mut()) {
            None => self.first = Some(Fence { from, batch }),
            Some(last) if last.batch >= batch => {}
            Some(last) if is_full => last.batch = batch,
            Some(_) => self.more.push_back(Fence { from, batch }),
        }
    }

    /// Opens the fences that wait for no batch behind this one.
    pub(crate) fn release(&mut self, batch: u64) {
        while self.first.is_some_and(|fence| fence.batch <= batch) {
            self.first = self.more.pop_front();
        }
        if self.more.is_empty() && self.more.capacity() > 0 {
            self.more = VecDeque::new();
        }
    }

    /// Drops the fences behind `end`, where nothing is any more.
    pub(crate) fn cut(&mut self, end: Mark) {
        while self.pop_behind(end).is_some() {}
    }

    /// Follows the buffer, which has lost `bytes` at its beginning.
    pub(crate) fn shift(&mut self, bytes: usize) {
        for fence in self.first.iter_mut().chain(&mut self.more) {
            fence.from.bytes -= bytes;
        }
    }

    /// Memory held, in bytes.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.more.capacity() * size_of::<Fence>()
    }

    /// Takes the last fence out if it stands at `place` or behind it.
    fn pop_behind(&mut self, place: Mark) -> Option<Fence> {
        if let Some(last) = self.more.pop_back_if(|fence| fence.from >= place) {
            return Some(last);
        }
        let is_last = self.more.is_empty();
        self.first.take_if(|fence| is_last && fence.from >= place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(bytes: usize) -> Mark {
        Mark { bytes, blobs: 0 }
    }

    #[test]
    fn a_batch_that_is_waited_for_already_needs_no_fence() {
        let mut fences = Fences::default();
        fences.put(at(5), 2);
        fences.put(at(9), 1);
        fences.put(at(9), 2);
        fences.release(1);
        assert_eq!(fences.first(), Some(at(5)));
        fences.release(2);
        assert_eq!(fences.first(), None);
    }

    #[test]
    fn a_fence_before_others_waits_for_all_of_them() {
        let mut fences = Fences::default();
        fences.put(at(5), 2);
        fences.put(at(9), 3);
        fences.put(at(4), 1);
        fences.release(2);
        assert_eq!(fences.first(), Some(at(4)));
        fences.release(3);
        assert_eq!(fences.first(), None);
    }

    #[test]
    fn the_last_of_too_many_fences_waits_for_the_rest() {
        let mut fences = Fences::default();
        for batch in 1..=1000 {
            fences.put(at(usize::try_from(batch).unwrap()), batch);
        }
        fences.release(63);
        assert_eq!(fences.first(), Some(at(64)));
        fences.release(999);
        assert_eq!(fences.first(), Some(at(64)));
        assert!(fences.heap_bytes() <= 64 * size_of::<Fence>());
        fences.release(1000);
        assert_eq!((fences.first(), fences.heap_bytes()), (None, 0));
    }
}
