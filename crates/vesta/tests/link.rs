//! The connection to a primary as the rim makes it, against primaries that the test plays itself.
#![expect(clippy::unwrap_used, reason = "a test fails where something is not as it should be")]

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};

use rustix::net::{AddressFamily, SocketType};
use vesta_testkit::local::{Local, PATIENCE, Setup, ask, eventually, ok, text};
use vesta_testkit::value::Value;
use vesta_testkit::wait;

const PING: &[u8] = b"*1\r\n$4\r\nPING\r\n";

fn start(args: &[&str]) -> Local {
    Setup::new(env!("CARGO_BIN_EXE_vesta"), args).start()
}

fn primary() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

fn follow(server: &Local, host: &str, port: u16) {
    ok(&mut server.client(), &["REPLICAOF", host, &port.to_string()]);
}

/// The next replica that comes, and where it comes from, once it has said its first words.
fn accepted(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    listener.set_nonblocking(true).unwrap();
    let arrived = wait::until(PATIENCE, || listener.accept().ok());
    let (mut stream, from) = arrived.expect("a replica comes");
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut words = [0; PING.len()];
    stream.read_exact(&mut words).unwrap();
    assert_eq!(words, PING);
    (stream, from)
}

/// Waits until the other end is closed.
fn closed(mut stream: &TcpStream) {
    let mut rest = Vec::new();
    match stream.read_to_end(&mut rest) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
    }
}

#[test]
fn a_replica_finds_its_primary_by_name_and_comes_from_the_address_it_is_told() {
    let server = start(&["--bind-source-addr", "127.0.0.2"]);
    let (listener, address) = primary();
    // The name may have an IPv6 address, too, where nobody listens.
    follow(&server, "localhost", address.port());
    let (stream, from) = accepted(&listener);
    assert_eq!(from.ip(), Ipv4Addr::new(127, 0, 0, 2));
    let list = text(&ask(&mut server.client(), &["CLIENT", "LIST"]));
    let end = format!("addr={address} laddr={from} ");
    let line = list.lines().find(|line| line.contains(&end)).unwrap_or_else(|| panic!("{list}"));
    assert!(line.contains(" flags=M "), "{line}");

    ok(&mut server.client(), &["REPLICAOF", "NO", "ONE"]);
    closed(&stream);
}

#[test]
fn a_source_that_is_not_ours_is_done_without() {
    // TEST-NET-1 of RFC 5737: nobody's address.
    let server = start(&["--bind-source-addr", "192.0.2.1"]);
    let (listener, address) = primary();
    follow(&server, "127.0.0.1", address.port());
    let (_stream, from) = accepted(&listener);
    assert_eq!(from.ip(), Ipv4Addr::LOCALHOST);
}

#[test]
fn a_port_where_nobody_listens_is_tried_until_somebody_does() {
    // Nobody else is given the port meanwhile: it is bound.
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    rustix::net::bind(&socket, &SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
    let listener = TcpListener::from(socket);
    let port = listener.local_addr().unwrap().port();
    let server = start(&["--replicaof", &format!("127.0.0.1 {port}")]);
    eventually("the second attempt", || server.log().matches("Connection refused").count() >= 2);
    rustix::net::listen(&listener, 16).unwrap();
    let _stream = accepted(&listener);
}

#[test]
fn a_name_that_nobody_has_is_told_and_holds_nobody_up() {
    let server = start(&[]);
    let mut client = server.client();
    // It cannot be in the domain name system.
    follow(&server, "no such host", 6379);
    eventually("an attempt", || server.log().contains("SYNC"));
    assert_eq!(text(&ask(&mut client, &["PING"])), "PONG");
    let (listener, address) = primary();
    follow(&server, "127.0.0.1", address.port());
    let _stream = accepted(&listener);
}

#[test]
fn a_primary_that_hangs_up_is_called_again() {
    let server = start(&[]);
    let (listener, address) = primary();
    follow(&server, "127.0.0.1", address.port());
    let (stream, _) = accepted(&listener);
    drop(stream);
    let _stream = accepted(&listener);
}

/// Reads from a replica until it has said this word; everything it has said.
fn heard(mut stream: &TcpStream, word: &str) -> String {
    let (mut all, mut chunk) = (String::new(), [0; 512]);
    while !all.contains(word) {
        let len = stream.read(&mut chunk).unwrap();
        assert!(len > 0, "it hangs up after {all:?}");
        all.push_str(&String::from_utf8_lossy(chunk.get(..len).unwrap_or_default()));
    }
    all
}

/// A value is decoded when all of it is there. It was waited for with the link paused, because too
/// much was waiting to be decoded.
#[test]
fn a_snapshot_with_a_value_larger_than_what_may_wait_is_received() {
    let source = start(&["--rdbcompression", "no"]);
    let mut client = source.client();
    ok(&mut client, &["SET", "large", &"x".repeat(5 << 20)]);
    ok(&mut client, &["SAVE"]);
    let snapshot = std::fs::read(source.path("dump.rdb")).unwrap();

    let server = start(&[]);
    let (listener, address) = primary();
    follow(&server, "127.0.0.1", address.port());
    let (mut stream, _) = accepted(&listener);
    stream.write_all(b"+PONG\r\n").unwrap();
    let told = heard(&stream, "version");
    let questions = told.matches("REPLCONF").count();
    stream.write_all("+OK\r\n".repeat(questions).as_bytes()).unwrap();
    heard(&stream, "PSYNC");
    let id = "a".repeat(40);
    let head = format!("+FULLRESYNC {id} 0\r\n${}\r\n", snapshot.len());
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&snapshot).unwrap();
    heard(&stream, "ACK");
    let mut client = server.client();
    assert_eq!(ask(&mut client, &["STRLEN", "large"]), Value::Int(5 << 20));
}

#[test]
fn the_lines_of_the_log_name_the_role() {
    let server = start(&[]);
    let (listener, address) = primary();
    let letter_of = |text: &str| {
        let log = server.log();
        let line = log.lines().find(|line| line.contains(text)).map(str::to_owned);
        let line = line.unwrap_or_else(|| panic!("{text:?} is not in\n{log}"));
        line.split_once(':').and_then(|(_, rest)| rest.chars().next())
    };
    assert_eq!(letter_of("Ready to accept connections"), Some('M'));
    follow(&server, "127.0.0.1", address.port());
    let (stream, _) = accepted(&listener);
    assert_eq!(letter_of("Connecting to MASTER"), Some('S'));
    assert_eq!(letter_of("Before turning into a replica"), Some('S'));
    ok(&mut server.client(), &["REPLICAOF", "NO", "ONE"]);
    closed(&stream);
    assert_eq!(letter_of("MASTER MODE enabled"), Some('M'));
}
