//! Transactions: what a client has queued, what it watches, and EXEC.
//!
//! Between MULTI and EXEC a request passes the gates and is queued as it came. EXEC takes the queue
//! and runs each request as any other runs, without the gates: its reply is an element of an array,
//! its effects join those of the others, and whoever waits for a key is served behind the last.
//!
//! ```text
//!   MULTI --> queueing --EXEC--> running --> (none)
//!                |                 |  ^
//!             a refusal            |  | what it waits for has come
//!                v                 v  |
//!             aborted            waiting: nobody else is served
//! ```
//!
//! A request about the server may have to wait for something outside. Then the transaction waits
//! with it, and all others behind the standstill gate. Before each such request the effects so far
//! are handed on: a snapshot that it may begin is of one offset of the stream.
//!
//! A watched key knows its watchers. The store tells which watched keys were modified
//! ([`vesta_store::Store::take_modified`]); whoever watches one of them is told at once.

use crate::client::Waiting;
use crate::execute::{Call, Next};
use crate::server::Server;
use crate::{ConnId, Node};
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::vec::Vec;
use vesta_cmd::host::Replies;
use vesta_cmd::{Flow, Found, ReplyError, Run};
use vesta_resp::{Outbox, OwnedRequest, Reply};
use vesta_spec::Flags;
use vesta_store::{Keyspace, Modified, Store};
use vesta_types::{DbIndex, Now};

/// What is executed at once between MULTI and EXEC. Source: redis-server 7.0.15.
const NOT_QUEUED: [&str; 6] = ["exec", "discard", "multi", "watch", "quit", "reset"];

/// What counts for EXEC if any of the queued commands has it.
const OF_ANY: Flags = Flags::WRITE.and(Flags::DENYOOM).and(Flags::MAY_REPLICATE);
/// What counts for EXEC only if all of the queued commands have it.
const OF_ALL: Flags = Flags::LOADING.and(Flags::STALE);

/// A client's transaction.
#[derive(Debug, Default)]
pub(crate) struct Transaction {
    queue: Vec<Queued>,
    /// How many requests there are, also while they are executed.
    count: usize,
    /// Memory held for them, in bytes.
    bytes: usize,
    /// Flags of [`OF_ANY`] that a queued command has.
    any: Flags,
    /// Flags of [`OF_ALL`] that a queued command lacks.
    lacking: Flags,
    state: State,
}

#[derive(Debug, Default)]
enum State {
    /// Requests are queued.
    #[default]
    Queueing,
    /// A request was refused: nothing will be executed.
    Aborted,
    /// The requests before `next` were executed; the last of them waits.
    Waiting { next: usize, exec: Found, spent: u64 },
}

#[derive(Debug)]
struct Queued {
    request: OwnedRequest,
    found: Found,
    hash: u64,
}

impl Transaction {
    /// How many requests are queued.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Memory held for them, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The flags by which an EXEC of this is judged.
    pub(crate) fn flags(&self, exec: Flags) -> Flags {
        exec.and(self.any).without(self.lacking)
    }

    fn is_waiting(&self) -> bool {
        matches!(self.state, State::Waiting { .. })
    }

    fn add(&mut self, call: &Call<'_>, found: Found) {
        let request = OwnedRequest::of(&call.request, |_, _| None);
        self.count += 1;
        self.bytes += size_of::<Queued>() + request.heap_bytes();
        self.any = self.any.and(found.command.spec.flags.only(OF_ANY));
        self.lacking = self.lacking.and(OF_ALL.without(found.command.spec.flags));
        self.queue.push(Queued { request, found, hash: call.hash });
    }
}

/// What a client watches.
#[derive(Debug, Default)]
pub(crate) struct Watching {
    keys: Vec<Watched>,
    /// One of them was modified.
    is_modified: bool,
}

#[derive(Debug)]
struct Watched {
    db: DbIndex,
    key: Box<[u8]>,
    was: Was,
}

/// What a watched key was to whoever began to watch it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Was {
    Live,
    Absent,
    /// It had expired and was not deleted yet: when it is, nothing has changed.
    Expired,
}

impl Watching {
    /// Whether one of the keys was modified.
    pub(crate) fn is_modified(&self) -> bool {
        self.is_modified
    }

    /// Memory held, in bytes.
    pub(crate) fn heap_bytes(&self) -> usize {
        let keys: usize = self.keys.iter().map(|watched| watched.key.len()).sum();
        size_of::<Self>() + self.keys.capacity() * size_of::<Watched>() + keys
    }
}

/// Who watches which keys.
pub(crate) type Watchers = BTreeMap<(DbIndex, Box<[u8]>), BTreeSet<ConnId>>;

impl Server {
    /// As [`vesta_cmd::Host::begin_transaction`].
    pub(crate) fn begin_transaction(&mut self, conn: ConnId) -> Result<(), ReplyError> {
        let Some(client) = self.clients.get_mut(conn) else { return Ok(()) };
        if client.transaction.is_some() {
            return Err(ReplyError::text("MULTI calls can not be nested"));
        }
        client.transaction = Some(Box::default());
        Ok(())
    }

    /// As [`vesta_cmd::Host::may_execute`].
    pub(crate) fn may_execute(
        &mut self,
        conn: ConnId,
        keys: &mut Keyspace<'_>,
    ) -> Result<bool, ReplyError> {
        let Some(client) = self.clients.get_mut(conn) else { return Ok(false) };
        let Some(transaction) = &client.transaction else {
            return Err(ReplyError::text("EXEC without MULTI"));
        };
        let is_aborted = matches!(transaction.state, State::Aborted);
        let is_modified = client.watching.as_ref().is_some_and(|watching| {
            let has_gone = |watched: &Watched| {
                let Watched { db, key, was } = watched;
                *was == Was::Live && keys.of(*db).beside(key).is_none()
            };
            watching.is_modified || watching.keys.iter().any(has_gone)
        });
        if is_aborted || is_modified {
            client.transaction = None;
        }
        self.unwatch(conn, keys.store());
        if is_aborted {
            let text = "EXECABORT Transaction discarded because of previous errors.";
            return Err(ReplyError::Coded(text.into()));
        }
        Ok(!is_modified)
    }

    /// As [`vesta_cmd::Host::forget_transaction`].
    pub(crate) fn forget_transaction(&mut self, conn: ConnId) -> bool {
        let client = self.clients.get_mut(conn);
        client.is_some_and(|client| client.transaction.take().is_some())
    }

    /// As [`vesta_cmd::Host::watch`].
    pub(crate) fn watch(
        &mut self,
        conn: ConnId,
        keys: &mut Keyspace<'_>,
        key: &[u8],
    ) -> Result<(), ReplyError> {
        let Some(client) = self.clients.get_mut(conn) else { return Ok(()) };
        if client.transaction.is_some() {
            return Err(ReplyError::text("WATCH inside MULTI is not allowed"));
        }
        let (db, watching) = (keys.db_index(), client.watching.get_or_insert_default());
        let same = |watched: &Watched| watched.db == db && *watched.key == *key;
        if watching.keys.iter().any(same) {
            return Ok(());
        }
        let was = match (keys.beside(key).is_some(), keys.store().holds(db, key)) {
            (true, _) => Was::Live,
            (false, true) => Was::Expired,
            (false, false) => Was::Absent,
        };
        watching.keys.push(Watched { db, key: key.into(), was });
        keys.store().watch(db, key);
        self.watchers.entry((db, key.into())).or_default().insert(conn);
        Ok(())
    }

    /// As [`vesta_cmd::Host::unwatch`], for any client.
    pub(crate) fn unwatch(&mut self, conn: ConnId, store: &mut Store) {
        let watching = self.clients.get_mut(conn).and_then(|client| client.watching.take());
        for Watched { db, key, .. } in watching.into_iter().flat_map(|watching| watching.keys) {
            store.unwatch(db, &key);
            let place = (db, key);
            if let Some(watchers) = self.watchers.get_mut(&place) {
                watchers.remove(&conn);
                if watchers.is_empty() {
                    self.watchers.remove(&place);
                }
            }
        }
    }

    /// Tells those who watch a key that it was modified.
    pub(crate) fn note_modified(&mut self, store: &Store, modified: &Modified) {
        let Self { watchers, clients, .. } = self;
        if watchers.is_empty() {
            return;
        }
        let Modified { db, key, .. } = modified;
        for conn in watchers.get(&(*db, key.clone())).into_iter().flatten() {
            let client = clients.get_mut(*conn);
            let Some(watching) = client.and_then(|client| client.watching.as_mut()) else {
                continue;
            };
            let same = |watched: &&mut Watched| watched.db == *db && watched.key == *key;
            match watching.keys.iter_mut().find(same) {
                Some(watched) if watched.was == Was::Expired && !store.holds(*db, key) => {
                    watched.was = Was::Absent;
                }
                Some(_) | None => watching.is_modified = true,
            }
        }
    }
}

impl Node {
    /// Whether a request of a client in a transaction is queued, not executed.
    pub(crate) fn is_queued(found: Found) -> bool {
        !NOT_QUEUED.contains(&found.command.spec.name)
    }

    /// Queues a request.
    pub(crate) fn queue(&mut self, call: &mut Call<'_>, found: Found) -> Next {
        let Some(client) = self.server.clients.get_mut(call.conn) else { return Next::Close };
        let proto = client.session.proto;
        if let Some(transaction) = &mut client.transaction
            && !matches!(transaction.state, State::Aborted)
        {
            transaction.add(call, found);
        }
        Reply::new(call.outbox, proto).simple("QUEUED");
        Next::Go
    }

    /// A request was refused: the transaction that it would have been part of is not executed, and
    /// one that it would have executed is forgotten. The error that is the reply then.
    ///
    /// Source: redis-server 7.0.15.
    pub(crate) fn abort_transaction(
        &mut self,
        conn: ConnId,
        error: &ReplyError,
        found: Option<Found>,
    ) -> Option<ReplyError> {
        if found.is_some_and(|found| found.command.spec.name == "exec") {
            self.server.forget_transaction(conn);
            self.server.unwatch(conn, &mut self.store);
            let error = format!("{error}");
            let error = error.strip_prefix("ERR ").unwrap_or(&error);
            let text = format!("EXECABORT Transaction discarded because of: {error}");
            return Some(ReplyError::Coded(text.into()));
        }
        let client = self.server.clients.get_mut(conn);
        if let Some(transaction) = client.and_then(|client| client.transaction.as_mut()) {
            transaction.state = State::Aborted;
            transaction.queue = Vec::new();
            transaction.bytes = 0;
        }
        None
    }

    /// Executes what a client has queued.
    pub(crate) fn execute_queue(&mut self, call: &mut Call<'_>, exec: Found, start: u64) -> Next {
        let Some(client) = self.server.clients.get_mut(call.conn) else { return Next::Close };
        let (replies, session) = (client.session.replies, &client.session);
        let Some(transaction) = &mut client.transaction else { return Next::Go };
        let queue = core::mem::take(&mut transaction.queue);
        let mark = call.outbox.mark();
        Reply::new(call.outbox, session.proto).array(queue.len());
        if replies == Replies::Off {
            call.outbox.roll_back(mark);
        }
        for queued in &queue {
            self.store.prefetch_bucket(session.db, queued.hash);
        }
        self.run_queue(call, exec, queue, 0, start)
    }

    /// Goes on with a transaction that has waited; `None` when there is none.
    pub(crate) fn resume_queue(
        &mut self,
        now: Now,
        conn: ConnId,
        outbox: &mut Outbox,
    ) -> Option<Next> {
        let client = self.server.clients.get_mut(conn)?;
        let transaction = client.transaction.as_mut().filter(|one| one.is_waiting())?;
        let State::Waiting { next, exec, spent } = core::mem::take(&mut transaction.state) else {
            return None;
        };
        let queue = core::mem::take(&mut transaction.queue);
        self.server.suspended = None;
        self.server.arm_persistence(now);
        let mut ticks = (self.server.meter.ticks)();
        let start = ticks.saturating_sub(spent);
        let nothing = OwnedRequest::default();
        let (request, ticks) = (nothing.request(), &mut ticks);
        let may_wait = false;
        let mut call =
            Call { now, conn, request, found: Some(exec), hash: 0, outbox, ticks, may_wait };
        Some(self.run_queue(&mut call, exec, queue, next, start))
    }

    fn run_queue(
        &mut self,
        call: &mut Call<'_>,
        exec: Found,
        queue: Vec<Queued>,
        from: usize,
        start: u64,
    ) -> Next {
        let conn = call.conn;
        self.propagation.begin_group();
        for (index, queued) in queue.iter().enumerate().skip(from) {
            if is_about_server(queued.found) {
                self.end_group(conn);
                self.propagation.begin_group();
            }
            if self.run_queued(call, queued) == Flow::Wait {
                self.end_group(conn);
                let spent = (self.server.meter.ticks)().saturating_sub(start);
                let state = State::Waiting { next: index + 1, exec, spent };
                self.suspend(call.now, conn, queue, state);
                return Next::Wait;
            }
        }
        self.end_group(conn);
        self.server.forget_transaction(conn);
        let end = (self.server.meter.ticks)();
        let tracked = self.server.config.latency_tracking;
        self.server.statistics.note_call(exec.leaf, end.saturating_sub(start), tracked);
        *call.ticks = end;
        self.after(call.now, conn, exec, Flow::Done)
    }

    /// Runs one queued request. Whether its reply is wanted is known when it has run.
    fn run_queued(&mut self, call: &mut Call<'_>, queued: &Queued) -> Flow {
        let mark = call.outbox.mark();
        let mut inner = Call {
            now: call.now,
            conn: call.conn,
            request: queued.request.request(),
            found: Some(queued.found),
            hash: queued.hash,
            outbox: call.outbox,
            ticks: call.ticks,
            may_wait: false,
        };
        let flow = self.run(&mut inner, queued.found);
        let client = self.server.clients.get(call.conn);
        if client.is_some_and(|client| client.session.replies == Replies::Off) {
            call.outbox.roll_back(mark);
        }
        flow
    }

    fn end_group(&mut self, conn: ConnId) {
        if self.propagation.end_group() {
            self.note_write(conn);
        }
    }

    /// Has a transaction wait for what its last request waits for, and all clients for it.
    fn suspend(&mut self, now: Now, conn: ConnId, queue: Vec<Queued>, state: State) {
        let Some(client) = self.server.clients.get_mut(conn) else { return };
        let unheard = client.session.replies == Replies::Off;
        client.waiting = Waiting::Action { unheard };
        if let Some(transaction) = &mut client.transaction {
            (transaction.queue, transaction.state) = (queue, state);
        }
        self.server.suspended = Some((conn, now));
        self.server.arm_persistence(now);
    }

    /// A client is about to go: what it has queued and watches is forgotten. Of a transaction that
    /// waits the rest is not executed.
    pub(crate) fn forget_transaction(&mut self, conn: ConnId) {
        self.server.forget_transaction(conn);
        self.server.unwatch(conn, &mut self.store);
        if let Some((_, now)) = self.server.suspended.take_if(|(waiting, _)| *waiting == conn) {
            self.server.arm_persistence(now);
        }
    }
}

/// Whether a command may look at where the stream stands, or have its client wait.
fn is_about_server(found: Found) -> bool {
    match found.command.run {
        Run::Read(_) | Run::Write(_) => false,
        Run::Control(_) | Run::Branching { .. } | Run::Container(_) => {
            found.command.spec.flags.has(Flags::ADMIN)
        }
    }
}
