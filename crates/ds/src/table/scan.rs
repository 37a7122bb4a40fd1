//! Going over the items: all of them, by SCAN cursor, or at random.

use super::bucket::{Chain, Place, SLOTS};
use super::storage::SEGMENT;
use super::{Item, Table};
use core::marker::PhantomData;
use core::ops::Range;

/// Fair draws that may fail before [`Table::random`] takes what is nearest. With five items in a
/// bucket of at most thirty, all fail with a chance below 1e-300; only a broken `rng` gets there.
const DRAWS: usize = 4096;
/// Buckets by which an [`Iter`] asks for the memory of items before it gets there: with five items
/// in each, time enough for main memory to answer.
const AHEAD: usize = 2;

impl<T: Item> Table<T> {
    /// Visits one bucket for SCAN and returns the next cursor; 0 starts a scan and ends it.
    ///
    /// Items that are in the table from the first call to the last are delivered at least once,
    /// whatever is inserted and removed between the calls. Any number is a valid cursor.
    pub fn scan(&self, cursor: u64, each: impl FnMut(&T)) -> u64 {
        if self.buckets.count() == 0 {
            return 0;
        }
        let (index, interval) = self.interval(cursor.reverse_bits());
        // SAFETY: `&self` keeps the chain as it is.
        unsafe { self.chain(index).for_each(each) };
        interval.end.unwrap_or(0).reverse_bits()
    }

    /// The bucket that holds a point of the line of reversed hashes, and its interval. There must
    /// be a bucket.
    pub(super) fn interval(&self, point: u64) -> (usize, Interval) {
        let index = self.buckets.index_of(point.reverse_bits());
        let start = (index as u64).reverse_bits();
        let length = 1u64.checked_shl(u64::BITS - self.buckets.depth_of(index));
        (index, Interval { start, end: length.and_then(|length| start.checked_add(length)) })
    }

    /// All items, in no particular order.
    pub fn iter(&self) -> Iter<'_, T> {
        self.iter_buckets(0..self.buckets.count())
    }

    /// The items in these of the [`Table::buckets`]; there are none beyond the last. As long as the
    /// table is not changed, those of all buckets are all items.
    pub fn iter_buckets(&self, buckets: Range<usize>) -> Iter<'_, T> {
        let end = buckets.end.min(self.buckets.count());
        let _items = PhantomData;
        Iter { table: self, index: buckets.start, end, chain: None, slot: 0, _items }
    }

    /// An item drawn fairly: each has the same chance. `rng` gives uniform 64-bit numbers.
    ///
    /// A bucket and a position up to the longest chain's are drawn until an item lies there, some
    /// five to fifteen times.
    pub fn random(&self, rng: &mut impl FnMut() -> u64) -> Option<&T> {
        let (_, place) = self.draw(rng)?;
        // SAFETY: `&self` keeps the place as it is for as long as the result lives.
        Some(unsafe { place.item().as_ref() })
    }

    /// Takes an item out that is drawn as by [`Table::random`].
    pub fn take_random(&mut self, rng: &mut impl FnMut() -> u64) -> Option<T> {
        let (chain, place) = self.draw(rng)?;
        // SAFETY: `&mut self`: the chain is ours, and `place` is in it.
        let item = unsafe { chain.remove(&place, &mut self.children) };
        self.len -= 1;
        self.shrink();
        Some(item)
    }

    /// Where an item drawn fairly lies.
    fn draw(&self, rng: &mut impl FnMut() -> u64) -> Option<(Chain<T>, Place<T>)> {
        if self.len == 0 {
            return None;
        }
        let positions = self.longest.max(SLOTS);
        for _ in 0..DRAWS {
            let chain = self.chain(below(self.buckets.count(), rng()));
            // SAFETY: `&self` keeps the chain as it is.
            if let Some(place) = unsafe { chain.nth(below(positions, rng())) } {
                return Some((chain, place));
            }
        }
        (0..self.buckets.count()).find_map(|index| {
            let chain = self.chain(index);
            // SAFETY: as above.
            Some((chain, unsafe { chain.nth(0) }?))
        })
    }

    /// Hands out up to `want` distinct items that lie together, from a random bucket on; fewer
    /// only when the table holds fewer. Returns how many.
    ///
    /// Much cheaper than as many fair draws, and nearly as good where a sample is compared, as
    /// in eviction; neighbours come together, so it is no substitute for [`Table::random`].
    pub fn sample<'a>(
        &'a self,
        want: usize,
        rng: &mut impl FnMut() -> u64,
        mut each: impl FnMut(&'a T),
    ) -> usize {
        let buckets = self.buckets.count();
        let want = want.min(self.len);
        let start = if buckets == 0 { 0 } else { below(buckets, rng()) };
        let mut given = 0;
        for index in (start..buckets).chain(0..start) {
            if given >= want {
                break;
            }
            // SAFETY: the index is below the count; `&'a self` keeps the chain as it is.
            unsafe {
                self.chain(index).for_each(|item| {
                    if given < want {
                        given += 1;
                        each(item);
                    }
                });
            }
        }
        given
    }
}

impl<T: Item> Table<T> {
    /// Like [`Table::sample`], but only of items that will be due some day (eviction among keys
    /// with an expiry). Passes over segments without such items, and gives up after visiting about
    /// `budget` items, so it may find fewer than there are.
    pub fn sample_due<'a>(
        &'a self,
        want: usize,
        budget: usize,
        rng: &mut impl FnMut() -> u64,
        mut each: impl FnMut(&'a T),
    ) -> usize {
        let Some(hints) = self.hints.as_deref() else { return 0 };
        let segments = self.buckets.count().div_ceil(SEGMENT);
        let first = below(segments, rng());
        let (mut given, mut visited) = (0, 0);
        for segment in (first..segments).chain(0..first) {
            let (low, high) = (segment * SEGMENT, (segment + 1) * SEGMENT);
            if hints.bound(low) == u64::MAX {
                continue;
            }
            let high = high.min(self.buckets.count());
            let start = low + below(high - low, rng());
            for index in (start..high).chain(low..start) {
                if given >= want || visited >= budget {
                    return given;
                }
                // SAFETY: the index is below the count; `&'a self` keeps the chain as it is.
                unsafe {
                    self.chain(index).for_each(|item| {
                        visited += 1;
                        if given < want && item.due() != u64::MAX {
                            given += 1;
                            each(item);
                        }
                    });
                }
            }
        }
        given
    }
}

/// What one bucket holds of the line of reversed hashes.
pub(super) struct Interval {
    pub(super) start: u64,
    /// The first point beyond; `None` when the line ends there.
    pub(super) end: Option<u64>,
}

/// Maps a uniform 64-bit number to a uniform one below `end`.
fn below(end: usize, uniform: u64) -> usize {
    ((uniform as u128 * end as u128) >> 64) as usize
}

/// Iterator over items of a table; see [`Table::iter`].
pub struct Iter<'a, T: Item> {
    table: &'a Table<T>,
    /// The next root bucket.
    index: usize,
    /// The root bucket behind the last one.
    end: usize,
    chain: Option<Chain<T>>,
    slot: usize,
    _items: PhantomData<&'a T>,
}

impl<'a, T: Item> Iterator for Iter<'a, T> {
    type Item = &'a T;

    fn next(&mut self) -> Option<&'a T> {
        loop {
            if let Some(chain) = self.chain {
                // SAFETY: the table is borrowed for 'a, so its chains stay; the slot is checked.
                unsafe {
                    if self.slot < chain.count() {
                        self.slot += 1;
                        return Some(chain.item(self.slot - 1));
                    }
                    self.chain = chain.child();
                }
            } else if self.index < self.end {
                self.chain = Some(self.table.chain(self.index));
                if self.index + AHEAD < self.table.buckets.count() {
                    // SAFETY: the table is borrowed for 'a, so its chains stay.
                    unsafe { self.table.chain(self.index + AHEAD).prefetch_items() }
                }
                self.index += 1;
            } else {
                return None;
            }
            self.slot = 0;
        }
    }
}

impl<'a, T: Item> IntoIterator for &'a Table<T> {
    type Item = &'a T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}
