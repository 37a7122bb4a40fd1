//! The link to a primary, which a test plays.

use super::logged::snapshot;
use super::{Wire, World};
use vesta_config::{Config, ReplicaOf};
use vesta_node::{ConnId, Event, Peer};
use vesta_testkit::client::encode;
use vesta_testkit::value::Value;

/// The history of the primary, one that it has later, and the mark of a snapshot.
pub const ID: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
pub const NEXT: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
pub const MARK: &str = "mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm";

/// Attempts to connect to a primary.
#[derive(Default)]
pub struct Dials {
    /// Whether somebody is there; else every attempt is refused at once.
    pub answers: bool,
    /// The attempt that was not answered: its number, and whereto.
    pub open: Option<(u64, String, u16)>,
    /// How many there were.
    pub count: usize,
}

impl Dials {
    pub fn give_up(&mut self, attempt: u64) {
        self.open.take_if(|(open, _, _)| *open == attempt);
    }
}

impl World {
    pub(super) fn dial(&mut self, attempt: u64, host: String, port: u16) {
        self.dials.count += 1;
        if self.dials.answers {
            self.dials.open = Some((attempt, host, port));
            return;
        }
        let outcome = Err("Connection refused".to_owned());
        self.node.handle(self.now, Event::Linked { attempt, outcome });
    }

    /// Lets the attempt to connect succeed that is under way; the connection.
    #[track_caller]
    pub fn answer_dial(&mut self) -> ConnId {
        let (attempt, host, port) = self.dials.open.take().expect("nobody is dialled");
        let conn = ConnId(self.next_conn);
        self.next_conn += 1;
        self.conns.insert(conn.0, Wire::default());
        let peer = Peer {
            addr: format!("{host}:{port}"),
            laddr: "127.0.0.1:45678".to_owned(),
            is_local: true,
            is_unix: false,
            fd: 9,
        };
        self.node.handle(self.now, Event::Linked { attempt, outcome: Ok((conn, peer)) });
        self.carry_out();
        conn
    }

    /// What the node has sent over its link since the last call, as words.
    #[track_caller]
    pub fn heard(&mut self, conn: ConnId) -> Vec<String> {
        let bytes = self.take_received(conn);
        let (mut rest, mut said) = (&bytes[..], Vec::new());
        while !rest.is_empty() {
            if let [b'\n', more @ ..] = rest {
                said.push("\n".to_owned());
                rest = more;
                continue;
            }
            let (value, taken) = Value::decode(rest).expect("requests").expect("whole ones");
            let words = value.items().unwrap_or_default().iter().filter_map(Value::text);
            let words: Vec<_> = words.map(String::from_utf8_lossy).collect();
            said.push(words.join(" "));
            rest = rest.get(taken..).unwrap_or_default();
        }
        said
    }

    /// Plays the primary as far as the PSYNC of the replica, which is returned.
    #[track_caller]
    pub fn greet(&mut self) -> (ConnId, String) {
        let conn = self.answer_dial();
        assert_eq!(self.heard(conn), ["PING"]);
        self.send(conn, b"+PONG\r\n");
        let said = self.heard(conn);
        let replies = said.iter().map(|_| "+OK\r\n").collect::<String>();
        self.send(conn, replies.as_bytes());
        let mut asked = self.heard(conn);
        assert_eq!(asked.len(), 1, "{asked:?}");
        (conn, asked.pop().unwrap_or_default())
    }

    /// Sends requests of a stream; the bytes they have.
    pub fn stream(&mut self, conn: ConnId, requests: &[&str]) -> u64 {
        let words = requests.iter().map(|request| request.split(' ').collect::<Vec<_>>());
        let bytes: Vec<u8> = words.flat_map(|words| encode(&words)).collect();
        self.send(conn, &bytes);
        bytes.len() as u64
    }

    /// A field of INFO.
    #[track_caller]
    pub fn info(&mut self, asker: ConnId, field: &str) -> String {
        let info = self.ask(asker, &["INFO", "everything"]);
        let line = info.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        line.unwrap_or_else(|| panic!("no {field} in {info}")).trim_end().to_owned()
    }
}

/// A node that is about to follow a primary, and a client of it.
pub fn follower(config: Config) -> (World, ConnId) {
    let mut world = World::new(config);
    world.dials.answers = true;
    let client = world.connect().expect("there is room for a client");
    assert_eq!(world.ask(client, &["REPLICAOF", "10.0.0.1", "7000"]), "+OK\r\n");
    (world, client)
}

/// Gives a node everything: the data that these requests make, at this offset.
#[track_caller]
pub fn copy(world: &mut World, link: ConnId, data: &[&str], offset: u64) {
    let snapshot = snapshot(data);
    world.send(link, format!("+FULLRESYNC {ID} {offset}\r\n").as_bytes());
    world.send(link, format!("${}\r\n", snapshot.len()).as_bytes());
    for piece in snapshot.chunks(7) {
        world.send(link, piece);
    }
    world.advance(50);
    let said = world.heard(link);
    assert_eq!(said, [format!("REPLCONF ACK {offset}")], "{:#?}", world.log);
}

/// A node that follows a primary from this offset on, with this data.
pub fn linked(config: Config, data: &[&str], offset: u64) -> (World, ConnId, ConnId) {
    let (mut world, client) = follower(config);
    let (link, _) = world.greet();
    copy(&mut world, link, data, offset);
    (world, client, link)
}

/// What a node has on its disk.
pub fn files(world: &World) -> Vec<(String, Vec<u8>)> {
    world.disk.files.iter().map(|(name, bytes)| (name.clone(), bytes.clone())).collect()
}

/// A node that starts as a replica from these files.
pub fn restarted(config: Config, files: Vec<(String, Vec<u8>)>) -> World {
    let replicaof = Some(ReplicaOf { host: "10.0.0.1".into(), port: 7000 });
    let mut world = World::new(Config { replicaof, ..config });
    world.disk.files.extend(files);
    world.dials.answers = true;
    world.node.load_at_start(world.now);
    world.advance(1500);
    world
}
