//! The data plane: executing what a client has sent.

use crate::action::{Level, Refused};
use crate::client::{Client, Part, Waiting};
use crate::execute::{Call, Next};
use crate::server::Server;
use crate::{ConnId, Node, Peer};
use alloc::format;
use alloc::vec::Vec;
use vesta_cmd::Found;
use vesta_cmd::host::{ClientKind, Replies, Session};
use vesta_config::OutputLimit;
use vesta_resp::{Batch, Conversation, Framing, Limits, Proto, ProtocolError, Reply};
use vesta_types::{DbIndex, Now};

/// Requests executed for one client before others get their turn.
const REQUESTS_PER_TURN: usize = 256;

/// Replies that may wait for a client that has not authenticated, in bytes.
const UNAUTHENTICATED_PENDING_BYTES_MAX: usize = 16 * 1024;

/// What is to become of a client that was served.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Served {
    /// Everything complete was executed; serve it again when more bytes come.
    Idle,
    /// Its share of this turn is used up; serve it again after others, with no fresh bytes.
    More,
    /// It waits: read no more from it until [`crate::Action::Resume`], but notice its end.
    Waiting,
    /// Send what is pending as far as it goes, then disconnect it.
    Close,
}

/// Buffers that all clients use in turn.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    pub(crate) batch: Batch,
    pub(crate) prepared: Vec<Prepared>,
}

/// What is known of a request before it is executed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Prepared {
    /// Its command, when the name is one.
    pub(crate) found: Option<Found>,
    /// The hash of its first argument behind the name.
    pub(crate) hash: u64,
}

impl Node {
    /// A client has connected. `conn` must be free: never used, or disconnected since.
    ///
    /// # Errors
    /// [`Refused`] when it is not to be served; then `conn` stays free.
    pub fn connect(&mut self, now: Now, conn: ConnId, peer: Peer) -> Result<(), Refused> {
        let server = &mut self.server;
        if server.clients.len() >= server.config.maxclients as usize {
            server.statistics.refused_connections += 1;
            return Err(refused("ERR max number of clients reached"));
        }
        if server.config.protected_mode && !server.needs_password() && !peer.is_local {
            server.statistics.refused_connections += 1;
            return Err(refused(PROTECTED));
        }
        server.statistics.connections += 1;
        let (id, is_known) = (server.clients.next_id(), !server.needs_password());
        let session = Session::new(id, is_known, peer.is_local);
        server.log(Level::Verbose, format!("Accepted {}", peer.addr));
        server.clients.insert(conn, Client::new(session, peer, now.mono));
        Ok(())
    }

    /// A client is gone; its place is free.
    pub fn disconnect(&mut self, conn: ConnId) {
        self.note_link_gone(conn);
        self.server.blocked.remove(conn);
        self.note_replica_gone(conn);
        self.forget_transaction(conn);
        self.server.set_tracking(conn, None, &mut self.store);
        if let Some(client) = self.server.clients.remove(conn) {
            self.server.forget_subscriber(conn, &client);
            self.server.log(Level::Verbose, format!("Client closed connection {}", client.addr));
        }
    }

    /// Executes the complete requests in the inbox of `conn` with the bytes `fresh` behind it,
    /// and appends the replies to its outbox.
    pub fn serve(
        &mut self,
        now: Now,
        conn: ConnId,
        conversation: &mut Conversation,
        fresh: &[u8],
    ) -> Served {
        let Some(client) = self.server.clients.get_mut(conn) else { return Served::Close };
        if client.closing || self.server.ending {
            return Served::Close;
        }
        client.active = now.mono;
        let is_link = client.part == Part::Primary;
        client.query_bytes = conversation.inbox.held_bytes() + fresh.len();
        self.server.statistics.input_bytes += fresh.len() as u64;
        self.server.statistics.reads += u64::from(!fresh.is_empty());
        if is_link {
            return self.serve_link(now, conn, conversation, fresh);
        }
        self.server.replication.primary.note_time(now);
        let is_fed = self.is_fed(conn);
        let mark = conversation.outbox.mark();
        if self.server.has_mail() {
            self.server.deliver(conn, &mut conversation.outbox);
        }
        let served = match self.resume_queue(now, conn, &mut conversation.outbox) {
            Some(Next::Wait | Next::Hold) => Served::Waiting,
            Some(Next::Close) => Served::Close,
            Some(Next::Go) | None => {
                let joined = conversation.inbox.join(fresh);
                let input = joined.as_deref().unwrap_or(fresh);
                let mut scratch = core::mem::take(&mut self.scratch);
                let served = self.serve_input(now, conn, conversation, input, &mut scratch);
                self.scratch = scratch;
                served
            }
        };
        if is_fed && conversation.outbox.mark() != mark {
            conversation.outbox.roll_back(mark);
            self.drop_talkative(conn);
            return Served::Close;
        }
        if self.server.persistence.log.is_on() {
            self.fence(now, &mut conversation.outbox, mark);
        }
        self.settle(conn, conversation, served)
    }

    /// Frames and executes batch after batch, and keeps what is left over.
    fn serve_input(
        &mut self,
        now: Now,
        conn: ConnId,
        conversation: &mut Conversation,
        input: &[u8],
        scratch: &mut Scratch,
    ) -> Served {
        let mut from = 0;
        let mut left = REQUESTS_PER_TURN;
        loop {
            let limits = self.limits_of(conn);
            let batch = &mut scratch.batch;
            let (framing, outcome) = conversation.inbox.frame(input, from, &limits, batch);
            let (executed, next) = self.execute_batch(now, conn, conversation, input, scratch);
            let batch = &mut scratch.batch;
            left = left.saturating_sub(executed);
            match next {
                Next::Go => {}
                Next::Wait | Next::Hold => {
                    conversation.inbox.hold(input, batch, executed);
                    return Served::Waiting;
                }
                Next::Close => return Served::Close,
            }
            if let Err(error) = outcome {
                self.breach(conn, conversation, error);
                return Served::Close;
            }
            from = batch.end();
            if framing == Framing::NeedMore || left == 0 {
                conversation.inbox.hold(input, batch, executed);
                return if framing == Framing::NeedMore { Served::Idle } else { Served::More };
            }
        }
    }

    /// Executes a batch until something stops it; how many requests are done with.
    fn execute_batch(
        &mut self,
        now: Now,
        conn: ConnId,
        conversation: &mut Conversation,
        input: &[u8],
        scratch: &mut Scratch,
    ) -> (usize, Next) {
        self.prepare(conn, input, scratch);
        let Scratch { batch, prepared } = scratch;
        let mut ticks = (self.server.meter.ticks)();
        for (index, prepared) in prepared.iter().enumerate() {
            let Some(request) = batch.request(index, input) else { break };
            let Prepared { found, hash } = *prepared;
            let (outbox, ticks, may_wait) = (&mut conversation.outbox, &mut ticks, true);
            let mut call = Call { now, conn, request, found, hash, outbox, ticks, may_wait };
            let next = self.execute(&mut call);
            if self.server.has_mail() {
                self.server.deliver(conn, &mut conversation.outbox);
            }
            match next {
                Next::Go => {}
                Next::Hold => return (index, next),
                Next::Wait | Next::Close => return (index + 1, next),
            }
        }
        (prepared.len(), Next::Go)
    }

    /// Finds the commands of a batch and asks for the memory that they are going to need.
    pub(crate) fn prepare(&self, conn: ConnId, input: &[u8], scratch: &mut Scratch) {
        let Scratch { batch, prepared } = scratch;
        let db = self.server.clients.get(conn).map_or(DbIndex::ZERO, |client| client.session.db);
        prepared.clear();
        // A pipeline mostly says the same name again and again.
        let mut last: Option<(&[u8], Found)> = None;
        for index in 0..batch.len() {
            let Some(request) = batch.request(index, input) else { break };
            let (name, second) = (request.arg(0), (request.len() > 1).then(|| request.arg(1)));
            let found = match last {
                Some((last_name, found)) if last_name == name => Some(found),
                Some(_) | None => self.commands.find(name, second).unwrap_or(None),
            };
            last = found.filter(|found| found.is_named_by_one_word()).map(|found| (name, found));
            let hash = match second {
                Some(key) if found.is_some_and(|found| !found.command.spec.keys.is_empty()) => {
                    let hash = self.store.hash(key);
                    self.store.prefetch_bucket(db, hash);
                    hash
                }
                Some(_) | None => 0,
            };
            prepared.push(Prepared { found, hash });
        }
        if prepared.len() > 1 {
            for prepared in prepared.iter().filter(|prepared| prepared.hash != 0) {
                self.store.prefetch_entry(db, prepared.hash);
            }
        }
    }

    fn limits_of(&self, conn: ConnId) -> Limits {
        let unauthenticated =
            self.server.clients.get(conn).is_some_and(|client| !client.session.authenticated);
        Limits {
            bulk_bytes_max: self.server.config.proto_max_bulk_len_bytes,
            arguments_max: Limits::ARGUMENTS_MAX,
            unauthenticated,
        }
    }

    /// Tells a client what it did wrong; it is disconnected after that.
    fn breach(&mut self, conn: ConnId, conversation: &mut Conversation, error: ProtocolError) {
        self.server.statistics.protocol_errors += 1;
        let text = format!("ERR Protocol error: {error}");
        self.server.statistics.count_error(&text);
        if let Some(client) = self.server.clients.get_mut(conn) {
            if client.session.replies == Replies::On {
                Reply::new(&mut conversation.outbox, Proto::Two).error(&text);
            }
            client.closing = true;
            let line = format!("Protocol error ({error}) from client: {}", client.addr);
            self.server.log(Level::Verbose, line);
        }
    }

    /// Notes what the client holds after it was served, and enforces its limits.
    fn settle(&mut self, conn: ConnId, conversation: &Conversation, served: Served) -> Served {
        let Some(client) = self.server.clients.get_mut(conn) else { return Served::Close };
        let Conversation { inbox, outbox } = conversation;
        client.query_bytes = inbox.held_bytes();
        client.inbox_bytes = inbox.heap_bytes();
        match served {
            Served::Waiting if client.waiting == Waiting::No => client.waiting = Waiting::Pause,
            Served::Waiting | Served::Idle | Served::More => {}
            Served::Close => client.closing = true,
        }
        let query_limit = self.server.config.client_query_buffer_limit_bytes;
        if client.query_bytes.saturating_add(client.queued_bytes()) as u64 > query_limit {
            self.server.statistics.query_limit_disconnections += 1;
            let line =
                format!("Closing client that reached max query buffer length: {}", client.addr);
            client.closing = true;
            self.server.log(Level::Warning, line);
            return Served::Close;
        }
        if self.server.is_over_output_limit(None, conn, outbox.pending_bytes())
            || self.server.weigh(conn)
        {
            Served::Close
        } else {
            served
        }
    }
}

impl Server {
    /// Whether a client with so many bytes of pending replies must go. It is then marked and
    /// logged, and its replies are not worth sending.
    ///
    /// `tried_at`: when it was tried to send them; `None` before that, and then it does not count
    /// yet how long there have been too many.
    pub(crate) fn is_over_output_limit(
        &mut self,
        tried_at: Option<Now>,
        conn: ConnId,
        pending: usize,
    ) -> bool {
        let Some(client) = self.clients.get_mut(conn) else { return false };
        if client.part == Part::Replica {
            // What it lacks is in the backlog, and limited there.
            return false;
        }
        let [normal, replica, pubsub] = self.config.client_output_buffer_limit;
        let limit = match client.kind() {
            ClientKind::Normal | ClientKind::Master => normal,
            ClientKind::Replica => replica,
            ClientKind::Pubsub => pubsub,
        };
        // Who has not authenticated can only make us write errors, and must take them
        // (CVE-2025-21605).
        let is_stranger_and_full =
            !client.session.authenticated && pending > UNAUTHENTICATED_PENDING_BYTES_MAX;
        let pending = pending as u64;
        let is_over = limit.hard_bytes > 0 && pending >= limit.hard_bytes
            || tried_at.is_some_and(|now| is_too_slow(limit, pending, &mut client.soft_since, now));
        if client.closing || !(is_over || is_stranger_and_full) {
            return false;
        }
        client.closing = true;
        let line = format!(
            "Client {} scheduled to be closed ASAP for overcoming of output buffer limits.",
            client.addr
        );
        self.statistics.output_limit_disconnections += 1;
        self.log(Level::Warning, line);
        self.close(conn);
        true
    }
}

/// Whether `pending` bytes have broken the soft limit for too long.
fn is_too_slow(
    limit: OutputLimit,
    pending: u64,
    soft_since: &mut Option<vesta_types::Mono>,
    now: Now,
) -> bool {
    if limit.soft_bytes == 0 || pending < limit.soft_bytes {
        *soft_since = None;
        return false;
    }
    let since = *soft_since.get_or_insert(now.mono);
    now.mono.since_us(since) > limit.soft_seconds.saturating_mul(1_000_000)
}

const PROTECTED: &str = "DENIED Redis protected mode is on: no password is set for the default \
     user, so only clients on this machine are served. To admit others, set one with requirepass \
     or an ACL, or, if the network is trusted, switch the mode off with CONFIG SET protected-mode \
     no from this machine, in the configuration file, or with --protected-mode no.";

fn refused(text: &str) -> Refused {
    Refused { reply: format!("-{text}\r\n").into_bytes() }
}
