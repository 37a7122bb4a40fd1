//! Looking an item up and taking it out if its time has come, in one search.

use super::bucket::tag_of;
use super::{Item, Table};

/// What a search for a live item found.
#[derive(Debug)]
pub enum Lookup<'a, T> {
    /// Nothing has that key.
    Absent,
    /// The item was due; it is out of the table.
    Expired(T),
    /// The item, to be changed in place under the rules of [`Table::find_mut`].
    Live(&'a mut T),
}

impl<T: Item> Table<T> {
    /// Searches for `key`, whose hash is `hash`; an item with `due() <= now` is taken out.
    #[inline]
    pub fn find_live(&mut self, hash: u64, key: &[u8], now: u64) -> Lookup<'_, T> {
        if self.buckets.count() == 0 {
            return Lookup::Absent;
        }
        let chain = self.chain_of(hash);
        // SAFETY: `&mut self` is held for as long as the result lives; the place is in the chain.
        unsafe {
            let Some(place) = chain.locate(tag_of(hash), key) else { return Lookup::Absent };
            if place.item().as_ref().due() > now {
                return Lookup::Live(place.item().as_mut());
            }
            let item = chain.remove(&place, &mut self.children);
            self.len -= 1;
            self.shrink();
            Lookup::Expired(item)
        }
    }
}
