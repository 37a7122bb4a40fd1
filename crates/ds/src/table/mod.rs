//! The keyspace hash table: linear hashing over cache-line buckets.
//!
//! # Why this shape
//!
//! A server that answers within microseconds cannot stop to copy its table when it fills up. The
//! usual answer, two tables and a slow move from one to the other, doubles the memory while it
//! lasts and makes every lookup ask twice. Linear hashing (Litwin, 1980) needs neither: there is
//! one array of buckets, and it grows *by one bucket at a time*. When the table gets crowded, the
//! next bucket in line is split in two; when it gets sparse, the last bucket is merged back into
//! the one it came from. Bytes per item are therefore nearly the same at every size, the worst
//! insert is an insert plus two splits of some ten items each, and no moment is special.
//!
//! With `n` buckets and `2^level <= n < 2^(level + 1)`, a hash finds its bucket so:
//!
//! ```text
//! i = hash mod 2^(level + 1)          n = 6, level = 2:   0   1   2   3   4   5
//! if i >= n: i = hash mod 2^level     split already:      *   *           *   *
//!                                     deciding bits:      3   3   2   2   3   3
//! ```
//!
//! The next split divides bucket `n - 2^level` (here 2) into itself and bucket `n` (here 6) by
//! hash bit `level`. Buckets are split in a fixed order, not where the crowd is; those that wait
//! for their turn overflow into children.
//!
//! # The bytes
//!
//! ```text
//! bucket, 64 bytes, aligned to 64
//! +----+----+----+----+----+----+----+------+--------+--------+-- --+--------+----------------+
//! | t0 | t1 | t2 | t3 | t4 | t5 | t6 | meta | slot 0 | slot 1 | ... | slot 5 | slot 6 / child |
//! +----+----+----+----+----+----+----+------+--------+--------+-- --+--------+----------------+
//!   tag: the hash's high byte, 0 = empty       8 bytes each: an item, that is, one pointer
//! ```
//!
//! All seven tags are compared at once in one register. A miss costs one cache line, a hit two
//! (the bucket and the item, whose key is compared). One in 256 occupied slots matches by chance.
//! When an eighth item comes, slot 6 becomes a pointer to a child bucket of the same shape.
//!
//! Buckets lie in segments of 64 (4096 bytes) under a directory: appending never moves a bucket.
//! Only the first segment is moved, while the table is small: 1, 2, 3, .. 8, 10, 12, .. 64 buckets.
//!
//! # Costs
//!
//! The array grows at 5.25 items a bucket. Buckets that wait for their split hold up to twice
//! that, so 12 to 22 % of the buckets have a child: 14 to 15 bytes per item at all sizes, measured
//! in `tests`. Shrinking begins below 2 items a bucket, far from 5.25, so that a table does not
//! tremble at one size. The directory is the one thing that is ever reallocated as a whole: 8
//! bytes for some 336 items, so 240 KB at ten million.
//!
//! # SCAN
//!
//! Read the bits of a hash backwards, lowest first, as a point on a line. A bucket that decides by
//! `d` low bits holds exactly the hashes of one *interval* of that line, of length `2^(64 - d)`,
//! and the buckets tile the line. A split halves an interval, a merge joins two halves; nothing
//! else ever happens to the tiling. The SCAN cursor is a point on the line (stored bit-reversed,
//! so that it is a small number in a small table): a visit takes the bucket whose interval holds
//! the point, delivers it whole, and moves the point to the interval's end. Everything left of the
//! point has been delivered, whatever the tiling was then or is now, over any number of levels; so
//! an item that was there throughout is delivered. After a merge the point may lie inside an
//! interval, and then some items come a second time, as SCAN permits.
//!
//! # Walks
//!
//! A [`TableWalk`] gives each item exactly once, for a snapshot. It is the same point on the same
//! line, kept by the table's owner instead of a client, and stricter: of an interval that begins
//! before the point, the items left of it are not given again. So whether a walk has passed an item
//! is a property of the item's hash alone, and the owner can ask before it changes one.
//!
//! # Expiry
//!
//! For each segment the table may keep a lower bound of the earliest time at which an item in it
//! is due. The active expiry cycle looks at these words (one for some 336 items) and walks only
//! segments that have something to give. See `expire`. Tables whose items are never due keep no
//! bounds.

mod bucket;
mod expire;
mod live;
mod scan;
mod storage;
#[cfg(test)]
mod tests;
mod walk;

pub use expire::DueScan;
pub use live::Lookup;
pub use scan::Iter;
pub use walk::TableWalk;

use crate::bytes::prefetch;
use crate::hash::KeyHasher;
use alloc::boxed::Box;
use bucket::{BUCKET_BYTES, Chain, SLOTS, tag_of};
use core::fmt;
use expire::Hints;
use storage::Buckets;

/// The array grows above this many items per four buckets.
const GROW_ABOVE_PER_4: usize = 21;
/// The array shrinks below this many items per bucket.
const SHRINK_BELOW: usize = 2;
/// Splits after one insert, merges after one removal, at most.
const STEPS: usize = 2;

/// What a [`Table`] holds: an owned value of exactly 8 bytes that knows its key.
pub trait Item {
    /// The key. It must not change while the item is in a table, or the item cannot be found.
    fn key(&self) -> &[u8];

    /// When the item expires, in the caller's unit (unix milliseconds); `u64::MAX` for never.
    fn due(&self) -> u64 {
        u64::MAX
    }

    /// Where the key lies in memory. Used as a prefetch hint only and never read.
    fn address(&self) -> *const u8;
}

/// A hash table of owned 8-byte items, keyed by the bytes each item names as its key.
///
/// The hash of a key is handed in by the caller and must be that of [`Table::hasher`]; with a
/// different one the item is not found, and nothing worse. An empty table owns no memory.
pub struct Table<T: Item> {
    buckets: Buckets<T>,
    len: usize,
    children: usize,
    /// The longest chain ever pushed to, in items; an upper bound for the present ones.
    longest: usize,
    hasher: KeyHasher,
    hints: Option<Box<Hints>>,
}

// SAFETY: the table owns its items and buckets, and shares them with nobody.
unsafe impl<T: Item + Send> Send for Table<T> {}
// SAFETY: `&Table` only reads, and gives out nothing but `&T`.
unsafe impl<T: Item + Sync> Sync for Table<T> {}

/// The shape of a table, for DEBUG output and tests.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Stats {
    /// Items in the table.
    pub items: usize,
    /// Root buckets.
    pub buckets: usize,
    /// Child buckets.
    pub children: usize,
    /// Items in the fullest chain.
    pub longest_chain: usize,
    /// Bytes of the table's own allocations.
    pub heap_bytes: usize,
}

impl<T: Item> Table<T> {
    /// An empty table. Allocates nothing.
    #[must_use]
    pub const fn new(hasher: KeyHasher) -> Self {
        Self { buckets: Buckets::new(), len: 0, children: 0, longest: 0, hasher, hints: None }
    }

    /// The hasher that all hashes handed to this table must come from.
    #[must_use]
    pub fn hasher(&self) -> &KeyHasher {
        &self.hasher
    }

    /// Number of items.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether the table holds no item.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Number of root buckets.
    #[must_use]
    pub fn buckets(&self) -> usize {
        self.buckets.count()
    }

    /// Bytes of the table's own allocations: directory, segments, children, expiry bounds. What
    /// the items own is not included. O(1).
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        let hints = self.hints.as_ref().map_or(0, |hints| hints.heap_bytes());
        self.buckets.heap_bytes() + self.children * BUCKET_BYTES + hints
    }

    /// The table's shape. O(buckets).
    #[must_use]
    pub fn stats(&self) -> Stats {
        let lengths = (0..self.buckets.count()).map(|index| {
            // SAFETY: the index is below the count; `&self` keeps the chain as it is.
            unsafe { self.chain(index).len() }
        });
        Stats {
            items: self.len,
            buckets: self.buckets.count(),
            children: self.children,
            longest_chain: lengths.max().unwrap_or(0),
            heap_bytes: self.heap_bytes(),
        }
    }

    /// First stage of a batched lookup: asks for the cache line of the bucket.
    #[inline]
    pub fn prefetch_bucket(&self, hash: u64) {
        if self.buckets.count() > 0 {
            prefetch(self.chain_of(hash).address());
        }
    }

    /// Second stage, once the bucket is near: asks for the memory of the item that will match.
    #[inline]
    pub fn prefetch_item(&self, hash: u64) {
        if self.buckets.count() > 0 {
            // SAFETY: `&self` keeps the chain as it is.
            unsafe { self.chain_of(hash).prefetch_match(tag_of(hash)) }
        }
    }

    /// The item with `key`, whose hash is `hash`.
    #[inline]
    #[must_use]
    pub fn find(&self, hash: u64, key: &[u8]) -> Option<&T> {
        if self.buckets.count() == 0 {
            return None;
        }
        // SAFETY: `&self` keeps the chain as it is for as long as the result lives.
        unsafe { Some(self.chain_of(hash).locate(tag_of(hash), key)?.item().as_ref()) }
    }

    /// The item with `key`, to be changed in place. The item may move its own memory, but must
    /// keep its key; when it becomes due earlier, tell [`Table::note_due`].
    #[inline]
    #[must_use]
    pub fn find_mut(&mut self, hash: u64, key: &[u8]) -> Option<&mut T> {
        if self.buckets.count() == 0 {
            return None;
        }
        // SAFETY: `&mut self` is held for as long as the result lives, and an item is in one
        // slot only.
        unsafe { Some(self.chain_of(hash).locate(tag_of(hash), key)?.item().as_mut()) }
    }

    /// Adds an item whose key is not in the table, as the caller has made sure.
    ///
    /// Splits at most two buckets. A second item with the same key would stay hidden until the
    /// first is removed; debug builds refuse it.
    #[inline]
    pub fn insert_new(&mut self, hash: u64, item: T) {
        debug_assert_eq!(hash, self.hasher.hash(item.key()), "the hash is not the key's");
        debug_assert!(self.find(hash, item.key()).is_none(), "the key is in the table already");
        if self.buckets.count() == 0 {
            self.buckets.push();
        }
        let due = item.due();
        let chain = self.chain_of(hash);
        // SAFETY: `&mut self`: the chain is ours.
        let length = unsafe { chain.push(tag_of(hash), item, &mut self.children) };
        self.longest = self.longest.max(length);
        self.len += 1;
        if due != u64::MAX {
            self.note_due(hash, due);
        }
        for _ in 0..STEPS {
            if self.len <= SLOTS || self.len * 4 <= self.buckets.count() * GROW_ABOVE_PER_4 {
                break;
            }
            self.split();
        }
    }

    /// Gives an empty table the buckets that it will have with `items` items, so that none is split
    /// on the way. Does nothing to a table that has any.
    pub fn expect(&mut self, items: usize) {
        if self.buckets.count() == 0 && items > SLOTS {
            let buckets = items.saturating_mul(4).div_ceil(GROW_ABOVE_PER_4);
            (0..buckets).for_each(|_| self.buckets.push());
        }
    }

    /// Takes the item with `key` out. Merges at most two buckets.
    pub fn remove(&mut self, hash: u64, key: &[u8]) -> Option<T> {
        if self.buckets.count() == 0 {
            return None;
        }
        let chain = self.chain_of(hash);
        // SAFETY: `&mut self`: the chain is ours, and `place` is in it.
        let item = unsafe {
            let place = chain.locate(tag_of(hash), key)?;
            chain.remove(&place, &mut self.children)
        };
        self.len -= 1;
        self.shrink();
        Some(item)
    }

    /// Hands the items of the last buckets to `each` and frees those buckets, until at least
    /// `max_items` (and at most one chain more) are gone or the table is empty, and has no memory
    /// then. Returns how many went.
    ///
    /// The rest of the table remains usable. With this a table of millions is freed in slices.
    pub fn drain_some(&mut self, max_items: usize, mut each: impl FnMut(T)) -> usize {
        let before = self.len;
        // Behind the last item there may be empty buckets, which nothing would free later.
        while self.buckets.count() > 0 && (self.len == 0 || before - self.len < max_items) {
            let (chain, len) = (self.chain(self.buckets.count() - 1), &mut self.len);
            // SAFETY: `&mut self`: the chain is ours, and nothing is pushed to it.
            self.children -= unsafe {
                chain.dismantle(|_, item| {
                    *len -= 1;
                    each(item);
                })
            };
            self.pop_bucket();
        }
        before - self.len
    }

    /// Drops all items and all memory.
    pub fn clear(&mut self) {
        self.drain_some(usize::MAX, drop);
    }

    /// Records that the item with hash `hash` is now due at `due`, so that [`Table::take_due`]
    /// finds it in time. Needed after [`Table::find_mut`] only; inserting does it by itself.
    pub fn note_due(&mut self, hash: u64, due: u64) {
        if due == u64::MAX || self.buckets.count() == 0 {
            return;
        }
        let index = self.buckets.index_of(hash);
        let hints = self.hints.get_or_insert_default();
        hints.cover(self.buckets.count());
        hints.note(index, due);
    }

    /// Splits the next bucket in line and appends its other half.
    fn split(&mut self) {
        let (target, half) = (self.buckets.count(), self.buckets.half());
        let source = target - half;
        self.buckets.push();
        if let Some(hints) = &mut self.hints {
            hints.cover(target + 1);
        }
        let (stay, go) = (self.chain(source), self.chain(target));
        let (mut children, mut longest) = (self.children, self.longest);
        // SAFETY: `&mut self`: both chains are ours and distinct, since `source < target`.
        // `dismantle` permits to push to the chain that it has emptied.
        let freed = unsafe {
            stay.prefetch_items();
            stay.dismantle(|tag, item| {
                let moves = self.hasher.hash(item.key()) as usize & half != 0;
                if let (true, Some(hints)) = (moves, &mut self.hints) {
                    hints.note(target, item.due());
                }
                let chain = if moves { go } else { stay };
                longest = longest.max(chain.push(tag, item, &mut children));
            })
        };
        self.children = children - freed;
        self.longest = longest;
    }

    /// Merges buckets back while the table is sparse, two at most; frees all when it is empty
    /// (a bucket or two then, a few more if `drain_some` has left it sparse).
    fn shrink(&mut self) {
        if self.len == 0 {
            return self.clear();
        }
        for _ in 0..STEPS {
            if self.len >= self.buckets.count() * SHRINK_BELOW || self.buckets.count() == 1 {
                return;
            }
            self.merge();
        }
    }

    /// Merges the last bucket into the one it was split from.
    fn merge(&mut self) {
        let source = self.buckets.count() - 1;
        let target = source - (1 << source.ilog2());
        if let Some(hints) = &mut self.hints {
            hints.note(target, hints.bound(source));
        }
        let (go, stay) = (self.chain(source), self.chain(target));
        let (mut children, mut longest) = (self.children, self.longest);
        // SAFETY: `&mut self`: both chains are ours and distinct, since `target < source`.
        let freed = unsafe {
            go.dismantle(|tag, item| {
                longest = longest.max(stay.push(tag, item, &mut children));
            })
        };
        self.children = children - freed;
        self.longest = longest;
        self.pop_bucket();
    }

    /// Drops the last bucket, which is empty.
    fn pop_bucket(&mut self) {
        self.buckets.pop();
        if self.buckets.count() == 0 {
            self.hints = None;
            self.longest = 0;
        } else if let Some(hints) = &mut self.hints {
            hints.uncover(self.buckets.count());
        }
    }

    /// The chain for a hash. There must be a bucket.
    #[inline(always)]
    fn chain_of(&self, hash: u64) -> Chain<T> {
        self.chain(self.buckets.index_of(hash))
    }

    /// The chain of bucket `index`, which must exist.
    #[inline(always)]
    fn chain(&self, index: usize) -> Chain<T> {
        // SAFETY: callers give an index below the count, as debug builds check.
        Chain::at(unsafe { self.buckets.at(index) })
    }
}

impl<T: Item> Drop for Table<T> {
    fn drop(&mut self) {
        self.clear();
    }
}

impl<T: Item> fmt::Debug for Table<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Table")
            .field("len", &self.len)
            .field("buckets", &self.buckets.count())
            .field("children", &self.children)
            .finish_non_exhaustive()
    }
}
