//! Every function against one that goes bit by bit.

use super::*;
use alloc::vec::Vec;
use proptest::prelude::*;

fn bit(bytes: &[u8], at: u64) -> bool {
    bytes.get((at / 8) as usize).is_some_and(|byte| byte & (0x80 >> (at % 8)) != 0)
}

/// Lengths around those of blocks and groups, and the edges of runs around bytes.
fn strings() -> impl Strategy<Value = Vec<u8>> {
    let lengths = prop_oneof![0..20_usize, 60..70_usize, 500..530_usize, 1000..1100_usize];
    let fills = prop_oneof![Just(None), Just(Some(0)), Just(Some(0xff))];
    (lengths, fills).prop_flat_map(|(len, fill)| match fill {
        None => proptest::collection::vec(any::<u8>(), len).boxed(),
        // Nearly all the same: few bits to find.
        Some(fill) => proptest::collection::vec((0..len.max(1), any::<u8>()), 0..3)
            .prop_map(move |odd| {
                let mut bytes = alloc::vec![fill; len];
                for (at, byte) in odd {
                    if let Some(place) = bytes.get_mut(at) {
                        *place = byte;
                    }
                }
                bytes
            })
            .boxed(),
    })
}

fn runs() -> impl Strategy<Value = Range<u64>> {
    (0..9000_u64, 0..9000_u64, 0..3).prop_map(|(a, b, kind)| match kind {
        0 => a..b,
        1 => 0..u64::MAX,
        _ => a..a + b % 12,
    })
}

proptest! {
    #[test]
    fn a_count_is_the_sum_of_the_bits(bytes in strings(), run in runs()) {
        let end = run.end.min(bytes.len() as u64 * 8);
        let expected = (run.start..end).filter(|at| bit(&bytes, *at)).count() as u64;
        prop_assert_eq!(count(&bytes, run), expected);
    }

    #[test]
    fn the_first_bit_is_found(bytes in strings(), run in runs(), wanted: bool) {
        let end = run.end.min(bytes.len() as u64 * 8);
        let expected = (run.start..end).find(|at| bit(&bytes, *at) == wanted);
        prop_assert_eq!(find(&bytes, wanted, run), expected);
    }

    #[test]
    fn strings_are_combined_bit_by_bit(
        sources in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 0..6),
        long in 0..3_usize,
    ) {
        let mut sources = sources;
        // Beyond one stretch, for some.
        if let Some(source) = sources.first_mut() {
            source.extend(core::iter::repeat_n(0xa5, long * 4000));
        }
        let slices: Vec<&[u8]> = sources.iter().map(Vec::as_slice).collect();
        let len = sources.iter().map(Vec::len).max().unwrap_or(0);
        let at = |source: &Vec<u8>, at: usize| source.get(at).copied().unwrap_or(0);
        type Fold = fn(u8, u8) -> u8;
        for (operation, fold) in [
            (Combine::And, (|a, b| a & b) as Fold),
            (Combine::Or, |a, b| a | b),
            (Combine::Xor, |a, b| a ^ b),
        ] {
            let byte = |place| sources.iter().map(|source| at(source, place)).reduce(fold);
            let expected: Vec<u8> = (0..len).filter_map(byte).collect();
            prop_assert_eq!(combine(operation, &slices), expected);
        }
    }
}

#[test]
fn the_inverse_of_the_inverse_is_the_string() {
    let bytes: Vec<u8> = (0..=255).cycle().take(1001).collect();
    let inverse = invert(&bytes);
    assert!(bytes.iter().zip(&inverse).all(|(a, b)| a ^ b == 0xff));
    assert_eq!(invert(&inverse), bytes);
}
