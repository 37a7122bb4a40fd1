//! Intsets from outside: RESTORE, RDB files and replication links.

use super::{HEADER, Intset};
use crate::CorruptError;
use alloc::vec;

impl Intset {
    /// Takes over bytes from outside after a look at every member. O(n), and allocates no more
    /// than the bytes' own length. A set without members is refused, as by Redis.
    ///
    /// # Errors
    /// The first place that cannot be: another width than 2, 4 or 8, a number of members that the
    /// length contradicts, members out of order or twice.
    pub fn validate(bytes: &[u8]) -> Result<Self, CorruptError> {
        let Some((header, members)) = bytes.split_first_chunk::<HEADER>() else {
            return Err(CorruptError::new(bytes.len(), "an intset header of 8 bytes"));
        };
        let [a, b, c, d, e, f, g, h] = *header;
        let width @ (2 | 4 | 8) = u32::from_le_bytes([a, b, c, d]) as usize else {
            return Err(CorruptError::new(0, "2, 4 or 8 bytes per member"));
        };
        let len = u32::from_le_bytes([e, f, g, h]) as usize;
        if len == 0 || len.checked_mul(width) != Some(members.len()) {
            return Err(CorruptError::new(4, "the number of members"));
        }
        let set = Self::of_valid(bytes);
        match set.iter().zip(set.iter().skip(1)).position(|(member, next)| member >= next) {
            Some(index) => Err(CorruptError::new(
                HEADER + (index + 1) * width,
                "a member greater than the one in front",
            )),
            None => Ok(set),
        }
    }

    /// A set of bytes that have the lengths they say.
    pub(super) fn of_valid(bytes: &[u8]) -> Self {
        let mut block = vec![0; bytes.len().next_multiple_of(8)].into_boxed_slice();
        if let Some(start) = block.get_mut(..bytes.len()) {
            start.copy_from_slice(bytes);
        }
        Self { block }
    }
}

/// Feeds any bytes to [`Intset::validate`]; what is accepted must stand being used.
///
/// # Panics
/// When an accepted set contradicts itself.
pub fn fuzz_intset(data: &[u8]) {
    let Ok(mut set) = Intset::validate(data) else { return };
    assert_eq!(set.bytes(), data, "the bytes are kept");
    let again: Intset = set.iter().rev().collect();
    assert!(again.iter().eq(set.iter()), "a copy has the same members");
    assert!(again.bytes().len() <= data.len(), "our members are the narrowest");
    let len = set.len();
    let middle = set.get(len / 2).unwrap_or_default();
    assert!(set.contains(middle) && set.remove(middle) && !set.contains(middle), "it is gone");
    for number in [i64::MIN, middle, i64::MAX] {
        let new = !set.contains(number);
        assert_eq!(set.add(number), new, "what was not there is new");
    }
    assert!(Intset::validate(set.bytes()).is_ok(), "edits leave it valid");
}
