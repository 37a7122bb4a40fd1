//! Listpacks from outside: RESTORE, RDB files and replication links.

use super::{HEADER, Listpack, UNKNOWN, code};
use crate::CorruptError;

impl Listpack {
    /// Takes over bytes from outside after a look at every entry. O(n), and allocates no more
    /// than the bytes' own length.
    ///
    /// Entries in a longer encoding than they need are accepted, as Redis accepts them.
    ///
    /// # Errors
    /// The first place that cannot be: lengths that do not add up, an encoding that does not
    /// exist, a length behind an entry that is not the one in front, a wrong count, no end mark.
    pub fn validate(bytes: &[u8]) -> Result<Self, CorruptError> {
        check(bytes).map(|()| Self::of_valid(bytes))
    }
}

fn check(bytes: &[u8]) -> Result<(), CorruptError> {
    let [a, b, c, d, e, f, ..] = *bytes else {
        return Err(CorruptError::new(bytes.len(), "a listpack header of 6 bytes"));
    };
    if u32::from_le_bytes([a, b, c, d]) as usize != bytes.len() {
        return Err(CorruptError::new(0, "the listpack's length in bytes"));
    }
    let end = bytes.len() - 1;
    if end < HEADER || bytes.get(end) != Some(&code::END) {
        return Err(CorruptError::new(end, "the end mark of a listpack"));
    }
    let entries = bytes.get(..end).unwrap_or_default();
    let mut at = HEADER;
    let mut count = 0usize;
    while at < end {
        let extent = entries.get(at..).and_then(code::decode).map(|(_, extent)| extent);
        let Some(extent) = extent else {
            return Err(CorruptError::new(at, "a listpack entry"));
        };
        let next = at + extent + code::back_bytes(extent);
        // It ends where the entry does, and not with what happens to stand there.
        let back = entries.get(at + extent..next).and_then(code::whole_before);
        if back != Some(next - at) {
            return Err(CorruptError::new(at + extent, "the length of the entry in front"));
        }
        at = next;
        count += 1;
    }
    let declared = u16::from_le_bytes([e, f]);
    if declared != UNKNOWN && usize::from(declared) != count {
        return Err(CorruptError::new(4, "the number of elements"));
    }
    Ok(())
}

/// Feeds any bytes to [`Listpack::validate`], as they are and as the entries of a listpack whose
/// header and end mark are right; what is accepted must stand being used.
///
/// # Panics
/// When an accepted listpack contradicts itself.
pub fn fuzz_listpack(data: &[u8]) {
    try_out(data);
    let total = (HEADER + data.len() + 1) as u32;
    let count = UNKNOWN.to_le_bytes();
    try_out(&[&total.to_le_bytes(), count.as_slice(), data, &[code::END]].concat());
}

fn try_out(data: &[u8]) {
    let Ok(mut pack) = Listpack::validate(data) else { return };
    assert_eq!(pack.bytes(), data, "the bytes are kept");
    let count = pack.iter().count();
    assert_eq!(count, pack.len(), "the count is right");
    assert_eq!(count, pack.iter().rev().count(), "both directions see the same elements");
    let mut again = Listpack::new();
    for element in &pack {
        assert!(again.push(element).is_ok(), "it fitted before");
    }
    assert!(again.iter().eq(pack.iter()), "a copy holds the same elements");
    assert!(again.total_bytes() <= pack.total_bytes(), "our encodings are the shortest");
    for element in pack.iter().take(16) {
        let pos = pack.find(pack.first().unwrap_or(pack.end()), element, 0);
        assert_eq!(pos.and_then(|pos| pack.get(pos)), Some(element), "what is there is found");
    }
    let middle = pack.seek((count / 2) as i64).unwrap_or(pack.end());
    let tail = pack.split_off(middle);
    assert_eq!((pack.len(), tail.len()), (count / 2, count - count / 2), "split in halves");
    if pack.first().is_some() {
        let removed = pack.remove_range(0, 1);
        assert_eq!(removed, 1, "the first can be removed");
    }
    for valid in [&pack, &tail] {
        assert!(Listpack::validate(valid.bytes()).is_ok(), "edits leave it valid");
    }
}
