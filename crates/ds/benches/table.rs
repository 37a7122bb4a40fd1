//! Table and entry together: find, insert, remove with 16-byte keys and values.
//!
//! A number is the time for all items of the round; divan prints the rate beside it.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use std::convert::Infallible;
use vesta_ds::{KeyHasher, NewValue, Table};

type Entry = vesta_ds::Entry<Infallible>;

const ITEMS: usize = 100_000;

fn main() {
    divan::main();
}

fn key(number: usize) -> [u8; 16] {
    let mut key = *b"key:000000000000";
    let mut rest = number;
    for digit in key.iter_mut().rev().take(12) {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    key
}

/// Keys `from..from + ITEMS` in an order that has nothing to do with the table's.
fn shuffled(from: usize) -> Vec<[u8; 16]> {
    (0..ITEMS).map(|i| key(from + i * 61_169 % ITEMS)).collect()
}

fn filled() -> Table<Entry> {
    let mut table = Table::new(KeyHasher::new(1));
    for key in (0..ITEMS).map(key) {
        let entry = Entry::new(&key, NewValue::Bytes(&[b'v'; 16]), None, 0);
        table.insert_new(table.hasher().hash(&key), entry);
    }
    table
}

#[divan::bench(args = [("hit", 0), ("miss", ITEMS)])]
fn find(bencher: Bencher, (_, from): (&str, usize)) {
    let (table, keys) = (filled(), shuffled(from));
    bencher.counter(ItemsCount::new(ITEMS)).bench_local(|| {
        for key in &keys {
            black_box(table.find(table.hasher().hash(key), key));
        }
    });
}

/// Sixteen at a time: hash all, prefetch the buckets, then the entries, then look up.
#[divan::bench]
fn find_batched(bencher: Bencher) {
    let (table, keys) = (filled(), shuffled(0));
    bencher.counter(ItemsCount::new(ITEMS)).bench_local(|| {
        for batch in keys.chunks(16) {
            let mut hashes = [0; 16];
            for (hash, key) in hashes.iter_mut().zip(batch) {
                *hash = table.hasher().hash(key);
                table.prefetch_bucket(*hash);
            }
            for (hash, _) in hashes.iter().zip(batch) {
                table.prefetch_item(*hash);
            }
            for (hash, key) in hashes.iter().zip(batch) {
                black_box(table.find(*hash, key));
            }
        }
    });
}

#[divan::bench]
fn insert(bencher: Bencher) {
    let keys = shuffled(0);
    bencher.counter(ItemsCount::new(ITEMS)).bench_local(|| {
        let mut table = Table::new(KeyHasher::new(1));
        for key in &keys {
            let entry = Entry::new(key, NewValue::Bytes(&[b'v'; 16]), None, 0);
            table.insert_new(table.hasher().hash(key), entry);
        }
        table
    });
}

#[divan::bench]
fn remove(bencher: Bencher) {
    let keys = shuffled(0);
    bencher.counter(ItemsCount::new(ITEMS)).with_inputs(filled).bench_local_values(|mut table| {
        for key in &keys {
            black_box(table.remove(table.hasher().hash(key), key));
        }
    });
}
