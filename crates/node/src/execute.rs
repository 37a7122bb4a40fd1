//! Executing one request: gates, handler, effects, accounts.

use crate::client::{NO_LEAF, Waiting};
use crate::desk::Desk;
use crate::gates::{self, Armed, Asked, Verdict};
use crate::{ConnId, Level, Node};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use vesta_cmd::blocking::Waiter;
use vesta_cmd::host::Replies;
use vesta_cmd::{ControlCtx, Flow, Found, Outcome, ReadCtx, ReplyError, Run, WriteCtx};
use vesta_resp::{Mark, Outbox, Reply, Request};
use vesta_spec::Flags;
use vesta_store::{Field, Keyspace, Why};
use vesta_types::{Now, ascii};

/// Words of HTTP that no client sends as commands. Source: observed on redis-server 7.0.15.
const HTTP: [&str; 2] = ["post", "host:"];

/// How it goes on with a client after one request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Next {
    /// With its next request.
    Go,
    /// The request is done with; the client waits for its outcome.
    Wait,
    /// The request was not executed and comes again later.
    Hold,
    /// Not at all.
    Close,
}

/// One request on its way through the gates and its handler.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) now: Now,
    /// Whose it is.
    pub(crate) conn: ConnId,
    pub(crate) request: Request<'a>,
    /// Its command, when the name is one.
    pub(crate) found: Option<Found>,
    /// The hash of the first argument behind the name.
    pub(crate) hash: u64,
    /// Where the reply goes.
    pub(crate) outbox: &'a mut Outbox,
    /// The meter's reading at the start; moved on to the end.
    pub(crate) ticks: &'a mut u64,
    /// Whether its client may wait for a key.
    pub(crate) may_wait: bool,
}

impl Node {
    /// Executes one request and appends its reply to the outbox, if the client wants it.
    #[inline]
    pub(crate) fn execute(&mut self, call: &mut Call<'_>) -> Next {
        let Some(client) = self.server.clients.get_mut(call.conn) else { return Next::Close };
        let next = if client.session.replies == Replies::On {
            self.execute_heard(call)
        } else {
            self.execute_unheard(call)
        };
        if self.server.trackers.clients() > 0 && next != Next::Hold {
            self.server.end_caching(call.conn, call.found);
        }
        next
    }

    /// Executes one request and appends its reply to the outbox.
    #[inline]
    fn execute_heard(&mut self, call: &mut Call<'_>) -> Next {
        let everyone = self.server.armed();
        let Some(client) = self.server.clients.get_mut(call.conn) else { return Next::Close };
        let Some(found) = call.found else {
            client.last_leaf = NO_LEAF;
            if HTTP.iter().any(|word| ascii::is_word(call.request.arg(0), word)) {
                return self.show_out(call);
            }
            let error = self.unknown(call.request);
            return self.refuse(call, &error, None);
        };
        client.last_leaf = found.leaf;
        if !found.command.spec.arity.accepts(call.request.len()) {
            let error = ReplyError::WrongArity(found.full_name());
            return self.refuse(call, &error, Some(found));
        }
        let armed = everyone.and(Armed::by(client, found));
        if !armed.is_none() {
            let is_asked = !armed.is_queue_alone() || found.command.spec.flags.has(Flags::NO_MULTI);
            let verdict = if is_asked { self.ask_gates(call, found) } else { Verdict::Pass };
            match verdict {
                Verdict::Pass => {}
                Verdict::Refuse(error) => return self.refuse(call, &error, Some(found)),
                Verdict::Hold => return Next::Hold,
            }
            if armed.holds(Armed::QUEUE) && Self::is_queued(found) {
                return self.queue(call, found);
            }
        }
        let start = *call.ticks;
        let flow = self.run(call, found);
        if flow == Flow::Execute {
            return self.execute_queue(call, found, start);
        }
        self.after(call.now, call.conn, found, flow)
    }

    /// Executes a request of a client that wants no replies, or not this one (CLIENT REPLY).
    /// What counts is whether it wants them when the command ends: ON is answered, OFF is not.
    #[cold]
    fn execute_unheard(&mut self, call: &mut Call<'_>) -> Next {
        let (conn, mark) = (call.conn, call.outbox.mark());
        self.turn_replies(conn, Replies::SkipNext, Replies::SkipThis);
        let next = self.execute_heard(call);
        if self.replies_of(conn) != Replies::On && !has_confirmed(call, mark) {
            call.outbox.roll_back(mark);
        }
        // A request that is held back is skipped when it comes again.
        let then = if next == Next::Hold { Replies::SkipNext } else { Replies::On };
        self.turn_replies(conn, Replies::SkipThis, then);
        next
    }

    fn turn_replies(&mut self, conn: ConnId, from: Replies, to: Replies) {
        if let Some(client) = self.server.clients.get_mut(conn)
            && client.session.replies == from
        {
            client.session.replies = to;
        }
    }

    /// Asks every gate about a request that some gate could stop. Makes room first, as the answer
    /// may depend on it.
    #[cold]
    pub(crate) fn ask_gates(&mut self, call: &Call<'_>, found: Found) -> Verdict {
        let Some(client) = self.server.clients.get(call.conn) else { return Verdict::Pass };
        // Nobody has keys evicted before it is known who they are, and nothing goes in a pause or
        // while the last snapshot is saved.
        let is_held = self.server.pause.is_some() || self.server.holds_stream();
        let is_spared = self.server.is_replica() && self.server.config.replica_ignore_maxmemory;
        let may_evict = client.session.authenticated
            && !is_held
            && !self.server.alarms.holds(Armed::STANDSTILL)
            && !self.server.is_loading()
            && !is_spared;
        let out_of_memory = may_evict && self.make_room(call.now);
        let Some(client) = self.server.clients.get(call.conn) else { return Verdict::Pass };
        let flags = found.command.spec.flags;
        let flags = match &client.transaction {
            Some(transaction) if found.command.spec.name == "exec" => transaction.flags(flags),
            Some(_) | None => flags,
        };
        gates::walk(&Asked { server: &self.server, client, found, flags, out_of_memory })
    }

    fn replies_of(&self, conn: ConnId) -> Replies {
        self.server.clients.get(conn).map_or(Replies::On, |client| client.session.replies)
    }

    /// Runs the handler, hands its effects on, and keeps the accounts.
    #[inline]
    pub(crate) fn run(&mut self, call: &mut Call<'_>, found: Found) -> Flow {
        let (now, conn, request) = (call.now, call.conn, call.request);
        let Self { store, server, commands, propagation, .. } = self;
        let Some(client) = server.clients.get(conn) else { return Flow::Close };
        let session = &client.session;
        let db = session.db;
        let keys = Keyspace::new(store, db, now)
            .knowing(request.arg(1), call.hash)
            .untouching(session.no_touch)
            .frozen(server.leaves_expired());
        let reply = Reply::new(call.outbox, session.proto);
        let mut block = None;
        let waiter = Waiter::new(call.may_wait, &mut block);
        let outcome = match found.command.run {
            Run::Read(handler) => {
                let config = &server.config;
                handler(&mut ReadCtx { request, keys, reply, config, now, waiter })
            }
            Run::Write(handler) => {
                let config = &server.config;
                handler(&mut WriteCtx { request, keys, reply, config, now, propagation, waiter })
            }
            Run::Control(handler) | Run::Branching { alone: handler, .. } => {
                let host = &mut Desk { server, conn, request, now };
                handler(&mut ControlCtx {
                    request,
                    keys,
                    reply,
                    host,
                    commands,
                    propagation,
                    now,
                    waiter,
                })
            }
            Run::Container(_) => Err(ReplyError::Syntax),
        };
        if self.store.has_news() {
            self.hand_on_news(Some(conn));
        }
        if self.server.trackers.clients() > 0 {
            self.server.note_read(conn, found, request);
        }
        if core::mem::take(&mut self.server.settings_changed) {
            self.config_changed(now);
        }
        if self.propagation.commit(db, request) {
            self.note_write(conn);
        }
        // What it did before it had to wait has been handed on.
        if outcome == Ok(Flow::Block) {
            self.waits_for = block;
            return Flow::Block;
        }
        // It is counted when what was queued has been.
        if outcome == Ok(Flow::Execute) {
            return Flow::Execute;
        }
        self.account(call, found, outcome)
    }

    /// Counts the command and answers with its error, if it ended with one.
    #[inline]
    fn account(&mut self, call: &mut Call<'_>, found: Found, outcome: Outcome) -> Flow {
        let end = (self.server.meter.ticks)();
        let statistics = &mut self.server.statistics;
        let tracked = self.server.config.latency_tracking;
        statistics.note_call(found.leaf, end.saturating_sub(*call.ticks), tracked);
        *call.ticks = end;
        match outcome {
            Ok(flow) => flow,
            Err(error) => {
                if let Some(command) = statistics.commands.get_mut(found.leaf) {
                    command.failed += 1;
                }
                self.answer_error(call, &error);
                Flow::Done
            }
        }
    }

    /// Sees to what the command has brought about, for its client and for those who wait.
    #[inline]
    pub(crate) fn after(&mut self, now: Now, conn: ConnId, found: Found, flow: Flow) -> Next {
        if self.store.has_touched() || self.server.retry_blocked {
            self.serve_touched(now);
        }
        match flow {
            Flow::Done | Flow::Execute => {
                // A client may have disconnected itself.
                let closing = self.server.clients.get(conn).is_none_or(|client| client.closing);
                if closing { Next::Close } else { Next::Go }
            }
            Flow::Close => Next::Close,
            Flow::Block => {
                if let Some(block) = self.waits_for.take() {
                    self.block(now, conn, found, block);
                }
                Next::Wait
            }
            Flow::Wait => {
                if let Some(client) = self.server.clients.get_mut(conn) {
                    let unheard = client.session.replies != Replies::On;
                    client.waiting = Waiting::Action { unheard };
                }
                Next::Wait
            }
        }
    }

    /// Hands on what the store has on record: to the log and to replicas what it deleted by
    /// itself, to subscribers the keyspace events, to those who watch or keep keys what was
    /// modified.
    /// `by`: the client whose command is at hand.
    pub(crate) fn hand_on_news(&mut self, by: Option<ConnId>) {
        self.propagate_deleted();
        self.publish_events();
        if self.store.has_modified() {
            self.hand_on_modified(by);
        }
    }

    /// Hands on the deletions of expired and evicted keys, and of expired fields.
    fn propagate_deleted(&mut self) {
        let lazy_expire = self.server.config.lazyfree_lazy_expire;
        let lazy_evict = self.server.config.lazyfree_lazy_eviction;
        for deleted in self.store.take_deleted() {
            if !deleted.fields.is_empty() {
                let names = deleted.fields.iter().map(Field::name);
                let words: Vec<&[u8]> =
                    [&b"HDEL"[..], &deleted.key].into_iter().chain(names).collect();
                self.propagation.append(deleted.db, words.into_iter());
                continue;
            }
            let lazily = match deleted.why {
                Why::Expired => lazy_expire,
                Why::Evicted => lazy_evict,
            };
            let name: &[u8] = if lazily { b"UNLINK" } else { b"DEL" };
            self.propagation.append(deleted.db, [name, &*deleted.key].into_iter());
        }
    }

    /// Disconnects a client that speaks HTTP, so that no web page can have a browser smuggle
    /// commands in. It is sent nothing: not even what it was still to be sent.
    #[cold]
    fn show_out(&mut self, call: &mut Call<'_>) -> Next {
        *call.outbox = Outbox::default();
        let Some(client) = self.server.clients.get(call.conn) else { return Next::Close };
        let line = format!(
            "Possible SECURITY ATTACK detected. It looks like somebody is sending POST or Host: \
             commands, as a browser does that was tricked into it. Connection from {} aborted.",
            client.addr
        );
        self.server.log(Level::Warning, line);
        Next::Close
    }

    /// Answers a request that does not run.
    #[cold]
    pub(crate) fn refuse(
        &mut self,
        call: &mut Call<'_>,
        error: &ReplyError,
        found: Option<Found>,
    ) -> Next {
        let statistics = &mut self.server.statistics;
        if let Some(command) = found.and_then(|found| statistics.commands.get_mut(found.leaf)) {
            command.rejected += 1;
        }
        let aborted = self.abort_transaction(call.conn, error, found);
        self.answer_error(call, aborted.as_ref().unwrap_or(error));
        Next::Go
    }

    #[cold]
    fn answer_error(&mut self, call: &mut Call<'_>, error: &ReplyError) {
        let text = error.to_string();
        self.server.statistics.count_error(&text);
        let Some(client) = self.server.clients.get(call.conn) else { return };
        Reply::new(call.outbox, client.session.proto).error(&text);
    }

    /// Why the name of a request leads to no command.
    #[cold]
    fn unknown(&self, request: Request<'_>) -> ReplyError {
        let second = (request.len() > 1).then(|| request.arg(1));
        if let Err(error) = self.commands.find(request.arg(0), second) {
            return error;
        }
        let name = shown(request.arg(0), SHOWN_BYTES);
        let mut arguments = String::new();
        for argument in request.args_from(1) {
            let left = SHOWN_BYTES.saturating_sub(arguments.len());
            if left == 0 {
                break;
            }
            arguments.push_str(&format!("'{}' ", shown(argument, left)));
        }
        let text = format!("unknown command '{name}', with args beginning with: {arguments}");
        ReplyError::Generic(text.into())
    }
}

/// Whether what a command has written since `mark` are confirmations of subscriptions. They come as
/// messages do, not as replies: also to a client that wants no replies. Of the commands about
/// channels, it is those that no script may call that change subscriptions.
fn has_confirmed(call: &Call<'_>, mark: Mark) -> bool {
    let subscribes = call.found.is_some_and(|found| {
        let flags = found.command.spec.flags;
        flags.has(Flags::PUBSUB) && flags.has(Flags::NOSCRIPT)
    });
    subscribes && !call.outbox.since(mark).starts_with(b"-")
}

/// Bytes of the name, and of all arguments together, that an error about an unknown command shows.
const SHOWN_BYTES: usize = 128;

/// The beginning of an argument for a message, up to its first zero byte.
fn shown(argument: &[u8], bytes_max: usize) -> String {
    let text = argument.split(|byte| *byte == 0).next().unwrap_or(argument);
    ascii::lossy(text.get(..bytes_max).unwrap_or(text))
}
