//! Byte identity with a real server, a model, and bytes that no honest writer makes.

use super::*;
use proptest::prelude::*;
use std::collections::VecDeque;
use std::string::{String, ToString};
use std::vec::Vec;
use std::{format, vec};

/// A listpack of these texts.
fn pack<T: AsRef<[u8]>>(values: &[T]) -> Listpack {
    let mut pack = Listpack::new();
    for value in values {
        pack.push(value.as_ref()).unwrap();
    }
    pack
}

fn texts(pack: &Listpack) -> Vec<Vec<u8>> {
    pack.iter().map(|element| element.text(&mut Digits::new()).to_vec()).collect()
}

/// `x*N`, `_` and `""` as the fixtures write them.
fn fixture_value(word: &str) -> Vec<u8> {
    match word.strip_prefix("x*") {
        Some(count) => vec![b'x'; count.parse().unwrap()],
        None => word.replace('_', " ").replace("\"\"", "").into_bytes(),
    }
}

fn fixture_bytes(mut hex: &str) -> Vec<u8> {
    let byte = |digits: &str| u8::from_str_radix(digits, 16).unwrap();
    let mut bytes = Vec::new();
    while !hex.is_empty() {
        if let Some(run) = hex.strip_prefix('(') {
            let (run, rest) = run.split_once(')').unwrap();
            let (digits, count) = run.split_once('*').unwrap();
            bytes.resize(bytes.len() + count.parse::<usize>().unwrap(), byte(digits));
            hex = rest;
        } else {
            bytes.push(byte(&hex[..2]));
            hex = &hex[2..];
        }
    }
    bytes
}

#[test]
fn the_bytes_are_those_of_a_real_server() {
    let mut seen = 0;
    for line in include_str!("../../tests/data/listpack.txt").lines() {
        if line.starts_with('#') {
            continue;
        }
        let (values, hex) = line.split_once(" => ").unwrap();
        let values: Vec<Vec<u8>> = values.split(' ').map(fixture_value).collect();
        let theirs = fixture_bytes(hex);
        assert!(pack(&values).bytes() == theirs, "{line}");
        let read = Listpack::validate(&theirs).unwrap();
        assert!(texts(&read) == values, "{line}");
        seen += 1;
    }
    assert!(seen > 100, "only {seen} fixtures");
}

#[test]
fn the_length_behind_takes_a_byte_more_at_the_last_of_each_step() {
    for (extent, bytes) in [
        (127, 1),
        (128, 2),
        (16382, 2),
        (16383, 3),
        (2_097_150, 3),
        (2_097_151, 4),
        (268_435_454, 4),
        (268_435_455, 5),
    ] {
        assert_eq!(code::back_bytes(extent), bytes, "{extent}");
    }
}

#[test]
fn the_count_is_unknown_from_65535_elements_on_and_stays_so() {
    let mut pack = Listpack::new();
    for number in 0..65534_i64 {
        pack.push(number).unwrap();
    }
    assert_eq!((pack.bytes()[4..6].to_vec(), pack.len()), (vec![0xfe, 0xff], 65534));
    assert_eq!(pack.get_index(-1), Some(Element::Int(65533)));
    pack.push(65534).unwrap();
    assert_eq!((pack.bytes()[4..6].to_vec(), pack.len()), (vec![0xff, 0xff], 65535));
    assert_eq!(pack.get_index(-65535), Some(Element::Int(0)));
    assert_eq!(pack.get_index(65534), Some(Element::Int(65534)));
    assert_eq!((pack.get_index(65535), pack.get_index(-65536)), (None, None));
    assert!(Listpack::validate(pack.bytes()).is_ok());
    assert_eq!(pack.remove_range(-10, 20), 10);
    assert_eq!((pack.bytes()[4..6].to_vec(), pack.len()), (vec![0xff, 0xff], 65525));
    let tail = pack.split_off(pack.seek(100).unwrap());
    assert_eq!((tail.len(), pack.len()), (65425, 100));
    let mut sum = tail.clone();
    sum.prepend(&tail).unwrap();
    assert_eq!(sum.len(), 2 * 65425);
}

#[test]
fn a_pair_is_found_by_its_first_half_only() {
    let pack = pack(&["a", "b", "b", "17", "17", "c"]);
    assert_eq!(pack.find_pair(b"b"), pack.seek(2));
    assert_eq!(pack.find_pair(b"17"), pack.seek(4));
    assert_eq!(pack.find_pair(17), pack.seek(4));
    assert_eq!(pack.find_pair(b"c"), None);
    assert_eq!(pack.find(pack.seek(1).unwrap(), b"c", 1), pack.seek(5));
    let pairs: Vec<_> = pack.pairs().rev().map(|(key, _)| key).collect();
    assert_eq!(pairs, [Element::Int(17), Element::Bytes(b"b"), Element::Bytes(b"a")]);
}

#[test]
fn an_edit_past_a_gibibyte_is_refused_and_changes_nothing() {
    let mut large = Listpack::new();
    let half = vec![0; BYTES_MAX / 2]; // the limit is lower in tests
    large.push(half.as_slice()).unwrap();
    let before = large.total_bytes();
    assert!(large.has_room(BYTES_MAX - before) && !large.has_room(BYTES_MAX - before + 1));
    assert!(!large.has_room(usize::MAX));
    assert_eq!(large.push(half.as_slice()), Err(Full));
    assert_eq!((large.total_bytes(), large.len()), (before, 1));
    drop(half);
    let again = large.clone();
    assert_eq!(large.append(&again), Err(Full));
    assert_eq!((large.total_bytes(), large.len()), (before, 1));
}

#[test]
fn blocks_follow_their_contents_down_again() {
    let mut pack = Listpack::new();
    assert_eq!(pack.heap_bytes(), 8);
    for number in 0..1000_i64 {
        pack.push(number + 100_000).unwrap();
        assert!(pack.heap_bytes() <= (pack.total_bytes() * 5 / 4).next_multiple_of(8));
    }
    while let Some(pos) = pack.first() {
        pack.remove(pos);
        assert!(pack.heap_bytes() * 3 / 5 <= pack.total_bytes().next_multiple_of(8));
    }
    assert_eq!((pack.total_bytes(), pack.heap_bytes()), (7, 8));
}

/// Encodings that a writer may use although shorter ones exist.
#[test]
fn integers_kept_as_strings_and_wide_integers_are_understood() {
    let bytes = b"\x12\0\0\0\x02\0\x8212\x03\xf3\x05\0\0\0\x05\xff";
    let mut bytes = bytes.to_vec();
    bytes[0] = bytes.len() as u8;
    let pack = Listpack::validate(&bytes).unwrap();
    assert_eq!(pack.get_index(0), Some(Element::Int(12)));
    assert_eq!(pack.find(pack.first().unwrap(), b"12", 0), pack.seek(0));
    assert_eq!(pack.find(pack.first().unwrap(), 5, 0), pack.seek(1));
    fuzz_listpack(&bytes);
}

#[test]
fn what_does_not_add_up_is_refused_where_it_does_not() {
    let good = pack(&["abc", "1", "-5000"]).bytes().to_vec();
    let refused = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bad = good.clone();
        change(&mut bad);
        Listpack::validate(&bad).unwrap_err().at_byte
    };
    assert_eq!(refused(&|bad| bad.truncate(5)), 5);
    assert_eq!(refused(&|bad| bad[0] += 1), 0);
    assert_eq!(refused(&|bad| bad.push(0xff)), 0);
    assert_eq!(refused(&|bad| bad[4] = 2), 4);
    assert_eq!(refused(&|bad| bad[6] = 0xf5), 6);
    assert_eq!(refused(&|bad| bad[6] = 0x84), 11, "one byte longer than it says behind");
    assert_eq!(refused(&|bad| bad[10] = 5), 10);
    assert_eq!(refused(&|bad| *bad.last_mut().unwrap() = 0), good.len() as u64 - 1);
    assert_eq!(refused(&|bad| bad[11] = 0xff), 11, "an end mark among the entries");
    assert_eq!(Listpack::validate(b"").unwrap_err().at_byte, 0);
    assert_eq!(Listpack::validate(b"\x06\0\0\0\0\0").unwrap_err().at_byte, 5);
    let long_string = b"\x0d\0\0\0\x01\0\xf0\xff\xff\xff\xff\x05\xff";
    assert_eq!(Listpack::validate(long_string).unwrap_err().at_byte, 6);
}

/// Texts around the limits of every encoding.
fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        any::<i64>().prop_map(|number| number.to_string().into_bytes()),
        (0..64_u32, -2_i64..2).prop_map(|(bits, by)| {
            (1_i64.rotate_left(bits).wrapping_add(by)).to_string().into_bytes()
        }),
        "[-+0-9]{0,3}".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..20),
        (50..200_usize).prop_map(|length| vec![b'v'; length]),
        (4090..4100_usize).prop_map(|length| vec![b'w'; length]),
    ]
}

#[derive(Clone, Debug)]
enum Step {
    Insert(usize, Vec<u8>),
    Replace(usize, Vec<u8>),
    Remove(usize),
    RemoveRange(i64, usize),
    SplitAndSwap(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (any::<usize>(), value()).prop_map(|(at, value)| Step::Insert(at, value)),
        2 => (any::<usize>(), value()).prop_map(|(at, value)| Step::Replace(at, value)),
        2 => any::<usize>().prop_map(Step::Remove),
        1 => (-20..20_i64, 0..5_usize).prop_map(|(at, count)| Step::RemoveRange(at, count)),
        1 => any::<usize>().prop_map(Step::SplitAndSwap),
    ]
}

fn apply(pack: &mut Listpack, model: &mut VecDeque<Vec<u8>>, step: Step) {
    let place = |at: usize| at % model.len().max(1);
    match step {
        Step::Insert(at, value) => {
            let at = at % (model.len() + 1);
            let pos = pack.seek(at as i64).unwrap_or(pack.end());
            assert_eq!(pack.insert(pos, value.as_slice()), Ok(pos));
            assert!(pack.get(pos).unwrap().is(&value));
            model.insert(at, value);
        }
        Step::Replace(at, value) => {
            let at = place(at);
            if let Some(pos) = pack.seek(at as i64) {
                assert_eq!(pack.replace(pos, value.as_slice()), Ok(pos));
                model[at] = value;
            }
        }
        Step::Remove(at) => {
            let at = place(at);
            if let Some(pos) = pack.seek(at as i64) {
                let next = pack.remove(pos);
                model.remove(at);
                assert_eq!(next.is_some(), at < model.len());
                assert_eq!(next, pack.seek(at as i64).filter(|_| at < model.len()));
            }
        }
        Step::RemoveRange(index, count) => {
            let start = if index < 0 { index + model.len() as i64 } else { index };
            let range = match usize::try_from(start) {
                Ok(start) if start < model.len() => start..(start + count).min(model.len()),
                _ => 0..0,
            };
            assert_eq!(pack.remove_range(index, count), range.len());
            model.drain(range);
        }
        Step::SplitAndSwap(at) => {
            let at = at % (model.len() + 1);
            let tail = pack.split_off(pack.seek(at as i64).unwrap_or(pack.end()));
            assert_eq!((pack.len(), tail.len()), (at, model.len() - at));
            pack.prepend(&tail).unwrap();
            model.rotate_left(at);
        }
    }
}

proptest! {
    #[test]
    fn it_behaves_as_a_deque(steps in prop::collection::vec(step(), 0..60)) {
        let mut pack = Listpack::new();
        let mut model = VecDeque::new();
        for step in steps {
            apply(&mut pack, &mut model, step);
            prop_assert_eq!(pack.len(), model.len());
            prop_assert_eq!(texts(&pack), Vec::from(model.clone()));
            let checked = Listpack::validate(pack.bytes());
            prop_assert_eq!(checked.as_ref(), Ok(&pack));
        }
        let backwards: Vec<_> =
            pack.iter().rev().map(|element| element.text(&mut Digits::new()).to_vec()).collect();
        prop_assert_eq!(backwards, model.iter().rev().cloned().collect::<Vec<_>>());
        for (index, value) in model.iter().enumerate() {
            let first = model.iter().position(|other| other == value).unwrap();
            let start = pack.first().unwrap();
            prop_assert_eq!(pack.find(start, value.as_slice(), 0), pack.seek(first as i64));
            let negative = index as i64 - model.len() as i64;
            prop_assert_eq!(pack.seek(negative), pack.seek(index as i64));
        }
    }

    #[test]
    fn texts_compare_as_their_bytes_do(a in value(), b in value()) {
        let pack = pack(&[&a]);
        let element = pack.get_index(0).unwrap();
        prop_assert_eq!(element.cmp_text(&b), a.cmp(&b));
        prop_assert_eq!(element.is(&b), a == b);
        prop_assert_eq!(element.text_len(), a.len());
        prop_assert_eq!(element == Element::Bytes(&b), a == b);
        prop_assert_eq!(pack.total_bytes(), 7 + Listpack::entry_bytes(a.as_slice()));
    }

    #[test]
    fn no_bytes_make_it_panic(
        values in prop::collection::vec(value(), 0..8),
        changes in prop::collection::vec((any::<usize>(), any::<u8>()), 0..4),
        noise in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let mut bytes = pack(&values).bytes().to_vec();
        for (at, byte) in changes {
            let len = bytes.len();
            bytes[at % len] = byte;
        }
        fuzz_listpack(&bytes);
        fuzz_listpack(&noise);
    }
}

#[test]
fn it_prints_as_its_elements() {
    assert_eq!(format!("{:?}", pack(&["1"])), "[Int(1)]");
}
