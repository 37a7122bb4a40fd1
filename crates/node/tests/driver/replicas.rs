//! Replicas of the node, which a test plays.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests, which fail where something has another shape"
)]

use super::World;
use vesta_node::ConnId;
use vesta_testkit::client::encode;

/// Bytes that may wait for a replica before it is fed no more.
const ROOM_BYTES: usize = 256 * 1024;
/// Length of the name of a history.
const NAME_LEN: usize = 40;

/// A connection that has told what a replica tells.
pub fn introduced(world: &mut World) -> ConnId {
    let conn = world.connect().unwrap();
    let said = [
        &["REPLCONF", "listening-port", "7001"][..],
        &["REPLCONF", "capa", "eof", "capa", "psync2"],
    ];
    for words in said {
        assert_eq!(world.ask(conn, words), "+OK\r\n");
    }
    conn
}

pub fn info(world: &mut World, client: ConnId, field: &str) -> String {
    let text = world.ask(client, &["INFO", "everything"]);
    let found = text.split("\r\n").find_map(|line| line.strip_prefix(&format!("{field}:")));
    found.unwrap_or("none").to_owned()
}

pub fn offset(world: &mut World, client: ConnId) -> u64 {
    info(world, client, "master_repl_offset").parse().unwrap()
}

/// What a replica that copies everything was given: the name, the offset, and the snapshot.
#[derive(Debug)]
pub struct Copied {
    pub id: String,
    pub offset: u64,
    pub snapshot: Vec<u8>,
    /// What came behind it.
    pub rest: Vec<u8>,
}

/// Reads what came to a replica that asked for everything.
pub fn copied(bytes: &[u8]) -> Copied {
    let at = bytes.iter().position(|byte| *byte != b'\n').unwrap();
    let bytes = &bytes[at..];
    let end = bytes.windows(2).position(|pair| pair == b"\r\n").unwrap();
    let line = std::str::from_utf8(&bytes[..end]).unwrap();
    let words: Vec<&str> = line.split(' ').collect();
    assert_eq!((words[0], words.len()), ("+FULLRESYNC", 3), "{line}");
    let rest = &bytes[end + 2..];
    let mark = rest.strip_prefix(b"$EOF:").unwrap();
    let (mark, body) = (&mark[..NAME_LEN], &mark[NAME_LEN + 2..]);
    let end = body.windows(NAME_LEN).position(|window| window == mark).unwrap();
    Copied {
        id: words[1].to_owned(),
        offset: words[2].parse().unwrap(),
        snapshot: body[..end].to_vec(),
        rest: body[end + NAME_LEN..].to_vec(),
    }
}

/// A replica that has everything and is sent the stream.
pub fn replica(world: &mut World) -> (ConnId, Copied) {
    let conn = introduced(world);
    world.send(conn, &encode(&["PSYNC", "?", "-1"]));
    world.advance(10);
    let copied = copied(&world.take_received(conn));
    assert!(copied.rest.is_empty());
    acknowledge(world, conn, copied.offset);
    (conn, copied)
}

pub fn acknowledge(world: &mut World, conn: ConnId, offset: u64) {
    world.send(conn, &encode(&["REPLCONF", "ACK", &offset.to_string()]));
}

impl World {
    /// Feeds a replica as long as there is something for it and its outbox has room.
    pub(super) fn feed(&mut self, conn: ConnId) {
        if let Some(wire) = self.conns.get_mut(&conn.0) {
            wire.hungry = true;
        }
        self.feed_on(conn);
    }

    pub(super) fn feed_on(&mut self, conn: ConnId) {
        loop {
            let Some(wire) = self.conns.get_mut(&conn.0) else { return };
            let outbox = &mut wire.conversation.outbox;
            if wire.closed || !wire.hungry || outbox.pending_bytes() >= ROOM_BYTES {
                return;
            }
            wire.hungry = self.node.feed(self.now, conn, outbox);
            self.deliver(conn);
        }
    }
}
