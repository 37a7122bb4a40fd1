//! Whatever RESTORE lets in, the commands of its type can work with.

mod driver;

use driver::World;
use vesta_config::Config;
use vesta_node::ConnId;
use vesta_testkit::client::encode;
use vesta_testkit::rdb::{Mutator, samples, sealed};
use vesta_testkit::value::Value;

/// For each type, requests that read and change a value in every way, and at last one that empties
/// it.
const REQUESTS: [(&str, &[&str], &str); 6] = [
    (
        "string",
        &[
            "GET k",
            "STRLEN k",
            "GETRANGE k -5 -1",
            "BITCOUNT k",
            "BITPOS k 1",
            "PFCOUNT k",
            "PFADD k x",
            "INCR k",
            "SETRANGE k 3 zz",
            "APPEND k x",
            "SETBIT k 70 1",
        ],
        "GETDEL k",
    ),
    (
        "list",
        &[
            "LRANGE k 0 -1",
            "LINDEX k -1",
            "LPOS k a RANK -1 COUNT 0",
            "SORT k ALPHA",
            "LINSERT k BEFORE a before",
            "LINSERT k AFTER 12 after",
            "LSET k 0 first",
            "LSET k -1 70000",
            "LPUSH k 1 b",
            "RPUSH k 2 c",
            "LREM k -1 b",
            "LMOVE k k LEFT RIGHT",
            "LPOP k 2",
            "RPOP k",
            "LTRIM k 0 -2",
            "LRANGE k 0 -1",
        ],
        "LPOP k 1000000",
    ),
    (
        "set",
        &[
            "SMEMBERS k",
            "SCARD k",
            "SISMEMBER k a",
            "SMISMEMBER k 1 b 7",
            "SRANDMEMBER k -5",
            "SSCAN k 0",
            "SINTER k k",
            "SUNIONSTORE c k k",
            "SDIFF k c",
            "SADD k new 8 -70000",
            "SREM k a 1",
            "SPOP k",
            "SORT k ALPHA",
        ],
        "SPOP k 1000000",
    ),
    (
        "zset",
        &[
            "ZRANGE k 0 -1 WITHSCORES",
            "ZRANGE k -inf +inf BYSCORE",
            "ZRANGE k - + BYLEX",
            "ZRANK k b",
            "ZSCORE k a",
            "ZSCAN k 0",
            "ZADD k 2 new 3.5 a",
            "ZINCRBY k 1 b",
            "ZREM k c",
            "ZPOPMIN k",
            "ZRANGE k 0 -1 REV",
            "ZREMRANGEBYSCORE k 1 2",
        ],
        "ZREMRANGEBYRANK k 0 -1",
    ),
    (
        "hash",
        &[
            "HGETALL k",
            "HLEN k",
            "HGET k a",
            "HSTRLEN k b",
            "HRANDFIELD k -4 WITHVALUES",
            "HSCAN k 0",
            "HPEXPIRETIME k FIELDS 1 a",
            "HSET k new 1 a 2",
            "HINCRBY k a 1",
            "HPEXPIRE k 100000 FIELDS 2 a b",
            "HPERSIST k FIELDS 1 b",
            "HDEL k b f1",
        ],
        "DEL k",
    ),
    (
        "stream",
        &[
            "XLEN k",
            "XRANGE k - +",
            "XREVRANGE k + -",
            "XINFO STREAM k FULL",
            "XINFO GROUPS k",
            "XPENDING k g1 - + 100",
            "XADD k * a 1",
            "XREADGROUP GROUP g1 c1 COUNT 10 STREAMS k 0",
            "XREADGROUP GROUP g1 c3 COUNT 10 STREAMS k >",
            "XAUTOCLAIM k g2 c2 0 0",
            "XACK k g1 1-1",
            "XDEL k 1-1 9-0",
            "XGROUP DELCONSUMER k g1 c1",
            "XTRIM k MAXLEN 1",
            "XGROUP DESTROY k g2",
            "XTRIM k MAXLEN 0",
            "XADD k * b 2",
        ],
        "DEL k",
    ),
];

fn ask(world: &mut World, conn: ConnId, request: &str) -> Value {
    let words: Vec<&str> = request.split(' ').collect();
    ask_bytes(world, conn, &words)
}

fn ask_bytes<A: AsRef<[u8]>>(world: &mut World, conn: ConnId, words: &[A]) -> Value {
    world.send(conn, &encode(words));
    let received = world.take_received(conn);
    let (reply, used) = Value::decode(&received).expect("a reply").expect("a whole reply");
    assert_eq!(used, received.len(), "one reply to one request");
    reply
}

/// Runs every command of the type over the value at `k`, then empties it.
fn work_with(world: &mut World, conn: ConnId, what: &str) {
    let type_name = ask(world, conn, "TYPE k");
    let requests =
        REQUESTS.iter().find(|(name, ..)| type_name == Value::Simple(name.as_bytes().to_vec()));
    let Some((_, requests, last)) = requests else {
        // Fields whose time has come may have taken the hash with them.
        assert_eq!(type_name, Value::Simple(b"none".to_vec()), "{what}");
        return;
    };
    let payload = ask(world, conn, "DUMP k");
    if let Some(payload) = payload.text() {
        let again = ask_bytes(world, conn, &[b"RESTORE", &b"c"[..], b"0", payload, b"REPLACE"]);
        assert_eq!(again, Value::Simple(b"OK".to_vec()), "{what}: what was dumped is restored");
    }
    for request in requests.iter().chain(&["MEMORY USAGE k", "COPY k c REPLACE"]) {
        let reply = ask(world, conn, request);
        let is_fault = reply.error().is_some_and(|text| text.starts_with(b"WRONGTYPE"));
        assert!(!is_fault || request.starts_with("PF"), "{what}: {request}: {reply:?}");
    }
    ask(world, conn, last);
    assert_eq!(ask(world, conn, "EXISTS k"), Value::Int(0), "{what}: {last} leaves nothing");
    ask(world, conn, "DEL c");
}

fn world() -> (World, ConnId) {
    let mut world = World::new(Config::default());
    let conn = world.connect().expect("the first client is served");
    (world, conn)
}

#[test]
fn values_of_every_form_can_be_worked_with() {
    let (mut world, conn) = world();
    for sample in samples() {
        let request = [b"RESTORE", &b"k"[..], b"0", &sample.payload()];
        let reply = ask_bytes(&mut world, conn, &request);
        assert_eq!(reply, Value::Simple(b"OK".to_vec()), "{}", sample.name);
        work_with(&mut world, conn, sample.name);
    }
    assert_eq!(ask(&mut world, conn, "DBSIZE"), Value::Int(0));
}

/// A field that is there twice is what a look at the outside of a listpack does not find.
#[test]
fn values_are_looked_at_in_depth_whatever_is_configured() {
    let twice = b"\x10\x11\x11\0\0\0\x04\0\x81a\x02\x01\x01\x81a\x02\x02\x01\xff";
    let (mut world, conn) = world();
    for setting in ["no", "clients", "yes"] {
        let request = format!("CONFIG SET sanitize-dump-payload {setting}");
        assert_eq!(ask(&mut world, conn, &request), Value::Simple(b"OK".to_vec()));
        let request = [&b"RESTORE"[..], b"k", b"0", &sealed(twice, 10)];
        let reply = ask_bytes(&mut world, conn, &request);
        assert_eq!(reply, Value::Error(b"ERR Bad data format".to_vec()), "{setting}");
    }
}

/// `VESTA_MUTATIONS` says how many.
#[test]
fn damaged_values_that_are_let_in_can_be_worked_with() {
    let count = std::env::var("VESTA_MUTATIONS").ok().and_then(|count| count.parse().ok());
    let (samples, mut mutator) = (samples(), Mutator::new(0xda7a));
    let ((mut world, conn), mut let_in) = (world(), 0_usize);
    for round in 0..count.unwrap_or(3000_usize) {
        let sample = &samples[round % samples.len()];
        let bytes = mutator.mutated(&sample.bytes);
        let payload = sealed(&bytes, if sample.version == 80 { 80 } else { 12 });
        let reply = ask_bytes(&mut world, conn, &[b"RESTORE", &b"k"[..], b"0", &payload]);
        if reply.error().is_none() {
            let_in += 1;
            work_with(&mut world, conn, &format!("{}: {bytes:?}", sample.name));
        }
    }
    assert!(let_in > 0, "some damage is none");
    assert_eq!(ask(&mut world, conn, "DBSIZE"), Value::Int(0));
}
