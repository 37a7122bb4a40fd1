//! Counting the bits that are set.
//!
//! Processors below x86-64-v2 have no instruction for it, and counting each word on its own takes
//! a dozen operations. So words are first added in columns: three words of weight 1 become one of
//! weight 1 (the sum's low bit) and one of weight 2 (the carry), five operations for all their bits
//! at once. Sixteen blocks give one block of weight 16, and only that is counted bit by bit.
//!
//! Source: R. Harley and D. Seal's carry-save adder as described in W. Mula, N. Kurz, D. Lemire,
//! "Faster Population Counts Using AVX2 Instructions" (2016).

use super::{Cut, cut};
use core::array;
use core::ops::Range;

/// Words of a block: enough for two vectors of 256 bits.
const WORDS: usize = 4;
/// Bytes of a block.
const BLOCK: usize = WORDS * size_of::<u64>();
/// Blocks that are added before one is counted.
const GROUP: usize = 16;

type Block = [u64; WORDS];

/// How many bits of `run` are set; bits behind the end of `bytes` are not.
#[must_use]
pub fn count(bytes: &[u8], run: Range<u64>) -> u64 {
    let Cut { head, whole, tail } = cut(bytes, run);
    let edge = |byte: Option<u8>| u64::from(byte.unwrap_or(0).count_ones());
    count_all(whole) + edge(head) + edge(tail)
}

fn count_all(bytes: &[u8]) -> u64 {
    let (groups, rest) = bytes.as_chunks::<{ BLOCK * GROUP }>();
    let (words, tail) = rest.as_chunks::<8>();
    let words: u64 = words.iter().map(|word| ones(u64::from_ne_bytes(*word))).sum();
    let tail: u64 = tail.iter().map(|byte| u64::from(byte.count_ones())).sum();
    count_groups(groups) + words + tail
}

fn count_groups(groups: &[[u8; BLOCK * GROUP]]) -> u64 {
    // What is carried from group to group, by weight.
    let (mut one, mut two, mut four, mut eight) = ([0; WORDS], [0; WORDS], [0; WORDS], [0; WORDS]);
    let mut sixteens = [0; WORDS];
    for group in groups {
        let (blocks, _) = group.as_chunks::<{ BLOCK * 4 }>();
        let mut fours = [[0; WORDS]; 4];
        for (blocks, carry) in blocks.iter().zip(&mut fours) {
            *carry = add_four(&mut one, &mut two, blocks);
        }
        let [a, b, c, d] = fours;
        let low = add(&mut four, a, b);
        let high = add(&mut four, c, d);
        let sixteen = add(&mut eight, low, high);
        for (sum, word) in sixteens.iter_mut().zip(sixteen) {
            *sum += ones(word);
        }
    }
    let left = |block: Block| block.into_iter().map(ones).sum::<u64>();
    sixteens.iter().sum::<u64>() * 16 + left(eight) * 8 + left(four) * 4 + left(two) * 2 + left(one)
}

/// Adds four blocks; the carry has weight 4.
#[inline(always)]
fn add_four(one: &mut Block, two: &mut Block, bytes: &[u8; BLOCK * 4]) -> Block {
    let [a, b, c, d] = array::from_fn(|block| read(bytes, block));
    let low = add(one, a, b);
    let high = add(one, c, d);
    add(two, low, high)
}

/// Block number `index` of the bytes.
#[inline(always)]
fn read(bytes: &[u8; BLOCK * 4], index: usize) -> Block {
    let (words, _) = bytes.as_chunks::<8>();
    array::from_fn(|word| match words.get(index * WORDS + word) {
        Some(word) => u64::from_ne_bytes(*word),
        None => 0,
    })
}

/// Adds two blocks to `sum` column by column and gives the carry, which weighs twice as much.
#[inline(always)]
fn add(sum: &mut Block, a: Block, b: Block) -> Block {
    let mut carry = [0; WORDS];
    for (((sum, a), b), carry) in sum.iter_mut().zip(a).zip(b).zip(&mut carry) {
        let both = a ^ b;
        *carry = (a & b) | (both & *sum);
        *sum ^= both;
    }
    carry
}

/// The bits set in one word.
#[inline(always)]
fn ones(word: u64) -> u64 {
    u64::from(word.count_ones())
}
