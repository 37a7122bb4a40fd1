//! From registers to a count: Ertl's improved raw estimator.
//!
//! The operations and their order are part of compatibility: the count is replied, and cached in
//! the string. Every step below is exactly rounded by IEEE 754, so all machines agree.

use super::{RANK_BITS, REGISTERS};

/// How many registers hold each value.
pub(super) type Histogram = [u32; 64];

/// 1 / (2 ln 2), the constant of the estimator for infinitely many registers.
const ALPHA_INF: f64 = 0.721_347_520_444_481_7;
/// Histograms that are filled side by side, as an increment waits for the one before it when
/// both hit the same counter.
const LANES: usize = 8;

/// Counts the values of registers that hold a byte each, at most 63.
#[expect(clippy::indexing_slicing, reason = "a value is masked to the histogram's 64 places")]
pub(super) fn histogram(registers: &[u8; REGISTERS]) -> Histogram {
    let mut lanes = [[0u32; 64]; LANES];
    let (groups, _) = registers.as_chunks::<LANES>();
    for group in groups {
        for (lane, value) in lanes.iter_mut().zip(group) {
            lane[usize::from(*value) & 63] += 1;
        }
    }
    let [mut sum, rest @ ..] = lanes;
    for lane in rest {
        sum.iter_mut().zip(lane).for_each(|(total, count)| *total += count);
    }
    sum
}

/// The estimated number of distinct elements behind such registers.
pub(super) fn count(histogram: &Histogram) -> u64 {
    let at = |value: usize| f64::from(histogram.get(value).copied().unwrap_or(0));
    let all = REGISTERS as f64;
    let highest = RANK_BITS as usize;
    let mut sum = all * tau((all - at(highest + 1)) / all);
    for value in (1..=highest).rev() {
        sum = (sum + at(value)) * 0.5;
    }
    sum += all * sigma(at(0) / all);
    round(ALPHA_INF * all * all / sum)
}

/// The correction for registers still at zero; infinite when all are.
fn sigma(share: f64) -> f64 {
    if share == 1.0 {
        return f64::INFINITY;
    }
    let (mut power, mut weight, mut sum) = (share, 1.0, share);
    loop {
        let before = sum;
        power *= power;
        sum += power * weight;
        weight += weight;
        if sum == before {
            return sum;
        }
    }
}

/// The correction for registers at the highest value.
fn tau(share: f64) -> f64 {
    if share == 0.0 || share == 1.0 {
        return 0.0;
    }
    let (mut root, mut weight, mut sum) = (share, 1.0, 1.0 - share);
    loop {
        let before = sum;
        root = libm::sqrt(root);
        weight *= 0.5;
        let rest = 1.0 - root;
        sum -= rest * rest * weight;
        if sum == before {
            return sum / 3.0;
        }
    }
}

/// To the nearest integer, halves up; `number` is not negative.
fn round(number: f64) -> u64 {
    let floor = number as u64;
    floor.saturating_add(u64::from(number - floor as f64 >= 0.5))
}
