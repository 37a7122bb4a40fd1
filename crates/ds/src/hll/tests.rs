//! HyperLogLogs against a Redis server's bytes, a model, and hostile strings.

use super::{
    Corrupt, Form, Hll, Instruction, REGISTERS, Union, View, add_dense, fuzz_hll, murmur64, place,
};
use proptest::prelude::*;
use std::format;
use std::string::String;
use std::vec;
use std::vec::Vec;

const SPARSE_MAX: usize = 3000;

/// Elements `e0`, `e1`, .. one after the other.
fn counted(elements: u32, sparse_max: usize) -> Hll {
    let mut hll = Hll::new();
    for i in 0..elements {
        hll.add(format!("e{i}").as_bytes(), sparse_max).unwrap();
    }
    hll
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// FNV-1a, to compare long strings.
fn digest(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
    })
}

/// What redis-server 7.0.15 said after `PFADD h e0 e1 ..`: STRLEN, PFCOUNT and the digest of GET.
const OBSERVED: [(u32, usize, u64, u64); 8] = [
    (0, 18, 0, 0x524b_c36d_036c_0579),
    (1, 21, 1, 0xfffb_6fae_ff77_f7cd),
    (3, 27, 3, 0x638d_7413_c56e_0c58),
    (10, 48, 10, 0x4afc_b65d_27f7_d346),
    (300, 713, 302, 0xa4cf_ffba_965d_1718),
    (1000, 1906, 1008, 0x5935_de02_3280_6824),
    (5000, 12304, 4968, 0x8052_4675_3a1c_dada),
    (100_000, 12304, 100_853, 0xafbf_1713_dc5b_a3c8),
];

#[test]
fn bytes_and_counts_are_those_of_a_redis_server() {
    for (elements, len, count, bytes) in OBSERVED {
        let mut hll = counted(elements, SPARSE_MAX);
        assert_eq!(hll.view().bytes().len(), len, "{elements} elements");
        assert_eq!(digest(hll.view().bytes()), bytes, "{elements} elements");
        assert_eq!(hll.view().count(), Ok(count), "{elements} elements");
        hll.cache(count);
        assert_eq!(hll.view().bytes()[8..16], count.to_le_bytes());
        assert_eq!(hll.view().cached(), Some(count));
    }
    let ten = "48594c4c010000000000000000000080452580472e844fc9804412844a5184430d844103844eb98440\
               8880406a8441b1";
    assert_eq!(hex(counted(10, SPARSE_MAX).view().bytes()), ten);
}

#[test]
fn an_add_that_changes_nothing_keeps_the_cached_count() {
    let mut hll = counted(100, SPARSE_MAX);
    hll.cache(101);
    assert_eq!(hll.add(b"e7", SPARSE_MAX), Ok(false));
    assert_eq!(hll.view().cached(), Some(101));
    assert_eq!(hll.add(b"new", SPARSE_MAX), Ok(true));
    assert_eq!(hll.view().cached(), None);
}

#[test]
fn a_dense_string_is_counted_into_where_it_lies() {
    let mut bytes = counted(5000, SPARSE_MAX).into_bytes();
    super::cache(&mut bytes, 4968);
    let mut owned = Hll::copy_of(View::parse(&bytes).unwrap());
    for i in 4000..6000 {
        let element = format!("e{i}");
        let is_changed = owned.add(element.as_bytes(), SPARSE_MAX).unwrap();
        assert_eq!(add_dense(&mut bytes, element.as_bytes()), Some(is_changed));
        assert_eq!(bytes, owned.view().bytes());
    }
    assert_eq!(add_dense(&mut Hll::new().into_bytes(), b"x"), None, "that one is sparse");
}

#[test]
fn a_register_above_32_makes_a_string_dense() {
    let mut hll = Hll::new();
    assert_eq!(hll.raise(9, 32, SPARSE_MAX), Ok(true));
    assert_eq!(hll.view().form(), Form::Sparse);
    assert_eq!(hll.raise(9, 33, SPARSE_MAX), Ok(true));
    assert_eq!(hll.view().form(), Form::Dense);
    assert_eq!(hll.view().registers().unwrap()[9], 33);
}

#[test]
fn instructions_are_listed_for_the_sparse_form_only() {
    let mut hll = counted(1, SPARSE_MAX);
    let (index, value) = place(b"e0");
    let behind = (REGISTERS - index - 1) as u16;
    let expected = [
        Instruction::ManyZeros(index as u16),
        Instruction::Value { value, run: 1 },
        Instruction::ManyZeros(behind),
    ];
    assert!(hll.view().instructions().unwrap().eq(expected));
    assert_eq!(hll.make_dense(), Ok(true));
    assert_eq!(hll.make_dense(), Ok(false));
    assert!(hll.view().instructions().is_none());
}

#[test]
fn strings_that_are_no_hyperloglog_are_told_at_the_door() {
    let good = Hll::new().into_bytes();
    let with = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        bytes
    };
    for bad in [vec![], vec![0; 16], good[..15].to_vec(), with(0, b'h'), with(4, 2), with(4, 0)] {
        assert!(View::parse(&bad).is_none(), "{bad:?}");
    }
    let dense = counted(5000, SPARSE_MAX).into_bytes();
    assert!(View::parse(&dense[1..]).is_none());
    assert!(View::parse(&dense[..dense.len() - 1]).is_none());
    assert!(View::parse(&[&dense[..], b"x"].concat()).is_none());
}

#[test]
fn a_sparse_string_that_does_not_cover_its_registers_is_corrupt() {
    let good = counted(10, SPARSE_MAX).into_bytes();
    let header = &good[..16];
    let tails: [&[u8]; 5] = [b"hello", b"\x00", b"\x7f\xff", b"\x7f", b"\xff"];
    let mut bad: Vec<Vec<u8>> = tails.iter().map(|tail| [&good[..], tail].concat()).collect();
    bad.extend([good[..good.len() - 1].to_vec(), header.to_vec(), [header, b"\x40"].concat()]);
    for bytes in bad {
        let view = View::parse(&bytes).unwrap();
        assert_eq!(view.count(), Err(Corrupt), "{bytes:?}");
        assert_eq!(view.registers(), Err(Corrupt));
        assert_eq!(Union::new().merge(view), Err(Corrupt));
        let mut hll = Hll::copy_of(view);
        assert_eq!(hll.make_dense(), Err(Corrupt));
        assert_eq!(hll.into_bytes(), bytes, "and it is left as it is");
    }
}

#[test]
fn the_hash_reads_every_byte_of_every_length() {
    let data: Vec<u8> = (0..40).collect();
    for len in 0..40 {
        let hash = murmur64(&data[..len], 1);
        for at in 0..len {
            let mut other = data[..len].to_vec();
            other[at] ^= 0x80;
            assert_ne!(murmur64(&other, 1), hash, "length {len}, byte {at}");
        }
    }
}

#[test]
fn a_union_with_a_dense_one_is_dense_and_keeps_the_header_of_its_destination() {
    let mut old = counted(5, SPARSE_MAX);
    old.bytes[5] = 7;
    let big = counted(5000, SPARSE_MAX);
    let mut union = Union::new();
    union.merge(old.view()).unwrap();
    union.merge(big.view()).unwrap();
    let stored = union.store(Some(old.view()), SPARSE_MAX).unwrap();
    assert_eq!(stored.form, Form::Dense);
    assert_eq!(stored.bytes[5], 7, "unused bytes are nobody's to clear");
    assert_eq!(stored.view().cached(), None);
    assert_eq!(stored.view().count(), Ok(union.count()));
    assert_eq!(stored.view().registers(), big.view().registers());
}

/// Elements whose registers are few, so that runs of equal registers meet.
fn crowded() -> impl Strategy<Value = Vec<(usize, u8)>> {
    proptest::collection::vec((0usize..40, 1u8..6), 0..200)
}

proptest! {
    #[test]
    fn both_forms_hold_what_a_model_holds(
        raises in crowded(),
        spread in 1usize..400,
        sparse_max in 16usize..400,
    ) {
        let mut model = [0u8; REGISTERS];
        let mut sparse = Hll::new();
        let mut dense = Hll::new();
        dense.make_dense().unwrap();
        for (step, value) in raises {
            let index = step * spread % REGISTERS;
            let is_higher = value > model[index];
            model[index] = model[index].max(value);
            prop_assert_eq!(sparse.raise(index, value, sparse_max), Ok(is_higher));
            prop_assert_eq!(dense.raise(index, value, sparse_max), Ok(is_higher));
            prop_assert!(sparse.form == Form::Dense || sparse.bytes.len() <= sparse_max.max(18));
        }
        prop_assert!(sparse.view().registers() == Ok(model));
        prop_assert!(dense.view().registers() == Ok(model));
        prop_assert_eq!(sparse.view().count(), dense.view().count());
        prop_assert!(sparse.make_dense().is_ok());
        prop_assert_eq!(&sparse.bytes[16..], &dense.bytes[16..]);
    }

    #[test]
    fn a_union_is_the_greater_of_each_register(
        parts in proptest::collection::vec((crowded(), 1usize..400), 1..4),
        limit in 16usize..400,
    ) {
        let mut union = Union::new();
        let mut model = [0u8; REGISTERS];
        for (raises, spread) in parts {
            let mut hll = Hll::new();
            for (step, value) in raises {
                let index = step * spread % REGISTERS;
                hll.raise(index, value, SPARSE_MAX).unwrap();
                model[index] = model[index].max(value);
            }
            union.merge(hll.view()).unwrap();
        }
        let stored = union.store(None, limit).unwrap();
        prop_assert!(stored.view().registers() == Ok(model));
        prop_assert_eq!(stored.view().count(), Ok(union.count()));
    }

    #[test]
    fn hostile_strings_panic_nowhere(
        elements in 0u32..60,
        edits in proptest::collection::vec((0usize..200, any::<u8>()), 0..6),
        cut in 0usize..400,
    ) {
        let mut bytes = counted(elements, SPARSE_MAX).into_bytes();
        for (at, byte) in edits {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        bytes.truncate(cut.max(16));
        fuzz_hll(&bytes);
        bytes[..5].copy_from_slice(b"HYLL\x01");
        fuzz_hll(&bytes);
    }
}
