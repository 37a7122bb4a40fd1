//! Clients that wait, for keys mostly: their order, their wake-up, their end.
//!
//! Each awaited key has a queue in order of arrival. After every command (and whatever else
//! changes data) the keys it touched are looked at, and for each the waiting clients are tried in
//! order by running their requests again. A client that is served leaves all its queues; one that
//! still finds nothing keeps its place. Serving may touch further keys, which join the end of the
//! list: nothing here calls itself, however long the chain of list moves is.
//!
//! Other clients wait until what they wrote is safe. Whenever something has become safe all of
//! them are looked at.

use crate::action::Action;
use crate::client::Waiting;
use crate::execute::Call;
use crate::gates::{Armed, Verdict};
use crate::server::Server;
use crate::{ConnId, Node};
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::string::ToString;
use alloc::vec::Vec;
use vesta_cmd::blocking::{Awaited, Block};
use vesta_cmd::host::{Replies, Safety};
use vesta_cmd::server::NO_LOG;
use vesta_cmd::{Flow, Found, ReplyError};
use vesta_resp::{Outbox, OwnedRequest, Reply};
use vesta_store::{Keyspace, Touched, object};
use vesta_types::{DbIndex, Mono, Now};

/// All waiting clients.
#[derive(Debug, Default)]
pub(crate) struct Blocked {
    clients: BTreeMap<ConnId, BlockedClient>,
    queues: BTreeMap<AwaitedKey, VecDeque<ConnId>>,
    deadlines: BTreeSet<(Mono, ConnId)>,
    /// How many clients are also served when a key is gone.
    need_no_key: usize,
    /// Those that wait for safety, and how much of it.
    unsafe_yet: BTreeMap<ConnId, Safety>,
}

type AwaitedKey = (DbIndex, Box<[u8]>);

/// A client that waits.
#[derive(Debug)]
pub(crate) struct BlockedClient {
    pub(crate) block: Block,
    pub(crate) found: Found,
    pub(crate) db: DbIndex,
    /// When its time is up.
    deadline: Option<Mono>,
}

impl Blocked {
    /// Whether nobody waits.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.clients.is_empty()
    }

    /// How many clients wait.
    pub(crate) fn len(&self) -> usize {
        self.clients.len()
    }

    /// How many keys are waited for.
    pub(crate) fn keys(&self) -> usize {
        self.queues.len()
    }

    /// Has a client wait, behind those that wait already.
    pub(crate) fn add(&mut self, conn: ConnId, db: DbIndex, found: Found, block: Block, now: Mono) {
        let deadline = block.timeout_ms.map(|ms| now.plus_ms(ms));
        if let Some(deadline) = deadline {
            self.deadlines.insert((deadline, conn));
        }
        for key in &block.keys {
            let queue = self.queues.entry((db, key.clone())).or_default();
            // A key may be named twice; the client still waits once.
            if queue.back() != Some(&conn) {
                queue.push_back(conn);
            }
        }
        self.need_no_key += usize::from(block.awaited == Awaited::StreamGroup);
        if let Awaited::Safety(wanted) = block.awaited {
            self.unsafe_yet.insert(conn, wanted);
        }
        self.clients.insert(conn, BlockedClient { block, found, db, deadline });
    }

    /// Takes a client out of everything.
    pub(crate) fn remove(&mut self, conn: ConnId) -> Option<BlockedClient> {
        let client = self.clients.remove(&conn)?;
        if let Some(deadline) = client.deadline {
            self.deadlines.remove(&(deadline, conn));
        }
        for key in &client.block.keys {
            let place = (client.db, key.clone());
            if let Some(queue) = self.queues.get_mut(&place) {
                // Who is served is mostly the first.
                if let Some(at) = queue.iter().position(|waiting| *waiting == conn) {
                    queue.remove(at);
                }
                if queue.is_empty() {
                    self.queues.remove(&place);
                }
            }
        }
        self.need_no_key -= usize::from(client.block.awaited == Awaited::StreamGroup);
        self.unsafe_yet.remove(&conn);
        Some(client)
    }

    /// Takes the request of a waiting client out, to be run; it is given back or the client goes.
    fn take_request(&mut self, conn: ConnId) -> Option<(OwnedRequest, Found)> {
        let client = self.clients.get_mut(&conn)?;
        Some((core::mem::take(&mut client.block.request), client.found))
    }

    fn restore_request(&mut self, conn: ConnId, request: OwnedRequest) {
        if let Some(client) = self.clients.get_mut(&conn) {
            client.block.request = request;
        }
    }

    /// What a client waits for.
    pub(crate) fn get(&self, conn: ConnId) -> Option<&BlockedClient> {
        self.clients.get(&conn)
    }

    /// Who waits for a key behind `before` others.
    fn waiting_for(&self, key: &AwaitedKey, before: usize) -> Option<ConnId> {
        self.queues.get(key)?.get(before).copied()
    }

    /// Who waits, for a key or for replicas.
    pub(crate) fn waiting(&self) -> Vec<ConnId> {
        self.clients.keys().copied().collect()
    }

    /// The keys of a database that are waited for.
    pub(crate) fn keys_of(&self, db: DbIndex) -> Vec<Box<[u8]>> {
        let keys = self.queues.keys().filter(|(of, _)| *of == db);
        keys.map(|(_, key)| key.clone()).collect()
    }

    /// When the next client's time is up.
    pub(crate) fn next_deadline(&self) -> Option<Mono> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }

    /// A client whose time is up.
    pub(crate) fn overdue(&self, now: Mono) -> Option<ConnId> {
        self.deadlines.first().filter(|(deadline, _)| *deadline <= now).map(|(_, conn)| *conn)
    }
}

impl Node {
    /// Has the client of a command that found nothing wait.
    pub(crate) fn block(&mut self, now: Now, conn: ConnId, found: Found, block: Block) {
        let Some(client) = self.server.clients.get_mut(conn) else { return };
        let unheard = client.session.replies != Replies::On;
        client.waiting = Waiting::Key { unheard };
        self.server.blocked.add(conn, client.session.db, found, block, now.mono);
        self.store.record_touched(true);
    }

    /// Serves clients that wait for what was touched since the last call.
    pub(crate) fn serve_touched(&mut self, now: Now) {
        let mut touched = VecDeque::from(self.store.take_touched());
        if core::mem::take(&mut self.server.retry_blocked) {
            touched.extend(self.store.indexes().map(|db| Touched::All { db }));
        }
        while let Some(next) = touched.pop_front() {
            match next {
                Touched::Key { db, key } => self.serve_key(now, db, key),
                Touched::All { db } => {
                    for key in self.server.blocked.keys_of(db) {
                        self.serve_key(now, db, key);
                    }
                }
            }
            touched.extend(self.store.take_touched());
        }
        if self.server.blocked.is_empty() {
            self.store.record_touched(false);
        }
    }

    /// Tries the clients that wait for a key, in order, while it has what they wait for.
    fn serve_key(&mut self, now: Now, db: DbIndex, key: Box<[u8]>) {
        let place = (db, key);
        // Clients that wait on; one that is served leaves the queue.
        let mut passed = 0;
        while let Some(conn) = self.server.blocked.waiting_for(&place, passed) {
            let leaves_expired = self.server.leaves_expired();
            let mut keys = Keyspace::new(&mut self.store, db, now).frozen(leaves_expired);
            let found = keys.peek(&place.1).map(object::type_name);
            if found.is_none() && self.server.blocked.need_no_key == 0 {
                break;
            }
            let blocked = self.server.blocked.get(conn);
            if blocked.is_some_and(|blocked| suits(blocked.block.awaited, found)) {
                self.retry(now, conn);
            }
            passed += usize::from(self.server.blocked.get(conn).is_some());
        }
    }

    /// Runs the request of a waiting client again, if the gates let it pass: what it did not need
    /// to fear when it came may have come since. Whoever a pause holds back keeps its place.
    ///
    /// Source: since 7.2 such a request goes through all checks again; 7.0 makes none.
    fn retry(&mut self, now: Now, conn: ConnId) {
        let Some((kept, found)) = self.server.blocked.take_request(conn) else { return };
        let (request, hash) = (kept.request(), self.store.hash(kept.request().arg(1)));
        let (mut outbox, mut ticks) = (Outbox::default(), (self.server.meter.ticks)());
        let (outbox_at, ticks) = (&mut outbox, &mut ticks);
        let mut call = Call {
            now,
            conn,
            request,
            found: Some(found),
            hash,
            outbox: outbox_at,
            ticks,
            may_wait: true,
        };
        let own = self.server.clients.get(conn).map(|client| Armed::by(client, found));
        let armed = self.server.armed().and(own.unwrap_or_default());
        let verdict = if armed.is_none() { Verdict::Pass } else { self.ask_gates(&call, found) };
        let waits_on = match verdict {
            Verdict::Pass => self.run(&mut call, found) == Flow::Block,
            Verdict::Hold => true,
            Verdict::Refuse(error) => {
                self.refuse(&mut call, &error, Some(found));
                false
            }
        };
        if waits_on {
            self.waits_for = None;
            self.server.blocked.restore_request(conn, kept);
        } else {
            self.server.end_block(conn, outbox);
        }
    }

    /// Ends the wait of clients whose time is up.
    pub(crate) fn end_overdue_blocks(&mut self, now: Now) {
        while let Some(conn) = self.server.blocked.overdue(now.mono) {
            self.server.time_out(conn);
        }
        if self.server.blocked.is_empty() {
            self.store.record_touched(false);
        }
    }
}

impl Node {
    /// A client has written something that goes to the stream, or to the open batch of the log.
    #[inline]
    pub(crate) fn note_write(&mut self, conn: ConnId) {
        let (offset, is_logged) = (self.propagation.offset(), self.propagation.is_logged());
        if let Some(client) = self.server.clients.get_mut(conn) {
            client.wrote_at = offset;
            if is_logged {
                client.wrote_in = self.server.persistence.log.batch();
            }
        }
    }
}

impl Server {
    /// Ends the wait of a client as if its time were up; whether it waited for a key.
    pub(crate) fn time_out(&mut self, conn: ConnId) -> bool {
        let Some(blocked) = self.blocked.get(conn) else { return false };
        let (on_timeout, safety) = (blocked.block.on_timeout, self.safety_of(conn));
        self.answer_blocked(conn, |reply| on_timeout.reply(reply, safety))
    }

    /// Ends the wait of those whose writes have become safe, and of those whose cannot any more.
    pub(crate) fn serve_safe(&mut self) {
        if self.blocked.unsafe_yet.is_empty() {
            return;
        }
        let waiting = self.blocked.unsafe_yet.clone();
        for (conn, wanted) in waiting {
            let safety = self.safety_of(conn);
            if wanted.here && !self.config.appendonly {
                let error = ReplyError::text(NO_LOG).to_string();
                self.statistics.count_error(&error);
                self.answer_blocked(conn, |reply| reply.error(&error));
            } else if safety.suffices(wanted) {
                let Some(blocked) = self.blocked.get(conn) else { continue };
                let kind = blocked.block.on_timeout;
                self.answer_blocked(conn, |reply| kind.reply(reply, safety));
            }
        }
    }

    /// How safe the last write of a client is.
    pub(crate) fn safety_of(&self, conn: ConnId) -> Safety {
        let (log, client) = (&self.persistence.log, self.clients.get(conn));
        let is_synced = client.is_some_and(|client| log.synced() >= client.wrote_in);
        let is_logged = self.config.appendonly && log.holds_all();
        let wrote_at = client.map_or(0, |client| client.wrote_at);
        let replicas = &self.replication.primary.replicas;
        Safety {
            here: is_logged && is_synced,
            replicas: replicas.fsynced(wrote_at),
            applied: replicas.acked(wrote_at),
        }
    }

    /// Ends the wait of a client with the reply that `write` gives; whether it waited for a key.
    pub(crate) fn answer_blocked(
        &mut self,
        conn: ConnId,
        write: impl FnOnce(&mut Reply<'_>),
    ) -> bool {
        // A client that is to be disconnected waits for nothing any more.
        let Some(client) = self.clients.get(conn) else { return false };
        if self.blocked.get(conn).is_none() {
            return false;
        }
        let mut outbox = Outbox::default();
        write(&mut Reply::new(&mut outbox, client.session.proto));
        self.end_block(conn, outbox);
        true
    }

    /// Ends the wait of a client with the reply in `outbox`.
    fn end_block(&mut self, conn: ConnId, outbox: Outbox) {
        self.blocked.remove(conn);
        let Some(client) = self.clients.get_mut(conn) else { return };
        let Waiting::Key { unheard } = client.waiting else { return };
        client.waiting = Waiting::No;
        if !unheard {
            let bytes = outbox.into_bytes();
            self.actions.push_back(Action::Send { conn, bytes, batch: 0 });
        }
        self.actions.push_back(Action::Resume(conn));
    }
}

/// Whether a key that holds a value of this type (`None`: that is not there) may serve.
fn suits(awaited: Awaited, found: Option<&str>) -> bool {
    match awaited {
        Awaited::List => found == Some("list"),
        Awaited::SortedSet => found == Some("zset"),
        Awaited::Stream => found == Some("stream"),
        Awaited::StreamGroup => true,
        Awaited::Safety(_) => false,
    }
}
