//! Values that are written in pieces: what comes of it is what is written of them in one go.

use proptest::prelude::*;
use vesta_ds::KeyHasher;
use vesta_persist::Pieces;
use vesta_persist::aof::BaseWriter;
use vesta_persist::rdb::{
    Effort, FileDecoder, FileEncoder, Item, KeyTraits, Target, decode_payload,
};
use vesta_store::object::{End, new_entry};
use vesta_store::stream::{Group, NodeLimits, Pending, Position, StreamId};
use vesta_store::{Entry, Hash, Kind, Limits, List, NewValue, Rules, Set, Stream, Zset};
use vesta_testkit::rdb::samples;
use vesta_types::DbIndex;

fn rules() -> Rules {
    Rules { limits: Limits::default(), hasher: KeyHasher::new(1) }
}

/// A text of so many bytes; every second one can be compressed.
fn text(number: usize, len: usize) -> Vec<u8> {
    let number = number as u64;
    let noise = |at: u64| (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(at as u32);
    (0..len as u64)
        .map(|at| if number.is_multiple_of(2) { 7 } else { (noise(at) ^ at) as u8 })
        .collect()
}

fn string(len: usize) -> Entry {
    Entry::new(b"string", NewValue::Bytes(&text(len, len)), Some(9_000_000_000_000), 0)
}

fn hash(fields: usize, value_bytes: usize, expires: bool) -> Entry {
    let (mut hash, rules) = (Hash::empty(), rules());
    for number in 0..fields {
        let name = number.to_string().into_bytes();
        hash.set(&name, &text(number, value_bytes), &rules);
        if expires && number.is_multiple_of(3) {
            hash.set_expiry(&name, Some(5_000_000_000_000 - number as u64), &rules);
        }
    }
    new_entry(b"hash", hash.into_object(), None, 0)
}

fn set(members: usize, prefix: &str) -> Entry {
    let (mut set, rules) = (Set::empty(), rules());
    for number in 0..members {
        set.insert(format!("{prefix}{number}").as_bytes(), &rules);
    }
    new_entry(b"set", set.into_object(), None, 0)
}

fn zset(members: usize) -> Entry {
    let (mut zset, rules) = (Zset::empty(), rules());
    for number in 0..members {
        zset.insert(&text(number, 10), (number * 7 % 100) as f64 / 4.0, &rules);
        zset.insert(number.to_string().as_bytes(), number as f64, &rules);
    }
    new_entry(b"zset", zset.into_object(), None, 0)
}

fn list(elements: usize, bytes: usize, depth: u16) -> Entry {
    let limits = Limits { list_compress_depth: depth, ..Limits::default() };
    let (mut list, rules) = (List::empty(), Rules { limits, ..rules() });
    for number in 0..elements {
        list.push(End::Back, &text(number, bytes), &rules);
    }
    new_entry(b"list", list.into_object(), None, 0)
}

fn stream(entries: u64, groups: u64) -> Entry {
    let mut stream = Stream::empty();
    let limits = NodeLimits { bytes: 400, entries: 10 };
    for number in 1..=entries {
        let fields = [(b"name".as_slice(), b"value".as_slice())];
        let id = StreamId::new(number, 0);
        stream.log_mut().append(id, fields.into_iter(), limits).expect("ids go upwards");
    }
    for group in 0..groups {
        let last_id = StreamId::new(entries, 0);
        let position = Position { last_id, entries_read: Some(entries) };
        let mut made = Group::new(position);
        for name in [b"one".as_slice(), b"two", b"idle"] {
            made.add_consumer(name, 1000 + group);
        }
        for number in 1..=entries {
            let name = if number.is_multiple_of(2) { b"one" } else { b"two" };
            let consumer = made.consumer_id(name).expect("it was added");
            let pending = Pending { consumer, delivered_ms: number, deliveries: group + 1 };
            made.assign(StreamId::new(number, 0), pending);
        }
        stream.add_group(format!("group {group}").as_bytes(), made);
    }
    new_entry(b"stream", stream.into_object(), None, 0)
}

fn entry() -> impl Strategy<Value = Entry> {
    let size = || prop_oneof![1..20_usize, 100..800_usize];
    let sample = |at: prop::sample::Index| {
        let samples = samples();
        let sample = at.get(&samples);
        let loaded =
            decode_payload(&sample.payload(), &rules(), 1 << 24).expect("a sample is sound");
        loaded.into_entry(sample.name.as_bytes(), None, 0)
    };
    prop_oneof![
        2 => prop_oneof![0..2000_usize, 60_000..400_000_usize].prop_map(string),
        2 => (size(), 0..100_usize, any::<bool>()).prop_map(|(n, len, ex)| hash(n, len, ex)),
        1 => (size(), prop::sample::select(vec!["", "member "])).prop_map(|(n, p)| set(n, p)),
        1 => size().prop_map(zset),
        2 => (size(), prop_oneof![2..200_usize, 9000..20_000_usize], 0..2_u16)
            .prop_map(|(n, len, depth)| list(if len > 200 { n % 30 } else { n } + 1, len, depth)),
        2 => (0..300_u64, 0..4_u64).prop_map(|(entries, groups)| stream(entries, groups)),
        2 => any::<prop::sample::Index>().prop_map(sample),
    ]
}

/// The keys of a file, whose checksum is right.
fn keys(file: &[u8]) -> Vec<String> {
    let (mut decoder, rules, mut rest) = (FileDecoder::new(1 << 24), rules(), file);
    let mut keys = Vec::new();
    while !decoder.is_done() {
        let decoded = decoder.decode(rest, &rules).expect("the file is sound");
        rest = rest.get(decoded.taken..).unwrap_or_default();
        if let Some(Item::Key(key)) = decoded.item {
            keys.push(format!("{key:?}"));
        }
    }
    assert!(rest.is_empty());
    keys
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// A file in which one key is written in pieces while others come and bytes are taken.
    #[test]
    fn a_key_in_pieces_stands_in_the_file_as_if_it_were_whole(
        open in entry(),
        others in prop::collection::vec((entry(), 0..4_usize), 0..5),
        budgets in prop::collection::vec(prop_oneof![1..30_usize, 30..3000_usize], 1..10),
        (compresses, with_checksum, hurries) in any::<(bool, bool, bool)>(),
        target in prop::sample::select(vec![Target::Redis70, Target::Redis72]),
    ) {
        let traits = |entry: &Entry| KeyTraits { expiry: entry.expiry(), ..KeyTraits::default() };
        let begin = || FileEncoder::begin(12, target, compresses, with_checksum);
        let mut whole = begin();
        for entry in std::iter::once(&open).chain(others.iter().map(|(other, _)| other)) {
            whole.key(entry.key(), &entry.value(), traits(entry), Effort::Usual);
        }
        let whole = whole.end().into_bytes();

        let (mut encoder, mut file) = (begin(), Vec::new());
        encoder.open_key(open.key(), &open.value(), traits(&open));
        let mut steps = budgets.iter().cycle();
        let mut is_done = false;
        for (other, steps_before) in &others {
            for _ in 0..*steps_before {
                file.extend(encoder.take());
                is_done = is_done
                    || encoder.go_on(&open.value(), *steps.next().unwrap(), Effort::Usual);
            }
            encoder.key(other.key(), &other.value(), traits(other), Effort::Usual);
        }
        if hurries && !is_done {
            prop_assert!(encoder.go_on(&open.value(), usize::MAX, Effort::Least));
        } else {
            while !is_done {
                prop_assert!(encoder.is_open());
                is_done = encoder.go_on(&open.value(), *steps.next().unwrap(), Effort::Usual);
            }
        }
        prop_assert!(!encoder.is_open());
        file.extend(encoder.take());
        file.extend(encoder.end().into_bytes());
        prop_assert!(keys(&file) == keys(&whole));
        // What is compressed in between leaves its traces in how the rest is compressed.
        if !hurries && !compresses {
            prop_assert!(file == whole, "{} bytes instead of {}", file.len(), whole.len());
        }
    }

    #[test]
    fn a_key_in_pieces_makes_the_same_requests(
        entry in entry(),
        budgets in prop::collection::vec(prop_oneof![1..30_usize, 30..3000_usize], 1..10),
    ) {
        let (mut whole, mut log) = (Vec::new(), Vec::new());
        BaseWriter::default().key(&mut whole, DbIndex::ZERO, &entry);
        let mut open = BaseWriter::default().open_key(&mut log, DbIndex::ZERO, &entry);
        let mut budgets = budgets.into_iter().cycle();
        while !open.go_on(&mut log, &entry, budgets.next().unwrap()) {}
        prop_assert!(log == whole);
    }

    #[test]
    fn a_piece_is_as_long_as_its_budget_says(entry in entry(), budget in 1..500_usize) {
        let mut encoder = FileEncoder::begin(12, Target::Redis70, false, true);
        encoder.open_key(entry.key(), &entry.value(), KeyTraits::default());
        encoder.take();
        loop {
            let is_done = encoder.go_on(&entry.value(), budget, Effort::Usual);
            let bytes: usize = std::iter::from_fn(|| Some(encoder.take()))
                .map(|piece| piece.len())
                .take_while(|bytes| *bytes > 0)
                .sum();
            // A bucket, a node or a large element more than that.
            prop_assert!(bytes <= 40 * budget + 24 * 1024, "{} bytes for {}", bytes, budget);
            if is_done {
                break;
            }
        }
    }
}

#[test]
fn pieces_are_handed_on_in_order_and_without_end_to_none() {
    let (mut pieces, mut expected) = (Pieces::default(), Vec::new());
    let mut aside = Pieces::default();
    aside.end().extend(text(3, 10));
    for number in 0..100 {
        let text = text(number, 10_000);
        pieces.end().extend(&text);
        expected.extend(text);
    }
    pieces.append(&mut aside);
    assert!(aside.is_empty());
    expected.extend(text(3, 10));
    let mut taken = Vec::new();
    while !pieces.is_empty() {
        let piece = pieces.take();
        assert!((1..100_000).contains(&piece.len()));
        taken.extend(piece);
    }
    assert!(taken == expected);
    assert!(pieces.take().is_empty());
}
