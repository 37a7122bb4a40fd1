//! What a real server packed is unpacked; everything comes back; nothing hostile gets through.

use super::*;
use proptest::prelude::*;
use std::vec;

fn hex(digits: &str) -> Vec<u8> {
    let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    (0..digits.len()).step_by(2).map(byte).collect()
}

/// Packed by redis-server 7.0.15 with rdbcompression yes, out of the payload of DUMP.
#[test]
fn what_a_real_server_packed_is_unpacked() {
    for (packed, text) in [
        ("016161e05700016161", &[b'a'; 100][..]),
        ("0361626361e00b0205642d65666768", b"abcabcabcabcabcabcabcabcd-efgh"),
        (
            "1c7468652066697265206e6576657220676f6573206f757420616e64\
             2074c01b03697320682010056564206f6e2ce00116e00332017574",
            b"the fire never goes out and the fire is handed on, the fire never goes out",
        ),
        ("010000e0ff00e019000078e01922e0ff00010000", &[&[0; 300][..], b"x", &[0; 300]].concat()),
        (
            "0a3031323334353637383930e00a09002de00b14e00113e0b01e01392d",
            &b"012345678901234567890123456789-".repeat(8),
        ),
    ] {
        assert_eq!(decompress(&hex(packed), text.len()).as_deref(), Ok(text));
    }
}

#[test]
fn repeats_shrink_to_three_bytes_in_264() {
    let text = vec![b'a'; 100_000];
    let packed = compress(&text, usize::MAX).unwrap();
    assert!(packed.len() < 100_000 / 264 * 3 + 10, "{} bytes", packed.len());
    assert_eq!(decompress(&packed, text.len()).as_deref(), Ok(&text[..]));
}

#[test]
fn copies_reach_8192_bytes_back_and_no_further() {
    for (gap, shrinks) in [(8192 - 6, true), (8193 - 6, false)] {
        let mut text = b"abcdef".to_vec();
        let noise = (0..gap as u32).flat_map(|at| at.wrapping_mul(0x9e37_79b1).to_be_bytes());
        text.extend(noise.map(|byte| byte | 0x80).take(gap));
        text.extend(b"abcdef");
        let packed = compress(&text, usize::MAX).unwrap();
        let tail = &packed[packed.len() - 2..];
        assert_eq!(tail == [0x9f, 0xff], shrinks, "gap {gap}");
        assert_eq!(decompress(&packed, text.len()).as_deref(), Ok(&text[..]));
    }
}

#[test]
fn what_does_not_shrink_enough_is_left_alone() {
    assert_eq!(compress(b"0123456789abcdef", 15), None);
    assert_eq!(compress(b"0123456789abcdef", 17).map(|packed| packed.len()), Some(17));
    assert_eq!(compress(b"", 0), Some(Vec::new()));
    let text = vec![b'a'; 1000];
    let len = compress(&text, 1000).unwrap().len();
    assert!(compress(&text, len).is_some() && compress(&text, len - 1).is_none());
}

#[test]
fn hostile_runs_are_refused_where_they_stand() {
    let refused = |packed: &[u8], len| decompress(packed, len).unwrap_err().at_byte;
    assert_eq!(refused(b"\x01a", 2), 0, "two bytes said, one there");
    assert_eq!(refused(b"\x00a\x20\x01", 4), 2, "from before the beginning");
    assert_eq!(refused(b"\x00a\x20", 4), 2, "a copy cut off");
    assert_eq!(refused(b"\x00a\xe0", 10), 2, "a long copy cut off");
    assert_eq!(refused(b"\x00a\xe0\xff", 10), 2, "a long copy cut off");
    assert_eq!(refused(b"\x00a\x20\x00", 3), 2, "longer than it claims");
    assert_eq!(refused(b"\x01ab", 1), 0, "longer than it claims");
    assert_eq!(refused(b"\x00a", 2), 2, "shorter than it claims");
    assert_eq!(refused(b"\x00a", usize::MAX), 0, "more than it could be");
    assert_eq!(decompress(b"", 0).as_deref(), Ok(&b""[..]));
}

proptest! {
    #[test]
    fn everything_comes_back(
        words in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..12), 1..6),
        order in prop::collection::vec((any::<usize>(), 0..40_usize), 0..60),
    ) {
        let mut text = Vec::new();
        for (word, times) in order {
            for _ in 0..times {
                text.extend(&words[word % words.len()]);
            }
        }
        let packed = compress(&text, usize::MAX).unwrap();
        prop_assert!(packed.len() <= text.len() + text.len() / 32 + 1);
        prop_assert_eq!(decompress(&packed, text.len()), Ok(text));
    }

    #[test]
    fn no_bytes_make_it_panic(
        data in prop::collection::vec(any::<u8>(), 0..200),
        text in "[ab]{0,60}",
        change in any::<(usize, u8)>(),
    ) {
        fuzz_lzf(&data);
        let mut data = vec![text.len() as u8, 0];
        data.extend(compress(text.as_bytes(), usize::MAX).unwrap());
        let at = change.0 % data.len();
        data[at] = change.1;
        fuzz_lzf(&data);
    }
}
