//! Counting, finding and combining the bits of long strings.

use divan::Bencher;
use divan::counter::BytesCount;
use vesta_ds::bits::{self, Combine};

fn main() {
    divan::main();
}

const LENGTHS: [usize; 3] = [1 << 10, 1 << 17, 10 << 20];

fn noise(len: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let byte = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    };
    (0..len).map(byte).collect()
}

#[divan::bench(args = LENGTHS)]
fn count(bencher: Bencher<'_, '_>, len: usize) {
    let bytes = noise(len);
    bencher.counter(BytesCount::new(len)).bench_local(|| bits::count(&bytes, 3..u64::MAX));
}

#[divan::bench(args = LENGTHS)]
fn find(bencher: Bencher<'_, '_>, len: usize) {
    let bytes = vec![0; len];
    bencher.counter(BytesCount::new(len)).bench_local(|| bits::find(&bytes, true, 3..u64::MAX));
}

#[divan::bench(args = LENGTHS)]
fn combine_two(bencher: Bencher<'_, '_>, len: usize) {
    let (a, b) = (noise(len), noise(len));
    bencher.counter(BytesCount::new(len)).bench_local(|| bits::combine(Combine::Xor, &[&a, &b]));
}

#[divan::bench(args = LENGTHS)]
fn invert(bencher: Bencher<'_, '_>, len: usize) {
    let bytes = noise(len);
    bencher.counter(BytesCount::new(len)).bench_local(|| bits::invert(&bytes));
}
