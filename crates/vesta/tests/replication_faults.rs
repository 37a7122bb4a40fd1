//! Primaries and replicas that say what no real one would, or stop listening: nobody panics or
//! grows without limit, and the data of before stays until there is other that is whole.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails where something is not as it should be"
)]

use std::fs;
use std::io::Read;
use std::net::TcpStream;
use std::time::Duration;

use vesta_testkit::client::{Client, encode};
use vesta_testkit::impostor::{Impostor, Victim};
use vesta_testkit::local::{eventually, fill};
use vesta_testkit::replication::{Kind, Peer, each, in_step};
use vesta_testkit::value::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_vesta");

const ID: &str = "0123456789abcdef0123456789abcdef01234567";

/// How much more a server may need for what a stranger sends, in bytes.
const MORE_BYTES_MAX: u64 = 40 << 20;

fn vesta() -> Kind {
    Kind::Vesta(PROGRAM.into())
}

/// A server with data, which is to be the same afterwards.
struct Bystander {
    peer: Peer,
    digest: String,
    rss_bytes: u64,
}

impl Bystander {
    fn start(args: &[&str]) -> Self {
        let mut peer = vesta().start(args);
        fill(peer.client(), 10);
        let digest = peer.digest();
        let rss_bytes = rss_bytes(&peer);
        Self { peer, digest, rss_bytes }
    }

    /// Has it follow an impostor, and looks at it after that has played its part.
    #[track_caller]
    fn endures(&mut self, what: &str, play: impl FnOnce(&Impostor)) {
        let impostor = Impostor::new().unwrap();
        self.peer.follow(impostor.address());
        play(&impostor);
        self.peer.ok(&["REPLICAOF", "NO", "ONE"]);
        self.peer.is_well();
        assert_eq!(self.peer.digest(), self.digest, "after {what}");
        self.is_small(what);
    }

    #[track_caller]
    fn is_small(&self, what: &str) {
        let grown = rss_bytes(&self.peer).saturating_sub(self.rss_bytes);
        assert!(grown < MORE_BYTES_MAX, "{grown} bytes more after {what}");
    }
}

fn rss_bytes(peer: &Peer) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", peer.server.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    1024 * line.trim().split(' ').next().unwrap().parse::<u64>().unwrap()
}

/// A snapshot as a primary sends it.
fn snapshot() -> Vec<u8> {
    let mut source = vesta().start(&[]);
    source.ok(&["SET", "new", "data"]);
    for key in 0..100 {
        source.ok(&["SET", &format!("key:{key}"), &"v".repeat(1000)]);
    }
    source.ok(&["SAVE"]);
    fs::read(source.server.dir().join("dump.rdb")).unwrap()
}

fn fullresync() -> Vec<u8> {
    format!("+FULLRESYNC {ID} 100\r\n").into_bytes()
}

/// So much of a line that nobody would keep it, as long as it is taken.
fn babble(victim: &mut Victim, bytes: usize) {
    let piece = vec![b'x'; 64 * 1024];
    for _ in 0..bytes / piece.len() {
        if !victim.say(&piece) {
            return;
        }
    }
}

#[test]
fn a_primary_that_cannot_shake_hands_is_left() {
    let noise: Vec<u8> = (0..=255).cycle().take(5000).collect();
    let said = [
        noise.as_slice(),
        b"\r\n\r\n\x00\r\n",
        b"*1\r\n$4\r\nPING\r\n",
        b"$5\r\n+PONG\r\n",
        b"-ERR who are you\r\n",
        b"-",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"",
    ];
    each(said.to_vec(), |said| {
        let mut bystander = Bystander::start(&["--repl-timeout", "2"]);
        bystander.endures(&format!("{:?}", said.escape_ascii().to_string()), |impostor| {
            let mut victim = impostor.accept();
            victim.request().unwrap().unwrap();
            victim.say(said);
            victim.until_closed();
        });
    });
    let mut bystander = Bystander::start(&[]);
    bystander.endures("an endless line", |impostor| {
        let mut victim = impostor.accept();
        babble(&mut victim, 200 << 20);
        victim.until_closed();
    });
}

#[test]
fn an_answer_to_psync_that_makes_no_sense_is_none() {
    let mut bystander = Bystander::start(&["--repl-timeout", "5"]);
    for said in [
        "+CONTINUE\r\n",
        "+CONTINUE 0123\r\n",
        "+FULLRESYNC\r\n",
        "+FULLRESYNC abc 100\r\n",
        "+FULLRESYNC 0123456789abcdef0123456789abcdef01234567\r\n",
        "+FULLRESYNC 0123456789abcdef0123456789abcdef01234567 many\r\n",
        "+FULLRESYNC 0123456789abcdef0123456789abcdef01234567 -5\r\n",
        "+FULLRESYNC 0123456789abcdef0123456789abcdef01234567 99999999999999999999\r\n",
        "+WHATEVER\r\n",
        ":5\r\n",
        "$5\r\nhello\r\n",
    ] {
        bystander.endures(&format!("{said:?}"), |impostor| {
            let (mut victim, asked) = impostor.accept_psync();
            assert_eq!(asked.len(), 2, "{asked:?}");
            victim.say(said.as_bytes());
            // It goes, or asks with SYNC instead, or says how far it is.
            let _ = victim.request();
        });
    }
    bystander.endures("an endless line", |impostor| {
        let (mut victim, _) = impostor.accept_psync();
        victim.say(b"+FULLRESYNC ");
        babble(&mut victim, 200 << 20);
        victim.until_closed();
    });
}

/// What is no snapshot, and whether the connection ends before that can be known.
fn broken_payloads() -> Vec<(&'static str, Vec<u8>, bool)> {
    let whole = snapshot();
    let len = whole.len();
    let sized = |len: usize, bytes: &[u8]| [format!("${len}\r\n").as_bytes(), bytes].concat();
    let mut flipped = whole.clone();
    flipped[len / 2] ^= 1;
    let mut early = whole.clone();
    early[9] = 0xee;
    let mark = "m".repeat(40);
    let marked = |end: &str, bytes: &[u8]| {
        [b"$EOF:", mark.as_bytes(), b"\r\n", bytes, end.as_bytes()].concat()
    };
    vec![
        ("no length", b"$\r\n".to_vec(), false),
        ("a length that is none", b"$many\r\n".to_vec(), false),
        ("a length below zero", b"$-5\r\n".to_vec(), false),
        ("a length beyond all", b"$99999999999999999999\r\n".to_vec(), false),
        ("no payload", b"+OK\r\n".to_vec(), false),
        ("an error", b"-ERR no snapshot today\r\n".to_vec(), false),
        ("a mark that is too short", b"$EOF:0123\r\n".to_vec(), false),
        ("the largest length", sized(i64::MAX as usize, &whole), true),
        ("noise", sized(5000, &[0xa5; 5000]), false),
        ("an empty snapshot", sized(0, b""), false),
        ("a wrong magic", sized(len, &[b"RADIS", &whole[5..]].concat()), false),
        ("a version of the future", sized(len, &[b"REDIS9999", &whole[9..]].concat()), false),
        ("an unknown type", sized(len, &early), false),
        ("a flipped bit", sized(len, &flipped), false),
        ("a cut snapshot", sized(len, &whole[..len / 2]), true),
        ("a snapshot that says it ends", sized(len - 20, &whole[..len - 20]), false),
        ("a cut stream", marked("", &whole[..len / 2]), true),
        ("a stream without its mark", marked("", &whole), true),
        ("a stream with another mark", marked(&"n".repeat(40), &whole), true),
        ("a flipped bit in a stream", marked(&mark, &flipped), false),
        ("a stream cut by its mark", marked(&mark, &whole[..len / 2]), false),
    ]
}

#[test]
fn a_snapshot_that_is_not_whole_replaces_nothing() {
    let payloads = broken_payloads();
    for load in ["swapdb", "disabled", "on-empty-db"] {
        let mut bystander = Bystander::start(&["--repl-diskless-load", load]);
        for (what, payload, is_open) in &payloads {
            bystander.endures(&format!("{what} with {load}"), |impostor| {
                let (mut victim, _) = impostor.accept_psync();
                victim.say(&fullresync());
                victim.say(b"\n\n");
                victim.say(payload);
                if *is_open { victim.hang_up() } else { victim.until_closed() }
            });
            // It does not take it that it has any of that.
            let id = bystander.peer.field("master_replid");
            let former = bystander.peer.field("master_replid2");
            assert!(![id, former].contains(&Some(ID.to_owned())), "after {what}");
        }
        let left = fs::read_dir(bystander.peer.server.dir()).unwrap();
        let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
        assert!(left.iter().all(|name| name == "server.log"), "{left:?}");
    }
}

/// A replica that has got a whole snapshot from an impostor.
fn synchronised(peer: &mut Peer, payload: &[u8]) -> (Impostor, Victim) {
    let impostor = Impostor::new().unwrap();
    peer.follow(impostor.address());
    let (mut victim, _) = impostor.accept_psync();
    victim.say(&fullresync());
    victim.say(format!("${}\r\n", payload.len()).as_bytes());
    victim.say(payload);
    peer.until_linked();
    (impostor, victim)
}

#[test]
fn a_stream_that_makes_no_sense_ends_the_link_and_what_came_before_counts() {
    let payload = snapshot();
    let mut peer = vesta().start(&[]);
    let before = rss_bytes(&peer);
    let good = [encode(&["SELECT", "0"]), encode(&["SET", "last", "good"])].concat();
    for said in [
        &b"FLUSHALL\r\n"[..],
        b"$3\r\nSET\r\n",
        b"*1\r\n$-3\r\n",
        b"*3\r\n$3\r\nSET\r\n:5\r\n",
        b"*2147483648\r\n",
        b"*1\r\n$10000000000000\r\n",
        b"*x\r\n",
    ] {
        let (impostor, mut victim) = synchronised(&mut peer, &payload);
        assert_eq!(peer.text(&["GET", "new"]), "data");
        victim.say(&good);
        victim.say(said);
        victim.until_closed();
        // It comes again for what is behind the last that made sense.
        let (victim, asked) = impostor.accept_psync();
        let next = 100 + good.len() as u64 + 1;
        assert_eq!(asked, [ID.to_owned(), next.to_string()], "{}", said.escape_ascii());
        victim.hang_up();
        peer.is_well();
        assert_eq!(peer.text(&["GET", "last"]), "good", "{}", said.escape_ascii());
    }
    // A request is no line without an end, and no endless one.
    let (_impostor, mut victim) = synchronised(&mut peer, &payload);
    babble(&mut victim, 200 << 20);
    victim.until_closed();
    peer.is_well();
    let grown = rss_bytes(&peer).saturating_sub(before);
    assert!(grown < MORE_BYTES_MAX, "{grown} bytes more");
}

#[test]
fn what_a_primary_sends_that_cannot_be_done_is_passed_over() {
    let payload = snapshot();
    let mut peer = vesta().start(&[]);
    let (_impostor, mut victim) = synchronised(&mut peer, &payload);
    for words in [
        &["NOSUCHCOMMAND", "a"][..],
        &["SET", "only"],
        &["INCR", "new"],
        &["LPUSH", "new", "v"],
        &["EXEC"],
        &["SUBSCRIBE", "c"],
        &["BLPOP", "none", "0"],
        &["REPLICAOF", "NO", "ONE"],
        &["PSYNC", "?", "-1"],
        &["SHUTDOWN", "NOSAVE"],
        &["DEBUG", "SEGFAULT"],
        &["CONFIG", "SET", "maxmemory", "1"],
        &["REPLCONF", "GETACK"],
        &["REPLCONF", "NONSENSE", "x"],
    ] {
        victim.say(&encode(words));
    }
    victim.say(&encode(&["SELECT", "0"]));
    victim.say(&encode(&["SET", "behind", "all"]));
    peer.until("what is behind", |peer| peer.text(&["GET", "behind"]) == "all");
    assert_eq!(peer.text(&["GET", "new"]), "data");
    assert_eq!(peer.field("role").as_deref(), Some("slave"));
    peer.until_linked();
    peer.is_well();
}

#[test]
fn a_replica_that_stops_reading_is_dropped_and_costs_no_more_than_its_limit() {
    let limit = ["--client-output-buffer-limit", "replica 4mb 4mb 1", "--repl-timeout", "5"];
    let mut bystander = Bystander::start(&[&limit[..], &["--repl-backlog-size", "1mb"]].concat());
    let primary = &mut bystander.peer;
    let mut good = vesta().start(&[]);
    good.follow(primary.address());
    good.until_linked();
    let mut silent = primary.server.client().unwrap();
    silent.send(&["PSYNC", "?", "-1"]).unwrap();
    primary.until("it", |primary| primary.number("connected_slaves") == 2);
    // More than sockets take.
    let value = "v".repeat(100_000);
    for _ in 0..500 {
        primary.ok(&["SET", "a", &value]);
    }
    primary.until("its end", |primary| primary.number("connected_slaves") == 1);
    in_step(primary, &mut [&mut good]);
    primary.is_well();
    bystander.is_small("a replica that did not read");
}

#[test]
fn a_replica_that_talks_nonsense_is_answered_or_dropped() {
    let mut peer = vesta().start(&[]);
    peer.ok(&["SET", "a", "1"]);
    for words in [
        &["REPLCONF", "ACK", "many"][..],
        &["REPLCONF", "ACK", "-1"],
        &["REPLCONF", "ACK", "99999999999999999999"],
        &["REPLCONF", "ACK", "9223372036854775807", "FACK", "x"],
        &["REPLCONF", "GETACK", "*"],
        &["SET", "a", "2"],
        &["NOSUCHCOMMAND"],
        &["PSYNC", "?", "-1"],
        &["SYNC"],
        &["MULTI"],
        &["SUBSCRIBE", "c"],
    ] {
        let mut replica = peer.server.client().unwrap();
        replica.send(&["PSYNC", "?", "-1"]).unwrap();
        peer.until("it online", |peer| peer.number("connected_slaves") == 1);
        replica.send(words).unwrap();
        replica.send_raw(b"\r\n\r\n").unwrap();
        peer.is_well();
        drop(replica);
        peer.until("its end", |peer| peer.number("connected_slaves") == 0);
    }
    let noise: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let mut replica = peer.server.client().unwrap();
    replica.send(&["PSYNC", "?", "-1"]).unwrap();
    // It may be cut off before it has said all.
    let _ = replica.send_raw(&noise);
    peer.until("its end", |peer| peer.number("connected_slaves") == 0);
    peer.is_well();
    assert_eq!(peer.text(&["GET", "a"]), "1", "a replica writes nothing");
}

/// What is said first in reply to a request on a connection of its own, without what is of the
/// moment.
fn first_words(peer: &Peer, words: &[&str]) -> String {
    let mut stream = TcpStream::connect(peer.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    std::io::Write::write_all(&mut stream, &encode(words)).unwrap();
    let mut line = Vec::new();
    let mut byte = [0];
    while !line.ends_with(b"\r\n") && stream.read(&mut byte).unwrap() > 0 {
        // Replicas that wait get empty lines.
        if !(line.is_empty() && byte == *b"\n") {
            line.extend(byte);
        }
    }
    let line = String::from_utf8_lossy(&line).trim_end().to_owned();
    let words = line.split(' ').map(|word| match word.len() {
        40 => "<id>",
        _ if word.starts_with("$EOF:") || word.starts_with("$1") => "<payload>",
        _ => word,
    });
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn requests_of_replicas_that_make_no_sense_are_answered_as_by_redis() {
    let mut answers: Vec<Vec<String>> = Vec::new();
    let requests: [&[&str]; 28] = [
        &["PSYNC"],
        &["PSYNC", "a"],
        &["PSYNC", "?", "-1"],
        &["PSYNC", "?", "0"],
        &["PSYNC", "?", "-2"],
        &["PSYNC", "?", "many"],
        &["PSYNC", "a", "b"],
        &["PSYNC", ID, "1"],
        &["PSYNC", ID, "-1"],
        &["PSYNC", ID, "99999999999999999999"],
        &["PSYNC", "\r\n", "1"],
        &["PSYNC", ID, "1", "2"],
        &["PSYNC", "?", "-1", "FAILOVER"],
        &["PSYNC", ID, "1", "FAILOVER"],
        &["SYNC", "now"],
        &["REPLCONF"],
        &["REPLCONF", "ACK"],
        &["REPLCONF", "nonsense", "x"],
        &["REPLCONF", "listening-port", "many"],
        &["REPLCONF", "listening-port", "-1"],
        &["REPLCONF", "ip-address", "127.0.0.1"],
        &["REPLCONF", "capa", "nonsense"],
        &["REPLCONF", "capa", "eof", "capa"],
        &["REPLCONF", "rdb-only", "x"],
        &["REPLCONF", "rdb-only", "2"],
        &["REPLCONF", "rdb-filter-only", "nonsense"],
        &["REPLICAOF", "a"],
        &["REPLICAOF", "127.0.0.1", "99999"],
    ];
    for kind in Kind::all(PROGRAM) {
        let mut peer = kind.start(&[]);
        let said = requests.iter().map(|words| {
            let said = first_words(&peer, words);
            format!("{words:?} {said}")
        });
        answers.push(said.collect());
        peer.is_well();
    }
    let mut answers = answers.into_iter();
    if let (Some(ours), Some(theirs)) = (answers.next(), answers.next()) {
        for (ours, theirs) in ours.iter().zip(&theirs) {
            assert_eq!(ours, theirs);
        }
    }
}

/// Of a line that a replica logs when it does not take nothing for its data.
const REFUSAL: &str = "Set replica-refuse-empty-primary to no";

#[test]
fn a_primary_that_has_lost_its_data_does_not_empty_its_replicas() {
    let mut primary = vesta().start(&["--repl-diskless-sync", "yes"]);
    let mut replica = vesta().start(&[]);
    primary.ok(&["SET", "precious", "1"]);
    replica.follow(primary.address());
    in_step(&mut primary, &mut [&mut replica]);
    // It has no file to start from.
    primary.crash();
    assert_eq!(primary.ask(&["DBSIZE"]), Value::Int(0));
    replica.until("a refusal", |replica| replica.server.log().contains(REFUSAL));
    assert_eq!(replica.text(&["GET", "precious"]), "1");
    assert_eq!(replica.field("master_link_status").as_deref(), Some("down"));
    // Somebody means it.
    replica.ok(&["CONFIG", "SET", "replica-refuse-empty-primary", "no"]);
    replica.until_linked();
    assert_eq!(replica.ask(&["DBSIZE"]), Value::Int(0));
    // As soon as it has something, it is followed without that.
    replica.ok(&["CONFIG", "SET", "replica-refuse-empty-primary", "yes"]);
    primary.ok(&["SET", "new", "1"]);
    in_step(&mut primary, &mut [&mut replica]);
    primary.crash();
    replica.until("another refusal", |replica| replica.server.log().matches(REFUSAL).count() > 1);
    primary.ok(&["SET", "again", "1"]);
    replica.until("the new data", |replica| replica.text(&["GET", "again"]) == "1");
}

#[test]
fn clients_of_a_replica_that_has_never_had_a_link_are_served_or_told() {
    let mut replica = vesta().start(&["--replica-serve-stale-data", "no"]);
    let nobody = Impostor::new().unwrap();
    let address = nobody.address();
    drop(nobody);
    replica.follow(address);
    assert_eq!(
        replica.text(&["GET", "a"]),
        "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'."
    );
    replica.ok(&["CONFIG", "SET", "replica-serve-stale-data", "yes"]);
    assert_eq!(replica.ask(&["GET", "a"]), Value::NilBulk);
    assert_eq!(
        replica.text(&["SET", "a", "1"]),
        "READONLY You can't write against a read only replica."
    );
    eventually("attempts", || replica.server.log().matches("refused").count() > 1);
    let mut second: Client = replica.server.client().unwrap();
    assert_eq!(second.command(&["PING"]).unwrap(), Value::Simple(b"PONG".to_vec()));
}
