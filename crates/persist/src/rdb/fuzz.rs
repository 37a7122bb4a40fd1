//! Entries for fuzzers: what is decoded must stand being written and read again.

use super::payload::decode_value;
use super::{
    Decoded, Dialect, FileDecoder, Item, Loaded, Reader, Target, decode_payload, encode_payload,
    seal_payload,
};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use vesta_ds::KeyHasher;
use vesta_store::stream::{Pending, StreamId};
use vesta_store::{Limits, Object, Rules, Value};

/// Longest string that a fuzzer's payload may decompress to.
const STRING_BYTES_MAX: u64 = 1 << 24;

/// Takes `data` for the type and body of a value, in both dialects.
///
/// # Panics
/// When an accepted value is another one after it has been written and read.
pub fn fuzz_value(data: &[u8]) {
    let rules = rules_for(data);
    for dialect in [Dialect::Redis, Dialect::Valkey] {
        let mut reader = Reader::new(data, 0, STRING_BYTES_MAX);
        if let Ok(loaded) = decode_value(&mut reader, dialect, &rules) {
            try_out(loaded, &rules);
        }
    }
}

/// Takes `data` for a payload, as it is and with a right footer.
///
/// # Panics
/// As [`fuzz_value`].
pub fn fuzz_payload(data: &[u8]) {
    let rules = rules_for(data);
    let mut sealed = data.to_vec();
    seal_payload(&mut sealed, 12);
    for payload in [data, &sealed] {
        if let Ok(loaded) = decode_payload(payload, &rules, STRING_BYTES_MAX) {
            try_out(loaded, &rules);
        }
    }
}

/// Takes `data` for a file that arrives in two pieces, and for one behind a right header.
///
/// # Panics
/// As [`fuzz_value`], and when it matters where a file is cut.
pub fn fuzz_file(data: &[u8]) {
    let rules = rules_for(data);
    for magic in [&b""[..], b"REDIS0012", b"VALKEY080"] {
        let file = [magic, data].concat();
        let whole = read_file(&[&file], &rules);
        let (first, second) = file.split_at(file.len() / 2);
        assert_eq!(read_file(&[first, second], &rules), whole, "it does not matter how it comes");
    }
}

/// What is in a file that comes in pieces, and whether all of it was read.
fn read_file(pieces: &[&[u8]], rules: &Rules) -> (Vec<String>, bool) {
    let (mut decoder, mut items) = (FileDecoder::new(STRING_BYTES_MAX), Vec::new());
    let mut rest = Vec::new();
    for piece in pieces {
        rest.extend_from_slice(piece);
        loop {
            let Ok(Decoded { taken, item }) = decoder.decode(&rest, rules) else {
                return (items, false);
            };
            rest.drain(..taken);
            match item {
                Some(Item::Key(key)) => {
                    let entry = key.value.into_entry(&key.key, key.expiry, 0);
                    items.push(picture(&entry.value()));
                }
                Some(item) => items.push(format!("{item:?}")),
                None => break,
            }
        }
    }
    (items, decoder.is_done())
}

/// Small limits for some inputs, so that all encodings come up.
fn rules_for(data: &[u8]) -> Rules {
    let mut limits = Limits::default();
    if data.len() % 2 == 1 {
        limits.hash_listpack_entries_max = 2;
        limits.set_intset_entries_max = 2;
        limits.set_listpack_entries_max = 3;
        limits.zset_listpack_entries_max = 2;
        limits.list_compress_depth = 1;
    }
    Rules { limits, hasher: KeyHasher::new(1) }
}

fn try_out(loaded: Loaded, rules: &Rules) {
    let entry = loaded.into_entry(b"key", None, 0);
    if let Some(object) = entry.object() {
        assert!(!object.is_spent(), "a value without elements is refused");
    }
    let picture = picture(&entry.value());
    for target in [Target::Redis70, Target::Redis72] {
        let payload = encode_payload(&entry.value(), target, true);
        let again = decode_payload(&payload, rules, u64::MAX);
        let again = again.expect("what was written can be read").into_entry(b"key", None, 0);
        assert_eq!(self::picture(&again.value()), picture, "nothing is lost on the way");
    }
}

/// Everything that a value holds, the same for all encodings.
fn picture(value: &Value<'_, Object>) -> String {
    if let Value::Packed(packed) = value {
        return format!("{:?}", Value::Object(&Object::unpacked(packed)));
    }
    let Value::Object(Object::Stream(stream)) = value else { return format!("{value:?}") };
    let nodes: Vec<_> = stream.log().nodes().collect();
    let all = StreamId::MIN..=StreamId::MAX;
    let groups = stream.groups().map(|(name, group)| {
        // Ids of consumers do not tell their names and depend on the order in which they came.
        let holder =
            |pending: Pending| group.consumer(pending.consumer).map(|who| who.name().to_vec());
        let pending = group
            .pending_range(all.clone())
            .map(|(id, pending)| (id, holder(pending), pending.delivered_ms, pending.deliveries));
        let pending: Vec<_> = pending.collect();
        let consumers: Vec<_> = group
            .consumers()
            .map(|(_, consumer)| {
                (consumer.name().to_vec(), consumer.seen_ms, consumer.held_count())
            })
            .collect();
        (name.to_vec(), group.position(), pending, consumers)
    });
    let groups: Vec<_> = groups.collect();
    format!("{:?} {nodes:?} {groups:?}", stream.log().counters())
}
