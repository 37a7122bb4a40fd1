//! The allocator behind `#[global_allocator]`: mimalloc, counted.

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;
use std::ffi::c_long;
use std::sync::atomic::{AtomicI64, Ordering};

use libmimalloc_sys as mi;

/// Alignment that every block has without being asked (`MI_MAX_ALIGN_SIZE` of our build).
const NATURAL_ALIGN: usize = 8;

/// mimalloc, with a count of the bytes handed out. Install it as the global allocator.
#[derive(Debug)]
pub struct Heap;

// SAFETY: every method passes size and alignment on to the mimalloc function with that contract;
// blocks of all of them may be given to `mi_free` and `mi_realloc*`. `mi_malloc` and `mi_realloc`
// align to NATURAL_ALIGN at least (with the default build to 16). Counting allocates nothing.
unsafe impl GlobalAlloc for Heap {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(rounded(layout.size()));
        // SAFETY: size and alignment come from a valid layout.
        unsafe {
            if layout.align() <= NATURAL_ALIGN {
                mi::mi_malloc(layout.size()).cast()
            } else {
                let plain = || mi::mi_malloc(layout.size()).cast();
                aligned_by_chance(layout, plain)
                    .unwrap_or_else(|| mi::mi_malloc_aligned(layout.size(), layout.align()).cast())
            }
        }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(rounded(layout.size()));
        // SAFETY: size and alignment come from a valid layout.
        unsafe {
            if layout.align() <= NATURAL_ALIGN {
                mi::mi_zalloc(layout.size()).cast()
            } else {
                let plain = || mi::mi_zalloc(layout.size()).cast();
                aligned_by_chance(layout, plain)
                    .unwrap_or_else(|| mi::mi_zalloc_aligned(layout.size(), layout.align()).cast())
            }
        }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        count(-rounded(layout.size()));
        // SAFETY: the caller gives back a block of this allocator.
        unsafe { mi::mi_free(block.cast()) }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller gives back a block of this allocator; the alignment is that of its
        // layout.
        let moved: *mut u8 = unsafe {
            if layout.align() <= NATURAL_ALIGN {
                mi::mi_realloc(block.cast(), size).cast()
            } else {
                mi::mi_realloc_aligned(block.cast(), size, layout.align()).cast()
            }
        };
        if !moved.is_null() {
            count(rounded(size) - rounded(layout.size()));
        }
        moved
    }
}

/// The block that `plain` makes, if it happens to lie as `layout` wants it.
///
/// For most sizes mimalloc's aligned functions take a block that is larger by the alignment, hence
/// of the next size class: 3072 bytes for 40 buckets of 64. But blocks whose size is a multiple of
/// the alignment lie one after the other from the start of a page on, so that an ordinary one will
/// do (seen for all sizes to 4096).
///
/// # Safety
/// `plain` gives a block of mimalloc with the layout's size, or null.
unsafe fn aligned_by_chance(layout: Layout, plain: impl Fn() -> *mut u8) -> Option<*mut u8> {
    if !layout.size().is_multiple_of(layout.align()) {
        return None;
    }
    let block = plain();
    if block.addr().is_multiple_of(layout.align()) {
        return Some(block);
    }
    // SAFETY: the block was made just now, and nobody has it.
    unsafe { mi::mi_free(block.cast()) };
    None
}

/// How far a thread's count may run before it is added to the common one.
pub(crate) const FLUSH_BYTES: i64 = 16 * 1024;

/// Bytes handed out by all threads, but for what each has not yet added.
///
/// Process-wide because the allocator is.
static ALLOCATED: AtomicI64 = AtomicI64::new(0);

thread_local! {
    // A constant without a destructor: access is one move relative to the thread pointer, and
    // works at any time in a thread's life.
    static UNFLUSHED: Cell<i64> = const { Cell::new(0) };
}

#[inline]
fn count(bytes: i64) {
    UNFLUSHED.with(|unflushed| {
        // Wrapping: blocks are smaller than the address space, and the sum is kept small.
        let sum = unflushed.get().wrapping_add(bytes);
        if (-FLUSH_BYTES..=FLUSH_BYTES).contains(&sum) {
            unflushed.set(sum);
        } else {
            unflushed.set(0);
            ALLOCATED.fetch_add(sum, Ordering::Relaxed);
        }
    });
}

/// Bytes handed out: exact for this thread, to [`FLUSH_BYTES`] for each other one.
pub(crate) fn allocated_bytes() -> u64 {
    let sum = ALLOCATED.load(Ordering::Relaxed).wrapping_add(UNFLUSHED.with(Cell::get));
    u64::try_from(sum).unwrap_or(0)
}

/// The largest block that has a size class; larger ones take whole pages of memory.
const LARGEST_CLASS: usize = 512 * 1024;

/// The bytes that a request of `size` really takes: its size class.
///
/// Classes are multiples of 8 to 64, then four to each doubling. This is `mi_good_size` without the
/// call; a test compares them.
#[inline]
pub(crate) fn rounded(size: usize) -> i64 {
    let words = size.wrapping_add(7) / 8;
    let bytes = if words <= 8 {
        words.max(1) * 8
    } else if size <= LARGEST_CLASS {
        let last = words - 1;
        let step = last.ilog2() - 2;
        ((last >> step) + 1) << (step + 3)
    } else {
        size.next_multiple_of(4096)
    };
    // A layout's size fits isize, rounded up to its alignment.
    bytes as i64
}

/// Milliseconds that memory is free before any call for memory gives it back. The number is that
/// of `mi_option_purge_delay` in mimalloc 3, for which the bindings have no name.
const PURGE_DELAY: mi::mi_option_t = 15;
/// Longer than a process lives. Not -1: then [`purge`] would find nothing either.
const NEVER_MS: c_long = c_long::MAX / 4;

/// Has free memory stay with us until [`purge`] is called.
pub(crate) fn leave_purging_to_us() {
    // SAFETY: no contract; the option is read anew whenever memory becomes free.
    unsafe { mi::mi_option_set(PURGE_DELAY, NEVER_MS) }
}

/// Gives memory that is free but kept for reuse back to the system, whoever's it was.
pub(crate) fn purge() {
    // SAFETY: no contract. Of pages that other threads still have, none is touched.
    unsafe { mi::mi_collect(true) }
}

/// mimalloc's version, e.g. 30302 for 3.3.2.
pub(crate) fn version() -> u32 {
    // SAFETY: no contract.
    u32::try_from(unsafe { mi::mi_version() }).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_classes_are_those_of_the_library() {
        let all_small = 1..=70_000;
        let around_powers = (16..30).flat_map(|bit| {
            let power = 1usize << bit;
            [power - 1, power, power + 1, power + power / 4, power + power / 2 + 1]
        });
        for size in all_small.chain(around_powers) {
            // SAFETY: no contract.
            let library = unsafe { mi::mi_good_size(size) };
            assert_eq!(
                rounded(size),
                library as i64,
                "size {size}: built without -DMI_MAX_ALIGN_SIZE=8 (.cargo/config.toml)?"
            );
        }
    }

    #[test]
    fn every_alignment_is_honoured() {
        for align in [1, 2, 4, 8, 16, 32, 64, 4096] {
            for size in [1, 8, 16, 24, 40, 72, 5000] {
                let layout = Layout::from_size_align(size, align).unwrap();
                // SAFETY: the block is freed with the layout it was made with, resized once.
                unsafe {
                    let block = Heap.alloc(layout);
                    assert_eq!(block as usize % align, 0, "{layout:?}");
                    let block = Heap.realloc(block, layout, size * 3);
                    assert_eq!(block as usize % align, 0, "{layout:?} grown");
                    Heap.dealloc(block, Layout::from_size_align(size * 3, align).unwrap());
                    let zeroed = Heap.alloc_zeroed(layout);
                    assert_eq!(zeroed as usize % align, 0, "{layout:?} zeroed");
                    Heap.dealloc(zeroed, layout);
                }
            }
        }
    }

    #[test]
    fn what_is_freed_is_no_longer_counted() {
        let layout = Layout::from_size_align(40, 8).unwrap();
        let before = allocated_bytes();
        // SAFETY: each block is freed once, with its layout.
        unsafe {
            let blocks: Vec<*mut u8> = (0..10_000).map(|_| Heap.alloc(layout)).collect();
            assert_eq!(allocated_bytes() - before, 400_000);
            let grown = Heap.realloc(blocks[0], layout, 100);
            assert_eq!(allocated_bytes() - before, 400_000 - 40 + 112);
            Heap.dealloc(grown, Layout::from_size_align(100, 8).unwrap());
            for block in &blocks[1..] {
                Heap.dealloc(*block, layout);
            }
        }
        assert_eq!(allocated_bytes(), before);
    }

    #[test]
    fn another_threads_blocks_are_seen_to_the_flush_size() {
        let layout = Layout::from_size_align(1024, 8).unwrap();
        // SAFETY: freed below with its layout.
        let blocks: Vec<usize> = std::thread::spawn(move || {
            (0..1000).map(|_| unsafe { Heap.alloc(layout) } as usize).collect()
        })
        .join()
        .unwrap();
        let seen = ALLOCATED.load(Ordering::Relaxed);
        assert!(seen > 1_024_000 - FLUSH_BYTES, "{seen}");
        for block in blocks {
            // SAFETY: made above with this layout.
            unsafe { Heap.dealloc(block as *mut u8, layout) };
        }
    }
}
