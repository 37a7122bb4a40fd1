//! Whole files: our own, those of the reference, damaged ones, and samples where there are any.

use std::collections::BTreeMap;
use std::path::Path;

use vesta_ds::KeyHasher;
use vesta_persist::rdb::{
    CorruptError, Effort, FileDecoder, FileEncoder, Item, KeyTraits, Target, decode_payload,
};
use vesta_store::{Limits, Rules, Value as StoreValue};
use vesta_testkit::process::Oracle;
use vesta_testkit::rdb::samples;
use vesta_testkit::value::Value;

const STRING_BYTES_MAX: u64 = 1 << 24;

fn rules() -> Rules {
    Rules { limits: Limits::default(), hasher: KeyHasher::new(1) }
}

/// All items of a file whose bytes come in pieces of this length.
fn items(file: &[u8], piece: usize) -> Result<Vec<Item>, CorruptError> {
    let rules = rules();
    let mut decoder = FileDecoder::new(STRING_BYTES_MAX);
    let (mut all, mut rest) = (Vec::new(), Vec::new());
    for bytes in file.chunks(piece) {
        rest.extend_from_slice(bytes);
        loop {
            let decoded = decoder.decode(&rest, &rules)?;
            rest.drain(..decoded.taken);
            match decoded.item {
                Some(item) => all.push(item),
                None => break,
            }
        }
    }
    decoder.cut_short().map_or(Ok(all), Err)
}

/// A file with all samples in two databases, written by us.
fn our_file(version_max: u16, with_checksum: bool) -> Vec<u8> {
    let rules = rules();
    let target = if version_max < 11 { Target::Redis70 } else { Target::Redis72 };
    let version = version_max.min(12);
    let mut encoder = FileEncoder::begin(version, target, true, with_checksum);
    encoder.aux("redis-ver", b"7.2.4");
    encoder.aux("repl-offset", b"123456789012");
    let known: Vec<_> = samples().into_iter().filter(|s| s.version <= version_max).collect();
    for (database, keys) in known.chunks(known.len() / 2 + 1).enumerate() {
        encoder.select(3 * database as u64, keys.len() as u64, 1);
        for (number, sample) in keys.iter().enumerate() {
            let loaded = decode_payload(&sample.payload(), &rules, STRING_BYTES_MAX)
                .expect("a sample is sound");
            let entry = loaded.into_entry(sample.name.as_bytes(), None, 0);
            let traits = KeyTraits {
                expiry: (number == 0).then_some(9_000_000_000_000),
                idle_s: (number == 1).then_some(1000),
                frequency: (number == 2).then_some(200),
            };
            let value = entry.value();
            encoder.key(sample.name.as_bytes(), &value, traits, Effort::Usual);
        }
    }
    encoder.end().into_bytes()
}

fn picture(items: &[Item]) -> Vec<String> {
    items.iter().map(|item| format!("{item:?}")).collect()
}

#[test]
fn a_file_is_read_however_it_arrives() {
    for with_checksum in [true, false] {
        let file = our_file(80, with_checksum);
        let whole = items(&file, file.len()).unwrap();
        let keys = whole.iter().filter(|item| matches!(item, Item::Key(_))).count();
        assert_eq!(keys, samples().len());
        assert!(matches!(whole.first(), Some(Item::Header { version: 12, .. })));
        assert!(matches!(whole.last(), Some(Item::End)));
        let expiring =
            |item: &&Item| matches!(item, Item::Key(key) if key.expiry == Some(9_000_000_000_000));
        assert_eq!(whole.iter().filter(expiring).count(), 2);
        for piece in [1, 7, 100] {
            assert_eq!(picture(&items(&file, piece).unwrap()), picture(&whole));
        }
    }
}

#[test]
fn a_cut_file_is_told_from_a_whole_one() {
    let file = our_file(10, true);
    for len in (0..file.len()).step_by(1 + file.len() / 200) {
        let error = items(&file[..len], 1000).unwrap_err();
        assert!(error.at_byte <= len as u64 && error.expected == "more bytes", "{len}: {error}");
    }
}

#[test]
fn what_is_being_read_and_what_is_missing_of_it_is_told() {
    let (rules, mut decoder) = (rules(), FileDecoder::new(STRING_BYTES_MAX));
    let cut = b"REDIS0010\x01\x04list\x02\x01a\x05bc";
    let header = decoder.decode(cut, &rules).unwrap();
    assert!(decoder.key().is_none() && decoder.value_type().is_none());
    let value = decoder.decode(&cut[header.taken..], &rules).unwrap();
    assert!(value.item.is_none());
    assert_eq!((decoder.key(), decoder.missing()), (Some(&b"list"[..]), 3));
    assert_eq!(decoder.value_type().map(|known| known.name()), Some("list-linked"));
    let whole = decoder.decode(b"\x05bcdef", &rules).unwrap();
    assert!(matches!(whole.item, Some(Item::Key(_))) && decoder.key().is_none());
    assert_eq!(decoder.value_type().map(|known| known.code()), Some(1));
}

#[test]
fn no_changed_byte_goes_unnoticed() {
    let file = our_file(10, true);
    // A checksum of zeros, at the end, would mean that there is none.
    for at in (0..file.len()).step_by(1 + file.len() / 200) {
        let mut bad = file.clone();
        bad[at] ^= 0x10;
        assert!(items(&bad, 1000).is_err(), "byte {at}");
    }
}

#[test]
fn magic_and_version_are_checked() {
    let file = |magic: &[u8]| [magic, &[0xff; 9]].concat();
    for magic in
        [&b"REDIS0013"[..], b"REDIS0000", b"REDIS00x1", b"VALKEY081", b"VALKEY011", b"RODIS0011"]
    {
        assert!(items(&file(magic), 100).is_err(), "{magic:?}");
    }
    // Neither has a checksum: versions below 5 end with the byte 255.
    assert!(items(b"REDIS0004\xff", 100).is_ok());
    assert!(items(b"VALKEY080\xff\0\0\0\0\0\0\0\0", 100).is_ok());
    assert!(items(b"REDIS0005\xff", 100).is_err());
}

#[test]
fn what_modules_wrote_is_skipped() {
    let id = b"\x81AAAAAAAA";
    let parts = b"\x01\x05\x02\x05\x03\0\0\0\0\x04\0\0\0\0\0\0\0\0\x05\x01x\x00";
    let aux = [&b"\xf7"[..], id, b"\x02\x01", parts].concat();
    let value = [&b"\x07\x01k"[..], id, parts].concat();
    let file = [b"REDIS0010", &aux[..], &value, b"\x00\x01s\x01v\xff\0\0\0\0\0\0\0\0"].concat();
    for piece in [1, 1000] {
        let seen = items(&file, piece).unwrap();
        let [_, Item::ForeignAux(_), Item::ForeignKey { key, module }, Item::Key(_), Item::End] =
            seen.as_slice()
        else {
            panic!("{seen:?}");
        };
        assert_eq!((&**key, module.to_string().len()), (&b"k"[..], 9));
    }
}

#[test]
fn the_reference_reads_our_file_and_we_read_its() {
    if !Oracle::is_installed() {
        eprintln!("SKIPPED: redis-server is not installed, so nothing was compared with it");
        return;
    }
    let mut server = Oracle::start(&[]).unwrap();
    let path = server.dir().join("dump.rdb");
    std::fs::write(&path, our_file(10, true)).unwrap();
    server.restart().unwrap();
    let mut client = server.client().unwrap();
    let ours = client.command(&["DEBUG", "DIGEST"]).unwrap();
    let keys = client.command(&["DBSIZE"]).unwrap();
    assert!(matches!(keys, Value::Int(10..)), "{keys:?}");
    // It writes what it has read; we read that and write it again.
    assert_eq!(client.command(&["SAVE"]).unwrap(), Value::Simple(b"OK".to_vec()));
    let theirs = items(&std::fs::read(&path).unwrap(), 4096).unwrap();
    std::fs::write(&path, rewritten(&theirs)).unwrap();
    server.restart().unwrap();
    let mut client = server.client().unwrap();
    assert_eq!(client.command(&["DEBUG", "DIGEST"]).unwrap(), ours);
}

/// The same items in a file of ours.
fn rewritten(items: &[Item]) -> Vec<u8> {
    let mut encoder = FileEncoder::begin(10, Target::Redis70, true, true);
    for item in items {
        match item {
            Item::Select(database) => encoder.select(*database, 0, 0),
            Item::Key(key) => {
                let traits = KeyTraits { expiry: key.expiry, ..KeyTraits::default() };
                let entry = key.value.clone().into_entry(&key.key, None, 0);
                let value: StoreValue<'_, _> = entry.value();
                encoder.key(&key.key, &value, traits, Effort::Usual);
            }
            Item::Aux { .. }
            | Item::Header { .. }
            | Item::Resize { .. }
            | Item::Function(_)
            | Item::ForeignKey { .. }
            | Item::ForeignAux(_)
            | Item::End => {}
        }
    }
    encoder.end().into_bytes()
}

/// `VESTA_RDB_SAMPLES` names a folder of files that old servers wrote; those whose name begins with
/// `corrupt` are to be refused.
#[test]
fn samples_of_old_servers_are_read() {
    let Some(folder) = std::env::var_os("VESTA_RDB_SAMPLES") else {
        eprintln!("SKIPPED: VESTA_RDB_SAMPLES does not name a folder");
        return;
    };
    let mut outcomes = BTreeMap::new();
    for file in std::fs::read_dir(Path::new(&folder)).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.extension().is_some_and(|extension| extension == "rdb") {
            outcomes.insert(name, items(&std::fs::read(&path).unwrap(), 64));
        }
    }
    for (name, outcome) in outcomes {
        match &outcome {
            Ok(items) => println!("{name}: {} items", items.len()),
            Err(error) => println!("{name}: {error}"),
        }
        assert_eq!(outcome.is_err(), name.starts_with("corrupt"), "{name}: {outcome:?}");
    }
}
