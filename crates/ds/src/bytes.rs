//! Equality of short byte strings without a call.
//!
//! Keys are mostly 8 to 32 bytes long. For those, two or four overlapping 8-byte loads a side
//! decide, where a call of `memcmp` would cost more than the comparison itself.

/// Whether `a` and `b` hold the same bytes.
#[inline(always)]
pub(crate) fn same(a: &[u8], b: &[u8]) -> bool {
    let len = a.len();
    if len != b.len() {
        return false;
    }
    let (a_at, b_at) = (a.as_ptr(), b.as_ptr());
    // SAFETY: both slices are `len` bytes long and each arm reads below `len` only:
    // `word(0)`, `word(8)`, `word(len - 8)`, `word(len - 16)` need the length the arm tests.
    unsafe {
        let word = |at: usize| {
            a_at.add(at).cast::<u64>().read_unaligned()
                ^ b_at.add(at).cast::<u64>().read_unaligned()
        };
        match len {
            8..=16 => word(0) | word(len - 8) == 0,
            17..=32 => word(0) | word(8) | word(len - 16) | word(len - 8) == 0,
            4..=7 => {
                let half = |at: usize| {
                    a_at.add(at).cast::<u32>().read_unaligned()
                        ^ b_at.add(at).cast::<u32>().read_unaligned()
                };
                half(0) | half(len - 4) == 0
            }
            _ => a == b,
        }
    }
}

/// Asks the processor to bring the cache line at `address` near. Never reads it.
#[inline(always)]
pub(crate) fn prefetch(address: *const u8) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch is a hint; it may be given any address and cannot fault.
    unsafe {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(address.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}

#[cfg(test)]
mod tests {
    use super::same;
    use std::vec::Vec;

    #[test]
    fn one_changed_byte_is_seen_at_every_length_and_place() {
        for len in 0..80usize {
            let a: Vec<u8> = (0..len).map(|i| (i * 7) as u8).collect();
            assert!(same(&a, &a.clone()));
            assert!(!same(&a, &[&a[..], &[0]].concat()));
            for place in 0..len {
                let mut b = a.clone();
                b[place] ^= 0x40;
                assert!(!same(&a, &b), "length {len}, byte {place}");
            }
        }
    }
}
