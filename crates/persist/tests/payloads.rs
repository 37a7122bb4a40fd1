//! Payloads that were put together by hand, cut, and damaged.

use vesta_ds::KeyHasher;
use vesta_persist::rdb::{
    Dialect, Fault, Loaded, PayloadError, Reader, Target, ValueDecoder, ValueType, decode_payload,
    encode_payload, fuzz_value,
};
use vesta_store::{Limits, Rules};
use vesta_testkit::rdb::{Sample, samples, sealed};

fn rules() -> Rules {
    Rules { limits: Limits::default(), hasher: KeyHasher::new(1) }
}

fn decoded(sample: &Sample) -> Loaded {
    decode_payload(&sample.payload(), &rules(), 1 << 20)
        .unwrap_or_else(|why| panic!("{}: {why}", sample.name))
}

fn picture(loaded: &Loaded) -> String {
    format!("{loaded:?}")
}

#[test]
fn every_form_is_read_and_written_again() {
    for sample in samples() {
        fuzz_value(&sample.bytes);
        let loaded = picture(&decoded(&sample));
        let entry = decoded(&sample).into_entry(b"key", None, 0);
        for target in [Target::Redis70, Target::Redis72] {
            let payload = encode_payload(&entry.value(), target, true);
            let again = decode_payload(&payload, &rules(), 1 << 20).unwrap();
            assert_eq!(picture(&again), loaded, "{}", sample.name);
        }
    }
}

#[test]
fn values_are_what_they_were() {
    let known = [
        ("hash of texts", "Object(Hash({[97]: [49], [98]: [120, 120"),
        ("zset with decimal scores", "Object(Zset({[99]: -inf, [97]: 2.5, [98]: inf}))"),
        ("list as ziplist", "Object(List([[97], [49, 50], [97, 98, 99]]))"),
        ("zset as ziplist", "Object(Zset({[97]: 1.0, [98]: 2.5, [99]: 3.0}))"),
        ("set of integers as texts", "Object(Set({[49], [55]}))"),
        ("intset of 8 bytes", "Object(Set({[45, 51], [49, 48, 57"),
        ("zipmap", "Object(Hash({[102, 49]: [118, 49], [102, 50]: [121, 121"),
    ];
    for (name, start) in known {
        let sample = samples().into_iter().find(|sample| sample.name == name).unwrap();
        let text = picture(&decoded(&sample));
        assert!(text.starts_with(start), "{name}: {text}");
    }
}

/// Whatever comes byte by byte becomes the same value, and a cut payload is no value.
#[test]
fn a_value_may_arrive_in_pieces() {
    let rules = rules();
    for sample in samples() {
        let dialect = if sample.version == 80 { Dialect::Valkey } else { Dialect::Redis };
        let (code, body) = sample.bytes.split_first().unwrap();
        let mut decoder = ValueDecoder::new(ValueType::new(*code, dialect).unwrap(), &rules);
        let decoder = decoder.as_mut().unwrap();
        let (mut from, mut to) = (0, 0);
        let loaded = loop {
            let mut reader = Reader::new(&body[from..to], from as u64, 1 << 20);
            match decoder.advance(&mut reader, &rules) {
                Ok(loaded) => break loaded,
                Err(Fault::Short { more }) => {
                    assert!(to + more <= body.len(), "{}: it asks for too much", sample.name);
                    from += reader.taken();
                    to += 1;
                }
                Err(Fault::Corrupt(why)) => panic!("{}: {why}", sample.name),
            }
        };
        assert_eq!(to, body.len(), "{}: the last byte was needed", sample.name);
        assert_eq!(picture(&loaded), picture(&decoded(&sample)), "{}", sample.name);
    }
}

#[test]
fn a_cut_payload_is_refused() {
    for sample in samples() {
        // Long ones are cut at some hundred places.
        let step = 1 + sample.bytes.len() / 300;
        for len in (0..sample.bytes.len()).step_by(step) {
            let payload = sealed(&sample.bytes[..len], sample.version);
            let outcome = decode_payload(&payload, &rules(), 1 << 20);
            assert!(matches!(outcome, Err(PayloadError::Corrupt(_))), "{} {len}", sample.name);
        }
    }
}

#[test]
fn footers_are_checked() {
    let outcome = |payload: &[u8]| decode_payload(payload, &rules(), 1 << 20).map(drop);
    let good = sealed(b"\x00\x05hello", 10);
    assert_eq!(outcome(&good), Ok(()));
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1;
        assert_eq!(outcome(&bad), Err(PayloadError::VersionOrChecksum), "byte {at}");
    }
    for (version, is_known) in [(0, true), (12, true), (13, false), (79, false), (80, true)] {
        let known = outcome(&sealed(b"\x00\x05hello", version)).is_ok();
        assert_eq!(known, is_known, "version {version}");
    }
    assert_eq!(outcome(b"short"), Err(PayloadError::VersionOrChecksum));
}

#[test]
fn what_no_command_makes_is_refused() {
    let nan = f64::NAN.to_le_bytes();
    let with_nan = [b"\x05\x01\x01a", nan.as_slice()].concat();
    let bad: [&[u8]; 23] = [
        b"\x02\x02\x01a\x01a",
        b"\x02\x02\x011\xc0\x01",
        b"\x02\x00",
        b"\x04\x02\x01a\x011\x01a\x012",
        &with_nan,
        b"\x03\x01\x01a\xfd",
        b"\x01\x00",
        b"\x08\x00",
        b"\x06\x00",
        b"\x07\x00",
        b"\x12\x00",
        // Only an empty node.
        b"\x12\x01\x02\x07\x07\0\0\0\0\0\xff",
        // A node of kind 3.
        b"\x12\x01\x03\x07\x07\0\0\0\0\0\xff",
        // Listpacks: a field without a value, a member twice, in two encodings.
        b"\x10\x09\x09\0\0\0\x01\0\x01\x01\xff",
        b"\x14\x0b\x0b\0\0\0\x02\0\x01\x01\x01\x01\xff",
        b"\x14\x0c\x0c\0\0\0\x02\0\x01\x01\x811\x02\xff",
        // A length behind an element that says to go on into the element, a zero.
        b"\x12\x01\x02\x09\x09\0\0\0\x01\0\x00\x80\xff",
        // A sorted set out of order, and one whose score is no number.
        b"\x11\x12\x12\0\0\0\x04\0\x81a\x02\x05\x01\x81b\x02\x01\x01\xff",
        b"\x11\x0d\x0d\0\0\0\x02\0\x81a\x02\x81b\x02\xff",
        // An intset out of order.
        b"\x0b\x0c\x02\0\0\0\x02\0\0\0\x02\0\x01\0",
        // A string of 2^62 bytes, and one that decompresses to so many.
        b"\x00\x81\x40\0\0\0\0\0\0\0",
        b"\x00\xc3\x02\x81\x40\0\0\0\0\0\0\0\x00a",
        // A stream with a length and no entries.
        b"\x13\x00\x01\0\0\0\0\0\0\0\0",
    ];
    for bytes in bad {
        let outcome = decode_payload(&sealed(bytes, 12), &rules(), 1 << 20);
        assert!(matches!(outcome, Err(PayloadError::Corrupt(_))), "{bytes:?}: {outcome:?}");
    }
}
