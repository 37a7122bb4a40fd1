//! Making a set of members that are in order already, at the cost of reading them.
//!
//! One by one, each member would search the tree for its place and the table would be split, and
//! its members hashed again, as it grows. Here the table has its buckets from the start, and the
//! leaves are filled one after another, as full as input in order leaves them.

use super::Zset;
use super::member::{Scored, View, weight_of};
use crate::btree::{Ordered, Tree};
use crate::hash::KeyHasher;
use alloc::vec::Vec;
use core::mem;

/// A set that is being made of members in order. Dropped unfinished, it frees them.
pub struct Bulk {
    /// Members in the table; the tree is empty until the end.
    set: Zset,
    /// The members of the table in their order.
    views: Vec<View>,
}

// SAFETY: the members that the views point to are owned by the set beside them.
unsafe impl Send for Bulk {}
// SAFETY: `&Bulk` only reads.
unsafe impl Sync for Bulk {}

impl Bulk {
    /// A set of about `count` members.
    #[must_use]
    pub fn new(hasher: KeyHasher, count: usize) -> Self {
        let mut set = Zset::new(hasher);
        set.table.expect(count);
        Self { set, views: Vec::with_capacity(count) }
    }

    /// Adds the member that comes next.
    ///
    /// # Panics
    /// If it does not come behind the last one (by score, then by name), or its name is there
    /// already, or the score is NaN.
    pub fn push(&mut self, name: &[u8], score: f64) {
        assert!(!score.is_nan(), "a score is a number, as the caller has checked");
        if let Some(last) = self.views.last() {
            // SAFETY: the view's member is in the table, and the name is not kept.
            let name_of_last = unsafe { last.name() };
            let is_next = (last.weight(), name_of_last) < (weight_of(score), name);
            assert!(is_next, "members come in order, as the caller has sorted them");
        }
        let table = &mut self.set.table;
        let hash = table.hasher().hash(name);
        // What holds the tree's pointers good is that a name is in the table once.
        assert!(table.find(hash, name).is_none(), "a name comes once, as the caller has checked");
        let member = Scored::new(name, score);
        self.set.member_bytes += member.alloc_bytes();
        // SAFETY: the member goes into the table now, and the view is used in the set's tree only,
        // which it leaves before the member leaves the table.
        self.views.push(unsafe { member.view() });
        table.insert_new(hash, member);
    }

    /// The set.
    #[must_use]
    pub fn finish(mut self) -> Zset {
        self.set.tree = Tree::from_sorted(&mem::take(&mut self.views));
        self.set
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::Heap;
    use std::format;

    fn filled(count: usize) -> Zset {
        let mut bulk = Bulk::new(KeyHasher::new(3), count);
        for number in 0..count {
            bulk.push(format!("member:{number:06}").as_bytes(), (number / 3) as f64);
        }
        bulk.finish()
    }

    #[test]
    fn a_set_made_at_once_is_as_one_made_member_by_member() {
        for count in [0, 1, 7, 61, 62, 63, 124, 125, 1984, 1985, 5000, 70_000] {
            let mut bulk = filled(count);
            let mut grown = Zset::new(KeyHasher::new(3));
            for (name, score) in &bulk {
                grown.insert(name, score);
            }
            bulk.tree.check();
            assert_eq!(bulk.len(), count);
            assert!(bulk.iter().eq(grown.iter()));
            assert!(bulk.heap_bytes() <= grown.heap_bytes() + grown.heap_bytes() / 20);
            // It goes on as any other set.
            for number in (0..count).step_by(5) {
                let name = format!("member:{number:06}");
                assert_eq!(bulk.rank(name.as_bytes()), grown.rank(name.as_bytes()));
                assert_eq!(bulk.remove(name.as_bytes()), grown.remove(name.as_bytes()));
                bulk.insert(name.as_bytes(), -1.5);
                grown.insert(name.as_bytes(), -1.5);
            }
            bulk.tree.check();
            assert!(bulk.iter().eq(grown.iter()));
        }
    }

    #[test]
    #[should_panic(expected = "members come in order")]
    fn members_out_of_order_are_refused() {
        let mut bulk = Bulk::new(KeyHasher::new(3), 2);
        bulk.push(b"b", 1.0);
        bulk.push(b"a", 1.0);
    }

    #[test]
    #[should_panic(expected = "a name comes once")]
    fn a_name_that_is_there_is_refused() {
        let mut bulk = Bulk::new(KeyHasher::new(3), 2);
        bulk.push(b"a", 1.0);
        bulk.push(b"a", 2.0);
    }
}
