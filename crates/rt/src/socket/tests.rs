//! Listeners and streams over real sockets of the loopback device and of the file system.

use std::io::{IoSlice, Read, Write};
use std::net::Shutdown;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use socket2::SockRef;

use super::*;
use crate::reactor::{Reactor, Ready, Token};

const LISTENER: Token = Token(0);
const CLIENT: Token = Token(1);

/// A listener, and the client and server ends of one connection to it.
struct Pair {
    reactor: Reactor,
    listener: Listener,
    client: std::net::TcpStream,
    server: Incoming,
}

fn listener(ip: &str) -> Listener {
    Listener::tcp(SocketAddr::new(ip.parse().unwrap(), 0), 16).unwrap()
}

fn port(listener: &Listener) -> SocketAddr {
    match listener.address().unwrap() {
        Address::Ip(address) => address,
        Address::Unix(path) => panic!("{path:?}"),
    }
}

fn pair() -> Pair {
    let mut listener = listener("127.0.0.1");
    let mut reactor = Reactor::new(8).unwrap();
    reactor.add_listener(&mut listener, LISTENER).unwrap();
    let client = std::net::TcpStream::connect(port(&listener)).unwrap();
    assert!(next(&mut reactor, LISTENER).readable);
    let mut server = accept_one(&listener);
    reactor.add_stream(&mut server.stream, CLIENT).unwrap();
    Pair { reactor, listener, client, server }
}

fn accept_one(listener: &Listener) -> Incoming {
    let mut taken = None;
    assert!(matches!(listener.accept_up_to(1, |new| taken = Some(new)), Accepted::More));
    taken.unwrap()
}

/// The next event of `token`; the wait has a limit so that a missing one fails the test.
fn next(reactor: &mut Reactor, token: Token) -> Ready {
    let mut ready = Vec::new();
    for _ in 0..50 {
        reactor.wait(Some(Duration::from_millis(100)), &mut ready).unwrap();
        if let Some(event) = ready.iter().find(|event| event.token == token) {
            return *event;
        }
    }
    panic!("no event of {token:?}");
}

fn silent(reactor: &mut Reactor) -> bool {
    let mut ready = Vec::new();
    reactor.wait(Some(Duration::ZERO), &mut ready).unwrap();
    ready.is_empty()
}

#[test]
fn bytes_arrive_once_and_the_end_of_the_stream_is_announced() {
    let mut pair = pair();
    pair.client.write_all(b"hello").unwrap();
    let event = next(&mut pair.reactor, CLIENT);
    assert!(event.readable && !event.hangup);
    let mut buffer = [0; 64];
    assert!(matches!(pair.server.stream.read(&mut buffer), ReadOutcome::Bytes(5)));
    assert_eq!(&buffer[..5], b"hello");
    assert!(silent(&mut pair.reactor), "a short read has drained the socket");
    assert!(matches!(pair.server.stream.read(&mut buffer), ReadOutcome::WouldBlock));

    pair.client.write_all(b"bye").unwrap();
    drop(pair.client);
    let mut read = Vec::new();
    loop {
        match pair.server.stream.read(&mut buffer) {
            ReadOutcome::Bytes(len) => read.extend_from_slice(&buffer[..len]),
            ReadOutcome::WouldBlock => assert!(next(&mut pair.reactor, CLIENT).readable),
            ReadOutcome::Closed => break,
            ReadOutcome::Error(error) => panic!("{error}"),
        }
    }
    assert_eq!(read, b"bye");
}

#[test]
fn an_end_that_came_with_the_bytes_is_a_hangup_to_read_on() {
    let mut pair = pair();
    pair.client.write_all(b"bye").unwrap();
    pair.client.shutdown(Shutdown::Write).unwrap();
    // The end may come in an event of its own.
    while !next(&mut pair.reactor, CLIENT).hangup {}
    let mut buffer = [0; 64];
    assert!(matches!(pair.server.stream.read(&mut buffer), ReadOutcome::Bytes(3)));
    assert!(silent(&mut pair.reactor), "the end is not announced twice");
    assert!(matches!(pair.server.stream.read(&mut buffer), ReadOutcome::Closed));
}

#[test]
fn a_full_socket_reports_room_only_while_it_is_watched() {
    let mut pair = pair();
    let chunk = vec![b'x'; 1 << 20];
    let mut sent = 0;
    while let WriteOutcome::Bytes(len) =
        pair.server.stream.write_vectored(&[IoSlice::new(&chunk), IoSlice::new(b"tail")])
    {
        sent += len;
    }
    pair.reactor.watch_writes(&mut pair.server.stream, CLIENT, true).unwrap();
    assert!(silent(&mut pair.reactor), "a full socket has no room");

    pair.client.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut left = vec![0; sent];
    pair.client.read_exact(&mut left).unwrap();
    assert!(next(&mut pair.reactor, CLIENT).writable);
    assert!(matches!(pair.server.stream.write(b"more"), WriteOutcome::Bytes(4)));
    pair.reactor.watch_writes(&mut pair.server.stream, CLIENT, false).unwrap();
    pair.client.read_exact(&mut [0; 4]).unwrap();
    assert!(silent(&mut pair.reactor));
}

#[test]
fn a_peer_that_is_gone_is_an_error_to_write_to() {
    let mut pair = pair();
    drop(pair.client);
    let _ = next(&mut pair.reactor, CLIENT);
    // The first write provokes a reset, which may take a moment to come back.
    let broken = (0..1000).any(|_| {
        let gone = matches!(pair.server.stream.write(b"x"), WriteOutcome::Error(_));
        let mut ready = Vec::new();
        pair.reactor.wait(Some(Duration::from_millis(5)), &mut ready).unwrap();
        gone
    });
    assert!(broken);
}

#[test]
fn accepting_is_bounded_and_what_is_left_comes_with_the_next_call() {
    let listener = listener("127.0.0.1");
    let clients: Vec<_> =
        (0..5).map(|_| std::net::TcpStream::connect(port(&listener)).unwrap()).collect();
    let mut taken = Vec::new();
    assert!(matches!(listener.accept_up_to(3, |new| taken.push(new)), Accepted::More));
    assert_eq!(taken.len(), 3);
    assert!(matches!(listener.accept_up_to(3, |new| taken.push(new)), Accepted::Drained));
    assert_eq!(taken.len(), clients.len());
}

#[test]
fn addresses_are_printed_as_redis_prints_them() {
    let pair = pair();
    let client = pair.client.local_addr().unwrap();
    assert_eq!(pair.server.peer.to_string(), format!("127.0.0.1:{}", client.port()));
    assert_eq!(pair.server.local.to_string(), port(&pair.listener).to_string());
    assert!(pair.server.stream.fd() > 2);
    let six = SocketAddr::new("::1".parse().unwrap(), 5000);
    assert_eq!(Address::Ip(six).to_string(), "[::1]:5000");
    assert_eq!(Address::Unix("/tmp/s.sock".into()).to_string(), "/tmp/s.sock:0");
}

#[test]
fn keepalive_probes_at_a_third_of_the_idle_time() {
    let pair = pair();
    pair.server.stream.set_nodelay().unwrap();
    pair.server.stream.set_keepalive(300).unwrap();
    let Stream::Tcp(stream) = &pair.server.stream else { panic!("not TCP") };
    let socket = SockRef::from(stream);
    assert!(socket.tcp_nodelay().unwrap());
    assert!(socket.keepalive().unwrap());
    assert_eq!(socket.tcp_keepalive_time().unwrap(), Duration::from_secs(300));
    assert_eq!(socket.tcp_keepalive_interval().unwrap(), Duration::from_secs(100));
    assert_eq!(socket.tcp_keepalive_retries().unwrap(), 3);
    pair.server.stream.set_keepalive(1).unwrap();
    assert_eq!(socket.tcp_keepalive_interval().unwrap(), Duration::from_secs(1));
    pair.server.stream.set_keepalive(u32::MAX).unwrap();
    pair.server.stream.set_keepalive(0).unwrap();
    assert!(!socket.keepalive().unwrap());
}

#[test]
fn a_unix_socket_replaces_a_stale_one_and_has_the_permissions_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("vesta.sock");
    drop(Listener::unix(&path, None, 16).unwrap());
    assert!(path.exists(), "a socket's file outlives it");
    let listener = Listener::unix(&path, Some(0o700), 16).unwrap();
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);

    let mut client = std::os::unix::net::UnixStream::connect(&path).unwrap();
    let mut server = accept_one(&listener);
    assert_eq!(server.peer.to_string(), format!("{}:0", path.display()));
    server.stream.set_nodelay().unwrap();
    server.stream.set_keepalive(300).unwrap();
    client.write_all(b"ping").unwrap();
    let mut buffer = [0; 8];
    assert!(matches!(server.stream.read(&mut buffer), ReadOutcome::Bytes(4)));
    assert!(matches!(server.stream.write(b"pong"), WriteOutcome::Bytes(4)));
    server.stream.shutdown_write().unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "pong");
    listener.remove_file().unwrap();
    assert!(!path.exists());
}

#[test]
fn a_file_that_is_no_socket_is_not_removed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("precious");
    std::fs::write(&path, "data").unwrap();
    let error = Listener::unix(&path, None, 16).unwrap_err();
    assert_eq!(error.to_string(), "bind: Address already in use");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "data");
    let error = Listener::unix(&dir.path().join("no/s.sock"), None, 16).unwrap_err();
    assert_eq!(error.to_string(), "bind: No such file or directory");
}

/// Waits until there is an answer to a connection that was begun: both its ends.
fn answer(reactor: &mut Reactor, stream: &mut Stream) -> std::io::Result<(Address, Address)> {
    reactor.add_connecting(stream, CLIENT).unwrap();
    loop {
        match stream.progress() {
            Progress::UnderWay => assert!(next(reactor, CLIENT).writable),
            Progress::Connected { peer, local } => return Ok((peer, local)),
            Progress::Failed(error) => return Err(error),
        }
    }
}

#[test]
fn a_connection_of_our_own_is_read_like_any_other() {
    for ip in ["127.0.0.1", "::1"] {
        let address = SocketAddr::new(ip.parse().unwrap(), 0);
        // Not every machine has IPv6.
        let Ok(listener) = Listener::tcp(address, 16) else { continue };
        let mut reactor = Reactor::new(8).unwrap();
        let mut stream = Stream::connect(port(&listener), None).unwrap();
        let ends = answer(&mut reactor, &mut stream).unwrap();
        let mut server = accept_one(&listener);
        assert_eq!(ends, (server.local.clone(), server.peer.clone()));
        // What comes before anybody looks is reported, too.
        assert!(matches!(server.stream.write(b"hello"), WriteOutcome::Bytes(5)));
        reactor.connected(&mut stream, LISTENER).unwrap();
        assert!(next(&mut reactor, LISTENER).readable);
        let mut buffer = [0; 64];
        assert!(matches!(stream.read(&mut buffer), ReadOutcome::Bytes(5)));
        drop(server);
        assert!(next(&mut reactor, LISTENER).hangup);
    }
}

#[test]
fn a_port_without_a_listener_refuses() {
    let gone = port(&listener("127.0.0.1"));
    let mut reactor = Reactor::new(8).unwrap();
    // Some systems say so at once.
    let error = Stream::connect(gone, None)
        .and_then(|mut stream| answer(&mut reactor, &mut stream))
        .unwrap_err();
    assert_eq!(crate::errno_text(&error), "Connection refused");
}

#[test]
fn a_connection_comes_from_the_address_it_is_told() {
    let listener = listener("127.0.0.1");
    let from = "127.0.0.2".parse().unwrap();
    let mut reactor = Reactor::new(8).unwrap();
    let mut stream = Stream::connect(port(&listener), Some(from)).unwrap();
    answer(&mut reactor, &mut stream).unwrap();
    let Address::Ip(peer) = accept_one(&listener).peer else { panic!("not TCP") };
    assert_eq!(peer.ip(), from);
    // TEST-NET-1 of RFC 5737: nobody's address.
    let error = Stream::connect(port(&listener), "192.0.2.1".parse().ok()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AddrNotAvailable);
}

#[test]
fn a_socket_that_meets_itself_is_not_connected() {
    // A port that nobody else can be given meanwhile, for it is bound.
    let place = SocketAddr::new("127.0.0.1".parse().unwrap(), 0);
    let socket = socket2::Socket::new(
        socket2::Domain::IPV4,
        socket2::Type::STREAM,
        Some(socket2::Protocol::TCP),
    )
    .unwrap();
    socket.bind(&place.into()).unwrap();
    socket.connect(&socket.local_addr().unwrap()).unwrap();
    socket.set_nonblocking(true).unwrap();
    let stream = Stream::Tcp(mio::net::TcpStream::from_std(socket.into()));
    let Progress::Failed(error) = stream.progress() else { panic!("connected") };
    assert_eq!(crate::errno_text(&error), "Connection refused");
}

#[test]
fn small_writes_are_delayed_only_on_request() {
    let pair = pair();
    let Stream::Tcp(stream) = &pair.server.stream else { panic!("not TCP") };
    pair.server.stream.set_nodelay().unwrap();
    assert!(stream.nodelay().unwrap());
    pair.server.stream.delay_small_writes(true).unwrap();
    assert!(!stream.nodelay().unwrap());
}
