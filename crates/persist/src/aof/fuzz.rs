//! Entries for fuzzers: manifests, and values that are written as requests.

use super::{BaseFormat, BaseWriter, Item, ItemReader, Manifest};
use crate::rdb::{decode_payload, seal_payload};
use alloc::vec::Vec;
use vesta_ds::KeyHasher;
use vesta_store::{Entry, Limits, Object, Rules, Value};
use vesta_types::DbIndex;

/// Longest string that a fuzzer's value may decompress to.
const STRING_BYTES_MAX: u64 = 1 << 24;
/// The newest version of payloads.
const VERSION: u16 = 12;
const KEY: &[u8] = b"key";

/// Takes `data` for a manifest, and has a rewrite change it.
///
/// # Panics
/// When a manifest that was written is not read back as it was.
pub fn fuzz_manifest(data: &[u8]) {
    const STEM: &[u8] = b"appendonly.aof";
    let Ok(mut manifest) = Manifest::parse(data) else { return };
    // One of nothing but comments is none.
    if manifest.files().next().is_none() && !manifest.has_history() {
        return;
    }
    assert_reads_back(&manifest);
    let first_kept = manifest.begin_increment(STEM).seq;
    assert_reads_back(&manifest);
    manifest.complete_rewrite(STEM, BaseFormat::Rdb, first_kept);
    assert_reads_back(&manifest);
    drop(manifest.take_history());
    assert_reads_back(&manifest);
}

/// The files are the same; which numbers come next need not be: those of history that is gone are
/// free again.
fn assert_reads_back(manifest: &Manifest) {
    let text = manifest.to_text();
    let again = Manifest::parse(&text).map(|again| again.to_text());
    assert!(again.as_ref() == Ok(&text), "{manifest:?} is read as {again:?}");
}

/// Takes `data` for the type and body of a value, which is then written as requests.
///
/// # Panics
/// When that is no sequence of requests about the key, or not all of the value is in it.
pub fn fuzz_base(data: &[u8]) {
    let mut payload = data.to_vec();
    seal_payload(&mut payload, VERSION);
    let rules = Rules { limits: Limits::default(), hasher: KeyHasher::new(1) };
    let Ok(loaded) = decode_payload(&payload, &rules, STRING_BYTES_MAX) else { return };
    let entry = loaded.into_entry(KEY, Some(1), 0);
    let mut requests = Vec::new();
    BaseWriter::default().key(&mut requests, DbIndex::ZERO, &entry);
    let (mut reader, mut rest, mut items) = (ItemReader::default(), requests.as_slice(), 0);
    let mut last = Vec::new();
    while !rest.is_empty() {
        let (item, len) = reader.next(rest).expect("what was written can be read");
        let Item::Request(words) = item else { panic!("there are requests only") };
        let words: Vec<&[u8]> = words.iter().filter_map(|word| rest.get(word.clone())).collect();
        items += items_of(&words);
        last = words.first().map(|name| name.to_vec()).unwrap_or_default();
        rest = rest.get(len..).unwrap_or_default();
    }
    assert!(last == b"PEXPIREAT", "the expiry comes last");
    assert!(items == len_of(&entry), "all items of a value are written, once");
}

/// How many items of the value a request adds.
fn items_of(words: &[&[u8]]) -> u64 {
    let width = match words.first() {
        Some(&b"SELECT") => return 0,
        Some(&b"SET" | &b"SADD" | &b"RPUSH") => 1,
        Some(&b"ZADD" | &b"HSET") => 2,
        Some(&b"XADD" | &b"XSETID" | &b"XTRIM" | &b"PEXPIREAT" | &b"HPEXPIREAT" | &b"XCLAIM") => {
            assert!(words.get(1) == Some(&KEY), "it is about the key: {words:?}");
            return 0;
        }
        Some(&b"XGROUP") => {
            assert!(words.get(2) == Some(&KEY), "it is about the key: {words:?}");
            return 0;
        }
        other => panic!("{other:?} makes no value"),
    };
    assert!(words.get(1) == Some(&KEY), "it is about the key: {words:?}");
    let arguments = words.len() - 2;
    assert!(arguments > 0 && arguments.is_multiple_of(width), "whole items: {words:?}");
    (arguments / width) as u64
}

/// How many items a value has; those of streams are not counted.
fn len_of(entry: &Entry) -> u64 {
    let count = |object: &Object| match object {
        Object::Hash(hash) => hash.len() as u64,
        Object::List(list) => list.len() as u64,
        Object::Set(set) => set.len() as u64,
        Object::Stream(_) => 0,
        Object::Zset(zset) => zset.len() as u64,
    };
    match entry.value() {
        Value::String(_) => 1,
        Value::Packed(packed) => count(&Object::unpacked(packed)),
        Value::Object(object) => count(object),
    }
}
