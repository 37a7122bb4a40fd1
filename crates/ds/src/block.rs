//! Blocks of bytes that grow and shrink in the allocator's steps.
//!
//! A `Box<[u8]>` is two words, one less than a vector: whoever keeps one knows from the contents
//! how much of it is used.

use alloc::boxed::Box;

/// The block that `bytes` are kept in: the allocator's next size class (steps of 8 up to 64, then
/// four steps to each doubling), at most a mebibyte more than needed. A class is allocated as a
/// whole, so that asking for less would save nothing, and asking for all saves moving.
pub(crate) fn capacity(bytes: usize) -> usize {
    let step = (bytes.next_power_of_two() / 8).clamp(8, 1 << 20);
    bytes.next_multiple_of(step)
}

/// The length to shrink a block of `block` bytes to when it holds `used` bytes; `None` as long as
/// less than a quarter of it would be saved, so that growing and shrinking do not alternate.
pub(crate) fn smaller(block: usize, used: usize) -> Option<usize> {
    let wanted = capacity(used);
    (wanted <= block - block / 4 && wanted < block).then_some(wanted)
}

/// Makes `block` `len` bytes long; new bytes are 0.
#[inline(never)]
pub(crate) fn resize(block: &mut Box<[u8]>, len: usize) {
    if len == block.len() {
        return;
    }
    let mut bytes = core::mem::take(block).into_vec();
    bytes.reserve_exact(len.saturating_sub(bytes.len()));
    bytes.resize(len, 0);
    *block = bytes.into_boxed_slice();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_as_long_as_the_size_classes() {
        for (bytes, block) in [(7, 8), (8, 8), (33, 40), (65, 80), (129, 160), (8000, 8192)] {
            assert_eq!(capacity(bytes), block, "{bytes}");
        }
        assert_eq!(capacity((1 << 29) + 1), (1 << 29) + (1 << 20));
    }

    #[test]
    fn a_block_shrinks_when_a_quarter_is_saved() {
        assert_eq!(smaller(8, 7), None);
        assert_eq!(smaller(160, 130), None);
        assert_eq!(smaller(160, 100), Some(112));
        assert_eq!(smaller(8192, 6144), Some(6144));
        assert_eq!(smaller(8192, 6145), None);
    }

    #[test]
    fn resizing_keeps_the_bytes() {
        let mut block: Box<[u8]> = Box::new([1, 2, 3]);
        resize(&mut block, 5);
        assert_eq!(*block, [1, 2, 3, 0, 0]);
        resize(&mut block, 2);
        assert_eq!(*block, [1, 2]);
    }
}
