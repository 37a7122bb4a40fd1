//! What a server is to its primary: following it, and ceasing to.
//!
//! `replicaof` says whom it follows; whoever changes that (REPLICAOF, the file) changes the setting
//! and nothing else, and [`Node::follow_role`] acts on it. The link is a machine
//! (`vesta_repl::link`); here its wishes are carried out. What comes over it is a snapshot
//! ([`super::transfer`]) or the stream ([`super::apply`]).
//!
//! A replica has the history of its primary, and its offset is that of what it has applied. When
//! it asks for the rest it names both, so it need not tell a primary that it followed before from
//! itself when it was one: whoever knows the history knows whether it can go on.

use super::apply::Applying;
use super::transfer::{Refused, Transfer};
use crate::action::{Action, Level};
use crate::client::{Client, Part};
use crate::gates::Armed;
use crate::server::Server;
use crate::{ConnId, Node, Peer};
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use vesta_cmd::REDIS_VERSION;
use vesta_cmd::host::Session;
use vesta_config::ReplicaOf;
use vesta_persist::aof::encode_request;
use vesta_repl::link::{self, Hello, Link, Phase, Weight};
use vesta_types::{DbIndex, Mono, Now, ReplId};

/// Source of the text: redis-server 7.0.15.
const UNBLOCKED: &str = "UNBLOCKED force unblock from blocking operation, instance state changed \
                         (master -> replica?)";

/// Everything about whom we follow.
#[derive(Debug, Default)]
pub(crate) struct Side {
    /// Whom the link leads to; the setting may have changed meanwhile.
    target: Option<ReplicaOf>,
    pub(super) link: Link,
    /// Who has changed the setting, for the log.
    pub(crate) asker: Option<String>,
    /// The number of the attempt to connect that is under way.
    attempt: u64,
    /// The connection that is the link.
    conn: Option<ConnId>,
    /// When a link that had been good was lost; `None` while it is good, and before it ever was.
    down_since: Option<Mono>,
    /// Whether the link is good.
    is_good: bool,
    /// When all was last applied that had come of the stream.
    caught_up_at: Option<Mono>,
    pub(super) applying: Applying,
    pub(super) transfer: Option<Box<Transfer>>,
    /// A primary that was refused, until there is a good one, or another is to be followed.
    pub(super) refused: Option<Refused>,
    /// Whether the primary is to take over with the next attempt (FAILOVER).
    pub(super) hands_over: bool,
    /// Batches of our log that are not safe yet, and the offset behind each.
    unsafe_batches: VecDeque<(u64, u64)>,
    /// The offset behind the last batch that is safe.
    safe: u64,
}

/// Batches that are remembered one by one; what comes then is counted with the last.
const BATCHES_MAX: usize = 1024;

impl Side {
    /// Whether the data is that of the primary but for what is on its way.
    pub(crate) fn is_linked(&self) -> bool {
        self.link.phase() == Phase::Streaming
    }

    /// What the link is at.
    pub(crate) fn phase(&self) -> Phase {
        self.link.phase()
    }

    /// The connection that is the link.
    pub(crate) fn conn(&self) -> Option<ConnId> {
        self.conn
    }

    /// When the primary was last heard.
    pub(crate) fn heard_at(&self) -> Option<Mono> {
        self.link.heard_at()
    }

    /// When a link that had been good was lost.
    pub(crate) fn down_since(&self) -> Option<Mono> {
        self.down_since
    }

    /// How old the data may be, in milliseconds: what has come is not applied since then, or
    /// nothing comes; `None` when it has never been that of the primary. `unapplied`: bytes that
    /// have come and are not applied.
    pub(crate) fn lag_ms(&self, now: Mono, unapplied: usize) -> Option<u64> {
        if self.is_linked() && unapplied == 0 {
            return Some(0);
        }
        self.caught_up_at.map(|at| now.since_us(at) / 1000)
    }

    /// Whether all is applied that has come; `held`: bytes of what is not complete.
    pub(super) fn note_served(&mut self, now: Mono, held: usize) {
        if self.is_linked() && held + self.gathered_bytes() == 0 {
            self.caught_up_at = Some(now);
        }
    }

    /// Bytes of the snapshot that comes: all, if that is known, and those that are here.
    pub(crate) fn transfer_bytes(&self) -> (Option<u64>, u64) {
        self.transfer.as_ref().map_or((None, 0), |transfer| transfer.bytes())
    }

    /// Whether a snapshot is being read beside the data.
    pub(crate) fn loads_beside(&self) -> bool {
        self.transfer.as_ref().is_some_and(|transfer| transfer.is_beside())
    }

    /// Bytes of the stream that have come and are part of something that is not complete.
    pub(crate) fn gathered_bytes(&self) -> usize {
        self.applying.gathered_bytes()
    }

    /// How many requests of the stream have failed, or could not be executed.
    pub(crate) fn failures(&self) -> u64 {
        self.applying.failures()
    }

    /// The state of the link in the word of Redis (ROLE).
    pub(crate) fn state_word(&self) -> &'static str {
        match self.link.phase() {
            Phase::Away => "connect",
            Phase::Connecting => "connecting",
            Phase::Talking => "handshake",
            Phase::Receiving | Phase::Loading => "sync",
            Phase::Streaming => "connected",
        }
    }

    /// When there is something to do.
    fn next_deadline(&self) -> Mono {
        let transfer = self.transfer.as_ref().map_or(Mono::NEVER, |transfer| transfer.next_at());
        let link = if self.rests() { Mono::NEVER } else { self.link.next_deadline() };
        link.min(transfer)
    }

    /// Whether no connection is to be made for now: what the last one has brought is being read.
    fn rests(&self) -> bool {
        self.reads_file() && self.link.phase() == Phase::Away
    }
}

impl Side {
    /// A batch was handed out to our log, with which the stream has got to this offset.
    pub(super) fn note_batch(&mut self, batch: u64, offset: u64) {
        if self.unsafe_batches.len() >= BATCHES_MAX {
            self.unsafe_batches.pop_back();
        }
        self.unsafe_batches.push_back((batch, offset));
    }
}

impl Server {
    /// Up to which offset the stream is safe in our log; `None` when there is none, or one that
    /// does not hold all data.
    fn safe_offset(&mut self) -> Option<u64> {
        let (log, side) = (&self.persistence.log, &mut self.replication.replica);
        let synced = log.synced();
        while let Some((batch, offset)) = side.unsafe_batches.front().copied()
            && batch <= synced
        {
            side.safe = offset;
            side.unsafe_batches.pop_front();
        }
        log.holds_all().then_some(side.safe)
    }

    /// Whether the server follows another one, or is to.
    #[inline]
    pub(crate) fn is_replica(&self) -> bool {
        self.config.replicaof.is_some()
    }

    /// When there is something to do about the link. While the data is being loaded that is never,
    /// unless it is loaded for the link.
    pub(crate) fn link_deadline(&self) -> Mono {
        let side = &self.replication.replica;
        let waits = self.is_loading() && side.transfer.is_none();
        if waits { Mono::NEVER } else { side.next_deadline() }
    }

    /// Whether keys that have expired stay, though nobody sees them: in a pause, and on a replica,
    /// where its primary says when they go.
    #[inline]
    pub(crate) fn leaves_expired(&self) -> bool {
        self.pause.is_some() || self.is_replica() || self.holds_stream()
    }

    /// The gates that the link arms for every client.
    #[inline]
    pub(crate) fn armed_by_link(&self) -> Armed {
        if !self.is_replica() {
            return Armed::default();
        }
        let is_stale = !self.config.replica_serve_stale_data && !self.replication.replica.is_good;
        Armed::READ_ONLY.when(self.config.replica_read_only).and(Armed::STALE.when(is_stale))
    }

    /// Sends bytes over the link.
    fn send_upstream(&mut self, bytes: Vec<u8>) {
        if let Some(conn) = self.replication.replica.conn {
            self.actions.push_back(Action::Send { conn, bytes, batch: 0 });
        }
    }

    /// Tells the primary what has been applied, and with a log what of it is safe.
    fn acknowledge(&mut self, offset: u64) {
        let mut bytes = Vec::new();
        let (applied, safe) = (offset.to_string(), self.safe_offset().map(|safe| safe.to_string()));
        let mut words: Vec<&[u8]> = [&b"REPLCONF"[..], b"ACK", applied.as_bytes()].into();
        if let Some(safe) = &safe {
            words.extend([&b"FACK"[..], safe.as_bytes()]);
        }
        encode_request(&mut bytes, words.into_iter());
        self.send_upstream(bytes);
    }

    /// What the other end is told of us.
    fn hello(&self, offset: u64) -> Box<Hello> {
        let config = &self.config;
        let announced = config.replica_announce_port;
        let password = config.masterauth.as_ref().map(|password| password.as_bytes().to_vec());
        Box::new(Hello {
            credentials: password.map(|password| (config.masteruser.clone(), password)),
            port: if announced > 0 { announced } else { config.port },
            address: config.replica_announce_ip.clone(),
            version: REDIS_VERSION,
            from: Some((self.replication.history.id(), offset)),
            hands_over: self.replication.replica.hands_over,
        })
    }

    /// Takes a connection as the link.
    fn adopt_link(&mut self, now: Now, conn: ConnId, peer: Peer) {
        let session = Session::new(self.clients.next_id(), true, peer.is_local);
        let mut client = Client::new(session, peer, now.mono);
        client.part = Part::Primary;
        self.clients.insert(conn, client);
    }

    /// Disconnects all replicas, so that they come back and learn where our history has got to.
    pub(super) fn disconnect_replicas(&mut self) {
        let is_replica = |(_, client): &(ConnId, &Client)| client.part == Part::Replica;
        let all: Vec<ConnId> =
            self.clients.iter().filter(is_replica).map(|(conn, _)| conn).collect();
        all.into_iter().for_each(|conn| self.drop_replica(conn));
    }
}

/// Changing roles.
impl Node {
    /// Does as `replicaof` says, as soon as the data is there.
    pub(crate) fn follow_role(&mut self, now: Now) {
        let silence_ms = u64::from(self.server.config.repl_timeout_s).saturating_mul(1000);
        let side = &mut self.server.replication.replica;
        side.link.set_silence(silence_ms);
        // The stream may be that of a primary from the start, before anybody was followed.
        let is_followed = side.target.is_some() == self.propagation.follows();
        let is_settled = self.server.config.replicaof == side.target && is_followed;
        if is_settled || self.server.is_loading() {
            return;
        }
        let target = self.server.config.replicaof.clone();
        self.server.replication.replica.target.clone_from(&target);
        self.server.replication.replica.refused = None;
        if target.is_none() {
            return self.become_primary(now);
        }
        if !self.propagation.follows() {
            self.become_replica();
        }
        if let Some(ReplicaOf { host, port }) = &target
            && let Some(asker) = self.server.replication.replica.asker.take()
        {
            let line = format!("REPLICAOF {host}:{port} enabled ({asker})");
            self.server.log(Level::Notice, line);
        }
        self.server.replication.replica.link.follow(now);
        self.drive_link(now);
    }

    fn become_replica(&mut self) {
        self.server.actions.push_back(Action::Role { is_replica: true });
        let line = "Before turning into a replica, using my own master parameters to synthesize a \
                    cached master: I may be able to synchronize with the new master with just a \
                    partial transfer.";
        self.server.log(Level::Notice, line.to_string());
        // What has been done so far is of our own history.
        if self.store.has_news() {
            self.hand_on_news(None);
        }
        let selected = self.propagation.point().db;
        self.propagation.set_follows(true);
        self.server.replication.replica.applying.begin(selected.unwrap_or(DbIndex::ZERO));
        self.return_to_resumed();
        for conn in self.server.blocked.waiting() {
            self.server.answer_blocked(conn, |reply| reply.error(UNBLOCKED));
            if let Some(client) = self.server.clients.get_mut(conn) {
                client.closing = true;
            }
        }
    }

    /// Goes on with the data that is there, under a new name. What came of the stream and was not
    /// applied is no part of it.
    fn become_primary(&mut self, now: Now) {
        self.server.actions.push_back(Action::Role { is_replica: false });
        self.server.replication.replica.link.stop();
        self.drive_link(now);
        let side = &mut self.server.replication.replica;
        (side.is_good, side.down_since) = (false, None);
        let offset = self.propagation.offset();
        let fresh = ReplId::random(&mut self.server.rng);
        let history = self.server.replication.history;
        let line = format!(
            "Setting secondary replication ID to {}, valid up to offset: {}. New replication ID \
             is {fresh}",
            history.id(),
            offset.saturating_add(1)
        );
        self.server.log(Level::Warning, line);
        self.take_history(history.shifted(fresh, offset), offset);
        self.propagation.set_follows(false);
        self.server.disconnect_replicas();
        self.server.cron.wake_by(now.mono);
        let asker = self.server.replication.replica.asker.take();
        let asker = asker.map_or(String::new(), |asker| format!(" ({asker})"));
        self.server.log(Level::Notice, format!("MASTER MODE enabled{asker}"));
    }
}

/// The link.
impl Node {
    /// Does what is due.
    pub(crate) fn drive_replica(&mut self, now: Now) {
        self.follow_role(now);
        if now.mono < self.server.link_deadline() {
            return;
        }
        if !self.server.replication.replica.rests() {
            self.server.replication.replica.link.handle(now, link::Event::Tick);
            self.drive_link(now);
        }
        self.drive_transfer(now);
    }

    /// The outcome of an attempt to connect.
    pub(crate) fn linked(
        &mut self,
        now: Now,
        attempt: u64,
        outcome: Result<(ConnId, Peer), String>,
    ) {
        let side = &self.server.replication.replica;
        let is_awaited = side.attempt == attempt && side.link.phase() == Phase::Connecting;
        match outcome {
            Ok((conn, peer)) => {
                self.server.adopt_link(now, conn, peer);
                if !is_awaited {
                    return self.server.close(conn);
                }
                let hello = self.server.hello(self.propagation.offset());
                let side = &mut self.server.replication.replica;
                side.conn = Some(conn);
                side.link.handle(now, link::Event::Connected(hello));
            }
            Err(why) if is_awaited => {
                let link = &mut self.server.replication.replica.link;
                link.handle(now, link::Event::NotConnected(why));
            }
            Err(_) => {}
        }
        self.drive_link(now);
    }

    /// A connection is gone; it may have been the link.
    pub(crate) fn note_link_gone(&mut self, conn: ConnId) {
        if self.server.replication.replica.conn != Some(conn) {
            return;
        }
        let now = self.server.persistence.log.seen();
        self.server.replication.replica.conn = None;
        self.link_ended(now);
        self.server.replication.replica.link.handle(now, link::Event::Closed);
        self.drive_link(now);
    }

    /// Forgets what was on its way.
    fn link_ended(&mut self, now: Now) {
        let side = &mut self.server.replication.replica;
        side.applying.forget_gathered();
        if core::mem::take(&mut side.is_good) {
            side.down_since = Some(now.mono);
        }
        if !self.server.replication.replica.reads_file() {
            self.give_up_transfer();
        }
    }

    /// Carries out what the link wants.
    pub(super) fn drive_link(&mut self, now: Now) {
        while let Some(action) = self.server.replication.replica.link.poll_action() {
            match action {
                link::Action::Connect { attempt } => self.server.connect_upstream(attempt),
                link::Action::GiveUp { attempt } => {
                    self.server.actions.push_back(Action::GiveUpConnect { attempt });
                }
                link::Action::Send(bytes) => self.server.send_upstream(bytes),
                link::Action::HangUp => {
                    self.link_ended(now);
                    if let Some(conn) = self.server.replication.replica.conn.take() {
                        self.server.close(conn);
                    }
                }
                link::Action::Copy(history) => self.begin_transfer(now, history),
                link::Action::Resume(id) => self.resume_stream(id),
                link::Action::Acknowledge => {
                    let offset = self.propagation.offset();
                    self.server.acknowledge(offset);
                }
                link::Action::NotTakenOver(why) => {
                    self.server.replication.replica.hands_over = false;
                    self.failover_refused(now, &why);
                }
                link::Action::Tell(weight, text) => {
                    let level = match weight {
                        Weight::Notice => Level::Notice,
                        Weight::Warning => Level::Warning,
                    };
                    self.server.log(level, text);
                }
            }
        }
    }

    /// The stream goes on where it ended, under this name from here on if it has a new one.
    fn resume_stream(&mut self, id: Option<ReplId>) {
        if let Some(id) = id {
            let offset = self.propagation.offset();
            let history = self.server.replication.history.shifted(id, offset);
            self.take_history(history, offset);
            self.server.disconnect_replicas();
        }
        self.rebase_backlog();
        self.link_is_good();
    }

    /// The stream of the primary has selected this database where our data is.
    pub(super) fn begin_stream(&mut self, db: DbIndex) {
        self.propagation.set_selected(Some(db));
        self.server.replication.replica.applying.begin(db);
    }

    /// The stream comes from here on.
    pub(super) fn link_is_good(&mut self) {
        let side = &mut self.server.replication.replica;
        (side.is_good, side.down_since, side.hands_over) = (true, None, false);
        side.refused = None;
        self.server.forget_writes();
        let now = self.server.replication.primary.seen;
        self.server.failover_done(now);
    }
}

impl Server {
    /// What clients wrote to our own stream has no place in that of a primary: by its offset, which
    /// may be far ahead, WAIT would wait for ever when we are a primary again. As long as there is
    /// no stream of another, ours may yet go on, and what was written is still to be waited for.
    fn forget_writes(&mut self) {
        self.clients.iter_mut().for_each(|(_, client)| client.wrote_at = 0);
    }

    fn connect_upstream(&mut self, attempt: u64) {
        let side = &mut self.replication.replica;
        side.attempt = attempt;
        let Some(ReplicaOf { host, port }) = side.target.clone() else { return };
        self.log(Level::Notice, format!("Connecting to MASTER {host}:{port}"));
        self.log(Level::Notice, "MASTER <-> REPLICA sync started".to_string());
        self.actions.push_back(Action::Connect { attempt, host, port });
    }
}
