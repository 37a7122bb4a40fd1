//! Listpacks of the sizes that hashes and lists have, long lists, and LZF.
//!
//! A number is the time for all operations of the round; divan prints the rate beside it.

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use vesta_ds::{Digits, Direction, Fill, Intset, Listpack, Quicklist, lzf};

fn main() {
    let list = long_list(1_000_000);
    println!("list: {:.1} bytes an element", list.heap_bytes() as f64 / list.len() as f64);
    divan::main();
}

fn element(number: u64) -> [u8; 10] {
    let mut text = *b"elem000000";
    let mut rest = number;
    for digit in text.iter_mut().rev().take(6) {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    text
}

fn pack(elements: u64) -> Listpack {
    let mut pack = Listpack::new();
    (0..elements).for_each(|number| assert!(pack.push(&element(number)).is_ok()));
    pack
}

fn long_list(elements: u64) -> Quicklist {
    let mut list = Quicklist::new(Fill::DEFAULT, 0);
    (0..elements).for_each(|number| list.push_back(&element(number)));
    list
}

#[divan::bench]
fn push_back_100k(bencher: Bencher<'_, '_>) {
    bencher.counter(ItemsCount::new(100_000_u64)).bench(|| long_list(100_000));
}

#[divan::bench]
fn push_front_100k(bencher: Bencher<'_, '_>) {
    bencher.counter(ItemsCount::new(100_000_u64)).bench(|| {
        let mut list = Quicklist::new(Fill::DEFAULT, 0);
        (0..100_000).for_each(|number| list.push_front(&element(number)));
        list
    });
}

#[divan::bench]
fn pop_front_100k(bencher: Bencher<'_, '_>) {
    bencher.counter(ItemsCount::new(100_000_u64)).with_inputs(|| long_list(100_000)).bench_values(
        |mut list| {
            while list.pop_front() {}
            list
        },
    );
}

#[divan::bench]
fn pop_back_100k(bencher: Bencher<'_, '_>) {
    bencher.counter(ItemsCount::new(100_000_u64)).with_inputs(|| long_list(100_000)).bench_values(
        |mut list| {
            while list.pop_back() {}
            list
        },
    );
}

#[divan::bench]
fn walk_600(bencher: Bencher<'_, '_>) {
    let list = long_list(100_000);
    bencher.counter(ItemsCount::new(600_u64)).bench_local(|| {
        let mut walk = list.walk(black_box(50_000), Direction::Forward);
        let mut sum = 0;
        for _ in 0..600 {
            if let Some(element) = walk.next() {
                sum += element.text(&mut Digits::new()).len();
            }
        }
        sum
    });
}

#[divan::bench]
fn index_in_the_middle_of_1m(bencher: Bencher<'_, '_>) {
    let list = long_list(1_000_000);
    bencher.bench_local(|| {
        let mut walk = list.walk(black_box(500_000), Direction::Forward);
        walk.next().map(|element| element.text_len())
    });
}

#[divan::bench(args = [10, 128])]
fn find_the_last_pair(bencher: Bencher<'_, '_>, pairs: u64) {
    let pack = pack(2 * pairs);
    let key = element(2 * pairs - 2);
    bencher.bench_local(|| pack.find_pair(black_box(&key)));
}

#[divan::bench(args = [10, 128])]
fn replace_in_the_middle(bencher: Bencher<'_, '_>, elements: u64) {
    let mut pack = pack(elements);
    let pos = pack.seek(elements as i64 / 2).unwrap_or(pack.end());
    bencher.bench_local(|| pack.replace(pos, black_box(&element(7))).is_ok());
}

#[divan::bench]
fn intset_of_512(bencher: Bencher<'_, '_>) {
    let set: Intset = (0..512).map(|number| number * 7).collect();
    bencher.bench_local(|| set.contains(black_box(1001)));
}

#[divan::bench]
fn compress_8_kib(bencher: Bencher<'_, '_>) {
    let pack = pack(680);
    let bytes = pack.bytes();
    bencher.counter(BytesCount::of_slice(bytes)).bench_local(|| lzf::compress(bytes, bytes.len()));
}

#[divan::bench]
fn decompress_8_kib(bencher: Bencher<'_, '_>) {
    let pack = pack(680);
    let bytes = pack.bytes();
    let packed = lzf::compress(bytes, bytes.len()).unwrap_or_default();
    bencher
        .counter(BytesCount::of_slice(bytes))
        .bench_local(|| lzf::decompress(&packed, bytes.len()).is_ok());
}
