//! Clients that wait for keys: who is served, in which order, with what, and what becomes of the
//! others.

mod driver;

use driver::World;
use vesta_config::Config;
use vesta_node::ConnId;
use vesta_testkit::client::encode;
use vesta_testkit::value::Value;

const NULL_ARRAY: &str = "*-1\r\n";
const ROOM: &str = "there is room for a client";
const WELL_FORMED: &str = "a node sends what can be read";

/// A node, a client that sets the scene, and clients that wait.
struct Scene {
    world: World,
    host: ConnId,
}

impl Scene {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default();
        change(&mut config);
        let mut world = World::new(config);
        world.node.keep_stream();
        let host = world.connect().expect(ROOM);
        Self { world, host }
    }

    /// A new client that sends a request and gets no answer yet.
    fn waits(&mut self, request: &str) -> ConnId {
        let conn = self.world.connect().expect(ROOM);
        assert_eq!(self.ask(conn, request), "", "{request} should wait");
        conn
    }

    fn ask(&mut self, conn: ConnId, request: &str) -> String {
        let words: Vec<&str> = request.split(' ').collect();
        self.world.ask(conn, &words)
    }

    fn host(&mut self, request: &str) -> String {
        self.ask(self.host, request)
    }

    /// What a client has received, as one reply in the notation of transcripts; "" for nothing.
    fn got(&mut self, conn: ConnId) -> String {
        let bytes = self.world.take_received(conn);
        match Value::decode(&bytes).expect(WELL_FORMED) {
            Some((value, len)) if len == bytes.len() => value.to_string(),
            Some(_) => panic!("more than one reply: {}", String::from_utf8_lossy(&bytes)),
            None => String::from_utf8_lossy(&bytes).into_owned(),
        }
    }

    fn list(&mut self, key: &str) -> String {
        let host = self.host;
        self.world.send(host, &encode(&["LRANGE", key, "0", "-1"]));
        self.got(host)
    }

    /// The commands handed on since the last call, without the stream's own.
    fn stream(&mut self) -> Vec<String> {
        let stream = self.world.node.take_stream();
        let (mut rest, mut commands) = (&stream[..], Vec::new());
        while let Some((value, len)) = Value::decode(rest).expect(WELL_FORMED) {
            let words = value.items().unwrap_or_default().iter().filter_map(Value::text);
            let words: Vec<_> = words.map(String::from_utf8_lossy).collect();
            let command = words.join(" ");
            if !["SELECT", "MULTI", "EXEC"].iter().any(|word| command.starts_with(word)) {
                commands.push(command);
            }
            rest = rest.get(len..).unwrap_or_default();
        }
        commands
    }

    /// A line of INFO.
    fn info(&mut self, field: &str) -> String {
        let text = self.host("INFO clients");
        let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        line.map(str::to_owned).unwrap_or_default()
    }

    fn blocked(&mut self) -> String {
        self.info("blocked_clients")
    }
}

#[test]
fn who_waits_longest_for_a_key_is_served_first() {
    let mut scene = Scene::new();
    let waiting: Vec<ConnId> = (0..4).map(|_| scene.waits("BLPOP k 0")).collect();
    scene.host("RPUSH k 1 2");
    assert_eq!(scene.got(waiting[0]), r#"["k", "1"]"#);
    assert_eq!(scene.got(waiting[1]), r#"["k", "2"]"#);
    scene.host("RPUSH k 3");
    assert_eq!(scene.got(waiting[2]), r#"["k", "3"]"#);
    assert_eq!(scene.got(waiting[3]), "");
    assert_eq!(scene.blocked(), "1");
}

#[test]
fn a_client_keeps_its_place_for_one_key_while_it_misses_another() {
    let mut scene = Scene::new();
    let both = scene.waits("BLPOP a b 0");
    let only_a = scene.waits("BLPOP a 0");
    let only_b = scene.waits("BLPOP b 0");
    // A value of another type comes and goes: nobody is served and nobody loses its place.
    scene.host("SET a v");
    scene.host("DEL a");
    scene.host("RPUSH b 1 2");
    assert_eq!(scene.got(both), r#"["b", "1"]"#);
    assert_eq!(scene.got(only_b), r#"["b", "2"]"#);
    assert_eq!(scene.got(only_a), "");
    scene.host("RPUSH a 3");
    assert_eq!(scene.got(only_a), r#"["a", "3"]"#);
    assert_eq!(scene.blocked(), "0");
}

#[test]
fn a_client_is_served_after_the_command_that_pushed_and_not_within_it() {
    let mut scene = Scene::new();
    let left = scene.waits("BLPOP k 0");
    let right = scene.waits("BRPOP k 0");
    assert_eq!(scene.host("LPUSH k 1 2 3"), ":3\r\n");
    assert_eq!(scene.got(left), r#"["k", "3"]"#);
    assert_eq!(scene.got(right), r#"["k", "1"]"#);
    assert_eq!(scene.list("k"), r#"["2"]"#);
    assert_eq!(scene.stream(), ["LPUSH k 1 2 3", "LPOP k", "RPOP k"]);
}

#[test]
fn requests_of_one_batch_serve_one_after_another() {
    let mut scene = Scene::new();
    let first = scene.waits("BLPOP k 0");
    let second = scene.waits("BLPOP k 0");
    let batch = [
        encode(&["RPUSH", "k", "1"]),
        encode(&["LLEN", "k"]),
        encode(&["RPUSH", "k", "2", "3"]),
        encode(&["LLEN", "k"]),
    ];
    let host = scene.host;
    scene.world.send(host, &batch.concat());
    assert_eq!(scene.world.take_received(host), b":1\r\n:0\r\n:2\r\n:1\r\n");
    assert_eq!(scene.got(first), r#"["k", "1"]"#);
    assert_eq!(scene.got(second), r#"["k", "2"]"#);
}

#[test]
fn what_a_client_sends_behind_its_wait_is_executed_after_it() {
    let mut scene = Scene::new();
    let conn = scene.world.connect().unwrap();
    let batch = [
        encode(&["BLPOP", "k", "0"]),
        encode(&["LPUSH", "k", "own"]),
        encode(&["BLPOP", "k", "0"]),
        encode(&["BLPOP", "k", "0"]),
    ];
    scene.world.send(conn, &batch.concat());
    assert_eq!(scene.world.take_received(conn), b"");
    scene.host("RPUSH k given");
    let expected = "*2\r\n$1\r\nk\r\n$5\r\ngiven\r\n:1\r\n*2\r\n$1\r\nk\r\n$3\r\nown\r\n";
    assert_eq!(scene.world.take_received(conn), expected.as_bytes());
    assert_eq!(scene.blocked(), "1");
}

#[test]
fn a_key_named_twice_gives_one_element() {
    let mut scene = Scene::new();
    let twice = scene.waits("BLPOP k other k k 0");
    let next = scene.waits("BLPOP k 0");
    scene.host("RPUSH k 1");
    assert_eq!(scene.got(twice), r#"["k", "1"]"#);
    assert_eq!(scene.got(next), "");
    assert_eq!(scene.info("total_blocking_keys"), "1");
    scene.host("RPUSH k 2");
    assert_eq!(scene.got(next), r#"["k", "2"]"#);
    assert_eq!(scene.info("total_blocking_keys"), "0");
}

#[test]
fn of_several_keys_that_come_together_the_first_named_is_taken() {
    let mut scene = Scene::new();
    let conn = scene.waits("BLPOP b a 0");
    scene.host("SELECT 1");
    scene.host("RPUSH a 1");
    scene.host("RPUSH b 2");
    scene.host("SWAPDB 0 1");
    assert_eq!(scene.got(conn), r#"["b", "2"]"#);
    scene.host("SELECT 0");
    assert_eq!(scene.list("a"), r#"["1"]"#);
}

#[test]
fn time_is_up_when_the_timeout_has_passed_and_not_before() {
    let mut scene = Scene::new();
    let short = scene.waits("BLPOP k 0.25");
    let long = scene.waits("BLPOP k 2");
    let moving = scene.waits("BLMOVE k d LEFT LEFT 0.5");
    let endless = scene.waits("BLMPOP 0 1 k LEFT");
    scene.world.advance(240);
    assert_eq!(scene.blocked(), "4");
    scene.world.advance(20);
    assert_eq!(scene.world.take_received(short), NULL_ARRAY.as_bytes());
    scene.world.advance(300);
    assert_eq!(scene.world.take_received(moving), NULL_ARRAY.as_bytes());
    scene.world.advance(1_500);
    assert_eq!(scene.world.take_received(long), NULL_ARRAY.as_bytes());
    scene.world.advance(1_000_000);
    assert_eq!((scene.got(endless), scene.blocked()), (String::new(), "1".to_owned()));
    // Who is no longer there is passed over.
    scene.host("RPUSH k 1");
    assert_eq!(scene.got(endless), r#"["k", ["1"]]"#);
    assert_eq!((scene.got(short), scene.got(long)), (String::new(), String::new()));
    assert_eq!(scene.stream(), ["RPUSH k 1", "LPOP k 1"]);
}

#[test]
fn a_client_that_was_served_has_no_timeout_left() {
    let mut scene = Scene::new();
    let conn = scene.waits("BLPOP k 1");
    scene.host("RPUSH k 1");
    assert_eq!(scene.got(conn), r#"["k", "1"]"#);
    assert_eq!(scene.ask(conn, "BLPOP k 5"), "");
    scene.world.advance(2_000);
    assert_eq!(scene.got(conn), "");
    scene.world.advance(3_100);
    assert_eq!(scene.world.take_received(conn), NULL_ARRAY.as_bytes());
}

#[test]
fn unblock_ends_a_wait_as_if_its_time_were_up_or_with_an_error() {
    let mut scene = Scene::new();
    let conn = scene.world.connect().unwrap();
    let id = scene.ask(conn, "CLIENT ID");
    let id = id.trim_start_matches(':').trim_end();
    for (how, reply) in [
        ("", "*-1\r\n"),
        (" TIMEOUT", "*-1\r\n"),
        (" ERROR", "-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n"),
    ] {
        assert_eq!(scene.ask(conn, "BLPOP k 0"), "");
        assert_eq!(scene.host(&format!("CLIENT UNBLOCK {id}{how}")), ":1\r\n");
        assert_eq!(scene.world.take_received(conn), reply.as_bytes());
        assert_eq!(scene.host(&format!("CLIENT UNBLOCK {id}{how}")), ":0\r\n");
    }
    // It waits no more, and is served as any other client.
    scene.host("RPUSH k 1");
    assert_eq!(scene.list("k"), r#"["1"]"#);
    assert_eq!(scene.ask(conn, "LLEN k"), ":1\r\n");
}

#[test]
fn a_client_that_left_takes_nothing_with_it() {
    let mut scene = Scene::new();
    let gone = scene.waits("BLMOVE k d LEFT LEFT 0");
    let next = scene.waits("BLPOP k 0");
    scene.world.leave(gone);
    assert_eq!(scene.blocked(), "1");
    scene.host("RPUSH k 1");
    assert_eq!(scene.got(next), r#"["k", "1"]"#);
    assert_eq!(scene.host("EXISTS k d"), ":0\r\n");
    assert_eq!(scene.stream(), ["RPUSH k 1", "LPOP k"]);
    let last = scene.waits("BLPOP k 1");
    scene.world.leave(last);
    scene.world.advance(5_000);
    assert_eq!((scene.blocked(), scene.info("total_blocking_keys")), ("0".into(), "0".into()));
}

#[test]
fn a_client_that_is_killed_while_it_waits_is_gone() {
    let mut scene = Scene::new();
    let killed = scene.world.connect().unwrap();
    let id = scene.ask(killed, "CLIENT ID");
    scene.ask(killed, "BLPOP k 0");
    assert_eq!(scene.host(&format!("CLIENT KILL ID {}", id[1..].trim_end())), ":1\r\n");
    assert!(scene.world.is_closed(killed));
    assert_eq!(scene.blocked(), "0");
    scene.host("RPUSH k 1");
    assert_eq!(scene.list("k"), r#"["1"]"#);
}

#[test]
fn nothing_is_taken_for_a_client_that_is_being_disconnected() {
    let mut scene = Scene::new();
    let killed = scene.world.connect().expect(ROOM);
    let id = scene.ask(killed, "CLIENT ID");
    let id = id.trim_start_matches(':').trim_end();
    scene.ask(killed, "BLPOP k 0");
    // In one batch: the connection is still there when the element comes.
    let mut batch = encode(&["CLIENT", "KILL", "ID", id]);
    batch.extend(encode(&["CLIENT", "UNBLOCK", id]));
    batch.extend(encode(&["RPUSH", "k", "1"]));
    let host = scene.host;
    scene.world.send(host, &batch);
    assert_eq!(scene.world.take_received(host), b":1\r\n:0\r\n:1\r\n");
    assert_eq!(scene.list("k"), r#"["1"]"#);
    assert_eq!(scene.stream(), ["RPUSH k 1"]);
}

/// As in 7.2; 7.0 asks no gate again.
#[test]
fn a_request_that_is_run_again_is_refused_when_memory_is_short() {
    let mut scene = Scene::new();
    scene.host("RPUSH ready v w");
    let (mover, popper) = (scene.waits("BLMOVE k d LEFT LEFT 0"), scene.waits("BLPOP k 0"));
    scene.host("CONFIG SET maxmemory 1");
    scene.host("RENAME ready k");
    assert_eq!(
        String::from_utf8_lossy(&scene.world.take_received(mover)),
        "-OOM command not allowed when used memory > 'maxmemory'.\r\n"
    );
    assert_eq!(scene.got(popper), r#"["k", "v"]"#);
    assert_eq!((scene.list("k"), scene.blocked()), (r#"["w"]"#.into(), "0".into()));
    assert_eq!(scene.stream(), ["RPUSH ready v w", "RENAME ready k", "LPOP k"]);
}

#[test]
fn a_key_that_is_gone_again_serves_nobody() {
    let mut scene = Scene::new();
    let first = scene.waits("BLPOP k 0");
    let second = scene.waits("BLPOP k 0");
    scene.host("RPUSH k 1");
    assert_eq!(scene.got(first), r#"["k", "1"]"#);
    for request in ["SET k v", "DEL k", "SET k v PX 10", "GET k", "FLUSHALL"] {
        scene.host(request);
        assert_eq!(scene.got(second), "", "{request}");
    }
    scene.host("RPUSH k 2");
    assert_eq!(scene.got(second), r#"["k", "2"]"#);
}

#[test]
fn a_key_of_another_type_beside_the_one_that_serves_is_an_error() {
    let mut scene = Scene::new();
    let conn = scene.waits("BLPOP a b 0");
    scene.host("SET a v");
    assert_eq!(scene.got(conn), "");
    // As when it is asked anew: the keys are looked at in order.
    scene.host("RPUSH b 1");
    assert!(scene.got(conn).starts_with("-WRONGTYPE"));
    assert_eq!(scene.list("b"), r#"["1"]"#);
    assert_eq!(scene.stream(), ["SET a v", "RPUSH b 1"]);
}

#[test]
fn a_list_may_come_by_rename_copy_move_and_swap() {
    let mut scene = Scene::new();
    for request in ["RENAME from k", "RENAMENX from k", "COPY from k", "LMOVE from k LEFT LEFT"] {
        let conn = scene.waits("BLPOP k 0");
        scene.host("DEL from");
        scene.host("RPUSH from v");
        assert_eq!(scene.got(conn), "");
        scene.host(request);
        assert_eq!(scene.got(conn), r#"["k", "v"]"#, "{request}");
        assert_eq!(scene.host("EXISTS k"), ":0\r\n");
    }
    for request in ["MOVE k 0", "COPY k k DB 0", "SWAPDB 0 1", "SWAPDB 1 0"] {
        let conn = scene.waits("BLPOP k 0");
        scene.host("SELECT 1");
        scene.host("DEL k");
        scene.host("RPUSH k v");
        assert_eq!(scene.got(conn), "", "a wait is for the key of one database");
        scene.host(request);
        assert_eq!(scene.got(conn), r#"["k", "v"]"#, "{request}");
        scene.host("SELECT 0");
    }
}

#[test]
fn moves_that_wait_for_each_other_hand_an_element_down_the_chain() {
    let mut scene = Scene::new();
    let links = 200;
    let movers: Vec<ConnId> = (0..links)
        .map(|at| scene.waits(&format!("BLMOVE k{at} k{} LEFT RIGHT 0", at + 1)))
        .collect();
    let last = scene.waits(&format!("BLPOP k{links} 0"));
    scene.host("RPUSH k0 v");
    for mover in movers {
        assert_eq!(scene.got(mover), r#""v""#);
    }
    assert_eq!(scene.got(last), format!(r#"["k{links}", "v"]"#));
    assert_eq!((scene.blocked(), scene.host("DBSIZE")), ("0".into(), ":0\r\n".into()));
    assert_eq!(scene.stream().len(), links + 2);
}

#[test]
fn moves_in_a_circle_come_to_an_end() {
    let mut scene = Scene::new();
    let there = scene.waits("BLMOVE x y LEFT LEFT 0");
    let back = scene.waits("BRPOPLPUSH y x 0");
    let again = scene.waits("BLMOVE x y RIGHT RIGHT 0");
    let onto_itself = scene.waits("BLMOVE y y LEFT RIGHT 0");
    scene.host("RPUSH x v");
    for mover in [there, back, again, onto_itself] {
        assert_eq!(scene.got(mover), r#""v""#);
    }
    assert_eq!((scene.list("x"), scene.list("y")), ("[]".into(), r#"["v"]"#.into()));
    assert_eq!(
        scene.stream(),
        [
            "RPUSH x v",
            "LMOVE x y LEFT LEFT",
            "RPOPLPUSH y x",
            "LMOVE x y RIGHT RIGHT",
            "LMOVE y y LEFT RIGHT",
        ]
    );
}

#[test]
fn a_move_to_a_value_of_another_type_fails_and_the_next_client_gets_the_element() {
    let mut scene = Scene::new();
    scene.host("SET d v");
    let mover = scene.waits("BLMOVE s d LEFT LEFT 0");
    let next = scene.waits("BLPOP s 0");
    scene.host("RPUSH s 1");
    assert!(scene.got(mover).starts_with("-WRONGTYPE"));
    assert_eq!(scene.got(next), r#"["s", "1"]"#);
    assert_eq!(scene.stream(), ["SET d v", "RPUSH s 1", "LPOP s"]);
}

#[test]
fn several_are_served_from_one_push_while_there_is_something() {
    let mut scene = Scene::new();
    let two = scene.waits("BLMPOP 0 2 none k LEFT COUNT 2");
    let ten = scene.waits("BLMPOP 0 1 k RIGHT COUNT 10");
    let none = scene.waits("BLMPOP 0 1 k LEFT COUNT 10");
    scene.host("RPUSH k 1 2 3 4");
    assert_eq!(scene.got(two), r#"["k", ["1", "2"]]"#);
    assert_eq!(scene.got(ten), r#"["k", ["4", "3"]]"#);
    assert_eq!(scene.got(none), "");
    assert_eq!(scene.stream(), ["RPUSH k 1 2 3 4", "LPOP k 2", "RPOP k 2"]);
}

#[test]
fn a_pause_of_writes_holds_the_service_too() {
    let mut scene = Scene::new();
    let conn = scene.waits("BLPOP k 0");
    scene.host("RPUSH other v");
    scene.host("CLIENT PAUSE 60000 WRITE");
    // Its time is still up in time, and unblocking still works.
    let late = scene.waits("BLPOP k 1");
    scene.world.advance(1_100);
    assert_eq!(scene.got(late), "", "a request that a pause holds has not begun to wait");
    scene.host("CLIENT UNPAUSE");
    scene.world.advance(1_100);
    assert_eq!(scene.world.take_received(late), NULL_ARRAY.as_bytes());
    assert_eq!(scene.got(conn), "");
    scene.host("RENAME other k");
    assert_eq!(scene.got(conn), r#"["k", "v"]"#);
}

#[test]
fn time_runs_out_during_a_pause() {
    let mut scene = Scene::new();
    let conn = scene.waits("BLPOP k 1");
    scene.host("CLIENT PAUSE 60000 WRITE");
    scene.world.advance(1_100);
    assert_eq!(scene.world.take_received(conn), NULL_ARRAY.as_bytes());
}

#[test]
fn a_client_that_wants_no_replies_is_served_in_silence() {
    let mut scene = Scene::new();
    let conn = scene.world.connect().unwrap();
    assert_eq!(scene.ask(conn, "CLIENT REPLY OFF"), "");
    assert_eq!(scene.ask(conn, "BLPOP k 0"), "");
    scene.host("RPUSH k 1 2");
    assert_eq!(scene.list("k"), r#"["2"]"#);
    assert_eq!(scene.got(conn), "");
    assert_eq!(scene.ask(conn, "CLIENT REPLY ON"), "+OK\r\n");
}

#[test]
fn a_client_that_waits_is_not_idle() {
    let mut scene = Scene::with(|config| config.timeout_s = 2);
    let conn = scene.waits("BLPOP k 0");
    scene.world.advance(10_000);
    assert!(!scene.world.is_closed(conn));
    let pusher = scene.world.connect().unwrap();
    assert_eq!(scene.ask(pusher, "RPUSH k 1"), ":1\r\n");
    assert_eq!(scene.got(conn), r#"["k", "1"]"#);
}

#[test]
fn a_crowd_at_one_key_is_served_one_element_each() {
    let mut scene = Scene::with(|config| config.maxclients = 5_000);
    let crowd: Vec<ConnId> = (0..2_000).map(|_| scene.waits("BLPOP k 0")).collect();
    for (at, conn) in crowd.iter().enumerate() {
        scene.host(&format!("RPUSH k {at}"));
        assert_eq!(scene.got(*conn), format!(r#"["k", "{at}"]"#));
    }
    assert_eq!(scene.blocked(), "0");
}

#[test]
fn info_and_statistics_count_waiting_clients_and_served_calls() {
    let mut scene = Scene::new();
    let conn = scene.waits("BLPOP a b c 0");
    assert_eq!((scene.blocked(), scene.info("total_blocking_keys")), ("1".into(), "3".into()));
    let stats = |scene: &mut Scene| scene.host("INFO commandstats");
    assert!(!stats(&mut scene).contains("cmdstat_blpop"), "it has not run yet");
    scene.host("RPUSH c 1");
    assert_eq!(scene.got(conn), r#"["c", "1"]"#);
    assert!(stats(&mut scene).contains("cmdstat_blpop:calls=1,"));
    assert_eq!((scene.blocked(), scene.info("total_blocking_keys")), ("0".into(), "0".into()));
}
