//! One connected client.

use crate::client_memory::Weight;
use crate::pubsub::Subscriber;
use crate::tracking::Tracker;
use crate::transaction::{Transaction, Watching};
use alloc::boxed::Box;
use alloc::string::String;
use vesta_cmd::host::{ClientFacts, ClientKind, Session, Topic};
use vesta_repl::Introduction;
use vesta_types::{Mono, Now, ascii};

/// A connection's place in the tables of whoever drives the node. Reused after a disconnect.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct ConnId(pub u32);

impl ConnId {
    /// As an index into a table of connections.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Who connected.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Its address (`127.0.0.1:50000`, `[::1]:50000`, `/path/of.sock:0`).
    pub addr: String,
    /// Our address it came to.
    pub laddr: String,
    /// Whether it is on this machine: loopback or unix socket.
    pub is_local: bool,
    /// Whether it came over a unix socket.
    pub is_unix: bool,
    /// File descriptor, for CLIENT LIST; -1 when there is none.
    pub fd: i32,
}

/// Why a client is not served at the moment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Waiting {
    /// It is served.
    No,
    /// Its last command is under way outside; `unheard`: its reply is not wanted.
    Action { unheard: bool },
    /// Its last command waits for a key; `unheard`: its reply is not wanted.
    Key { unheard: bool },
    /// CLIENT PAUSE holds its next command back.
    Pause,
}

/// What a connection is besides a client's.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Part {
    /// Nothing.
    #[default]
    Client,
    /// A replica of ours.
    Replica,
    /// The link to our primary.
    Primary,
}

/// The only user there is.
pub(crate) const DEFAULT_USER: &str = "default";

/// `last_leaf` of a client whose last request named no command, or that has sent none.
pub(crate) const NO_LEAF: usize = usize::MAX;

/// A client: its session, and what the node knows of its connection.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) session: Session,
    pub(crate) addr: Box<str>,
    pub(crate) laddr: Box<str>,
    pub(crate) fd: i32,
    pub(crate) is_unix: bool,
    pub(crate) since: Mono,
    /// When it last sent a request or took a reply.
    pub(crate) active: Mono,
    /// Number of its last command, or [`NO_LEAF`].
    pub(crate) last_leaf: usize,
    pub(crate) waiting: Waiting,
    pub(crate) part: Part,
    /// What it has told of itself as a replica, once it has.
    pub(crate) introduction: Option<Box<Introduction>>,
    /// The batch of the log that its last write went to; 0 when it wrote nothing to a log.
    pub(crate) wrote_in: u64,
    /// The offset of the stream behind its last write; 0 when it wrote nothing to a stream.
    pub(crate) wrote_at: u64,
    /// Whether it is to be disconnected and nothing more is executed.
    pub(crate) closing: bool,
    /// Bytes of replies that could not be sent yet; what the client's outbox takes, as an idle
    /// one owns nothing.
    pub(crate) pending_bytes: usize,
    /// Since when they are more than the soft limit.
    pub(crate) soft_since: Option<Mono>,
    /// Bytes of requests not yet executed; while it is served, all that were read.
    pub(crate) query_bytes: usize,
    /// Memory held for them between turns.
    pub(crate) inbox_bytes: usize,
    /// What it counted towards `maxmemory-clients` when it was weighed last.
    pub(crate) weight: Weight,
    /// Its subscriptions, once it has had any.
    pub(crate) subscriber: Option<Box<Subscriber>>,
    /// What it tracks, if it does.
    pub(crate) tracking: Option<Box<Tracker>>,
    /// What it has queued, from MULTI on until EXEC has ended.
    pub(crate) transaction: Option<Box<Transaction>>,
    /// What it watches, if anything.
    pub(crate) watching: Option<Box<Watching>>,
}

impl Client {
    pub(crate) fn new(session: Session, peer: Peer, now: Mono) -> Self {
        Self {
            session,
            addr: peer.addr.into(),
            laddr: peer.laddr.into(),
            fd: peer.fd,
            is_unix: peer.is_unix,
            since: now,
            active: now,
            last_leaf: NO_LEAF,
            waiting: Waiting::No,
            part: Part::Client,
            introduction: None,
            wrote_in: 0,
            wrote_at: 0,
            closing: false,
            pending_bytes: 0,
            soft_since: None,
            query_bytes: 0,
            inbox_bytes: 0,
            weight: Weight::default(),
            subscriber: None,
            tracking: None,
            transaction: None,
            watching: None,
        }
    }

    /// What it is, for limits and filters.
    pub(crate) fn kind(&self) -> ClientKind {
        match self.part {
            Part::Primary => ClientKind::Master,
            Part::Replica => ClientKind::Replica,
            Part::Client if self.session.subscriptions > 0 => ClientKind::Pubsub,
            Part::Client => ClientKind::Normal,
        }
    }

    /// Memory it takes, in bytes.
    pub(crate) fn total_bytes(&self) -> usize {
        size_of::<Self>()
            + self.addr.len()
            + self.laddr.len()
            + self.session.name.len()
            + self.session.lib_name.len()
            + self.session.lib_version.len()
            + self.inbox_bytes
            + self.pending_bytes
            + self.subscriber.as_ref().map_or(0, |subscriber| subscriber.heap_bytes())
            + self.queued_bytes()
            + self.tracking.as_ref().map_or(0, |tracker| tracker.heap_bytes())
            + self.watching.as_ref().map_or(0, |watching| watching.heap_bytes())
    }

    /// Memory held for queued requests, in bytes.
    pub(crate) fn queued_bytes(&self) -> usize {
        self.transaction.as_ref().map_or(0, |transaction| transaction.bytes())
    }

    /// As CLIENT LIST shows it.
    pub(crate) fn facts(
        &self,
        now: Now,
        last_command: String,
        argument_bytes: usize,
    ) -> ClientFacts {
        let seconds = |since: Mono| now.mono.since_us(since) / 1_000_000;
        ClientFacts {
            id: self.session.id,
            addr: self.addr.clone().into(),
            laddr: self.laddr.clone().into(),
            fd: self.fd,
            name: ascii::lossy(&self.session.name),
            age_s: seconds(self.since),
            idle_s: seconds(self.active),
            flags: self.flags(),
            db: self.session.db,
            channels: self.subscriptions(Topic::Channel),
            patterns: self.subscriptions(Topic::Pattern),
            shard_channels: self.subscriptions(Topic::Shard),
            queued: self.transaction.as_ref().map(|transaction| transaction.count()),
            queued_bytes: self.queued_bytes(),
            query_bytes: self.query_bytes,
            query_free_bytes: self.inbox_bytes.saturating_sub(self.query_bytes),
            argument_bytes,
            pending_bytes: self.pending_bytes,
            total_bytes: self.total_bytes(),
            is_writing: self.pending_bytes > 0,
            last_command,
            user: DEFAULT_USER,
            redirect: self
                .tracking
                .as_ref()
                .map_or(-1, |tracker| tracker.tracking.redirect_number()),
            proto: self.session.proto,
            lib_name: ascii::lossy(&self.session.lib_name),
            lib_version: ascii::lossy(&self.session.lib_version),
            kind: self.kind(),
        }
    }

    /// How many channels, patterns or shard channels it has subscribed to.
    pub(crate) fn subscriptions(&self, topic: Topic) -> usize {
        self.subscriber.as_ref().map_or(0, |subscriber| subscriber.count(topic))
    }

    /// One letter per property, as CLIENT LIST has them.
    fn flags(&self) -> String {
        let letters = [
            ('S', self.part == Part::Replica),
            ('M', self.part == Part::Primary),
            ('P', self.session.subscriptions > 0),
            ('x', self.transaction.is_some()),
            ('b', self.waiting != Waiting::No),
            ('d', self.watching.as_ref().is_some_and(|watching| watching.is_modified())),
            ('t', self.tracking.is_some()),
            ('R', self.tracking.as_ref().is_some_and(|tracker| tracker.tracking.is_broken)),
            ('B', self.tracking.as_ref().is_some_and(|tracker| tracker.broadcasts())),
            ('c', self.closing),
            ('U', self.is_unix),
            ('e', self.session.no_evict),
            ('T', self.session.no_touch),
        ];
        let flags: String =
            letters.into_iter().filter(|(_, set)| *set).map(|(letter, _)| letter).collect();
        if flags.is_empty() { String::from("N") } else { flags }
    }
}
