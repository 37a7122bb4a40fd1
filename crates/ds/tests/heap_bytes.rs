//! What the crate says about its memory is what it asks of the allocator.
#![expect(unsafe_code, reason = "counting allocations needs an allocator")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::convert::Infallible;
use vesta_ds::{Item, KeyHasher, NewValue, Table};

type Entry = vesta_ds::Entry<Infallible>;

/// Counts the bytes that the current thread has allocated and not freed, rounded up to 8.
struct Counting;

thread_local! {
    static BYTES: Cell<usize> = const { Cell::new(0) };
}

fn count(change: impl Fn(usize) -> usize) {
    BYTES.with(|bytes| bytes.set(change(bytes.get())));
}

fn rounded(bytes: usize) -> usize {
    bytes.next_multiple_of(8)
}

// SAFETY: every call is handed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(|bytes| bytes.wrapping_add(rounded(layout.size())));
        // SAFETY: by the caller's contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        count(|bytes| bytes.wrapping_sub(rounded(layout.size())));
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
fn a_table_and_its_entries_know_their_bytes() {
    let hasher = KeyHasher::new(1);
    let start = BYTES.get();
    let mut table = Table::new(hasher.clone());
    let mut entries = 0;
    let key = |number: usize| format!("key:{number}");
    for round in 0..3usize {
        for number in 0..4000 {
            let name = key(number);
            let value = vec![b'v'; (number * 7) % (500 + 1000 * round)];
            let expiry = (number % 5 < round).then_some(number as u64);
            let entry = Entry::new(name.as_bytes(), NewValue::Bytes(&value), expiry, 0);
            entries += entry.alloc_bytes();
            table.insert_new(hasher.hash(name.as_bytes()), entry);
            drop((name, value));
            assert_eq!(bytes_since(start), table.heap_bytes() + entries, "after {number} inserts");
        }
        for number in 0..4000 {
            let name = key(number);
            let hash = hasher.hash(name.as_bytes());
            let entry = table.find_mut(hash, name.as_bytes()).expect("it was inserted");
            entries -= entry.alloc_bytes();
            entry.append(&[b'x'; 100][..number % 100]);
            entry.set_expiry((number % 2 == 0).then_some(number as u64));
            entries += entry.alloc_bytes();
            table.note_due(hash, number as u64);
        }
        assert_eq!(bytes_since(start), table.heap_bytes() + entries, "after changes");
        let mut taken = 0;
        while !table.take_due(1000, 100, |entry| taken += entry.alloc_bytes()).done {}
        entries -= taken;
        assert_eq!(bytes_since(start), table.heap_bytes() + entries, "after expiry");
        for number in 0..4000 {
            let name = key(number);
            if let Some(entry) = table.remove(hasher.hash(name.as_bytes()), name.as_bytes()) {
                assert_eq!(entry.key(), name.as_bytes());
                entries -= entry.alloc_bytes();
            }
            drop(name);
            assert_eq!(bytes_since(start), table.heap_bytes() + entries, "after {number} removals");
        }
        assert!(table.is_empty() && entries == 0);
    }
    let entry = Entry::new(b"key", NewValue::Int(1), None, 0);
    table.insert_new(hasher.hash(Item::key(&entry)), entry);
    table.clear();
    assert_eq!((table.heap_bytes(), bytes_since(start)), (0, 0));
}
