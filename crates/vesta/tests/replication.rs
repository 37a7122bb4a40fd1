//! The guide of the README, typed at real processes: ours, and redis-server's beside them.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails where something is not as it should be"
)]

use std::fs;
use std::io;
use std::path::Path;

use vesta_testkit::process::Server;
use vesta_testkit::replication::{Kind, Peer};
use vesta_testkit::value::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_vesta");

/// What only we tell, beside the fields of the reference.
const OURS: [&str; 3] = ["lag_ms", "lag_bytes", "slave_apply_errors"];

/// Three servers from three files that include a common one.
struct Session {
    peers: Vec<Peer>,
    /// Replies with the names of what differs from run to run in place of it.
    said: Vec<String>,
    ids: Vec<String>,
    /// A port where nothing listens.
    nowhere: u16,
}

impl Session {
    fn start(kind: &Kind) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let common = dir.path().join("common.conf");
        let lines = "bind 127.0.0.1\nsave \"\"\nrepl-diskless-sync-delay 0\n";
        fs::write(&common, lines).unwrap();
        let peers = (0..3).map(|_| {
            let file = |port: u16, dir: &Path| -> io::Result<Vec<String>> {
                let place = format!("port {port}\ndir {}\n", dir.display());
                let path = dir.join("server.conf");
                fs::write(&path, format!("include {}\n{place}", common.display()))?;
                let path = path.to_string_lossy().into_owned();
                Ok(kind.command().into_iter().chain([path]).collect())
            };
            Peer::of(Server::start_on(&kind.program(), &file).unwrap())
        });
        let peers = peers.collect();
        let nobody = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let nowhere = nobody.local_addr().unwrap().port();
        Self { peers, said: Vec::new(), ids: Vec::new(), nowhere }
    }

    fn port(&self, at: usize) -> String {
        self.peers[at].address().port().to_string()
    }

    /// Asks the server number `at`, and puts the reply on record.
    fn ask(&mut self, at: usize, words: &[&str]) -> Value {
        let reply = self.peers[at].ask(words);
        let text = match (reply.text(), reply.error()) {
            (Some(text), _) => String::from_utf8_lossy(text).into_owned(),
            (None, Some(error)) => format!("(error) {}", String::from_utf8_lossy(error)),
            (None, None) => format!("{reply}"),
        };
        let text: Vec<String> = text.lines().filter_map(|line| self.alike(line)).collect();
        let words: Vec<String> = words.iter().filter_map(|word| self.alike(word)).collect();
        self.said.push(format!("{at}> {}", words.join(" ")));
        self.said.extend(text);
        reply
    }

    fn info(&mut self, at: usize) {
        self.ask(at, &["INFO", "replication"]);
    }

    /// A line as it is in every run.
    fn alike(&mut self, line: &str) -> Option<String> {
        if let Some(place) = self.place(line) {
            return Some(place);
        }
        let Some((name, value)) = line.split_once(':') else { return Some(line.to_owned()) };
        if OURS.contains(&name) {
            return None;
        }
        if name.starts_with("slave") && value.contains('=') {
            let parts = value.split(',').filter_map(|part| part.split_once('='));
            let parts = parts.filter(|(name, _)| !OURS.contains(name));
            let parts: Vec<String> = parts.map(|(name, value)| self.field(name, value)).collect();
            return Some(format!("{name}:{}", parts.join(",")));
        }
        Some(self.field(name, value))
    }

    /// Whose port it is.
    fn place(&self, port: &str) -> Option<String> {
        let at = (0..3).find(|at| self.port(*at) == port);
        let nowhere = || (port == self.nowhere.to_string()).then(|| "<nowhere>".to_owned());
        at.map(|at| format!("<port {at}>")).or_else(nowhere)
    }

    fn field(&mut self, name: &str, value: &str) -> String {
        let is_id = value.len() == 40 && !value.starts_with("00000000");
        let value = match name {
            "master_port" | "port" => self.place(value).unwrap_or_default(),
            _ if is_id => {
                let known = self.ids.iter().position(|id| id == value);
                let at = known.unwrap_or_else(|| {
                    self.ids.push(value.to_owned());
                    self.ids.len() - 1
                });
                format!("<id {at}>")
            }
            // How far the stream is, and for how long something has been, depends on the time.
            "offset" | "lag" => "N".to_owned(),
            _ if (name.contains("offset")
                || name.contains("seconds")
                || name.contains("histlen"))
                && !value.starts_with('-') =>
            {
                "N".to_owned()
            }
            _ => value.to_owned(),
        };
        format!("{name}:{value}")
    }

    fn until_replicas(&mut self, at: usize, count: usize) {
        self.peers[at].until("replicas", |peer| {
            let info = peer.text(&["INFO", "replication"]);
            let online = info.matches("state=online").count();
            online == count && info.contains(&format!("connected_slaves:{count}\r\n"))
        });
    }

    /// What the guide types.
    fn play(&mut self) {
        let ok = Value::Simple(b"OK".to_vec());
        let host = "127.0.0.1";
        self.info(0);
        // A port where nothing listens.
        let nowhere = self.nowhere.to_string();
        assert_eq!(self.ask(1, &["SLAVEOF", host, &nowhere]), ok);
        self.peers[1].until("an attempt", |peer| peer.server.log().contains("refused"));
        self.info(1);
        // The right one.
        let first = self.port(0);
        for replica in [1, 2] {
            assert_eq!(self.ask(replica, &["SLAVEOF", host, &first]), ok);
            self.peers[replica].until_linked();
            self.until_replicas(0, replica);
        }
        (0..3).for_each(|at| self.info(at));
        assert_eq!(
            self.ask(1, &["SLAVEOF", host, &first]),
            Value::Simple(b"OK Already connected to specified master".to_vec())
        );
        assert_eq!(self.ask(0, &["SET", "greeting", "hello"]), ok);
        self.peers[1].until("the value", |peer| peer.text(&["GET", "greeting"]) == "hello");
        self.peers[2].until("the value", |peer| peer.text(&["GET", "greeting"]) == "hello");
        assert_eq!(
            self.ask(1, &["SET", "greeting", "bye"]),
            Value::Error(b"READONLY You can't write against a read only replica.".to_vec())
        );
        // The third goes under the second.
        let second = self.port(1);
        assert_eq!(self.ask(2, &["SLAVEOF", host, &second]), ok);
        self.peers[2].until_linked();
        self.until_replicas(1, 1);
        self.until_replicas(0, 1);
        (0..3).for_each(|at| self.info(at));
        assert_eq!(self.ask(0, &["SET", "greeting", "down the chain"]), ok);
        self.peers[2]
            .until("the value", |peer| peer.text(&["GET", "greeting"]) == "down the chain");
        // The second stands on its own, and the third follows it.
        assert_eq!(self.ask(1, &["SLAVEOF", "NO", "ONE"]), ok);
        self.until_replicas(0, 0);
        assert_eq!(self.ask(1, &["SET", "greeting", "from the second"]), ok);
        self.peers[2]
            .until("the value", |peer| peer.text(&["GET", "greeting"]) == "from the second");
        self.until_replicas(1, 1);
        (0..3).for_each(|at| self.info(at));
        self.ask(0, &["GET", "greeting"]);
        assert_eq!(self.ask(1, &["SLAVEOF", "NO", "ONE"]), ok);
        // Nothing of this was copied as a whole but at the first meeting.
        let syncs: Vec<_> = self.peers.iter_mut().map(Peer::syncs).collect();
        assert_eq!(syncs, [(2, 0), (0, 2), (0, 0)]);
    }
}

#[test]
fn the_guide_works_as_it_is_written_and_as_with_redis() {
    let mut played: Vec<Vec<String>> = Vec::new();
    for kind in Kind::all(PROGRAM) {
        let mut session = Session::start(&kind);
        session.play();
        played.push(session.said);
    }
    let mut played = played.into_iter();
    let (Some(ours), reference) = (played.next(), played.next()) else { return };
    for (ours, theirs) in ours.iter().zip(reference.iter().flatten()) {
        assert_eq!(ours, theirs);
    }
    assert!(reference.is_none_or(|theirs| theirs == ours));
}
