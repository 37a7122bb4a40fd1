//! Clients that wait for entries of streams: XREAD and XREADGROUP with BLOCK.

mod driver;

use driver::World;
use vesta_config::Config;
use vesta_node::ConnId;
use vesta_testkit::value::Value;

const ROOM: &str = "there is room for a client";
const WELL_FORMED: &str = "a node sends what can be read";

/// A node and a client that sets the scene.
struct Scene {
    world: World,
    host: ConnId,
}

impl Scene {
    fn new() -> Self {
        let mut world = World::new(Config::default());
        world.node.keep_stream();
        let host = world.connect().expect(ROOM);
        Self { world, host }
    }

    /// A scene in which `s` has an entry that the group `g` has read.
    fn with_group() -> Self {
        let mut scene = Self::new();
        scene.host("XADD s 1-1 a 1");
        scene.host("XGROUP CREATE s g $");
        scene.handed_on();
        scene
    }

    fn host(&mut self, request: &str) -> String {
        self.ask(self.host, request)
    }

    fn ask(&mut self, conn: ConnId, request: &str) -> String {
        let words: Vec<&str> = request.split(' ').collect();
        let bytes = self.world.ask(conn, &words);
        shown(bytes.as_bytes())
    }

    /// A new client that sends a request and gets no answer yet.
    fn waits(&mut self, request: &str) -> ConnId {
        let conn = self.world.connect().expect(ROOM);
        assert_eq!(self.ask(conn, request), "", "{request} should wait");
        conn
    }

    /// What a client has received; "" for nothing.
    fn got(&mut self, conn: ConnId) -> String {
        shown(&self.world.take_received(conn))
    }

    /// The commands handed on since the last call, without the stream's own.
    fn handed_on(&mut self) -> Vec<String> {
        let stream = self.world.node.take_stream();
        let (mut rest, mut commands) = (&stream[..], Vec::new());
        while let Some((value, len)) = Value::decode(rest).expect(WELL_FORMED) {
            let words = value.items().unwrap_or_default().iter().filter_map(Value::text);
            let words: Vec<_> = words.map(String::from_utf8_lossy).collect();
            commands.push(words.join(" "));
            rest = rest.get(len..).unwrap_or_default();
        }
        commands
            .retain(|line| !["SELECT", "MULTI", "EXEC"].iter().any(|word| line.starts_with(word)));
        commands
    }
}

/// A single reply in the notation of transcripts.
fn shown(bytes: &[u8]) -> String {
    match Value::decode(bytes).expect(WELL_FORMED) {
        Some((value, len)) if len == bytes.len() => value.to_string(),
        Some(_) => panic!("more than one reply: {}", String::from_utf8_lossy(bytes)),
        None => String::new(),
    }
}

#[test]
fn every_reader_of_a_stream_is_served_by_one_entry() {
    let mut scene = Scene::new();
    let first = scene.waits("XREAD BLOCK 0 STREAMS s $");
    let second = scene.waits("XREAD BLOCK 0 COUNT 1 STREAMS t s 0 0");
    scene.host("XADD s 5-1 a 1");
    let entry = r#"[["s", [["5-1", ["a", "1"]]]]]"#;
    assert_eq!(scene.got(first), entry);
    assert_eq!(scene.got(second), entry);
}

#[test]
fn the_last_id_is_that_of_the_moment_of_waiting() {
    let mut scene = Scene::new();
    scene.host("XADD s 5-1 a 1");
    let reader = scene.waits("XREAD BLOCK 0 STREAMS s $");
    // Nothing that is not above it serves, and what does may be the second look.
    scene.host("XDEL s 5-1");
    scene.host("XSETID s 9-9");
    assert_eq!(scene.got(reader), "");
    scene.host("XADD s 9-10 a 1");
    assert_eq!(scene.got(reader), r#"[["s", [["9-10", ["a", "1"]]]]]"#);
}

#[test]
fn a_stream_that_comes_into_being_some_other_way_serves() {
    let mut scene = Scene::new();
    scene.host("XADD t 5-1 a 1");
    let reader = scene.waits("XREAD BLOCK 0 STREAMS s 0");
    scene.host("RENAME t s");
    assert_eq!(scene.got(reader), r#"[["s", [["5-1", ["a", "1"]]]]]"#);
    let reader = scene.waits("XREAD BLOCK 0 STREAMS copy 0");
    scene.host("COPY s copy");
    assert_eq!(scene.got(reader), r#"[["copy", [["5-1", ["a", "1"]]]]]"#);
}

#[test]
fn a_reader_outlasts_the_key_and_values_of_other_types() {
    let mut scene = Scene::new();
    scene.host("XADD s 5-1 a 1");
    let reader = scene.waits("XREAD BLOCK 0 STREAMS s $");
    scene.host("DEL s");
    scene.host("SET s v");
    scene.host("DEL s");
    assert_eq!(scene.got(reader), "");
    // An id below the one it waits for does not serve.
    scene.host("XADD s 4-1 a 1");
    assert_eq!(scene.got(reader), "");
    scene.host("XADD s 6-1 a 1");
    assert_eq!(scene.got(reader), r#"[["s", [["6-1", ["a", "1"]]]]]"#);
}

#[test]
fn a_time_that_is_up_is_answered_with_a_null_array() {
    let mut scene = Scene::with_group();
    let reader = scene.waits("XREAD BLOCK 100 STREAMS s $");
    let member = scene.waits("XREADGROUP GROUP g c BLOCK 100 STREAMS s >");
    scene.world.advance(99);
    assert_eq!((scene.got(reader), scene.got(member)), (String::new(), String::new()));
    scene.world.advance(1100);
    assert_eq!(scene.got(reader), "nil*");
    assert_eq!(scene.got(member), "nil*");
}

#[test]
fn the_members_of_a_group_share_the_entries_in_order_of_arrival() {
    let mut scene = Scene::with_group();
    let alice = scene.waits("XREADGROUP GROUP g alice BLOCK 0 COUNT 1 STREAMS s >");
    let bob = scene.waits("XREADGROUP GROUP g bob BLOCK 0 NOACK STREAMS s >");
    let created: Vec<String> =
        ["alice", "bob"].map(|name| format!("XGROUP CREATECONSUMER s g {name}")).into();
    assert_eq!(scene.handed_on(), created);
    scene.host("XADD s 1-2 b 2");
    assert_eq!(scene.got(alice), r#"[["s", [["1-2", ["b", "2"]]]]]"#);
    assert_eq!(scene.got(bob), "");
    let now = scene.world.now.unix.ms();
    assert_eq!(
        scene.handed_on(),
        [
            "XADD s 1-2 b 2".to_owned(),
            format!("XCLAIM s g alice 0 1-2 TIME {now} RETRYCOUNT 1 FORCE JUSTID LASTID 1-2"),
            "XGROUP SETID s g 1-2 ENTRIESREAD 2".to_owned(),
        ]
    );
    scene.host("XADD s 1-3 c 3");
    assert_eq!(scene.got(bob), r#"[["s", [["1-3", ["c", "3"]]]]]"#);
    assert_eq!(scene.handed_on(), ["XADD s 1-3 c 3", "XGROUP SETID s g 1-3 ENTRIESREAD 3"]);
    assert_eq!(scene.host("XPENDING s g"), r#"[:1, "1-2", "1-2", [["alice", "1"]]]"#);
}

#[test]
fn members_that_wait_for_one_stream_do_not_wake_each_other_for_ever() {
    let mut scene = Scene::with_group();
    let members: Vec<ConnId> = (0..20)
        .map(|n| scene.waits(&format!("XREADGROUP GROUP g c{n} BLOCK 0 STREAMS s >")))
        .collect();
    // Each look of one of them notes that it was seen, which is no news for the others.
    scene.host("XDEL s 1-1");
    scene.host("XADD s 1-2 a 1");
    assert_eq!(scene.got(members[0]), r#"[["s", [["1-2", ["a", "1"]]]]]"#);
    assert!(members.iter().skip(1).all(|member| scene.got(*member).is_empty()));
}

/// Found by the simulator: a command of the wrong type counted as a change, and the member that it
/// woke became a consumer again.
#[test]
fn a_command_of_the_wrong_type_wakes_nobody() {
    let mut scene = Scene::with_group();
    let member = scene.waits("XREADGROUP GROUP g c BLOCK 0 STREAMS s >");
    scene.host("XGROUP DELCONSUMER s g c");
    scene.handed_on();
    for request in ["RPUSH s v", "LPOP s", "SADD s m", "HSET s f v", "ZADD s 1 m", "APPEND s v"] {
        assert!(scene.host(request).starts_with("-WRONGTYPE"), "{request}");
        assert!(scene.handed_on().is_empty(), "{request}");
    }
    assert_eq!(scene.got(member), "");
}

#[test]
fn a_group_that_goes_takes_its_waiting_members_along() {
    const GONE: &str =
        "-NOGROUP No such key 's' or consumer group 'g' in XREADGROUP with GROUP option";
    for request in ["XGROUP DESTROY s g", "DEL s", "FLUSHALL", "XADD t 1-1 a 1|RENAME t s"] {
        let mut scene = Scene::with_group();
        let member = scene.waits("XREADGROUP GROUP g c BLOCK 0 STREAMS s >");
        let reader = scene.waits("XREAD BLOCK 0 STREAMS s $");
        request.split('|').for_each(|request| {
            scene.host(request);
        });
        assert_eq!(scene.got(member), GONE, "{request}");
        assert_eq!(scene.got(reader), "", "{request}");
    }
}

#[test]
fn a_key_that_expires_takes_the_members_along() {
    let mut scene = Scene::with_group();
    scene.host("PEXPIRE s 100");
    let member = scene.waits("XREADGROUP GROUP g c BLOCK 0 STREAMS s >");
    scene.world.advance(1000);
    assert!(scene.got(member).starts_with("-NOGROUP No such key 's'"));
}

#[test]
fn a_value_of_another_type_is_an_error_for_members_only() {
    let mut scene = Scene::with_group();
    let member = scene.waits("XREADGROUP GROUP g c BLOCK 0 STREAMS s >");
    let reader = scene.waits("XREAD BLOCK 0 STREAMS s $");
    scene.host("SET s v");
    assert_eq!(
        scene.got(member),
        "-WRONGTYPE Operation against a key holding the wrong kind of value"
    );
    assert_eq!(scene.got(reader), "");
}

#[test]
fn other_groups_do_not_matter() {
    let mut scene = Scene::with_group();
    scene.host("XGROUP CREATE s h $");
    let member = scene.waits("XREADGROUP GROUP g c BLOCK 0 STREAMS s >");
    scene.host("XGROUP DESTROY s h");
    scene.host("XGROUP CREATECONSUMER s g other");
    scene.host("XGROUP SETID s g $");
    assert_eq!(scene.got(member), "");
    scene.host("XADD s 1-2 a 1");
    assert_eq!(scene.got(member), r#"[["s", [["1-2", ["a", "1"]]]]]"#);
}

#[test]
fn a_reply_in_resp3_is_a_map() {
    let mut scene = Scene::new();
    let reader = scene.world.connect().expect(ROOM);
    scene.ask(reader, "HELLO 3");
    assert_eq!(scene.ask(reader, "XREAD BLOCK 0 STREAMS s $"), "");
    scene.host("XADD s 1-1 a 1");
    assert_eq!(scene.got(reader), r#"{"s": [["1-1", ["a", "1"]]]}"#);
}
