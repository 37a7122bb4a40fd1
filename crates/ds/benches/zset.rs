//! A sorted set of a million members with names of 14 bytes, in random order.
//!
//! A number is the time for all operations of the round; divan prints the rate beside it.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use std::sync::LazyLock;
use vesta_ds::{Heap, KeyHasher, ScoreBound, Zset};

const MEMBERS: u64 = 1_000_000;
/// Operations of a round.
const ROUND: u64 = 10_000;

static MILLION: LazyLock<Zset> = LazyLock::new(|| filled(MEMBERS));

fn main() {
    for members in [200, 10_000, MEMBERS] {
        let bytes = filled(members).heap_bytes() as f64 / members as f64;
        println!("{members} members: {bytes:.1} bytes each");
    }
    divan::main();
}

fn name(number: u64) -> [u8; 14] {
    let mut name = *b"member:0000000";
    let mut rest = number;
    for digit in name.iter_mut().rev().take(7) {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    name
}

/// A number that looks random, of 32 bits.
fn shuffled(number: u64) -> u64 {
    number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32
}

fn filled(members: u64) -> Zset {
    let mut set = Zset::new(KeyHasher::new(1));
    for number in 0..members {
        set.insert(&name(number), shuffled(number) as f64);
    }
    set
}

/// Members to ask for, in an order that has nothing to do with the set's.
fn asked() -> Vec<[u8; 14]> {
    (0..ROUND).map(|number| name(shuffled(number + 7) % MEMBERS)).collect()
}

#[divan::bench]
fn score(bencher: Bencher) {
    let (set, names) = (&*MILLION, asked());
    bencher.counter(ItemsCount::new(ROUND)).bench_local(|| {
        for name in &names {
            black_box(set.score(name));
        }
    });
}

#[divan::bench]
fn rank(bencher: Bencher) {
    let (set, names) = (&*MILLION, asked());
    bencher.counter(ItemsCount::new(ROUND)).bench_local(|| {
        for name in &names {
            black_box(set.rank(name));
        }
    });
}

#[divan::bench]
fn by_rank(bencher: Bencher) {
    let set = &*MILLION;
    bencher.counter(ItemsCount::new(ROUND)).bench_local(|| {
        for number in 0..ROUND {
            black_box(set.by_rank((shuffled(number) % MEMBERS) as usize));
        }
    });
}

/// A hundred members from a score on; the rate is of ranges, not of members.
#[divan::bench]
fn range_of_100_by_score(bencher: Bencher) {
    let set = &*MILLION;
    bencher.counter(ItemsCount::new(ROUND)).bench_local(|| {
        let mut bytes = 0;
        for number in 0..ROUND {
            let min = ScoreBound::Inclusive(shuffled(number + 3) as f64);
            let range = set.range_by_score(min, ScoreBound::Inclusive(f64::INFINITY));
            bytes += range.take(100).map(|(name, _)| name.len()).sum::<usize>();
        }
        bytes
    });
}

#[divan::bench]
fn insert_into_million(bencher: Bencher) {
    let mut set = filled(MEMBERS);
    let mut next = MEMBERS;
    bencher.counter(ItemsCount::new(ROUND)).bench_local(|| {
        for _ in 0..ROUND {
            set.insert(&name(next), shuffled(next) as f64);
            next += 1;
        }
    });
}

/// A score becomes quite another.
#[divan::bench]
fn update_in_million(bencher: Bencher) {
    let (mut set, names) = (filled(MEMBERS), asked());
    let mut next = 0;
    bencher.counter(ItemsCount::new(ROUND)).bench_local(|| {
        for name in &names {
            next += 1;
            set.insert(name, shuffled(next) as f64);
        }
    });
}

#[divan::bench]
fn remove_and_insert_in_million(bencher: Bencher) {
    let (mut set, names) = (filled(MEMBERS), asked());
    let mut next = 0;
    bencher.counter(ItemsCount::new(ROUND)).bench_local(|| {
        for name in &names {
            next += 1;
            set.remove(name);
            set.insert(name, shuffled(next) as f64);
        }
    });
}

/// A set of 100,000 from nothing, in random order and in ascending order.
#[divan::bench(args = [true, false])]
fn fill(bencher: Bencher, random: bool) {
    const FILL: u64 = 100_000;
    bencher.counter(ItemsCount::new(FILL)).bench_local(|| {
        let mut set = Zset::new(KeyHasher::new(1));
        for number in 0..FILL {
            let score = if random { shuffled(number) } else { number };
            set.insert(&name(number), score as f64);
        }
        set
    });
}

#[divan::bench]
fn drain(bencher: Bencher) {
    bencher
        .counter(ItemsCount::new(100_000u64))
        .with_inputs(|| filled(100_000))
        .bench_local_values(|mut set| while set.drain_some(1000) > 0 {});
}
