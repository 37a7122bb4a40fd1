//! The loop: waits for sockets, hands bytes to the node, carries out its wishes, sends replies.
//!
//! One turn: wait (after a short rest, see `rest.rs`), read the clock once, give the node its
//! tick, serve who has sent something, carry out actions, send all replies. A client gets one read
//! (64 KiB) and a bounded number of requests a turn; who has more stands in line for the next one,
//! so that nobody starves.

use std::collections::VecDeque;
use std::process::ExitCode;
use std::time::Duration;

use vesta_node::{ConnId, Event, ExitCause, Meter, Node, Peer, Served, Setup, Signal};
use vesta_rt::alloc::Purger;
use vesta_rt::log::Level;
use vesta_rt::reactor::{Ready, Token};
use vesta_rt::socket::{Accepted, Address, Incoming, ReadOutcome, Stream};
use vesta_rt::{alloc, clock, entropy, errno_text, process, signals};
use vesta_types::{Mono, Now, Unix};

use super::boot::Booted;
use super::connections::{Connection, Connections, Tie};
use super::data_files::DataFiles;
use super::dial::{DIALLING, Dialler};
use super::rest::Rest;

/// Bytes read from one client in one turn.
const READ_BYTES: usize = 64 * 1024;
/// Bytes of a big argument read from one client in one turn.
const DIRECT_BYTES: usize = 1024 * 1024;
/// How long the log gathers what it is to do while there are clients to be served. Each time that
/// it is told costs as much as some ten requests that are served meanwhile.
const GATHER_US: u64 = 200;
/// How long what there is for replicas is gathered while there are clients to be served: sending it
/// costs as much, and clients wait for it only with WAIT.
const GATHER_TO_FEED_US: u64 = 500;
/// The running server.
pub(super) struct Turn {
    pub(super) booted: Booted,
    pub(super) node: Node,
    pub(super) connections: Connections,
    /// Who has more to be read or executed.
    queue: VecDeque<ConnId>,
    /// Who has replies to be sent.
    pub(super) unsent: Vec<ConnId>,
    /// Who has replies that wait for the log; some may have gone meanwhile.
    pub(super) fenced: Vec<ConnId>,
    /// Replicas that there may be something for, and since when.
    pub(super) unfed: Vec<ConnId>,
    pub(super) unfed_since: Mono,
    /// Listeners whose queues may hold more although they will not be reported again: to be
    /// asked in the next turn.
    accept_soon: Vec<usize>,
    /// The same, to be asked after a pause because the machine is short of something.
    accept_later: Vec<usize>,
    buffer: Vec<u8>,
    pub(super) spare: Vec<Vec<u8>>,
    /// A buffer for what a replica gets, which is too large to be a spare one.
    pub(super) feeding_buffer: Vec<u8>,
    pub(super) purger: Purger,
    pub(super) files: DataFiles,
    pub(super) dialler: Dialler,
    pub(super) exit: Option<ExitCause>,
    pub(super) sent_bytes: u64,
    pub(super) sent_writes: u64,
    rest: Rest,
}

/// Serves until the node wishes to end.
pub(crate) fn run(booted: Booted) -> ExitCode {
    let seed = match entropy::bytes() {
        Ok(bytes) => u64::from_ne_bytes(bytes),
        Err(error) => {
            let why = errno_text(&error);
            booted.logger.log(Level::Warning, &format!("No entropy for hashing: {why}"));
            return ExitCode::FAILURE;
        }
    };
    let purger = match Purger::start() {
        Ok(purger) => purger,
        Err(error) => {
            let why = errno_text(&error);
            booted.logger.log(Level::Warning, &format!("Can't start a thread: {why}"));
            return ExitCode::FAILURE;
        }
    };
    let mut turn = Turn::new(booted, seed, purger);
    if let Err(error) = turn.watch_listeners() {
        let why = errno_text(&error);
        turn.booted.logger.log(Level::Warning, &format!("Can't watch the sockets: {why}"));
        return ExitCode::FAILURE;
    }
    clock::rest_precisely();
    let now = read_clock(&turn.booted);
    turn.node.load_at_start(now);
    turn.carry_out(now);
    let mut ready = Vec::new();
    let cause = loop {
        if let Some(cause) = turn.exit {
            break cause;
        }
        if let Err(error) = turn.once(&mut ready) {
            let why = errno_text(&error);
            turn.booted.logger.log(Level::Warning, &format!("The event loop failed: {why}"));
            return ExitCode::FAILURE;
        }
    };
    let now = read_clock(&turn.booted);
    turn.feed_all(now);
    turn.send_all(now);
    // What takes more than one turn: nothing is added any more, and a full socket is left alone.
    while !turn.unsent.is_empty() {
        turn.send_all(now);
    }
    // A file that is not finished goes.
    drop(turn.files);
    match cause {
        ExitCause::Asked | ExitCause::Signal => turn.booted.leave(ExitCode::SUCCESS),
        ExitCause::Failed => turn.booted.leave(ExitCode::FAILURE),
    }
}

/// The first token of listeners; they go downwards from here.
const LISTENER_TOKENS: usize = usize::MAX - 1;

impl Turn {
    fn new(booted: Booted, seed: u64, purger: Purger) -> Self {
        let now = read_clock(&booted);
        let setup = Setup {
            config: booted.config.clone(),
            process: super::facts::process(&booted),
            seed,
            now,
            meter: meter(&booted),
        };
        Self {
            booted,
            node: Node::new(setup),
            connections: Connections::default(),
            queue: VecDeque::new(),
            unsent: Vec::new(),
            fenced: Vec::new(),
            unfed: Vec::new(),
            unfed_since: now.mono,
            accept_soon: Vec::new(),
            accept_later: Vec::new(),
            buffer: vec![0; READ_BYTES],
            spare: Vec::new(),
            feeding_buffer: Vec::new(),
            purger,
            files: DataFiles::default(),
            dialler: Dialler::default(),
            exit: None,
            sent_bytes: 0,
            sent_writes: 0,
            rest: Rest::new(now.mono),
        }
    }

    /// Registers the listeners with the reactor.
    pub(super) fn watch_listeners(&mut self) -> std::io::Result<()> {
        for (index, listener) in self.booted.listeners.iter_mut().enumerate() {
            self.booted.reactor.add_listener(listener, Token(LISTENER_TOKENS - index))?;
        }
        Ok(())
    }

    fn once(&mut self, ready: &mut Vec<Ready>) -> std::io::Result<()> {
        let slept = self.wait(ready)?;
        let now = read_clock(&self.booted);
        self.rest.begin(now.mono, slept);
        self.hear(now, ready.iter().any(|event| event.token == Booted::WAKER));
        for listener in std::mem::take(&mut self.accept_soon) {
            self.accept(now, listener);
        }
        let line = self.queue.len();
        for event in ready.iter() {
            self.take(now, event);
        }
        for _ in 0..line {
            if let Some(conn) = self.queue.pop_front() {
                self.serve_queued(now, conn);
            }
        }
        self.carry_out(now);
        self.send_all(now);
        self.carry_out(now);
        self.connections.recycle();
        self.node.sent(std::mem::take(&mut self.sent_bytes), std::mem::take(&mut self.sent_writes));
        Ok(())
    }

    /// Replaces `ready` with the sockets that have something to say; whether the loop may have
    /// slept for it.
    fn wait(&mut self, ready: &mut Vec<Ready>) -> std::io::Result<bool> {
        if self.has_more() {
            self.booted.reactor.wait(Some(Duration::ZERO), ready)?;
            self.hand_over(true);
            return Ok(false);
        }
        let now = read_clock(&self.booted);
        let rest = self.rest.due(now.mono, self.fenced.len());
        let gathers = self.files.gathering_since().is_some() || !self.unfed.is_empty();
        if gathers || rest.is_some() {
            self.booted.reactor.wait(Some(Duration::ZERO), ready)?;
            if !ready.is_empty() {
                self.hand_over(true);
                return Ok(false);
            }
        }
        if let Some(rest) = rest {
            clock::rest(rest.min(self.patience(now.mono)));
        }
        if gathers && rest.is_some() {
            self.booted.reactor.wait(Some(Duration::ZERO), ready)?;
            if !ready.is_empty() {
                self.hand_over(true);
                return Ok(true);
            }
        }
        self.hand_over(false);
        let patience = if self.has_more() { Duration::ZERO } else { self.patience(now.mono) };
        self.booted.reactor.wait(Some(patience), ready)?;
        Ok(true)
    }

    /// Whether there is something to do whatever the sockets say.
    fn has_more(&self) -> bool {
        !(self.queue.is_empty() && self.unsent.is_empty() && self.accept_soon.is_empty())
    }

    /// How long the loop may sleep at `now`.
    fn patience(&self, now: Mono) -> Duration {
        let deadline = self.node.next_deadline();
        let deadline = self.dialler.deadline().map_or(deadline, |dialler| deadline.min(dialler));
        Duration::from_micros(deadline.since_us(now))
    }

    /// Has the log do what it has gathered, and gives replicas what there is for them, unless
    /// others come first and nothing has waited for long.
    fn hand_over(&mut self, others_first: bool) {
        let since = self.files.gathering_since();
        let unfed_since = (!self.unfed.is_empty()).then_some(self.unfed_since);
        if since.is_none() && unfed_since.is_none() {
            return;
        }
        let now = read_clock(&self.booted);
        let is_due = |since: Mono, us| !others_first || now.mono.since_us(since) >= us;
        if since.is_some_and(|since| is_due(since, GATHER_US)) {
            self.files.hand_over_log();
        }
        if unfed_since.is_some_and(|since| is_due(since, GATHER_TO_FEED_US)) {
            self.feed_all(now);
            self.carry_out(now);
        }
    }

    /// Tells the node of signals, of files and of the time, and does what it wishes for then. That
    /// comes before anybody is served: a wish to let replies leave means those there are by now,
    /// not those that are given in this turn.
    fn hear(&mut self, now: Now, is_woken: bool) {
        if is_woken {
            while let Some(signal) = self.booted.signals.take() {
                self.booted.announce_signal(signal);
                let signal = match signal {
                    signals::Signal::Term => Signal::Term,
                    signals::Signal::Int => Signal::Int,
                };
                self.node.handle(now, Event::Terminate(signal));
            }
            self.hear_of_files(now);
            self.hear_of_names(now);
        }
        if self.dialler.deadline().is_some_and(|deadline| now.mono >= deadline) {
            self.look_at_dialler(now);
        }
        if now.mono >= self.node.next_deadline() {
            self.node.handle(now, Event::Tick);
            self.accept_soon.append(&mut self.accept_later);
        }
        self.carry_out(now);
    }

    fn take(&mut self, now: Now, event: &Ready) {
        if event.token == Booted::WAKER {
            return;
        }
        if event.token == DIALLING {
            return self.look_at_dialler(now);
        }
        if let Some(listener) = LISTENER_TOKENS.checked_sub(event.token.0)
            && listener < self.booted.listeners.len()
        {
            self.accept(now, listener);
            return;
        }
        let conn = ConnId(u32::try_from(event.token.0).unwrap_or(u32::MAX));
        let Some(connection) = self.connections.get_mut(conn) else { return };
        connection.hangup |= event.hangup;
        if event.writable && !connection.unsent {
            connection.unsent = true;
            self.unsent.push(conn);
        }
        if event.readable || event.hangup {
            self.rest.count(&mut connection.counted);
            connection.undrained = true;
            self.serve(now, conn);
        }
    }

    fn accept(&mut self, now: Now, listener: usize) {
        let bound = self.node.config().max_new_connections_per_cycle.max(1) as usize;
        let mut arrived = Vec::new();
        let Some(socket) = self.booted.listeners.get(listener) else { return };
        let outcome = socket.accept_up_to(bound, |incoming| arrived.push(incoming));
        for incoming in arrived {
            self.welcome(now, incoming);
        }
        match outcome {
            Accepted::Drained => {}
            Accepted::More => self.accept_soon.push(listener),
            Accepted::Later(error) => {
                let line = format!("Accepting client connection: {}", errno_text(&error));
                self.booted.logger.log(Level::Warning, &line);
                self.accept_later.push(listener);
            }
        }
    }

    fn welcome(&mut self, now: Now, incoming: Incoming) {
        let Incoming { mut stream, peer, local } = incoming;
        let conn = self.connections.next_free();
        let facts = Peer {
            addr: peer.to_string(),
            laddr: local.to_string(),
            is_local: is_local(&peer),
            is_unix: matches!(peer, Address::Unix(_)),
            fd: stream.fd(),
        };
        if let Err(refused) = self.node.connect(now, conn, facts) {
            // The client may be gone already; there is nothing more to tell it.
            let _ = stream.write(&refused.reply);
            return;
        }
        let prepared = self
            .prepare(&stream)
            .and_then(|()| self.booted.reactor.add_stream(&mut stream, Token(conn.index())));
        match prepared {
            Ok(()) => self.connections.insert(conn, Connection::new(stream)),
            Err(error) => {
                let line = format!("Error preparing a connection: {}", errno_text(&error));
                self.booted.logger.log(Level::Warning, &line);
                self.node.disconnect(conn);
            }
        }
    }

    /// Sets what the settings say about sockets.
    pub(super) fn prepare(&self, stream: &Stream) -> std::io::Result<()> {
        let keepalive_s = self.node.config().tcp_keepalive_s;
        stream.set_nodelay()?;
        if keepalive_s > 0 { stream.set_keepalive(keepalive_s) } else { Ok(()) }
    }

    fn serve_queued(&mut self, now: Now, conn: ConnId) {
        let Some(connection) = self.connections.get_mut(conn) else { return };
        connection.queued = false;
        self.serve(now, conn);
    }

    /// Reads once from a client and executes what it has sent.
    fn serve(&mut self, now: Now, conn: ConnId) {
        let Some(connection) = self.connections.get_mut(conn) else { return };
        if connection.waiting || connection.ending {
            // A client that waits is not read, but its end is noticed. What our primary has sent
            // before it went is read later.
            let is_unread = connection.tie == Tie::Primary && !connection.ending;
            if connection.hangup && !(connection.ending && connection.is_owed()) && !is_unread {
                self.close(conn);
            }
            return;
        }
        if connection.conversation.inbox.wants_direct() {
            return self.read_direct(now, conn);
        }
        let mut fresh = 0;
        if connection.undrained && !connection.more {
            match connection.stream.read(&mut self.buffer) {
                ReadOutcome::Bytes(len) => {
                    connection.undrained = len == self.buffer.len() || connection.hangup;
                    fresh = len;
                }
                ReadOutcome::WouldBlock => connection.undrained = false,
                ReadOutcome::Closed | ReadOutcome::Error(_) => return self.hang_up(conn),
            }
        }
        if !connection.conversation.outbox.has_buffer() {
            connection.conversation.outbox.lend_buffer(self.spare.pop().unwrap_or_default());
        }
        let conversation = &mut connection.conversation;
        let bytes = self.buffer.get(..fresh).unwrap_or_default();
        let served = self.node.serve(now, conn, conversation, bytes);
        self.served(conn, served);
    }

    /// Reads a big argument straight into its place.
    fn read_direct(&mut self, now: Now, conn: ConnId) {
        let Some(connection) = self.connections.get_mut(conn) else { return };
        let Connection { stream, conversation, undrained, hangup, .. } = connection;
        let mut total = 0;
        while *undrained && conversation.inbox.wants_direct() && total < DIRECT_BYTES {
            let mut room = 0;
            let read = conversation.inbox.direct(|place| {
                room = place.len();
                match stream.read(place) {
                    ReadOutcome::Bytes(len) => Ok(len),
                    ReadOutcome::WouldBlock => Ok(0),
                    ReadOutcome::Closed | ReadOutcome::Error(_) => Err(()),
                }
            });
            match read {
                Ok(len) => {
                    total += len;
                    *undrained = len == room || (*hangup && len > 0);
                }
                Err(()) => return self.hang_up(conn),
            }
        }
        let served = self.node.serve(now, conn, &mut connection.conversation, &[]);
        self.served(conn, served);
    }

    /// Does what the node has said about a client.
    fn served(&mut self, conn: ConnId, served: Served) {
        let Some(connection) = self.connections.get_mut(conn) else { return };
        connection.more = served == Served::More;
        match served {
            Served::Idle | Served::More => {}
            Served::Waiting => connection.waiting = true,
            Served::Close => connection.ending = true,
        }
        let outbox = &connection.conversation.outbox;
        if outbox.has_fence() {
            self.hold_back(conn);
        } else if !connection.unsent && (connection.ending || !outbox.is_empty()) {
            connection.unsent = true;
            self.unsent.push(conn);
        } else if let Some(buffer) = connection.conversation.outbox.take_buffer() {
            self.keep(buffer);
        }
        self.enqueue(conn);
    }

    /// Puts a client that has more in line for the next turn.
    fn enqueue(&mut self, conn: ConnId) {
        let Some(connection) = self.connections.get_mut(conn) else { return };
        let has_more = connection.more || connection.undrained;
        if has_more && !connection.queued && !connection.waiting && !connection.ending {
            connection.queued = true;
            self.queue.push_back(conn);
        }
    }

    /// Lets a client go on that has waited.
    pub(super) fn resume(&mut self, conn: ConnId) {
        let Some(connection) = self.connections.get_mut(conn) else { return };
        connection.waiting = false;
        // What came meanwhile was not read, and what is held was not executed.
        connection.more = true;
        connection.undrained = true;
        self.enqueue(conn);
    }

    /// A client sends nothing any more. It may still listen.
    fn hang_up(&mut self, conn: ConnId) {
        let Some(connection) = self.connections.get_mut(conn) else { return };
        // What a replica has not got it asks for again.
        if connection.is_owed() && connection.tie == Tie::None {
            connection.ending = true;
            self.note_unsent(conn);
        } else {
            self.close(conn);
        }
    }

    /// Ends a connection at once.
    pub(super) fn close(&mut self, conn: ConnId) {
        if self.connections.remove(conn) {
            self.node.disconnect(conn);
        }
    }
}

/// Both clocks.
pub(super) fn read_clock(booted: &Booted) -> Now {
    let reading = booted.clock.now();
    Now { mono: Mono(reading.mono_us), unix: Unix(reading.unix_us) }
}

fn meter(booted: &Booted) -> Meter {
    #[expect(clippy::cast_sign_loss, clippy::cast_possible_truncation, reason = "some thousands")]
    let ticks_per_us = booted.ticks.per_us().round().max(1.0) as u64;
    Meter { ticks: booted.ticks.reader(), ticks_per_us }
}

pub(super) fn is_local(peer: &Address) -> bool {
    match peer {
        Address::Ip(address) => address.ip().to_canonical().is_loopback(),
        Address::Unix(_) => true,
    }
}

/// What the process uses, for the node.
pub(super) fn usage() -> vesta_cmd::host::Usage {
    let usage = process::usage();
    let us = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    vesta_cmd::host::Usage {
        allocated_bytes: alloc::allocated_bytes(),
        resident_bytes: usage.rss_bytes,
        cpu_system_us: us(usage.own.system),
        cpu_user_us: us(usage.own.user),
        cpu_system_children_us: us(usage.children.system),
        cpu_user_children_us: us(usage.children.user),
        cpu_system_main_us: us(usage.thread.system),
        cpu_user_main_us: us(usage.thread.user),
    }
}
