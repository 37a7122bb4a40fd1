//! Which items are due: a lower bound per segment, and the walk that takes due items out.
//!
//! A bound is never later than the earliest due time in its segment; it may be earlier, when an
//! item was removed or its expiry put off. Whatever brings an item into a segment (insert, split,
//! merge, a changed expiry) lowers the bound; only a complete walk of the segment raises it.
//!
//! A walk may be interrupted after any bucket, and the table may change meanwhile. While one is
//! under way the segment's bound stands for the *arrivals since its start*; the bound from before
//! is kept beside (`saved`), as is the minimum over what the walk has left behind (`lowest`). At
//! the end the two latter give way to `min(arrivals, lowest)`, which is exact but for departures.

use super::storage::SEGMENT_SHIFT;
use super::{Item, Table};
use alloc::vec::Vec;

/// Segments whose bound is looked at for the price of one visited item.
const BOUNDS_PER_VISIT: usize = 64;

/// What one call of [`Table::take_due`] did.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DueScan {
    /// Work done, in visited items; compares with the budget.
    pub visited: usize,
    /// Due items that were handed out.
    pub taken: usize,
    /// Nothing due is left. Otherwise the budget ended first, and the next call goes on there.
    pub done: bool,
}

/// The bounds of all segments, and the walk under way.
#[derive(Default)]
pub(super) struct Hints {
    bounds: Vec<u64>,
    /// The segment that the next search starts from.
    next: usize,
    walk: Option<Walk>,
}

struct Walk {
    segment: usize,
    /// The next bucket to visit.
    bucket: usize,
    saved: u64,
    lowest: u64,
}

impl Hints {
    pub(super) fn heap_bytes(&self) -> usize {
        size_of::<Self>() + self.bounds.capacity() * size_of::<u64>()
    }

    /// Makes room for the segments of `buckets` buckets.
    pub(super) fn cover(&mut self, buckets: usize) {
        let segments = ((buckets - 1) >> SEGMENT_SHIFT) + 1;
        if self.bounds.len() < segments {
            if self.bounds.capacity() < segments {
                let spare = if segments == 1 { 0 } else { segments / 4 };
                self.bounds.reserve_exact(segments + spare - self.bounds.len());
            }
            self.bounds.resize(segments, u64::MAX);
        }
    }

    /// Forgets the segments beyond `buckets` buckets, which are gone.
    pub(super) fn uncover(&mut self, buckets: usize) {
        let segments = ((buckets - 1) >> SEGMENT_SHIFT) + 1;
        self.bounds.truncate(segments);
        if self.bounds.len() < self.bounds.capacity() / 2 {
            self.bounds.shrink_to(segments + segments / 4);
        }
        self.walk.take_if(|walk| walk.segment >= segments);
    }

    /// An item that came to bucket `index` is due at `due`.
    pub(super) fn note(&mut self, index: usize, due: u64) {
        if let Some(bound) = self.bounds.get_mut(index >> SEGMENT_SHIFT) {
            *bound = due.min(*bound);
        }
    }

    /// A lower bound for the items of bucket `index`.
    pub(super) fn bound(&self, index: usize) -> u64 {
        let segment = index >> SEGMENT_SHIFT;
        let bound = self.bounds.get(segment).copied().unwrap_or(u64::MAX);
        match &self.walk {
            Some(walk) if walk.segment == segment => bound.min(walk.saved),
            _ => bound,
        }
    }

    /// Whether bucket `index` lies behind the walk under way.
    #[cfg(test)]
    pub(super) fn walk_has_passed(&self, index: usize) -> bool {
        self.walk
            .as_ref()
            .is_some_and(|walk| walk.segment == index >> SEGMENT_SHIFT && index < walk.bucket)
    }

    /// Starts to walk the next segment that may have something due by `now`. Returns the number
    /// of bounds looked at, which is all of them when no walk was started.
    fn start_walk(&mut self, now: u64) -> usize {
        let count = self.bounds.len();
        for step in 0..count {
            let segment = (self.next + step) % count;
            if let Some(bound) = self.bounds.get_mut(segment).filter(|bound| **bound <= now) {
                let saved = core::mem::replace(bound, u64::MAX);
                let bucket = segment << SEGMENT_SHIFT;
                self.walk = Some(Walk { segment, bucket, saved, lowest: u64::MAX });
                self.next = segment + 1;
                return step + 1;
            }
        }
        count
    }

    /// Ends a walk that has visited every bucket of its segment.
    fn end_walk(&mut self) {
        if let Some(walk) = self.walk.take() {
            self.note(walk.segment << SEGMENT_SHIFT, walk.lowest);
        }
    }
}

impl<T: Item> Table<T> {
    /// A time before which no item is due; `None` when none ever is. Exact, but for items that
    /// have gone or been put off, once [`Table::take_due`] has said that nothing due is left.
    ///
    /// Looks at one word for each segment.
    #[must_use]
    pub fn due_bound(&self) -> Option<u64> {
        let hints = self.hints.as_deref()?;
        let of_walk = hints.walk.iter().map(|walk| walk.saved.min(walk.lowest));
        let bound = hints.bounds.iter().copied().chain(of_walk).min()?;
        (bound != u64::MAX).then_some(bound)
    }

    /// Takes out items with `due() <= now` and hands them to `each`, visiting about `budget` items
    /// (and at most one chain more). Calls go on where the last one stopped, around the table.
    ///
    /// Only segments whose bound says so are visited; the bounds themselves cost one visit for 64.
    /// Every item that is due when a round begins is delivered in that round or removed before.
    pub fn take_due(&mut self, now: u64, budget: usize, mut each: impl FnMut(T)) -> DueScan {
        let mut scan = DueScan { visited: 0, taken: 0, done: false };
        while scan.visited < budget && !scan.done {
            let Some(hints) = self.hints.as_deref_mut() else {
                scan.done = true;
                break;
            };
            let Some(walk) = &mut hints.walk else {
                scan.visited += hints.start_walk(now).div_ceil(BOUNDS_PER_VISIT);
                scan.done = hints.walk.is_none();
                continue;
            };
            let (index, end) = (walk.bucket, (walk.segment + 1) << SEGMENT_SHIFT);
            if index >= end.min(self.buckets.count()) {
                hints.end_walk();
                continue;
            }
            walk.bucket += 1;
            let (visited, taken) = self.take_due_of(index, now, &mut each);
            scan.visited += visited.max(1);
            scan.taken += taken;
        }
        for _ in 0..scan.taken {
            self.shrink();
        }
        scan
    }

    /// Takes the due items of one bucket out and accounts for the others in the walk. Returns the
    /// number of items visited and taken.
    fn take_due_of(&mut self, index: usize, now: u64, each: &mut impl FnMut(T)) -> (usize, usize) {
        let chain = self.chain(index);
        let (mut visited, mut due, mut lowest) = (0usize, 0usize, u64::MAX);
        // SAFETY: `&mut self`: the chain does not change while it is read.
        unsafe {
            chain.prefetch_items();
            chain.for_each(|item| {
                visited += 1;
                match item.due() {
                    at if at <= now => due += 1,
                    at => lowest = lowest.min(at),
                }
            });
        }
        if let Some(walk) = self.hints.as_mut().and_then(|hints| hints.walk.as_mut()) {
            walk.lowest = walk.lowest.min(lowest);
        }
        let mut taken = 0;
        if due > 0 {
            let (mut children, len) = (self.children, &mut self.len);
            // SAFETY: `&mut self`: the chain is ours; `dismantle` permits to push to it.
            let freed = unsafe {
                chain.dismantle(|tag, item| {
                    if item.due() <= now {
                        taken += 1;
                        *len -= 1;
                        each(item);
                    } else {
                        chain.push(tag, item, &mut children);
                    }
                })
            };
            self.children = children - freed;
        }
        (visited, taken)
    }
}
