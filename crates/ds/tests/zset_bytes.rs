//! What a sorted set says about its memory is what it asks of the allocator.
#![expect(unsafe_code, reason = "counting allocations needs an allocator")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use vesta_ds::{Heap, KeyHasher, Zset};

/// Counts the bytes that the current thread has allocated and not freed.
struct Counting;

thread_local! {
    static BYTES: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call is handed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        BYTES.set(BYTES.get().wrapping_add(layout.size()));
        // SAFETY: by the caller's contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        BYTES.set(BYTES.get().wrapping_sub(layout.size()));
        // SAFETY: by the caller's contract.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn name(number: u64) -> [u8; 14] {
    std::array::from_fn(|place| b'a' + (number >> (4 * place.min(15)) & 15) as u8)
}

/// A number that looks random, of 32 bits.
fn shuffled(number: u64) -> u64 {
    number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32
}

#[test]
fn a_sorted_set_knows_its_bytes() {
    let hasher = KeyHasher::new(1);
    let start = BYTES.get();
    let mut set = Zset::new(hasher.clone());
    let check = |set: &Zset, moment: u64| {
        assert_eq!(BYTES.get().wrapping_sub(start), set.heap_bytes(), "after {moment}");
    };
    for number in 0..5000 {
        let (name, long) = (name(number), [b'x'; 300]);
        let name = if number == 77 { &long[..] } else { &name[..] };
        set.insert(name, shuffled(number) as f64);
        check(&set, number);
    }
    for number in 0..5000 {
        set.insert(&name(number), number as f64);
        check(&set, number);
    }
    for number in 0..2000 {
        set.remove(&name(shuffled(number) % 5000));
        set.pop_last();
        check(&set, number);
    }
    set.remove_range_by_rank(10..500, drop);
    check(&set, 500);
    while set.drain_some(100) > 0 {
        check(&set, 100);
    }
    assert_eq!(set.heap_bytes(), 0);
    set.insert(b"left", 1.0);
    drop(set);
    assert_eq!(BYTES.get(), start);
}

#[test]
fn a_member_with_a_short_name_takes_54_bytes() {
    for (members, most) in [(200, 56.0), (10_000, 54.0), (100_000, 54.0)] {
        let mut set = Zset::new(KeyHasher::new(1));
        for number in 0..members {
            set.insert(&name(number), shuffled(number) as f64);
        }
        let each = set.heap_bytes() as f64 / members as f64;
        assert!(each < most, "{members} members: {each:.2} bytes each");
    }
}
