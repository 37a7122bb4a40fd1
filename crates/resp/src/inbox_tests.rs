//! How requests are framed, whole, in pieces, and broken.

use super::*;
use crate::OwnedRequest;
use alloc::vec;
use proptest::prelude::*;

fn words(list: &[&str]) -> Vec<Vec<u8>> {
    list.iter().map(|word| word.as_bytes().to_vec()).collect()
}

#[test]
fn requests_of_both_kinds_are_framed_in_any_chunks() {
    let input =
        b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\nPING \"a b\"\r\n\r\n*0\r\n*-1\r\n*1\r\n$4\r\nQUIT\r\n";
    for step in 1..input.len() {
        let (requests, error) = requests_in_chunks(input, step);
        assert_eq!(error, None);
        assert_eq!(requests, [words(&["GET", "k"]), words(&["PING", "a b"]), words(&["QUIT"])]);
    }
}

#[test]
fn only_what_a_program_would_write_is_its_own_wire_form() {
    let wire = |input: &[u8]| {
        let mut batch = Batch::default();
        let framed = Inbox::default().frame(input, 0, &Limits::default(), &mut batch);
        assert_eq!(framed, (Framing::NeedMore, Ok(())), "{input:?}");
        let last = batch.len() - 1;
        batch.request(last, input).unwrap().wire().map(<[u8]>::to_vec)
    };
    let get = b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n";
    let set = b"*3\r\n$3\r\nSET\r\n$0\r\n\r\n$12\r\nabcd\r\nabcdef\r\n";
    assert_eq!(wire(get).as_deref(), Some(&get[..]));
    assert_eq!(wire(&[&get[..], set].concat()).as_deref(), Some(&set[..]));
    // A line feed is awaited and not looked at; so is what ends an argument.
    for (at, byte) in get.iter().enumerate() {
        let mut other = get.to_vec();
        if matches!(byte, b'\n') || at > get.len() - 3 || at == 11 {
            other[at] = b'?';
            assert_eq!(wire(&other), None, "byte {at}");
        }
    }
    assert_eq!(wire(b"GET k\r\n"), None);
    let mut batch = Batch::default();
    Inbox::default().frame(get, 0, &Limits::default(), &mut batch).1.unwrap();
    let request = batch.request(0, get).unwrap();
    assert_eq!(request.skip(1).wire(), None);
    assert_eq!(OwnedRequest::of(&request, |_, _| None).request().wire(), None);
}

#[test]
fn breaches_are_named_as_redis_names_them() {
    for (input, text) in [
        ("*x\r\n", "invalid multibulk length"),
        ("*2147483648\r\n", "invalid multibulk length"),
        ("*1\r\n+4\r\n", "expected '$', got '+'"),
        ("*1\r\n$x\r\n", "invalid bulk length"),
        ("*1\r\n$-1\r\n", "invalid bulk length"),
        ("*1\r\n$536870913\r\n", "invalid bulk length"),
        ("\"a\r\n", "unbalanced quotes in request"),
    ] {
        for step in 1..=input.len() {
            let (_, error) = requests_in_chunks(input.as_bytes(), step);
            assert_eq!(error.map(|error| alloc::format!("{error}")).as_deref(), Some(text));
        }
    }
    let long = |first: u8| requests_in_chunks(&[&[first][..], &[b'1'; 70_000]].concat(), 1000).1;
    assert_eq!(long(b'*'), Some(ProtocolError::CountLineTooLong));
    assert_eq!(long(b'x'), Some(ProtocolError::InlineTooLong));
    let length = [b"*1\r\n$", &[b'1'; 70_000][..]].concat();
    assert_eq!(requests_in_chunks(&length, 1000).1, Some(ProtocolError::LengthLineTooLong));
}

#[test]
fn who_has_not_authenticated_may_send_little() {
    let limits = Limits { unauthenticated: true, ..Limits::default() };
    let frame = |input: &[u8]| Inbox::default().frame(input, 0, &limits, &mut Batch::default()).1;
    assert_eq!(frame(b"*10\r\n"), Ok(()));
    assert_eq!(frame(b"*11\r\n"), Err(ProtocolError::UnauthenticatedCount));
    assert_eq!(frame(b"*1\r\n$16384\r\n"), Ok(()));
    assert_eq!(frame(b"*1\r\n$16385\r\n"), Err(ProtocolError::UnauthenticatedLength));
}

/// `SET k <value>` with a value that is big, and a PING behind it.
fn big_request(len: usize) -> Vec<u8> {
    let head = alloc::format!("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n${len}\r\n");
    [head.as_bytes(), &vec![b'v'; len], b"\r\n*1\r\n$4\r\nPING\r\n"].concat()
}

#[test]
fn a_big_argument_arrives_in_an_allocation_of_its_own() {
    let input = big_request(BIG_ARGUMENT_BYTES + 5);
    let limits = Limits::default();
    let (mut inbox, mut batch) = (Inbox::default(), Batch::default());
    let (first, mut rest) = input.split_at(100);
    assert_eq!(inbox.join(first), None);
    assert_eq!(inbox.frame(first, 0, &limits, &mut batch), (Framing::NeedMore, Ok(())));
    inbox.hold(first, &mut batch, 0);
    while inbox.wants_direct() {
        let read = inbox.direct(|room| {
            let step = room.len().min(1000);
            let (now, later) = rest.split_at(step);
            room[..step].copy_from_slice(now);
            rest = later;
            Ok::<usize, ()>(step)
        });
        assert!(read.unwrap() > 0);
    }
    assert_eq!(rest, b"\r\n*1\r\n$4\r\nPING\r\n");
    let joined = inbox.join(rest).unwrap();
    assert_eq!(inbox.frame(&joined, 0, &limits, &mut batch), (Framing::NeedMore, Ok(())));
    assert_eq!(batch.len(), 2);
    let set = batch.request(0, &joined).unwrap();
    assert_eq!((set.arg(0), set.arg(1), set.len()), (&b"SET"[..], &b"k"[..], 3));
    assert_eq!(set.blob(2).unwrap().len(), BIG_ARGUMENT_BYTES + 5);
    assert_eq!(batch.request(1, &joined).unwrap().arg(0), b"PING");
}

#[test]
fn requests_put_back_come_again_with_their_big_arguments() {
    let input = big_request(BIG_ARGUMENT_BYTES);
    let limits = Limits::default();
    for step in [1000, 40_000] {
        let (mut inbox, mut batch) = (Inbox::default(), Batch::default());
        let mut seen = Vec::new();
        for chunk in input.chunks(step).chain([&b""[..], &b""[..]]) {
            let joined = inbox.join(chunk);
            let bytes = joined.as_deref().unwrap_or(chunk);
            let (_, outcome) = inbox.frame(bytes, 0, &limits, &mut batch);
            outcome.unwrap();
            seen.push(batch.len());
            if let Some(set) = batch.request(0, bytes) {
                assert_eq!(set.arg(2).len(), BIG_ARGUMENT_BYTES);
            }
            inbox.hold(bytes, &mut batch, 0);
        }
        assert!(seen.ends_with(&[2, 2, 2]), "{seen:?}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_framed_alike_in_any_chunks(data in proptest::collection::vec(
        prop_oneof![proptest::sample::select(&b"*$\r\n13"[..]), any::<u8>()],
        0..200,
    )) {
        fuzz_requests(&data);
    }
}
