//! DUMP and RESTORE between Vesta and the reference. `VESTA_BIN` names the binary; without it there
//! is nothing to run.

use vesta_testkit::client::Client;
use vesta_testkit::process::{Oracle, Server, Vesta};
use vesta_testkit::rdb::{Mutator, Sample, samples, sealed};
use vesta_testkit::value::Value;

/// How a value is made under the key `k`, one for every type and encoding; what one of the servers
/// does not know is left out there.
const VALUES: &[(&str, &[&str])] = &[
    ("a string", &["SET k hello"]),
    ("an integer", &["SET k -300"]),
    ("a wide integer", &["SET k 5000000000"]),
    ("an empty string", &["SET k "]),
    ("a long string", &["SET k a", "SETRANGE k 5000 b", "SETRANGE k 2500 b"]),
    ("bits", &["SETBIT k 100000 1"]),
    ("a HyperLogLog", &["PFADD k a b c d e f"]),
    ("a small list", &["RPUSH k a 1 -1 127 128 4095 4096 70000 5000000000 9223372036854775807"]),
    (
        "a large list",
        &["CONFIG SET list-max-listpack-size 3", "RPUSH k a b c d e f g h 1 2 3 4 5 6 7 8 9 0"],
    ),
    (
        "a compressed list",
        &[
            "CONFIG SET list-max-listpack-size -1",
            "CONFIG SET list-compress-depth 1",
            "SETRANGE long 3000 x",
            "GET long",
            "RPUSH k $ $ $ $ $ $",
        ],
    ),
    ("a list with large elements", &["SETRANGE long 20000 x", "GET long", "RPUSH k a $ b $ c"]),
    ("an intset", &["SADD k 1 2 3 -5"]),
    ("a wide intset", &["SADD k 1 2 3 -5 5000000000"]),
    ("a small set", &["SADD k a b 3"]),
    ("a large set", &["CONFIG SET set-max-intset-entries 1", "SADD k 1 2 3 a b c"]),
    (
        "a set in a table",
        &["SETRANGE long 100 x", "GET long", "SADD k a $ 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16"],
    ),
    ("a small hash", &["HSET k a 1 b two c -3.5 4 4"]),
    ("a large hash", &["CONFIG SET hash-max-listpack-entries 1", "HSET k a 1 b two c -3.5 4 4"]),
    ("a small sorted set", &["ZADD k 1 a 2.5 b -inf c inf d 1e300 e 0.1 f -7 g 3 3"]),
    (
        "a large sorted set",
        &["CONFIG SET zset-max-listpack-entries 1", "ZADD k 1 a 2.5 b -inf c inf d 1e300 e 3 3"],
    ),
    ("a stream", &["XADD k 1-1 a 1 b 2", "XADD k 1-2 a 3 b 4", "XADD k 2-0 c 1", "XDEL k 1-2"]),
    (
        "a stream of several nodes",
        &[
            "CONFIG SET stream-node-max-entries 2",
            "XADD k 1-1 a 1",
            "XADD k 1-2 a 2",
            "XADD k 1-3 b 3",
            "XADD k 5-0 a 4",
            "XADD k 9223372036854775808-7 a 5",
            "XTRIM k MAXLEN 4",
        ],
    ),
    (
        "a stream with groups",
        &[
            "XADD k 1-1 a 1",
            "XADD k 1-2 a 2",
            "XADD k 1-3 b 3",
            "XGROUP CREATE k g1 0",
            "XGROUP CREATE k g2 1-2",
            "XGROUP CREATE k g3 $ ENTRIESREAD 2",
            "XREADGROUP GROUP g1 c1 COUNT 2 STREAMS k >",
            "XREADGROUP GROUP g1 c2 COUNT 1 STREAMS k >",
            "XREADGROUP GROUP g2 c1 COUNT 5 STREAMS k >",
            "XACK k g1 1-2",
            "XDEL k 1-1",
            "XGROUP CREATECONSUMER k g2 idle",
        ],
    ),
    ("a stream without entries", &["XADD k 5-5 a 1", "XTRIM k MAXLEN 0"]),
];

/// What a server does that is all right.
const ANSWERS: &str = "the server answers";

/// The newest version of payloads that the reference knows.
const VERSION_MAX: u16 = 10;

fn known_samples() -> impl Iterator<Item = Sample> {
    samples().into_iter().filter(|sample| sample.version <= VERSION_MAX)
}

fn servers() -> Option<(Server, Server)> {
    let binary = std::env::var_os("VESTA_BIN").and_then(|_| Vesta::binary());
    let Some(binary) = binary else {
        eprintln!("SKIPPED: VESTA_BIN does not name the server to test");
        return None;
    };
    if !Oracle::is_installed() {
        eprintln!("SKIPPED: redis-server is not installed, so nothing was compared with it");
        return None;
    }
    Some((Vesta::start(&binary, &[]).expect(ANSWERS), Oracle::start(&[]).expect(ANSWERS)))
}

/// Makes a value; `$` stands for what GET answered last, where there was one.
fn make(client: &mut Client, commands: &[&str]) {
    client.command(&["FLUSHALL"]).expect(ANSWERS);
    let mut found = b"$".to_vec();
    for command in commands {
        let words: Vec<Vec<u8>> = command
            .split(' ')
            .map(|word| if word == "$" { found.clone() } else { word.as_bytes().to_vec() })
            .collect();
        let reply = client.command(&words).expect(ANSWERS);
        assert!(reply.error().is_none(), "{command}: {reply:?}");
        if command.starts_with("GET ") {
            found = reply.text().expect("GET finds a string").to_vec();
        }
    }
}

/// All that can be seen of the value at `k` and does not depend on the server.
fn picture(client: &mut Client) -> Vec<Value> {
    let mut ask = |words: &[&str]| client.command(words).expect(ANSWERS);
    let kind = ask(&["TYPE", "k"]);
    if kind == Value::Simple(b"zset".to_vec()) {
        // Later servers print scores with fewer digits, in digests too.
        let Value::Array(mut all) = ask(&["ZRANGE", "k", "0", "-1", "WITHSCORES"]) else {
            panic!("a sorted set has members");
        };
        for score in all.iter_mut().skip(1).step_by(2) {
            let text =
                String::from_utf8_lossy(score.text().expect("a score is a text")).into_owned();
            *score =
                Value::Double(format!("{:?}", text.parse::<f64>().expect("a score is a number")));
        }
        return vec![kind, Value::Array(all)];
    }
    let mut seen = vec![ask(&["DEBUG", "DIGEST-VALUE", "k"])];
    if kind == Value::Simple(b"stream".to_vec()) {
        seen.push(ask(&["XINFO", "GROUPS", "k"]));
        seen.push(ask(&["XLEN", "k"]));
        for group in ["g1", "g2", "g3"] {
            let Value::Array(mut pending) = ask(&["XPENDING", "k", group, "-", "+", "100"]) else {
                continue;
            };
            // The time since the delivery differs.
            for entry in &mut pending {
                if let Value::Array(parts) = entry {
                    parts.remove(2);
                }
            }
            seen.push(Value::Array(pending));
        }
    }
    seen.push(kind);
    seen
}

/// Takes the lag out of the groups of XINFO GROUPS, where it is last.
fn forget_lag(groups: &mut Value) {
    let Value::Array(groups) = groups else { return };
    for group in groups {
        if let Value::Array(fields) = group
            && fields.iter().any(|field| field.text() == Some(b"lag"))
        {
            fields.pop();
        }
    }
}

fn bytes(value: &Value) -> &[u8] {
    value.text().unwrap_or_else(|| panic!("no payload: {value:?}"))
}

/// Moves every value from one server to the other.
fn assert_moves(from: &mut Client, to: &mut Client, direction: &str) {
    let defaults = [
        ["list-max-listpack-size", "-2"],
        ["list-compress-depth", "0"],
        ["set-max-intset-entries", "512"],
        ["hash-max-listpack-entries", "512"],
        ["zset-max-listpack-entries", "128"],
        ["stream-node-max-entries", "100"],
    ];
    for (name, commands) in VALUES {
        make(from, commands);
        let payload = from.command(&["DUMP", "k"]).expect(ANSWERS);
        let reply = to.command(&[b"RESTORE", &b"k"[..], b"0", bytes(&payload), b"REPLACE"]);
        let reply = reply.expect(ANSWERS);
        assert_eq!(reply, Value::Simple(b"OK".to_vec()), "{name}, {direction}");
        assert_eq!(picture(from), picture(to), "{name}, {direction}");
        for [option, value] in defaults {
            from.command(&["CONFIG", "SET", option, value]).expect(ANSWERS);
        }
    }
}

#[test]
fn values_move_to_and_from_the_reference() {
    let Some((vesta, oracle)) = servers() else { return };
    let (mut ours, mut reference) = (vesta.client().unwrap(), oracle.client().unwrap());
    assert_moves(&mut ours, &mut reference, "from Vesta to the reference");
    assert_moves(&mut reference, &mut ours, "from the reference to Vesta");
}

/// What was put together by hand means the same to both.
#[test]
fn old_encodings_mean_the_same_to_both() {
    let Some((vesta, oracle)) = servers() else { return };
    let (mut ours, mut reference) = (vesta.client().unwrap(), oracle.client().unwrap());
    for sample in known_samples() {
        for client in [&mut ours, &mut reference] {
            let payload = sample.payload();
            let request = [b"RESTORE", &b"k"[..], b"0", &payload, b"REPLACE"];
            let reply = client.command(&request).unwrap();
            assert_eq!(reply, Value::Simple(b"OK".to_vec()), "{}", sample.name);
        }
        assert_eq!(picture(&mut ours), picture(&mut reference), "{}", sample.name);
    }
}

/// What we let in, the reference lets in too when it looks closely, and both see the same in it.
/// `VESTA_MUTATIONS` says how many payloads are tried.
#[test]
fn damage_is_judged_no_milder_than_by_the_reference() {
    /// The first type code that the reference does not know.
    const UNKNOWN: u8 = 20;
    let Some((vesta, oracle)) = servers() else { return };
    let (mut ours, mut reference) = (vesta.client().unwrap(), oracle.client().unwrap());
    reference.command(&["CONFIG", "SET", "sanitize-dump-payload", "yes"]).unwrap();
    let count = std::env::var("VESTA_MUTATIONS").ok().and_then(|count| count.parse().ok());
    let samples: Vec<_> = known_samples().collect();
    let mut mutator = Mutator::new(0xd1ff);
    let (mut both, mut stricter) = (0, 0);
    for sample in samples.iter().cycle().take(count.unwrap_or(3000_usize)) {
        let bytes = mutator.mutated(&sample.bytes);
        let payload = sealed(&bytes, VERSION_MAX);
        let request = [b"RESTORE", &b"k"[..], b"0", &payload, b"REPLACE"];
        let [accepted, by_reference] = [&mut ours, &mut reference]
            .map(|client| client.command(&request).map(|reply| reply.error().is_none()));
        let lost = |why| panic!("{}: {bytes:?}: {why}", sample.name);
        let (accepted, by_reference): (bool, bool) =
            (accepted.unwrap_or_else(lost), by_reference.unwrap_or_else(lost));
        match (accepted, by_reference) {
            (true, true) => {
                both += 1;
                let what = format!("{}: {bytes:?}", sample.name);
                let [seen, by_reference] = [&mut ours, &mut reference].map(|client| {
                    // The reference believes what a payload says about the first entry, and from
                    // that tells how far groups are behind; Vesta looks.
                    let mut seen = picture(client);
                    seen.iter_mut().for_each(forget_lag);
                    seen
                });
                assert_eq!(seen, by_reference, "{what}");
            }
            (true, false) => {
                let is_known = bytes.first().is_some_and(|code| *code < UNKNOWN);
                assert!(!is_known, "only Vesta takes {}: {bytes:?}", sample.name);
            }
            (false, true) => stricter += 1,
            (false, false) => {}
        }
    }
    println!("{both} accepted by both, {stricter} refused by Vesta alone");
    assert!(both > 0, "some damage is none");
}
