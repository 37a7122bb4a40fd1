//! A base that is written as requests makes the same values again, here and at the reference.

mod driver;

use core::ops::Range;
use driver::World;
use vesta_config::Config;
use vesta_node::ConnId;
use vesta_persist::aof::{BaseWriter, Item, ItemReader, annotation};
use vesta_persist::rdb::decode_payload;
use vesta_store::{Access, Entry, NewValue, Store};
use vesta_testkit::client::{Client, encode};
use vesta_testkit::process::Oracle;
use vesta_testkit::rdb::{Mutator, samples, sealed};
use vesta_testkit::value::Value;
use vesta_types::{DbIndex, ReplId, Rng};

/// Milliseconds since 1970 at which a node of the driver stands still.
const NOW_MS: i64 = 1_700_000_000_000;
/// The newest version of values that the reference knows.
const REFERENCE_VERSION_MAX: u16 = 10;

/// Something that takes requests and replies.
trait Server {
    fn ask_bytes(&mut self, words: &[&[u8]]) -> Value;

    fn ask(&mut self, request: &str) -> Value {
        let words: Vec<&[u8]> = request.split(' ').map(str::as_bytes).collect();
        self.ask_bytes(&words)
    }

    /// Sends requests as they are; none may fail.
    fn replay(&mut self, requests: &[u8], what: &str) {
        let mut rest = requests;
        let mut reader = ItemReader::default();
        while !rest.is_empty() {
            let (item, len) = reader.next(rest).unwrap_or_else(|why| panic!("{what}: {why:?}"));
            let Item::Request(words) = item else { panic!("{what}: {item:?}") };
            let word =
                |word: &Range<usize>| rest.get(word.clone()).expect("words lie in the input");
            let words: Vec<&[u8]> = words.iter().map(word).collect();
            let reply = self.ask_bytes(&words);
            assert!(reply.error().is_none(), "{what}: {:?}: {reply:?}", text(&words));
            rest = rest.get(len..).expect("an item lies in the input");
        }
    }
}

fn text(words: &[&[u8]]) -> Vec<String> {
    words.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect()
}

struct Ours(World, ConnId);

impl Ours {
    fn new() -> Self {
        let mut world = World::new(Config::default());
        let conn = world.connect().expect("the first client is served");
        Self(world, conn)
    }
}

impl Server for Ours {
    fn ask_bytes(&mut self, words: &[&[u8]]) -> Value {
        self.0.send(self.1, &encode(words));
        let received = self.0.take_received(self.1);
        Value::decode(&received).expect("a reply").expect("a whole reply").0
    }
}

impl Server for Client {
    fn ask_bytes(&mut self, words: &[&[u8]]) -> Value {
        self.command(words).expect("the reference answers")
    }
}

/// What is at `k`, with its expiry.
fn entry(server: &mut impl Server, store: &Store) -> Option<Entry> {
    let payload = server.ask("DUMP k");
    let loaded = decode_payload(payload.text()?, store.rules(), 1 << 24).expect("a sound payload");
    let Value::Int(expiry) = server.ask("PEXPIRETIME k") else { panic!("PEXPIRETIME fails") };
    Some(loaded.into_entry(b"k", u64::try_from(expiry).ok(), 0))
}

fn as_requests(entry: &Entry) -> Vec<u8> {
    let mut requests = Vec::new();
    BaseWriter::default().key(&mut requests, DbIndex::ZERO, entry);
    requests
}

/// All that can be seen of the value at `k`, but for its encoding and for when it was used.
fn picture(server: &mut impl Server) -> Vec<Value> {
    let kind = server.ask("TYPE k");
    let Value::Simple(name) = &kind else { panic!("TYPE fails: {kind:?}") };
    let value = match name.as_slice() {
        b"string" => server.ask("GET k"),
        b"list" => server.ask("LRANGE k 0 -1"),
        b"set" => sorted(server.ask("SMEMBERS k"), 1),
        b"zset" => scores(server.ask("ZRANGE k 0 -1 WITHSCORES")),
        b"hash" => sorted(server.ask("HGETALL k"), 2),
        b"stream" => {
            let mut facts = server.ask("XINFO STREAM k FULL COUNT 0");
            forget(&mut facts);
            facts
        }
        _ => Value::Null,
    };
    // A hash whose fields have all expired is still to be taken away.
    if value == Value::Array(Vec::new()) {
        return vec![Value::Int(-2), Value::Null, Value::Simple(b"none".to_vec())];
    }
    vec![server.ask("PEXPIRETIME k"), value, kind]
}

/// When the fields at `k` expire.
fn field_times(server: &mut impl Server) -> Value {
    let Value::Array(all) = server.ask("HGETALL k") else { return Value::Null };
    let mut names: Vec<&[u8]> = all.iter().step_by(2).filter_map(Value::text).collect();
    names.sort_unstable();
    let count = names.len().to_string();
    let words = [&[b"HPEXPIRETIME", &b"k"[..], b"FIELDS", count.as_bytes()], &names[..]].concat();
    server.ask_bytes(&words)
}

/// The items of a collection without order; `width` replies each.
fn sorted(reply: Value, width: usize) -> Value {
    let items = reply.items().expect("a collection").to_vec();
    let mut items: Vec<Vec<Value>> = items.chunks(width).map(<[Value]>::to_vec).collect();
    items.sort_by_cached_key(|item| format!("{item:?}"));
    Value::Array(items.concat())
}

/// Later servers print scores with fewer digits.
fn scores(reply: Value) -> Value {
    let Value::Array(mut all) = reply else { return reply };
    for score in all.iter_mut().skip(1).step_by(2) {
        let text = String::from_utf8_lossy(score.text().expect("a score")).into_owned();
        *score = Value::Double(format!("{:?}", text.parse::<f64>().expect("a number")));
    }
    Value::Array(all)
}

/// Takes out of the facts about a stream what no command can set: how it is stored, and when
/// consumers were there. Nobody delivers later than now.
fn forget(facts: &mut Value) {
    let Value::Array(items) = facts else { return };
    if let [Value::Bulk(_), _, Value::Int(delivered), Value::Int(_)] = items.as_mut_slice() {
        *delivered = (*delivered).min(NOW_MS);
    }
    if let [Value::Bulk(_), Value::Int(delivered), Value::Int(_)] = items.as_mut_slice() {
        *delivered = (*delivered).min(NOW_MS);
    }
    while let Some(at) = items.iter().position(|item| {
        let names = [&b"radix-tree-keys"[..], b"radix-tree-nodes", b"seen-time", b"active-time"];
        names.into_iter().any(|name| item.text() == Some(name))
    }) {
        items.drain(at..(at + 2).min(items.len()));
    }
    items.iter_mut().for_each(forget);
}

/// How values are made that samples do not show.
const MADE: &[(&str, &[&str])] = &[
    ("an integer", &["SET k -300"]),
    ("an empty string", &["SET k "]),
    ("a string that expires", &["SET k a PXAT 9000000000000"]),
    ("a hash that expires", &["HSET k a 1", "PEXPIREAT k 9000000000001"]),
    (
        "fields that expire",
        &[
            "HSET k a 1 b 2 c 3",
            "HPEXPIREAT k 9000000000000 FIELDS 2 a b",
            "HPEXPIREAT k 9000000000002 FIELDS 1 b",
        ],
    ),
    ("scores", &["ZADD k 0.1 a -inf b inf c 1e300 d 5e-324 e -0 f 3 g 123456789012345680 h"]),
    (
        "a stream whose entries were trimmed",
        &[
            "XADD k 1-1 a 1",
            "XADD k 1-2 a 2",
            "XADD k 2-0 a 2 b 3",
            "XGROUP CREATE k g 0",
            "XREADGROUP GROUP g c COUNT 2 STREAMS k >",
            "XGROUP CREATECONSUMER k g idle",
            "XTRIM k MAXLEN 1",
        ],
    ),
    (
        "a stream whose entries were deleted",
        &[
            "XADD k 1-1 a 1",
            "XADD k 1-2 a 2",
            "XADD k 1-3 a 2",
            "XADD k 2-0 a 2 b 3",
            "XGROUP CREATE k g 0",
            "XGROUP CREATE k h 1-1 ENTRIESREAD 1",
            "XREADGROUP GROUP g c COUNT 4 STREAMS k >",
            "XREADGROUP GROUP h c COUNT 1 STREAMS k >",
            "XREADGROUP GROUP h d COUNT 5 STREAMS k >",
            "XDEL k 1-2 2-0",
        ],
    ),
    (
        "a stream whose entries all are gone, but wait",
        &[
            "XADD k 1-1 a 1",
            "XADD k 1-2 a 2",
            "XGROUP CREATE k g 0",
            "XREADGROUP GROUP g c COUNT 4 STREAMS k >",
            "XTRIM k MAXLEN 0",
        ],
    ),
    (
        "a stream trimmed and deleted from",
        &[
            "XADD k 1-1 a 1",
            "XADD k 1-2 a 2",
            "XADD k 1-3 a 2",
            "XADD k 1-4 a 2",
            "XADD k 1-5 a 2",
            "XGROUP CREATE k g 0",
            "XREADGROUP GROUP g c COUNT 9 STREAMS k >",
            "XTRIM k MAXLEN 4",
            "XDEL k 1-2",
            "XDEL k 1-4",
        ],
    ),
    ("an empty stream with a last id", &["XADD k 5-5 a 1", "XDEL k 5-5", "XGROUP CREATE k g $"]),
    ("an empty stream with a group", &["XGROUP CREATE k g 0 MKSTREAM ENTRIESREAD 7"]),
    (
        "a stream with a set id",
        &["XADD k 5-5 a 1", "XSETID k 9-9 ENTRIESADDED 100 MAXDELETEDID 7-0"],
    ),
];

/// A request.
type Words = Vec<Vec<u8>>;

/// Every way to make a value, and the newest version of payloads that it needs.
fn values() -> Vec<(String, u16, Vec<Words>)> {
    let words = |request: &str| -> Vec<Vec<u8>> {
        request.split(' ').map(|word| word.as_bytes().to_vec()).collect()
    };
    let mut all = Vec::new();
    for sample in samples() {
        let restore = [&b"RESTORE"[..], b"k", b"0", &sample.payload()].map(<[u8]>::to_vec);
        all.push((sample.name.to_owned(), sample.version, vec![restore.to_vec()]));
    }
    for (name, requests) in MADE {
        let version = if name.starts_with("fields") { 12 } else { 10 };
        let requests = requests.iter().map(|request| words(request)).collect();
        all.push(((*name).to_owned(), version, requests));
    }
    // Around the number of items that one request takes.
    for count in [1, 63, 64, 65, 128, 1000] {
        let numbers = || (0..count).map(|number| format!(" {number}"));
        let named = || (0..count).map(|number| format!(" v{number} {number}"));
        for (name, request) in [
            ("list", format!("RPUSH k{}", numbers().collect::<String>())),
            ("intset", format!("SADD k{}", numbers().collect::<String>())),
            ("set", format!("SADD k{}", named().collect::<String>())),
            ("hash", format!("HSET k{}", named().collect::<String>())),
            (
                "zset",
                format!("ZADD k{}", (0..count).map(|n| format!(" {n} v{n}")).collect::<String>()),
            ),
        ] {
            all.push((format!("{name} of {count}"), 10, vec![words(&request)]));
        }
    }
    all
}

/// Makes every value here, writes it as requests and has `other` carry them out.
fn compare(other: &mut impl Server, version_max: u16) {
    let (mut ours, store) = (Ours::new(), Store::new(1, Access::default(), 1));
    for (name, version, requests) in values() {
        if version > version_max {
            continue;
        }
        ours.ask("FLUSHALL");
        other.ask("FLUSHALL");
        for request in &requests {
            let words: Vec<&[u8]> = request.iter().map(Vec::as_slice).collect();
            let reply = ours.ask_bytes(&words);
            assert!(reply.error().is_none(), "{name}: {:?}: {reply:?}", text(&words));
        }
        let entry = entry(&mut ours, &store).expect("a value was made");
        other.replay(&as_requests(&entry), &name);
        assert_eq!(picture(other), picture(&mut ours), "{name}");
        if version > REFERENCE_VERSION_MAX {
            assert_eq!(field_times(other), field_times(&mut ours), "{name}");
        }
        let [encoding, by_other] = [ours.ask("OBJECT ENCODING k"), other.ask("OBJECT ENCODING k")];
        // Up to 7.0 small lists and sets have no small form of their own.
        let is_new = ["listpack", "quicklist", "hashtable"];
        let is_new =
            |value: &Value| is_new.iter().any(|name| value.text() == Some(name.as_bytes()));
        assert!(encoding == by_other || is_new(&encoding) && is_new(&by_other), "{name}");
    }
}

#[test]
fn requests_make_the_same_value_again() {
    compare(&mut Ours::new(), u16::MAX);
}

#[test]
fn requests_make_the_same_value_at_the_reference() {
    if !Oracle::is_installed() {
        eprintln!("SKIPPED: redis-server is not installed, so nothing was compared with it");
        return;
    }
    let server = Oracle::start(&[]).unwrap();
    compare(&mut server.client().unwrap(), REFERENCE_VERSION_MAX);
}

#[test]
fn the_database_is_selected_where_it_changes() {
    let (mut requests, mut writer) = (Vec::new(), BaseWriter::default());
    let entry = Entry::new(b"k", NewValue::Int(7), None, 0);
    let db = |raw| DbIndex::new(raw, 16).unwrap();
    for raw in [3, 3, 0] {
        writer.key(&mut requests, db(raw), &entry);
    }
    writer.function(&mut requests, b"#!lua name=x");
    let expected = [
        &["SELECT", "3"][..],
        &["SET", "k", "7"],
        &["SET", "k", "7"],
        &["SELECT", "0"],
        &["SET", "k", "7"],
        &["FUNCTION", "LOAD", "#!lua name=x"],
    ];
    assert_eq!(requests, expected.map(encode).concat());
}

/// What a base holds beside keys: libraries of functions, in front, and where in the history it is.
#[test]
fn a_base_of_requests_keeps_functions_and_its_place_in_the_history() {
    const SOURCE: &[u8] = b"#!lua name=x\nredis.register_function('f', function() end)";
    let old = ReplId::random(&mut Rng::new(7));
    let mut base = encode(&[b"FUNCTION", &b"LOAD"[..], SOURCE]);
    base.extend(encode(&["SET", "k", "v"]));
    annotation::history(&mut base, old, 1234);
    let manifest = b"file appendonly.aof.1.base.aof seq 1 type b\n";
    let config = Config { appendonly: true, aof_use_rdb_preamble: false, ..Config::default() };
    let mut world = World::new(config);
    for (name, bytes) in [("1.base.aof", base), ("manifest", manifest.to_vec())] {
        world.disk.files.insert(format!("appendonlydir/appendonly.aof.{name}"), bytes);
    }
    world.node.load_at_start(world.now);
    world.advance(200);
    let conn = world.connect().unwrap();
    assert_eq!(world.ask(conn, &["GET", "k"]), "$1\r\nv\r\n", "{:#?}", world.log);
    let info = world.ask(conn, &["INFO", "replication"]);
    assert!(
        info.contains(&format!("master_replid2:{old}\r\nmaster_repl_offset:1234\r\n")),
        "{info}"
    );
    let field = info.lines().find_map(|line| line.strip_prefix("master_replid:"));
    let id = ReplId::parse(field.unwrap().as_bytes()).unwrap();
    let set = encode(&["SET", "k", "w"]);
    world.send(conn, &set);
    world.ask(conn, &["BGREWRITEAOF"]);
    world.advance(500);
    let bases: Vec<_> = world.disk.files.iter().filter(|(name, _)| name.contains("base")).collect();
    let [(name, base)] = bases.as_slice() else { panic!("{:#?}", world.log) };
    assert!(name.ends_with("appendonly.aof.2.base.aof"), "{name}");
    let mut expected = encode(&[b"FUNCTION", &b"LOAD"[..], SOURCE]);
    expected.extend([encode(&["SELECT", "0"]), set.clone()].concat());
    let selected = encode(&["SELECT", "0"]).len();
    annotation::history(&mut expected, id, 1234 + (selected + set.len()) as u64);
    assert_eq!(String::from_utf8_lossy(base), String::from_utf8_lossy(&expected));
}

/// `VESTA_MUTATIONS` says how many.
#[test]
fn damaged_values_that_are_let_in_are_made_again() {
    let count = std::env::var("VESTA_MUTATIONS").ok().and_then(|count| count.parse().ok());
    let (samples, mut mutator) = (samples(), Mutator::new(0xba5e));
    let store = Store::new(1, Access::default(), 1);
    let (mut ours, mut other, mut let_in) = (Ours::new(), Ours::new(), 0_usize);
    for round in 0..count.unwrap_or(2000_usize) {
        let sample = &samples[round % samples.len()];
        let bytes = mutator.mutated(&sample.bytes);
        let payload = sealed(&bytes, if sample.version == 80 { 80 } else { 12 });
        let reply = ours.ask_bytes(&[b"RESTORE", b"k", b"0", &payload, b"REPLACE"]);
        if reply.error().is_some() {
            continue;
        }
        let Some(entry) = entry(&mut ours, &store) else { continue };
        let_in += 1;
        other.ask("DEL k");
        let what = format!("{}: {bytes:?}", sample.name);
        other.replay(&as_requests(&entry), &what);
        assert_eq!(picture(&mut other), picture(&mut ours), "{what}");
    }
    assert!(let_in > 0, "some damage is none");
}
