//! What listpacks, intsets and lists say about their memory is what they ask of the allocator.
#![expect(unsafe_code, reason = "counting allocations needs an allocator")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use vesta_ds::{Direction, Fill, Intset, Listpack, Quicklist, Verdict};

/// Counts the bytes that the current thread has allocated and not freed, rounded up to 8.
struct Counting;

thread_local! {
    static BYTES: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call is handed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        BYTES.set(BYTES.get().wrapping_add(layout.size().next_multiple_of(8)));
        // SAFETY: by the caller's contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        BYTES.set(BYTES.get().wrapping_sub(layout.size().next_multiple_of(8)));
        // SAFETY: by the caller's contract.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn bytes_since(start: usize) -> usize {
    BYTES.get().wrapping_sub(start)
}

#[test]
fn a_listpack_knows_its_bytes() {
    let start = BYTES.get();
    let mut pack = Listpack::new();
    for number in 0..2000_i64 {
        let added = match number % 3 {
            0 => pack.push(number),
            1 => pack.push_front(b"text"),
            _ => pack.insert(pack.last().expect("it is not empty"), -number << 20),
        };
        assert!(added.is_ok());
        assert_eq!(bytes_since(start), pack.heap_bytes(), "after {number} insertions");
    }
    let tail = pack.split_off(pack.seek(700).expect("it has 2000"));
    assert_eq!(bytes_since(start), pack.heap_bytes() + tail.heap_bytes());
    drop(tail);
    while pack.remove_range(-3, 3) > 0 {
        assert_eq!(bytes_since(start), pack.heap_bytes(), "{} left", pack.len());
    }
    drop(pack);
    assert_eq!(bytes_since(start), 0);
}

#[test]
fn an_intset_knows_its_bytes() {
    let start = BYTES.get();
    let mut set = Intset::new();
    for number in 0..600_i64 {
        set.add(number * number * number * number);
        assert_eq!(bytes_since(start), set.heap_bytes(), "after {number}");
    }
    for number in 0..600_i64 {
        set.remove(number * number * number * number);
        assert_eq!(bytes_since(start), set.heap_bytes(), "after {number} went");
    }
    assert_eq!((set.len(), set.heap_bytes()), (0, 8));
}

#[test]
fn a_list_knows_its_bytes() {
    for depth in [0, 1] {
        let start = BYTES.get();
        let mut list = Quicklist::new(Fill::new(-1), depth);
        let check = |list: &Quicklist, moment: i64| {
            assert_eq!(bytes_since(start), list.heap_bytes(), "depth {depth}, after {moment}");
        };
        let large = vec![b'x'; 5003];
        let start_large = large.len().next_multiple_of(8);
        let check = |list: &Quicklist, moment: i64| {
            BYTES.set(BYTES.get().wrapping_sub(start_large));
            check(list, moment);
            BYTES.set(BYTES.get().wrapping_add(start_large));
        };
        for number in 0..8000_i64 {
            match number % 400 {
                7 => list.push_front(large.as_slice()),
                9 => list.insert(list.len() / 2, large.as_slice()),
                11 => assert!(list.replace(list.len() / 3, b"short")),
                odd if odd % 2 == 1 => list.push_front(number),
                _ => list.insert(list.len() / 2, b"the same again"),
            }
            check(&list, number);
        }
        let mut read = 0;
        list.retain(Direction::Backward, |_| {
            read += 1;
            if read % 5 < 3 { Verdict::Remove } else { Verdict::Keep }
        });
        check(&list, 8000);
        list.remove_range(500, 1200);
        check(&list, 8001);
        while list.pop_front() && list.pop_back() {
            check(&list, 8002);
        }
    }
}
