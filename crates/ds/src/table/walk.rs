//! Going over all items once while the table changes: for a snapshot.

use super::{Item, Table};

/// How far a walk over a table has come; see [`Table::walk`].
#[derive(Clone, Debug)]
pub struct TableWalk {
    /// A point on the line of reversed hashes: what lies left of it has been passed. `None` when
    /// everything has.
    point: Option<u64>,
}

impl TableWalk {
    /// A walk that has passed nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { point: Some(0) }
    }

    /// Whether items with this hash have been passed. Those that have are never given again, nor
    /// are items that come to the table with such a hash; of the others, each that is still there
    /// when the walk gets to it will be given.
    #[inline]
    #[must_use]
    pub const fn has_passed(&self, hash: u64) -> bool {
        match self.point {
            Some(point) => hash.reverse_bits() < point,
            None => true,
        }
    }

    /// Whether the walk has come to its end.
    #[inline]
    #[must_use]
    pub const fn is_over(&self) -> bool {
        self.point.is_none()
    }
}

impl Default for TableWalk {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Item> Table<T> {
    /// Visits the next bucket of a walk and gives those of its items that the walk has not passed,
    /// to be changed under the rules of [`Table::find_mut`].
    ///
    /// An item is given at most once, and exactly once if it is in the table from the walk's first
    /// call to its last, whatever is inserted and removed between the calls. In an empty table a
    /// walk is at its end at once.
    pub fn walk(&mut self, walk: &mut TableWalk, mut each: impl FnMut(&mut T)) {
        let Some(point) = walk.point else { return };
        if self.buckets.count() == 0 {
            walk.point = None;
            return;
        }
        let (index, interval) = self.interval(point);
        self.prefetch_from(interval.end);
        let chain = self.chain(index);
        let mut position = 0;
        // SAFETY: `&mut self`: the chain is ours and stays as it is, since `each` sees one item at
        // a time and nothing of the table; an item is in one place only.
        while let Some(place) = unsafe { chain.nth(position) } {
            // SAFETY: as above.
            let item = unsafe { place.item().as_mut() };
            // The interval begins before the point when buckets have been merged since.
            if interval.start == point || !walk.has_passed(self.hasher.hash(item.key())) {
                each(item);
            }
            position += 1;
        }
        walk.point = interval.end;
    }

    /// Asks for the items of the bucket that holds the point, and for the bucket after that.
    fn prefetch_from(&self, point: Option<u64>) {
        let Some(point) = point else { return };
        let (index, interval) = self.interval(point);
        // SAFETY: `&self` keeps the chain as it is.
        unsafe { self.chain(index).prefetch_items() }
        if let Some(end) = interval.end {
            self.prefetch_bucket(end.reverse_bits());
        }
    }
}
