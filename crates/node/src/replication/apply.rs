//! Applying the stream of our primary.
//!
//! A *unit* is a request, or MULTI with all up to EXEC. It is applied when all of it has come, in
//! one go, and only then do its bytes count: they go to our own stream and log as they came, and
//! our offset is what has been applied. What has come and was not applied when the link ends is
//! forgotten, and asked for again.
//!
//! No gate is asked, and nothing is replied to, expires or is evicted: what the primary has done is
//! done here. To others it is like a client's command: keyspace events are published, and so are
//! messages, and whoever waits for a key is served.

use crate::action::{ExitCause, Level};
use crate::cron::{STEPS_PER_SLICE, Slice};
use crate::gates::Armed;
use crate::serve::{Prepared, Scratch, Served};
use crate::server::Server;
use crate::{ConnId, Node};
use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use vesta_cmd::blocking::Waiter;
use vesta_cmd::host::Topic;
use vesta_cmd::{Commands, Found, Relayed, Run, WriteCtx};
use vesta_config::PropagationError;
use vesta_persist::aof::{Item, ItemReader, encode_request};
use vesta_repl::History;
use vesta_repl::link::{Event, Phase};
use vesta_resp::{Batch, Conversation, Framing, Limits, Outbox, Proto, Reply, Request};
use vesta_store::Keyspace;
use vesta_types::{DbIndex, Mono, Now, ascii, number};

/// Longest slice of applying while others may wait, in microseconds.
const APPLY_SLICE_US: u64 = 500;
/// Failures that the log tells of one by one.
const FAILURES_TOLD_MAX: u64 = 16;
/// Longest argument of a request of a primary, in bytes: no more than that fits a request here.
/// redis-server 7.0.15 does not hold its primary to `proto-max-bulk-len` either.
const ARGUMENT_BYTES_MAX: u64 = u32::MAX as u64;

/// What the reader of a primary's stream knows between two requests.
#[derive(Debug)]
pub(crate) struct Applying {
    /// The database that the stream has selected.
    db: DbIndex,
    /// The beginning of a transaction whose end has not come.
    gathered: Option<Vec<u8>>,
    /// Where replies go.
    outbox: Outbox,
    /// Requests that failed.
    failures: u64,
    /// The primary has asked how far we are.
    is_asked: bool,
    /// All commands by their own names, once one has come that goes by another here.
    originals: Option<Commands>,
    /// When the log last told of a write although the disk refuses.
    pub(super) disk_told_at: Option<Mono>,
}

impl Default for Applying {
    fn default() -> Self {
        Self {
            db: DbIndex::ZERO,
            gathered: None,
            outbox: Outbox::default(),
            failures: 0,
            is_asked: false,
            originals: None,
            disk_told_at: None,
        }
    }
}

impl Applying {
    /// A stream begins, or goes on, that has selected this database.
    pub(super) fn begin(&mut self, db: DbIndex) {
        self.db = db;
        self.gathered = None;
    }

    /// What has come is not applied.
    pub(super) fn forget_gathered(&mut self) {
        self.gathered = None;
    }

    pub(super) fn gathered_bytes(&self) -> usize {
        self.gathered.as_ref().map_or(0, Vec::len)
    }

    pub(super) fn failures(&self) -> u64 {
        self.failures
    }
}

/// What stops the stream: nothing behind it can be applied.
#[derive(Debug)]
pub(super) struct Diverged(pub(super) String);

impl Node {
    /// Takes in what came over the link to our primary.
    pub(crate) fn serve_link(
        &mut self,
        now: Now,
        conn: ConnId,
        conversation: &mut Conversation,
        fresh: &[u8],
    ) -> Served {
        self.server.persistence.log.note_time(now);
        if self.server.replication.replica.conn() != Some(conn) {
            return Served::Close;
        }
        let joined = conversation.inbox.join(fresh);
        let input = joined.as_deref().unwrap_or(fresh);
        let served = self.take_in(now, conn, conversation, input);
        self.drive_link(now);
        let is_link = self.server.replication.replica.conn() == Some(conn);
        let held = conversation.inbox.held_bytes();
        self.server.replication.replica.note_served(now.mono, held);
        let Some(client) = self.server.clients.get_mut(conn) else { return Served::Close };
        client.query_bytes = held;
        client.inbox_bytes = conversation.inbox.heap_bytes();
        if !is_link || client.closing {
            return Served::Close;
        }
        if served == Served::Waiting {
            client.waiting = crate::client::Waiting::Pause;
        }
        served
    }

    fn take_in(
        &mut self,
        now: Now,
        conn: ConnId,
        conversation: &mut Conversation,
        input: &[u8],
    ) -> Served {
        let mut at = 0;
        loop {
            let rest = input.get(at..).unwrap_or_default();
            let side = &mut self.server.replication.replica;
            match side.phase() {
                Phase::Away | Phase::Connecting => return Served::Close,
                Phase::Talking if rest.is_empty() => return Served::Idle,
                Phase::Talking => at += side.link.talk(now, rest),
                Phase::Receiving => match self.receive_copy(now, rest) {
                    Some(taken) => at += taken,
                    None => {
                        let is_full = self.server.replication.replica.is_copy_full();
                        return if is_full { Served::Waiting } else { Served::Idle };
                    }
                },
                Phase::Loading => {
                    conversation.inbox.hold(rest, &mut Batch::default(), 0);
                    return Served::Waiting;
                }
                Phase::Streaming if self.server.stops_stream() => {
                    conversation.inbox.hold(rest, &mut Batch::default(), 0);
                    return Served::Waiting;
                }
                Phase::Streaming => return self.stream(now, conn, conversation, rest),
            }
            // What the talk has led to is wanted before what follows.
            self.drive_link(now);
        }
    }

    /// Applies what is complete, for a slice of time.
    fn stream(
        &mut self,
        now: Now,
        conn: ConnId,
        conversation: &mut Conversation,
        input: &[u8],
    ) -> Served {
        self.server.replication.replica.link.note_heard(now);
        let mut slice = Slice::lasting(self.server.meter, APPLY_SLICE_US, STEPS_PER_SLICE);
        let mut scratch = core::mem::take(&mut self.scratch);
        let limits = Limits { bulk_bytes_max: ARGUMENT_BYTES_MAX, ..Limits::default() };
        let mut from = 0;
        let served = loop {
            let batch = &mut scratch.batch;
            let (framing, outcome) = conversation.inbox.frame(input, from, &limits, batch);
            let applied = self.apply_batch(now, conn, input, &mut scratch);
            let outcome = match (applied, outcome) {
                (Err(Diverged(why)), _) => Err(why),
                (Ok(()), Err(error)) => Err(format!("Protocol error from the master: {error}")),
                (Ok(()), Ok(())) => Ok(()),
            };
            if let Err(why) = outcome {
                self.server.log(Level::Warning, why);
                self.server.replication.replica.link.handle(now, Event::GivenUp);
                break Served::Close;
            }
            let batch = &mut scratch.batch;
            from = batch.end();
            let is_over = framing == Framing::NeedMore || slice.is_over();
            if is_over || self.server.stops_stream() || self.server.ending {
                let executed = batch.len();
                conversation.inbox.hold(input, batch, executed);
                break if framing == Framing::NeedMore { Served::Idle } else { Served::More };
            }
        };
        self.scratch = scratch;
        served
    }

    fn apply_batch(
        &mut self,
        now: Now,
        conn: ConnId,
        input: &[u8],
        scratch: &mut Scratch,
    ) -> Result<(), Diverged> {
        self.prepare(conn, input, scratch);
        let Scratch { batch, prepared } = scratch;
        let mut ticks = (self.server.meter.ticks)();
        for (index, prepared) in prepared.iter().enumerate() {
            let Some(request) = batch.request(index, input) else { break };
            let raw = batch.raw(index, input).map_or_else(|| encoded(request), Cow::Borrowed);
            self.take_request(now, request, *prepared, &raw, &mut ticks)?;
            if self.server.ending {
                return Ok(());
            }
        }
        let behind = batch.behind(input);
        if !behind.is_empty() {
            self.take_filler(behind);
        }
        let side = &mut self.server.replication.replica;
        if !prepared.is_empty() {
            side.link.note_applied();
        }
        if core::mem::take(&mut side.applying.is_asked) {
            side.link.acknowledge(now);
        }
        let db = side.applying.db;
        if let Some(client) = self.server.clients.get_mut(conn) {
            client.session.db = db;
        }
        Ok(())
    }

    /// Bytes that are no request. They count as all do.
    fn take_filler(&mut self, bytes: &[u8]) {
        let Applying { gathered, db, .. } = &mut self.server.replication.replica.applying;
        match gathered {
            Some(gathered) => gathered.extend_from_slice(bytes),
            None => self.propagation.relay(bytes, *db, Relayed::Message),
        }
    }

    /// Takes the next request of the stream, which came as `raw`.
    fn take_request(
        &mut self,
        now: Now,
        request: Request<'_>,
        prepared: Prepared,
        raw: &[u8],
        ticks: &mut u64,
    ) -> Result<(), Diverged> {
        // No primary sends lines, but for empty ones: this is the middle of something.
        if !raw.trim_ascii_start().starts_with(b"*") {
            let line = "Receiving inline protocol from master, master stream corruption? Closing \
                        the master connection.";
            return Err(Diverged(line.to_string()));
        }
        self.heed_disk(now, request, prepared)?;
        let name = request.arg(0);
        let most = self.server.config.client_query_buffer_limit_bytes;
        let applying = &mut self.server.replication.replica.applying;
        if let Some(gathered) = &mut applying.gathered {
            gathered.extend_from_slice(raw);
            if ascii::is_word(name, "exec") {
                let unit = applying.gathered.take().unwrap_or_default();
                return self.apply_transaction(now, &unit, ticks);
            }
            if gathered.len() as u64 > most {
                let line = "A transaction of the master is larger than client-query-buffer-limit";
                return Err(Diverged(line.to_string()));
            }
            return Ok(());
        }
        if ascii::is_word(name, "multi") {
            applying.gathered = Some(raw.to_vec());
            return Ok(());
        }
        self.propagation.begin_applying();
        let what = self.apply(now, request, prepared, ticks);
        self.end_unit(now, raw, what)
    }

    /// Applies a transaction, which is whole.
    fn apply_transaction(
        &mut self,
        now: Now,
        unit: &[u8],
        ticks: &mut u64,
    ) -> Result<(), Diverged> {
        let (mut reader, mut batch, mut at) = (ItemReader::default(), Batch::default(), 0);
        let (mut outcome, mut applied) = (Ok(Relayed::Effect), 0_usize);
        self.propagation.begin_applying();
        while outcome.is_ok() && at < unit.len() {
            let rest = unit.get(at..).unwrap_or_default();
            match reader.next(rest) {
                Ok((Item::Request(arguments), len)) => {
                    batch.hold_one(arguments, rest);
                    if let Some(request) = batch.request(0, rest)
                        && !is_frame(request)
                    {
                        let prepared = self.prepare_one(request);
                        outcome = self.apply(now, request, prepared, ticks);
                        applied += usize::from(outcome.is_ok());
                    }
                    at += len;
                }
                Ok((_, len)) => at += len,
                Err(_) => {
                    let line = "A transaction of the master cannot be read again";
                    outcome = Err(Diverged(line.to_string()));
                }
            }
        }
        let is_half = outcome.is_err() && applied > 0;
        let ended = self.end_unit(now, unit, outcome.map(|_| Relayed::Effect));
        if is_half {
            // Whoever went on from here would do the first half twice: this is nobody's data.
            let (history, offset) = (History::new(&mut self.server.rng), self.propagation.offset());
            self.take_history(history, offset);
            self.server.disconnect_replicas();
        }
        ended
    }

    /// The bytes of a unit count from here on, unless it could not be applied.
    fn end_unit(
        &mut self,
        now: Now,
        raw: &[u8],
        outcome: Result<Relayed, Diverged>,
    ) -> Result<(), Diverged> {
        let db = self.server.replication.replica.applying.db;
        match outcome {
            Ok(what) => self.propagation.relay(raw, db, what),
            Err(why) => {
                self.propagation.relay(&[], db, Relayed::Message);
                return Err(why);
            }
        }
        if self.store.has_touched() || self.server.retry_blocked {
            self.serve_touched(now);
        }
        Ok(())
    }

    /// Executes a request.
    fn apply(
        &mut self,
        now: Now,
        request: Request<'_>,
        prepared: Prepared,
        ticks: &mut u64,
    ) -> Result<Relayed, Diverged> {
        let Some(found) = prepared.found.or_else(|| self.find_original(request)) else {
            return self.apply_unknown(request);
        };
        if !found.command.spec.arity.accepts(request.len()) {
            self.server.note_failure(&found.full_name(), "wrong number of arguments");
            return Ok(Relayed::Effect);
        }
        match found.command.run {
            Run::Write(handler) => {
                let Self { store, server, propagation, .. } = self;
                let Server { replication, config, .. } = server;
                let Applying { db, outbox, .. } = &mut replication.replica.applying;
                let mark = outbox.mark();
                let mut block = None;
                let outcome = handler(&mut WriteCtx {
                    request,
                    keys: Keyspace::new(store, *db, now)
                        .knowing(request.arg(1), prepared.hash)
                        .replaying(),
                    reply: Reply::new(outbox, Proto::Two),
                    config,
                    now,
                    propagation,
                    waiter: Waiter::new(false, &mut block),
                });
                outbox.roll_back(mark);
                if self.store.has_news() {
                    self.hand_on_news(None);
                }
                self.count_applied(found, ticks);
                if let Err(error) = outcome {
                    self.server.note_failure(&found.full_name(), &error.to_string());
                }
                Ok(Relayed::Effect)
            }
            Run::Control(_) => self.apply_control(request, found, ticks),
            Run::Read(_) | Run::Branching { .. } | Run::Container(_) => Ok(Relayed::Message),
        }
    }

    /// Does what the stream says that is not about keys.
    fn apply_control(
        &mut self,
        request: Request<'_>,
        found: Found,
        ticks: &mut u64,
    ) -> Result<Relayed, Diverged> {
        let what = match found.command.spec.name {
            "select" => {
                let count = self.store.databases();
                let db = number::parse_u64(request.arg(1)).and_then(|raw| DbIndex::new(raw, count));
                let Some(db) = db else {
                    let db = ascii::lossy(request.arg(1));
                    return Err(Diverged(format!(
                        "The master has selected database {db}, which is not one of the {count} \
                         configured: set 'databases' as it is there"
                    )));
                };
                self.server.replication.replica.applying.db = db;
                Relayed::Effect
            }
            "ping" => Relayed::Effect,
            "publish" => {
                self.server.publish(Topic::Channel, request.arg(1), request.arg(2));
                Relayed::Message
            }
            "spublish" => {
                self.server.publish(Topic::Shard, request.arg(1), request.arg(2));
                Relayed::Message
            }
            "replconf" => {
                if ascii::is_word(request.arg(1), "getack") {
                    self.server.replication.replica.applying.is_asked = true;
                }
                Relayed::Message
            }
            _ => Relayed::Message,
        };
        self.count_applied(found, ticks);
        Ok(what)
    }

    /// What to do with a command that is not known here.
    fn apply_unknown(&mut self, request: Request<'_>) -> Result<Relayed, Diverged> {
        if ascii::is_word(request.arg(0), "function") {
            if let Err(why) = self.server.replay_function(request) {
                self.server.note_failure("function", &why);
            }
            return Ok(Relayed::Effect);
        }
        let name = ascii::lossy(request.arg(0));
        self.server.note_failure(&name, "unknown command");
        // What cannot be executed here cannot be when it is read again.
        Ok(Relayed::Message)
    }

    fn count_applied(&mut self, found: Found, ticks: &mut u64) {
        let end = (self.server.meter.ticks)();
        let tracked = self.server.config.latency_tracking;
        let spent = end.saturating_sub(*ticks);
        self.server.statistics.note_call(found.leaf, spent, tracked);
        *ticks = end;
    }

    fn prepare_one(&self, request: Request<'_>) -> Prepared {
        let second = (request.len() > 1).then(|| request.arg(1));
        let found = self.commands.find(request.arg(0), second).unwrap_or(None);
        Prepared { found, hash: self.store.hash(request.arg(1)) }
    }

    /// The command that has this name but for those that were given here.
    pub(super) fn find_original(&mut self, request: Request<'_>) -> Option<Found> {
        if self.server.config.rename_commands.is_empty() {
            return None;
        }
        let second = (request.len() > 1).then(|| request.arg(1));
        let applying = &mut self.server.replication.replica.applying;
        let originals = applying.originals.get_or_insert_default();
        originals.find(request.arg(0), second).unwrap_or(None)
    }
}

impl Server {
    /// Whether nothing of the stream is applied at the moment.
    fn stops_stream(&self) -> bool {
        self.alarms.holds(Armed::STANDSTILL.and(Armed::LOADING).and(Armed::BACKLOG))
    }

    /// A request of the stream did not do here what it did at the primary. Source of the text:
    /// redis-server 7.0.15.
    fn note_failure(&mut self, command: &str, error: &str) {
        let failures = &mut self.replication.replica.applying.failures;
        *failures = failures.saturating_add(1);
        let is_told = *failures <= FAILURES_TOLD_MAX;
        let ends = match self.config.propagation_error_behavior {
            PropagationError::Ignore => false,
            PropagationError::Panic | PropagationError::PanicOnReplicas => true,
        };
        if is_told || ends {
            let line = format!(
                "== CRITICAL == This replica is sending an error to its master: '{error}' after \
                 processing the command '{command}'"
            );
            self.log(Level::Warning, line);
        }
        if ends {
            self.end(ExitCause::Failed);
        }
    }
}

/// Whether a request is the beginning or the end of a transaction.
fn is_frame(request: Request<'_>) -> bool {
    ["multi", "exec"].iter().any(|word| ascii::is_word(request.arg(0), word))
}

/// A request as its primary has sent it, whose bytes are not together any more.
fn encoded(request: Request<'_>) -> Cow<'static, [u8]> {
    let mut bytes = Vec::new();
    encode_request(&mut bytes, request.args_from(0));
    Cow::Owned(bytes)
}
