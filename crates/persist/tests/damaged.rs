//! Input as a bad disk or a bad mind would have it: it is refused or sound, and takes no more
//! memory than it has a right to.
//!
//! `VESTA_MUTATIONS` says how many inputs each test tries.
#![expect(unsafe_code, reason = "counting allocations needs an allocator")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;
use vesta_ds::KeyHasher;
use vesta_persist::aof::{
    BaseWriter, ItemReader, Manifest, annotation, fuzz_base, fuzz_items, fuzz_manifest,
};
use vesta_persist::rdb::{
    Decoded, Effort, Fault, FileDecoder, FileEncoder, Item, KeyTraits, Target, decode_payload,
    encode_payload, fuzz_file, fuzz_value,
};
use vesta_store::object::{End, new_entry};
use vesta_store::{Entry, Hash, Kind, Limits, List, NewValue, Rules, Set, Zset};
use vesta_testkit::rdb::{Mutator, Sample, samples, sealed};
use vesta_types::{DbIndex, ReplId, Rng};

/// Counts the bytes that the current thread has allocated and not freed, and the most it ever had.
struct Counting;

thread_local! {
    static BYTES: Cell<usize> = const { Cell::new(0) };
    static PEAK: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call is handed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let bytes = BYTES.get().wrapping_add(layout.size());
        BYTES.set(bytes);
        PEAK.set(PEAK.get().max(bytes));
        // SAFETY: by the caller's contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        BYTES.set(BYTES.get().wrapping_sub(layout.size()));
        // SAFETY: by the caller's contract.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What a decoder may take whatever its input, in bytes: tables have a first size.
const SPARE_BYTES: usize = 16 * 1024;
/// How many bytes a byte of input may become. A byte of compressed input stands for 88 bytes at
/// most, and an element of two bytes for a place in a table with its allocation.
const GROWTH_MAX: usize = 88 * 16;

/// The most bytes that `run` has at a time.
fn peak_of(run: impl FnOnce()) -> usize {
    let before = BYTES.get();
    PEAK.set(before);
    run();
    PEAK.get() - before
}

/// Tries damaged copies of `inputs`: `decode` is measured, `examine` may take what it likes.
fn try_damaged(seed: u64, inputs: &[Vec<u8>], decode: impl Fn(&[u8]), examine: impl Fn(&[u8])) {
    let count = std::env::var("VESTA_MUTATIONS").ok().and_then(|count| count.parse().ok());
    let (count, mut mutator) = (count.unwrap_or(3000_usize), Mutator::new(seed));
    let mut most = (0, 0, 0);
    for input in inputs.iter().cycle().take(count) {
        let input = mutator.mutated(input);
        let peak = peak_of(|| decode(&input));
        assert!(peak <= SPARE_BYTES + GROWTH_MAX * input.len(), "{peak} bytes for {input:?}");
        most = most.max((peak / input.len().max(1), peak, input.len()));
        examine(&input);
    }
    let (growth, peak, len) = most;
    println!("{count} inputs; at most {growth} times its length ({peak} bytes for {len})");
}

fn rules() -> Rules {
    Rules { limits: Limits::default(), hasher: KeyHasher::new(1) }
}

/// Samples of which many can be tried in little time.
fn small_samples() -> impl Iterator<Item = Sample> {
    samples().into_iter().filter(|sample| sample.bytes.len() < 2000)
}

/// A file for each sample, with everything around the value that a file can have.
fn small_files() -> Vec<Vec<u8>> {
    let file = |sample: Sample| {
        let rules = rules();
        let target = if sample.version < 11 { Target::Redis70 } else { Target::Redis72 };
        let version = sample.version.clamp(10, 12);
        let mut encoder = FileEncoder::begin(version, target, true, false);
        encoder.aux("redis-ver", b"7.2.4");
        encoder.function(b"#!lua name=f");
        encoder.select(3, 1, 1);
        let loaded = decode_payload(&sample.payload(), &rules, u64::MAX).expect("it is sound");
        let entry = loaded.into_entry(b"key", None, 0);
        let traits =
            KeyTraits { expiry: Some(9_000_000_000_000), idle_s: Some(1000), frequency: Some(200) };
        encoder.key(b"key", &entry.value(), traits, Effort::Usual);
        encoder.end().into_bytes()
    };
    let id = b"\x81AAAAAAAA";
    let parts = b"\x01\x05\x02\x05\x03\0\0\0\0\x04\0\0\0\0\0\0\0\0\x05\x01x\x00";
    let aux = [&b"REDIS0010\xf7"[..], id, b"\x02\x01", parts].concat();
    let of_module = [&aux[..], b"\x07\x01k", id, parts, b"\xff\0\0\0\0\0\0\0\0"].concat();
    small_samples().map(file).chain([of_module]).collect()
}

/// Reads a file as far as it goes.
fn read_file(file: &[u8]) {
    let (mut decoder, rules) = (FileDecoder::new(u64::MAX), rules());
    let mut rest = file;
    while let Ok(Decoded { taken, item: Some(item) }) = decoder.decode(rest, &rules) {
        rest = rest.get(taken..).unwrap_or_default();
        if let Item::Key(key) = item {
            black_box(key.value.into_entry(&key.key, key.expiry, 0));
        }
    }
}

/// Logs with a base as requests, increments, and what stands between them.
fn logs() -> Vec<Vec<u8>> {
    let (mut writer, mut log) = (BaseWriter::default(), vec![7]);
    let mut logs = Vec::new();
    for sample in small_samples() {
        annotation::time(&mut log, 1_700_000_000);
        annotation::history(&mut log, ReplId::random(&mut Rng::new(1)), 1 << 40);
        let loaded = decode_payload(&sample.payload(), &rules(), u64::MAX).expect("it is sound");
        writer.key(&mut log, DbIndex::ZERO, &loaded.into_entry(b"key", Some(7), 0));
        log.extend(b"# something else\r\n*1\r\n$5\r\nMULTI\r\n*1\r\n$4\r\nEXEC\r\n");
        if log.len() > 500 {
            logs.push(std::mem::replace(&mut log, vec![61]));
        }
    }
    logs
}

fn read_log(log: &[u8]) {
    let (mut reader, mut rest) = (ItemReader::default(), log);
    loop {
        match reader.next(rest) {
            Ok((_, len)) => rest = rest.get(len..).unwrap_or_default(),
            Err(Fault::Short { .. } | Fault::Corrupt(_)) => return,
        }
    }
}

fn manifests() -> Vec<Vec<u8>> {
    let whole = b"file appendonly.aof.2.base.rdb seq 2 type b\n\
        file appendonly.aof.1.incr.aof seq 1 type h\n\
        file \"a \\x41 b.incr.aof\" seq 2 type i\n\
        file appendonly.aof.4.incr.aof seq 4 type i\n";
    let small = b"# by hand\nfile 'a\\'b' seq 461168601842738790 type i startoffset 0\n";
    vec![whole.to_vec(), small.to_vec(), b"Seq 1 FILE x type b\n".to_vec()]
}

#[test]
fn damaged_values_are_refused_or_sound() {
    let (inputs, rules) = (small_samples().map(|s| s.bytes).collect::<Vec<_>>(), rules());
    let decode = |input: &[u8]| {
        for version in [12, 80] {
            if let Ok(loaded) = decode_payload(&sealed(input, version), &rules, u64::MAX) {
                black_box(loaded.into_entry(b"key", None, 0));
            }
        }
    };
    try_damaged(0x5eed, &inputs, decode, fuzz_value);
}

/// What compresses best: the same element over and over, or whole numbers in a row.
#[test]
fn what_decompresses_takes_no_more_than_it_has_a_right_to() {
    const COUNT: i64 = 50_000;
    let rules = rules();
    let (mut list, mut set) = (List::empty(), Set::empty());
    let (mut zset, mut hash) = (Zset::empty(), Hash::empty());
    for number in 0..COUNT {
        let name = number.to_string();
        list.push(End::Back, b"x", &rules);
        set.insert(number, &rules);
        zset.insert(name.as_bytes(), 0.0, &rules);
        hash.set(name.as_bytes(), b"", &rules);
    }
    let mut wide = rules.clone();
    wide.limits.set_intset_entries_max = usize::MAX;
    let mut intset = Set::empty();
    for number in 0..COUNT {
        intset.insert(number, &wide);
    }
    let objects = [
        list.into_object(),
        set.into_object(),
        zset.into_object(),
        hash.into_object(),
        intset.into_object(),
    ];
    for object in objects {
        let name = object.type_name();
        let entry = new_entry(b"key", object, None, 0);
        let payload = encode_payload(&entry.value(), Target::Redis72, true);
        let peak = peak_of(|| drop(black_box(decode_payload(&payload, &rules, u64::MAX))));
        println!("{name}: {} bytes of {}", peak, payload.len());
        assert!(peak <= SPARE_BYTES + GROWTH_MAX * payload.len(), "{name}");
    }
    let text = vec![b'x'; 10_000_000];
    let entry = Entry::new(b"key", NewValue::Bytes(&text), None, 0);
    let payload = encode_payload(&entry.value(), Target::Redis72, true);
    let peak = peak_of(|| drop(black_box(decode_payload(&payload, &rules, u64::MAX))));
    println!("string: {} bytes of {}", peak, payload.len());
    assert!(peak <= SPARE_BYTES + GROWTH_MAX * payload.len());
}

#[test]
fn damaged_files_are_refused_or_sound() {
    try_damaged(0xf11e, &small_files(), read_file, fuzz_file);
}

#[test]
fn damaged_logs_are_refused_or_sound() {
    try_damaged(0x106, &logs(), read_log, fuzz_items);
}

#[test]
fn damaged_manifests_are_refused_or_sound() {
    let decode = |input: &[u8]| drop(black_box(Manifest::parse(input)));
    try_damaged(0x3a9, &manifests(), decode, fuzz_manifest);
}

#[test]
fn whatever_is_a_value_can_be_written_as_requests() {
    let inputs: Vec<_> = small_samples().map(|sample| sample.bytes).collect();
    try_damaged(0xba5e, &inputs, |_| {}, fuzz_base);
}
