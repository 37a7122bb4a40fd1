//! Servers of either kind that follow each other, and what a test wants to know of them.
//!
//! All of this panics where a test would: with what the servers say of themselves.

use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use crate::client::{Client, encode};
use crate::diff;
use crate::local::{PATIENCE, ask, digest, ok, text};
use crate::process::{Oracle, Server, Signal, role};
use crate::value::Value;
use crate::wait;

/// Which server it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Kind {
    /// The reference.
    Redis,
    /// This program.
    Vesta(PathBuf),
}

impl Kind {
    /// The program, and the reference if it is installed.
    #[must_use]
    pub fn all(vesta: &str) -> Vec<Self> {
        let redis = Oracle::is_installed().then_some(Self::Redis);
        [Self::Vesta(vesta.into())].into_iter().chain(redis).collect()
    }

    /// Every pair of them, as primary and replica.
    #[must_use]
    pub fn pairs(vesta: &str) -> Vec<(Self, Self)> {
        let all = Self::all(vesta);
        let with =
            |first: &Self| all.iter().map(|second| (first.clone(), second.clone())).collect();
        all.iter().flat_map(|first| -> Vec<(Self, Self)> { with(first) }).collect()
    }

    /// Its program.
    #[must_use]
    pub fn program(&self) -> PathBuf {
        match self {
            Self::Redis => PathBuf::from("redis-server"),
            Self::Vesta(path) => path.clone(),
        }
    }

    /// What comes in front of a file or directives on its command line.
    #[must_use]
    pub fn command(&self) -> Vec<String> {
        role(&self.program()).iter().map(|word| (*word).to_owned()).collect()
    }

    /// Starts one with more directives.
    ///
    /// # Panics
    /// If it does not become ready.
    #[must_use]
    pub fn start(&self, args: &[&str]) -> Peer {
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        let server = Server::start_as(&self.program(), &args);
        Peer::of(server.unwrap_or_else(|error| panic!("{self:?} {args:?}: {error}")))
    }
}

/// A running server and a client of it.
#[derive(Debug)]
pub struct Peer {
    /// The process.
    pub server: Server,
    client: Client,
}

impl Peer {
    /// A server that was started.
    ///
    /// # Panics
    /// If it takes no client.
    #[must_use]
    pub fn of(server: Server) -> Self {
        let client = server.client().expect("it takes clients");
        Self { server, client }
    }

    /// Its client.
    pub fn client(&mut self) -> &mut Client {
        &mut self.client
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The reply to a command.
    ///
    /// # Panics
    /// If there is none.
    pub fn ask(&mut self, words: &[&str]) -> Value {
        ask(&mut self.client, words)
    }

    /// Asks for something that is answered with OK.
    ///
    /// # Panics
    /// If it is not.
    pub fn ok(&mut self, words: &[&str]) {
        ok(&mut self.client, words);
    }

    /// The text of the reply to a command.
    pub fn text(&mut self, words: &[&str]) -> String {
        text(&self.ask(words))
    }

    /// A field of INFO, if it is there.
    pub fn field(&mut self, name: &str) -> Option<String> {
        let info = self.text(&["INFO"]);
        let field = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        field.map(str::to_owned)
    }

    /// A number in INFO.
    ///
    /// # Panics
    /// If it is not there.
    pub fn number(&mut self, name: &str) -> u64 {
        let field = self.field(name);
        let number = field.as_ref().and_then(|text| text.parse().ok());
        number.unwrap_or_else(|| panic!("{name} is {field:?}"))
    }

    /// Has it follow whoever is at an address, unless it does.
    ///
    /// # Panics
    /// If it refuses.
    pub fn follow(&mut self, primary: SocketAddr) {
        let (host, port) = (primary.ip().to_string(), primary.port().to_string());
        let reply = self.text(&["REPLICAOF", &host, &port]);
        assert!(reply.starts_with("OK"), "{reply}");
    }

    /// Full synchronisations that it has begun as a primary, and partial ones.
    pub fn syncs(&mut self) -> (u64, u64) {
        (self.number("sync_full"), self.number("sync_partial_ok"))
    }

    /// Waits until something is true of it.
    ///
    /// # Panics
    /// If that does not happen: with its INFO and its log.
    pub fn until(&mut self, what: &str, mut is_true: impl FnMut(&mut Self) -> bool) {
        if wait::until(PATIENCE, || is_true(self).then_some(())).is_none() {
            let info = self.text(&["INFO", "replication"]);
            panic!("{what} did not happen\n{info}\n{}", self.server.log());
        }
    }

    /// Waits until it has a link to its primary and has got all data.
    pub fn until_linked(&mut self) {
        self.until("a link", |peer| peer.field("master_link_status").as_deref() == Some("up"));
    }

    /// Waits until it has lost the link to its primary.
    pub fn until_unlinked(&mut self) {
        self.until("the end of a link", |peer| {
            peer.field("master_link_status").as_deref() == Some("down")
        });
    }

    /// Waits until no rewrite of its log is under way or due. Behind a full copy the log is that of
    /// the old data before that.
    pub fn until_log_is_whole(&mut self) {
        self.until("an end of rewriting", |peer| {
            peer.number("aof_rewrite_in_progress") + peer.number("aof_rewrite_scheduled") == 0
        });
    }

    /// Waits until its field has a value.
    pub fn until_field(&mut self, name: &str, value: &str) {
        self.until(&format!("{name}:{value}"), |peer| peer.field(name).as_deref() == Some(value));
    }

    /// Ends it with `kill -9` and starts it again with the same arguments.
    ///
    /// # Panics
    /// If it does not become ready.
    pub fn crash(&mut self) {
        self.server.restart().unwrap_or_else(|error| panic!("{error}"));
        self.client = self.server.client().expect("it takes clients");
    }

    /// Tells it to end, and starts it again with the same arguments. Redis refuses to end while
    /// it makes a log anew, so that is waited for.
    ///
    /// # Panics
    /// If it does not end well, or does not become ready.
    pub fn restart(&mut self) {
        self.until_field("aof_rewrite_in_progress", "0");
        self.until_field("aof_rewrite_scheduled", "0");
        self.server.signal(Signal::Term).expect("it runs");
        let status = self.server.wait_exit().expect("it ends");
        assert!(status.success(), "{status}: {}", self.server.log());
        self.crash();
    }

    /// Starts redis-cli on it, which writes all that it says to a file.
    ///
    /// # Panics
    /// If it is not installed.
    #[must_use]
    pub fn redis_cli(&self, args: &[&str], output: &Path) -> Child {
        let stdout = File::create(output).expect("the file can be made");
        Command::new("redis-cli")
            .args(["-p", &self.address().port().to_string()])
            .args(args)
            .stdin(Stdio::null())
            .stderr(stdout.try_clone().expect("it is open"))
            .stdout(stdout)
            .spawn()
            .expect("redis-cli is installed where redis-server is")
    }

    /// What DEBUG DIGEST says.
    pub fn digest(&mut self) -> String {
        digest(&mut self.client)
    }

    /// Asserts that it still answers, and has not panicked.
    ///
    /// # Panics
    /// If that is not so.
    pub fn is_well(&mut self) {
        assert!(self.server.is_running(), "{}", self.server.log());
        assert_eq!(self.text(&["PING"]), "PONG");
        assert!(!self.server.log().contains("panicked"), "{}", self.server.log());
    }
}

/// Waits until all replicas have what their primary has, which nobody writes to, and compares the
/// data.
///
/// # Panics
/// If one does not get there, or has other data at the same offset.
pub fn in_step(primary: &mut Peer, replicas: &mut [&mut Peer]) {
    let expected = primary.digest();
    for replica in replicas {
        // It may not have seen yet that it has lost its link, and be far ahead in a history of old.
        replica.until("the history of the primary", |replica| {
            replica.field("master_replid") == primary.field("master_replid")
        });
        replica.until_linked();
        replica.until("the offset of the primary", |replica| {
            // The primary's moves by itself, with its PINGs.
            replica.number("master_repl_offset") >= primary.number("master_repl_offset")
        });
        let digest = replica.digest();
        assert!(digest == expected, "other data: {}\n{}", digest, replica.server.log());
    }
}

/// Does the same with all of them at the same time: most of what is tested here is waiting.
///
/// # Panics
/// If one of them does.
pub fn each<T: Send>(all: Vec<T>, run: impl Fn(T) + Sync) {
    let run = &run;
    thread::scope(|scope| {
        for one in all {
            scope.spawn(move || run(one));
        }
    });
}

/// Clients that write whatever the differential fuzzer knows, until told to end.
#[derive(Debug)]
pub struct Load {
    ends: Arc<AtomicBool>,
    writer: JoinHandle<(usize, io::Result<()>)>,
}

/// Requests that are sent before their replies are read.
const REQUESTS_AT_ONCE: usize = 16;

impl Load {
    /// Begins to write.
    ///
    /// # Panics
    /// If the server takes no client.
    #[must_use]
    pub fn on(peer: &Peer, seed: u64) -> Self {
        let mut client = peer.server.client().expect("it takes clients");
        let ends = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&ends);
        let writer = thread::spawn(move || {
            let mut written = 0;
            for commands in (seed..).map(diff::sequence) {
                if written > 0 && told.load(Ordering::SeqCst) {
                    break;
                }
                for batch in commands.chunks(REQUESTS_AT_ONCE) {
                    if let Err(error) = write(&mut client, batch) {
                        return (written, Err(error));
                    }
                    written += batch.len();
                }
            }
            (written, Ok(()))
        });
        Self { ends, writer }
    }

    /// Ends it; how many requests were answered.
    ///
    /// # Panics
    /// If the server did not answer one.
    #[must_use]
    pub fn end(self) -> usize {
        self.ends.store(true, Ordering::SeqCst);
        let (written, outcome) = self.writer.join().expect("a writer does not panic");
        outcome.expect("all requests are answered");
        written
    }

    /// Waits until it has ended because the server has; how many requests were answered.
    ///
    /// # Panics
    /// If the server still answers.
    #[must_use]
    pub fn end_with_server(self) -> usize {
        let (written, outcome) = self.writer.join().expect("a writer does not panic");
        assert!(outcome.is_err(), "the server is still there");
        written
    }
}

fn write(client: &mut Client, batch: &[Vec<Vec<u8>>]) -> io::Result<()> {
    let requests: Vec<u8> = batch.iter().flat_map(|words| encode(words)).collect();
    client.send_raw(&requests)?;
    batch.iter().try_for_each(|_| match client.reply()? {
        Some(_) => Ok(()),
        None => Err(io::ErrorKind::UnexpectedEof.into()),
    })
}
