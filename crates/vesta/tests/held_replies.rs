//! Replies that wait for the log, with real processes: all of them come, in order, whatever the
//! client does meanwhile.
#![expect(clippy::unwrap_used, reason = "a test fails where something is not as it should be")]

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::thread;

use vesta_testkit::client::encode;
use vesta_testkit::local::{Local, Setup, ask, eventually, ok, text};

const POLICIES: [&str; 3] = ["always", "everysec", "no"];

fn start(policy: &str) -> Local {
    let args = ["--appendonly", "yes", "--appendfsync", policy];
    Setup::new(env!("CARGO_BIN_EXE_vesta"), &args).start()
}

fn connected(server: &Local) -> UnixStream {
    UnixStream::connect(server.path("s.sock")).unwrap()
}

fn received(mut stream: &UnixStream) -> String {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn who_says_goodbye_still_gets_its_replies() {
    for policy in POLICIES {
        let server = start(policy);
        let endings = [
            ("SET a 1\r\nGET a\r\n", "+OK\r\n$1\r\n1\r\n"),
            ("SET a 1\r\nQUIT\r\n", "+OK\r\n+OK\r\n"),
            ("SET a 1\r\nCLIENT KILL TYPE normal SKIPME no\r\n", "+OK\r\n:1\r\n"),
            ("SET a 1\r\n*1\r\nGET\r\n", "+OK\r\n-ERR Protocol error: expected '$', got 'G'\r\n"),
        ];
        for (sent, expected) in endings.iter().cycle().take(100) {
            let mut stream = connected(&server);
            stream.write_all(sent.as_bytes()).unwrap();
            // The first is not told to go: it closes its side.
            stream.shutdown(Shutdown::Write).unwrap();
            assert_eq!(received(&stream), *expected, "{policy}: {sent}");
        }
        let mut client = server.client();
        eventually("the end of all", || {
            text(&ask(&mut client, &["INFO", "clients"])).contains("connected_clients:1\r")
        });
    }
}

#[test]
fn who_never_waits_gets_every_reply_in_order() {
    let big = "x".repeat(40_000);
    for policy in POLICIES {
        let server = start(policy);
        let mut client = server.client();
        ok(&mut client, &["SET", "big", &big]);
        let mut stream = connected(&server);
        let reader = stream.try_clone().unwrap();
        let reading = thread::Builder::new().spawn(move || received(&reader)).unwrap();
        let mut expected = String::new();
        for round in 1..=3000 {
            stream.write_all(&encode(&["INCR", "n"])).unwrap();
            expected.push_str(&format!(":{round}\r\n"));
            if round % 50 == 0 {
                stream.write_all(&encode(&["GET", "big"])).unwrap();
                expected.push_str(&format!("$40000\r\n{big}\r\n"));
            }
        }
        stream.shutdown(Shutdown::Write).unwrap();
        assert!(reading.join().unwrap() == expected, "{policy}: replies are lost or out of order");
        // What is appended to the log is there, in order.
        ok(&mut client, &["SET", "n", "last"]);
        let before = ask(&mut client, &["DEBUG", "DIGEST"]);
        ok(&mut client, &["DEBUG", "LOADAOF"]);
        assert_eq!(ask(&mut client, &["DEBUG", "DIGEST"]), before, "{policy}");
    }
}
